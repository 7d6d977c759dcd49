"""What the clients with a thread and with asyncio share: the socket and the clock around a session."""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from time import monotonic, time_ns
from typing import Any, Iterable, Union

import zmq

from . import wire
from .events import Abandon, Action, CloseLink, Disconnected, Ended, Event, OpenLink, Send, State, Tick
from .link import Link
from .options import Options, check_client_id, parse_nodes
from .outbox import Settled
from .outcome import Durable, Error
from .resolver import Resolver
from .session import Session

Text = Union[str, bytes, bytearray, memoryview]


def payload_of(text: Text) -> bytes:
    if isinstance(text, str):
        return text.encode()
    if isinstance(text, (bytes, bytearray, memoryview)):
        return bytes(text)
    raise TypeError(f"a message is str or bytes, not {type(text).__name__}")


def timestamp_of(time: int | None) -> int:
    """Microseconds since 1970 where none is given."""
    if time is None:
        return time_ns() // 1000
    if not isinstance(time, int):
        raise TypeError(f"a time is an integer (microseconds since 1970), not {type(time).__name__}")
    if not wire.TIMESTAMP_MIN <= time <= wire.TIMESTAMP_MAX:
        raise ValueError(f"time {time} does not fit into 64 bits")
    return time


class Shell:
    """Does what the session says and decides nothing. Who derives from it says when to pump, and settles futures.

    `lock` guards the session and the counts. It is not held while anything is performed.
    """

    def __init__(
        self,
        nodes: str | Iterable[str],
        client_id: str | None,
        options: Options,
        lock: AbstractContextManager[Any],
    ) -> None:
        self._addresses = parse_nodes(nodes)
        client_id = f"python-{secrets.token_hex(8)}" if client_id is None else client_id
        check_client_id(client_id)
        # Always a new one: what an earlier process sent under its own may still be written.
        instance, fresh_instance = (1 + secrets.randbelow(wire.INTEGER_MAX) for _ in range(2))
        self._session = Session(client_id, instance, len(self._addresses), options, fresh_instance)
        self._lock = lock
        self._link = Link(zmq.Context.instance(), options.timing)
        self._resolver = Resolver(self._wake)
        self._wanted: int | None = None  # asked for and not connected to yet: its name is being looked up
        self._pending = 0  # messages whose future is not settled
        self._first_error: Error | None = None  # since the last flush

    @property
    def client_id(self) -> str:
        return self._session.client_id

    @property
    def instance(self) -> int:
        return self._session.instance

    @property
    def unsettled(self) -> int:
        """Messages whose outcome is not known yet."""
        return self._pending

    @property
    def trouble(self) -> str:
        """Why there is no progress now, with the node's name; empty when there is."""
        session = self._session
        return f"{session.trouble} (now at {self._addresses[session.node]})" if session.trouble else ""

    # --- for those who derive -------------------------------------------------------------------------
    def _wake(self) -> None:
        """Has `_pump` called soon. From any thread."""
        raise NotImplementedError

    def _settle(self, futures: list[Any], outcome: Durable | Error) -> None:
        raise NotImplementedError

    def _changed_now(self) -> None:
        """Outcomes or the end have come; somebody may wait for them. Called with the lock held."""
        raise NotImplementedError

    def _link_opened(self) -> None:
        """Its sockets can be waited for."""

    def _link_closing(self) -> None:
        """Its sockets are about to go."""

    @property
    def _ended(self) -> bool:
        return self._session.state is State.ENDED

    def _pump(self) -> None:
        """Does everything that can be done now without waiting."""
        try:
            self._connect()
            self._step(Tick())
            for event in self._link.receive():
                self._step(event)
        except BaseException as error:
            self._step(Abandon(f"an error of the client itself: {error!r}"))  # nobody must wait for ever
            raise

    def _abandon(self) -> None:
        self._step(Abandon(f"gave up: {self._excuse()}"))

    def _excuse(self) -> str:
        return self.trouble or "no ack came in time"

    def _raise_first_error(self) -> None:
        with self._lock:
            error, self._first_error = self._first_error, None
        if error is not None:
            raise error

    # --- doing ----------------------------------------------------------------------------------------
    def _step(self, event: Event) -> None:
        with self._lock:
            actions = self._session.step(event, monotonic())
        for action in actions:
            self._perform(action)

    def _perform(self, action: Action) -> None:
        match action:
            case Send(frame):
                self._link.send(frame)
            case Settled():
                self._settle(action.tokens, action.outcome)
                with self._lock:
                    self._pending -= len(action.tokens)
                    if isinstance(action.outcome, Error) and self._first_error is None:
                        self._first_error = action.outcome.again()
                    self._changed_now()
            case OpenLink(node):
                self._wanted = node
                self._connect()
            case CloseLink():
                self._wanted = None
                self._link_closing()
                self._link.close()
            case Ended():
                with self._lock:
                    self._changed_now()

    def _connect(self) -> None:
        if self._wanted is None:
            return
        endpoint = self._resolver.endpoint(self._addresses[self._wanted])
        if endpoint is None:
            return
        self._wanted = None
        try:
            self._link.open(endpoint)
        except zmq.ZMQError as error:
            self._step(Disconnected(f"{endpoint} cannot be used: {error}"))
        else:
            self._link_opened()

"""The client for programs with threads: one of its own speaks to the ring."""

from __future__ import annotations

import math
import socket
import threading
from concurrent.futures import Future
from time import monotonic
from types import TracebackType
from typing import Any, Callable, Iterable

import zmq

from .events import Leave
from .options import Options
from .outcome import Durable, Error
from .shell import Shell, Text, payload_of, timestamp_of


class Client(Shell):
    """Pushes messages to a ring and tells what became of each. All functions may be called from any thread.

        with Client("127.0.0.1:5000..5004") as client:
            future = client.push("hello")       # goes out at once, in a batch with others under load
            future.result()                     # a Durable, or raises Refused, Closed or Unknown

    Messages come to stand in the ledger in the order of pushes. It tries for ever, at all nodes in turn: give up with
    the time-outs of `flush` or `close`.
    """

    def __init__(
        self,
        nodes: str | Iterable[str],
        client_id: str | None = None,
        *,
        options: Options = Options(),
    ) -> None:
        """Starts at once.

        nodes: "host:port" with commas between, or a list; "host:5000..5004" stands for five ports of a host.
        client_id: 1 to 64 bytes, used by no other client at the same time; None: a random one.
        @raise ValueError: what cannot be.
        """
        self._changed = threading.Condition(threading.Lock())
        super().__init__(nodes, client_id, options, self._changed)
        self._waker, self._woken_by = socket.socketpair()
        self._woken = False
        self._waiters = 0
        self._leaving = False
        self._stopping = False
        self._items: list[tuple[Any, int]] = []
        self._link_closing()
        self._thread = threading.Thread(target=self._run, name=f"anel-{self.client_id}", daemon=True)
        self._thread.start()

    # --- for the threads of the user ------------------------------------------------------------------
    def push(self, text: Text, time: int | None = None, *, timeout: float | None = None) -> Future[Durable]:
        """Takes a message. While the window is full it waits, at most `timeout` seconds.

        time: orders messages within a round; microseconds since 1970 unless you mean something else; None: now.
        @return settled once the message is durable, or it is known that it is not. Its callbacks run on the client's
            own thread, where a push never waits. A message that was taken cannot be cancelled.
        @raise Refused: `too_large`, `would_block` (the window is still full), or why the session ended.
        """
        payload, timestamp = payload_of(text), timestamp_of(time)
        future: Future[Durable] = Future()
        future.set_running_or_notify_cancel()
        with self._changed:
            if not self._session.has_room() and not self._is_own_thread():
                self._wait_for(lambda: self._session.has_room() or self._ended, timeout)
            self._session.push(timestamp, payload, future)
            self._pending += 1
            wanted = self._session.wants_step()
        if wanted:
            self._wake()
        return future

    def send(self, text: Text, time: int | None = None, *, timeout: float | None = None) -> Durable:
        """Pushes and waits until the message is durable.

        @raise Refused, Closed, Unknown: what became of it instead; `would_block`: it was not taken in time.
        @raise TimeoutError: not known after `timeout` seconds; the client goes on trying.
        """
        self._refuse_own_thread()
        begin = monotonic()
        future = self.push(text, time, timeout=timeout)
        try:
            return future.result(None if timeout is None else max(0.0, begin + timeout - monotonic()))
        except TimeoutError:
            raise TimeoutError(f"no ack after {timeout} s; {self._excuse()}") from None

    def flush(self, timeout: float | None = None) -> None:
        """Waits until all that was pushed is settled.

        @raise Error: the first outcome since the last flush that was not Durable.
        @raise TimeoutError: not all was settled after `timeout` seconds; the client goes on trying.
        """
        self._refuse_own_thread()
        with self._changed:
            if not self._wait_for(lambda: self._pending == 0, timeout):
                raise TimeoutError(f"{self._pending} messages without an ack; {self._excuse()}")
        self._raise_first_error()

    def close(self, timeout: float | None = 10.0, *, bye: bool = True) -> None:
        """Flushes, says `bye` (the ring forgets the session), and ends the thread. A second call does nothing.

        What is not settled after `timeout` seconds is given up: sent messages are Unknown, others Closed.
        @raise Error: the first outcome since the last flush that was not Durable.
        """
        self._refuse_own_thread()
        until = math.inf if timeout is None else monotonic() + timeout
        with self._changed:
            if self._wait_for(lambda: self._pending == 0, _left(until)) and bye:
                self._leaving = True
                self._wake()
                self._wait_for(lambda: self._ended, _left(until))
            self._stopping = True
        self._wake()
        self._thread.join()
        self._woken = True  # nobody is there to be woken
        self._waker.close()
        self._woken_by.close()
        self._raise_first_error()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except Error:
            if error is None:
                raise

    def _is_own_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def _refuse_own_thread(self) -> None:
        if self._is_own_thread():
            raise RuntimeError("a callback of a future cannot wait for the client: it runs on the client's own thread")

    def _wait_for(self, condition: Callable[[], bool], timeout: float | None) -> bool:
        self._waiters += 1
        try:
            return self._changed.wait_for(condition, timeout)
        finally:
            self._waiters -= 1

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._waker.send(b"\0")

    # --- the client's own thread ----------------------------------------------------------------------
    def _run(self) -> None:
        said_leave = False
        try:
            while not (self._stopping or self._ended):
                self._pump()
                if self._leaving and not said_leave:
                    said_leave = True
                    self._step(Leave())
                ready: list[tuple[Any, int]] = zmq.zmq_poll(self._items, self._poll_milliseconds())
                if any(one == self._woken_by.fileno() for one, _ in ready):
                    self._take_wake()
        finally:
            self._abandon()

    def _take_wake(self) -> None:
        """Before the pump: what is pushed behind it wakes again. Two threads at once may have sent a byte each."""
        self._woken_by.recv(16)
        self._woken = False

    def _poll_milliseconds(self) -> int:
        with self._lock:
            if self._stopping or self._ended or self._session.wants_step():
                return 0
            due = self._session.next_wakeup()
        return -1 if due is None else min(max(0, math.ceil((due - monotonic()) * 1000)), 60_000)

    def _settle(self, futures: list[Future[Durable]], outcome: Durable | Error) -> None:
        if isinstance(outcome, Error):
            for future in futures:
                future.set_exception(outcome.again())
        else:
            for future in futures:
                future.set_result(outcome)

    def _changed_now(self) -> None:
        if self._waiters:
            self._changed.notify_all()

    def _link_opened(self) -> None:
        self._items = [(self._woken_by.fileno(), zmq.POLLIN)] + [(one, zmq.POLLIN) for one in self._link.sockets()]

    def _link_closing(self) -> None:
        self._items = [(self._woken_by.fileno(), zmq.POLLIN)]


def _left(until: float) -> float | None:
    return None if until == math.inf else max(0.0, until - monotonic())

"""The client for asyncio. It needs an event loop that watches descriptors, as asyncio's own on Unix does."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from time import monotonic
from types import TracebackType
from typing import Callable, Iterable

import zmq

from .events import Leave
from .options import Options
from .outcome import Durable, Error
from .shell import Shell, Text, payload_of, timestamp_of


class Client(Shell):
    """Pushes messages to a ring and tells what became of each. For one event loop, the one that runs when it is made.

        async with Client("127.0.0.1:5000..5004") as client:
            await client.send("hello")             # until it is durable
            future = await client.push("hello")    # waits for room in the window alone
            await future                           # a Durable, or raises Refused, Closed or Unknown

    Messages come to stand in the ledger in the order of pushes. It tries for ever, at all nodes in turn: give up with
    `asyncio.timeout`, or the time-out of `close`. A message that was taken goes out though its future is cancelled.
    """

    def __init__(
        self,
        nodes: str | Iterable[str],
        client_id: str | None = None,
        *,
        options: Options = Options(),
    ) -> None:
        """Starts at once. The arguments are those of `anel.Client`."""
        super().__init__(nodes, client_id, options, nullcontext())
        self._loop = asyncio.get_running_loop()
        self._waiters: dict[asyncio.Future[None], None] = {}  # in the order in which they came
        self._watched: list[int] = []
        self._turn_is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._turn_soon()

    async def push(self, text: Text, time: int | None = None) -> asyncio.Future[Durable]:
        """Takes a message; waits while the window is full.

        time: orders messages within a round; microseconds since 1970 unless you mean something else; None: now.
        @return settled once the message is durable, or it is known that it is not.
        @raise Refused: `too_large`, or why the session ended.
        """
        payload, timestamp = payload_of(text), timestamp_of(time)
        await self._wait_for(lambda: self._session.has_room() or self._ended)
        future: asyncio.Future[Durable] = self._loop.create_future()
        self._session.push(timestamp, payload, future)
        self._pending += 1
        if self._session.wants_step():
            self._turn_soon()
            await asyncio.sleep(0)  # who pushes in a loop lets it out, and others run
        return future

    async def send(self, text: Text, time: int | None = None) -> Durable:
        """Pushes and waits until the message is durable.

        @raise Refused, Closed, Unknown: what became of it instead.
        """
        return await (await self.push(text, time))

    async def flush(self) -> None:
        """Waits until all that was pushed is settled.

        @raise Error: the first outcome since the last flush that was not Durable.
        """
        await self._wait_for(lambda: self._pending == 0)
        self._raise_first_error()

    async def close(self, timeout: float | None = 10.0, *, bye: bool = True) -> None:
        """Flushes, and says `bye` (the ring forgets the session). A second call does nothing.

        What is not settled after `timeout` seconds is given up: sent messages are Unknown, others Closed.
        @raise Error: the first outcome since the last flush that was not Durable.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._wait_for(lambda: self._pending == 0)
                if bye:
                    self._step(Leave())
                    self._turn_soon()
                    await self._wait_for(lambda: self._ended)
        except TimeoutError:
            pass  # said below, by the outcomes
        finally:
            self._abandon()
            self._set_timer()
        self._raise_first_error()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except Error:
            if error is None:
                raise

    async def _wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            waiter = self._loop.create_future()
            self._waiters[waiter] = None
            try:
                await waiter
            finally:
                self._waiters.pop(waiter, None)

    # --- callbacks of the loop ------------------------------------------------------------------------
    def _turn_soon(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_is_due = False
        if self._ended:
            return
        self._pump()
        self._set_timer()
        if self._link.is_ready():
            self._turn_soon()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._session.next_wakeup()
        if due is not None:
            self._timer = self._loop.call_later(max(0.0, due - monotonic()), self._turn_soon)

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._turn_soon)
        except RuntimeError:
            return  # a name is known after the loop was closed

    def _settle(self, futures: list[asyncio.Future[Durable]], outcome: Durable | Error) -> None:
        for future in futures:
            if future.done():
                continue  # cancelled
            if isinstance(outcome, Error):
                future.set_exception(outcome.again())
            else:
                future.set_result(outcome)

    def _changed_now(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def _link_opened(self) -> None:
        self._watched = [int(one.getsockopt(zmq.FD)) for one in self._link.sockets()]
        for descriptor in self._watched:
            self._loop.add_reader(descriptor, self._turn)

    def _link_closing(self) -> None:
        for descriptor in self._watched:
            self._loop.remove_reader(descriptor)
        self._watched = []

"""The durable output of a ring, from the feeds of its nodes, without the volume (docs/PROTOCOL.md, part 3).

    with anel.feed.Feed("127.0.0.1:7000,127.0.0.1:7001", offset=0) as feed:
        for line in feed.lines():
            print(line.decode())

A place in the output is a ledger and an offset, which stay true whatever crashes: keep `feed.ledger` and
`feed.offset`, and go on from there with any node, years later.
"""

from __future__ import annotations

import asyncio
import socket
import time
from types import TracebackType
from typing import Any, AsyncIterator, Iterable, Iterator, NamedTuple

import msgpack
import zmq

from .options import Address, parse_nodes
from .outcome import Told

VERSION = 1
HEARTBEAT = 1.0  # s; a node that lives answers within it
PATIENCE = 3 * HEARTBEAT
PAUSE = 0.5  # s, once every node was tried in vain
ANSWER_BYTES_MAX = 256 * 1024
FINAL = ("malformed", "other_ledger", "removed")

_GONE = zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED | zmq.EVENT_CONNECT_RETRIED | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL


class Refused(Told):
    """No node can go on from here. `code` is `other_ledger`, `removed` or `malformed`."""


class Chunk(NamedTuple):
    """Durable bytes of the output: whole lines, unless one is longer than an answer may be."""

    offset: int  # of the first byte
    data: bytes
    end: int  # durable bytes, as the node knew them then
    round: int  # the last one before `end`


class _Leave(Exception):
    """This node is of no use now."""


class Place:
    """Where a reader stands, and what an answer means for it. No socket, no clock."""

    def __init__(self, offset: int | None, ledger: str) -> None:
        self.offset = offset  # None: the end, which the first answer tells
        self.ledger = ledger
        self.end = 0
        self.round = 0

    def request(self) -> bytes:
        offset, most = (0, 0) if self.offset is None else (self.offset, ANSWER_BYTES_MAX)
        packed: bytes = msgpack.packb([VERSION, "read", self.ledger, offset, most])
        return packed

    def take(self, frame: bytes) -> Chunk:
        """@raise _Leave, Refused"""
        try:
            answer = msgpack.unpackb(frame)
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise _Leave("an answer that cannot be read") from error
        match answer:
            case [1, "reject", str() as code, str() as text]:
                if code in FINAL:
                    raise Refused(code, text)
                raise _Leave(f"{code}: {text}")
            case [1, "output", str() as ledger, int() as offset, int() as end, int() as number, bytes() as data]:
                return self._move(ledger, Chunk(offset, data, end, number))
        raise _Leave("an answer of another protocol")

    def _move(self, ledger: str, chunk: Chunk) -> Chunk:
        if self.ledger not in ("", ledger):
            raise Refused("other_ledger", f"the output of {self.ledger} was read, and this node has that of {ledger}")
        if self.offset not in (None, chunk.offset) or chunk.offset + len(chunk.data) > chunk.end:
            raise _Leave(f"offset {self.offset} was asked for, and the answer begins at {chunk.offset}")
        if self.offset is None:
            chunk = chunk._replace(offset=chunk.end, data=b"")
        self.offset = chunk.offset + len(chunk.data)
        self.ledger, self.end, self.round = ledger, chunk.end, chunk.round
        return chunk


class _Base:
    """One connection to one node at a time, with one request under way at most."""

    def __init__(self, nodes: str | Iterable[str], offset: int | None, ledger: str) -> None:
        texts = nodes.split(",") if isinstance(nodes, str) else nodes
        self._addresses = parse_nodes([one.removeprefix("tcp://") for one in texts])
        self._place = Place(offset, ledger)
        self._context: zmq.Context[Any] | None = None  # while it is used
        self._socket: zmq.Socket[Any] | None = None
        self._monitor: zmq.Socket[Any] | None = None
        self._asked: float | None = None  # when; None: nothing is under way
        self._at = 0
        self._left = 0
        self.trouble = ""  # why the last node was left

    @property
    def offset(self) -> int | None:
        """Of the next byte; None: at the end, wherever that is."""
        return self._place.offset

    @property
    def ledger(self) -> str:
        """Whose output it is; empty: not known yet."""
        return self._place.ledger

    @property
    def end(self) -> int:
        """Durable bytes, as the last answer said."""
        return self._place.end

    @property
    def round(self) -> int:
        return self._place.round

    def _sockets(self) -> list[zmq.Socket[Any]]:
        return [one for one in (self._socket, self._monitor) if one is not None]

    def _connect(self, host: str) -> None:
        """`host` is numeric: libzmq would look a name up on its own thread, again and again."""
        self._context = self._context or zmq.Context()
        opened = self._socket = self._context.socket(zmq.DEALER)
        opened.setsockopt(zmq.LINGER, 0)
        opened.setsockopt(zmq.IPV6, int(":" in host))
        self._monitor = opened.get_monitor_socket(_GONE)
        opened.connect(f"tcp://{Address(host, self._addresses[self._at].port)}")

    def _ask(self) -> None:
        if self._asked is None and self._socket is not None:
            self._socket.send(self._place.request(), zmq.NOBLOCK)
            self._asked = time.monotonic()

    def _arrived(self) -> Chunk | None:
        """@raise _Leave, Refused"""
        assert self._socket is not None and self._monitor is not None and self._asked is not None
        try:
            frame = self._socket.recv_multipart(zmq.NOBLOCK)[-1]
        except zmq.Again:
            pass
        else:
            self._asked = None
            chunk = self._place.take(frame)
            self._left = 0
            return chunk
        try:
            self._monitor.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            if time.monotonic() - self._asked > PATIENCE:
                raise _Leave("it does not answer") from None
            return None
        raise _Leave("it is not there, or the connection dropped")

    def _leave(self, why: str) -> bool:
        """To the next node. @return all were tried in vain: time for a pause."""
        self.trouble = f"{self._addresses[self._at]}: {why}"
        self._disconnect()
        self._at = (self._at + 1) % len(self._addresses)
        self._left += 1
        return self._left % len(self._addresses) == 0

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.disable_monitor()
        for one in self._sockets():
            one.close()
        self._socket = self._monitor = self._asked = None

    def close(self) -> None:
        """Ends the connection; the place stays, and reading goes on from it when asked again."""
        self._disconnect()
        if self._context is not None:
            self._context.term()
            self._context = None


def _best(found: list[Any]) -> str:
    """IPv4 first: containers and loopback names have it, IPv6 often only in part."""
    return str(min(found, key=lambda one: bool(one[0] != socket.AF_INET))[4][0])


class Feed(_Base):
    """Reads the output of a ring; waits where there is no more yet. For one thread at a time.

    Iterating gives `Chunk`s without end. It tries for ever, at all nodes in turn, and goes on at the same byte.
    """

    def __init__(self, nodes: str | Iterable[str], *, offset: int | None = None, ledger: str = "") -> None:
        """
        nodes: the feed ports, "host:port" with commas between, or a list.
        offset: of the first byte wanted; None: from the end on.   ledger: whose offset it is; empty: any.
        """
        super().__init__(nodes, offset, ledger)

    def read(self, timeout: float | None = None) -> Chunk | None:
        """The next bytes. @return None: none came within `timeout` seconds.   @raise Refused"""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            chunk = self._turn(until)
            if chunk is not None and chunk.data:
                return chunk
            if until is not None and time.monotonic() >= until:
                return None

    def _turn(self, until: float | None) -> Chunk | None:
        try:
            if self._socket is None:
                address = self._addresses[self._at]
                self._connect(_best(socket.getaddrinfo(address.host, None, type=socket.SOCK_STREAM)))
            self._ask()
            chunk = self._arrived()
            if chunk is None:
                poller = zmq.Poller()
                for one in self._sockets():
                    poller.register(one, zmq.POLLIN)
                rest = HEARTBEAT if until is None else min(HEARTBEAT, until - time.monotonic())
                poller.poll(max(0, int(rest * 1000)))
            return chunk
        except (_Leave, OSError, UnicodeError, zmq.ZMQError) as error:
            if self._leave(str(error)):
                time.sleep(PAUSE if until is None else max(0.0, min(PAUSE, until - time.monotonic())))
            return None

    def lines(self) -> Iterator[bytes]:
        """Whole lines, without their line feeds."""
        rest = b""
        for chunk in self:
            *whole, rest = (rest + chunk.data).split(b"\n")
            yield from whole

    def __iter__(self) -> Iterator[Chunk]:
        while True:
            chunk = self.read()
            assert chunk is not None
            yield chunk

    def __enter__(self) -> Feed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncFeed(_Base):
    """The same for asyncio: `async for chunk in feed`. Give up with `asyncio.timeout`; nothing is lost by it."""

    def __init__(self, nodes: str | Iterable[str], *, offset: int | None = None, ledger: str = "") -> None:
        """The arguments are those of `Feed`."""
        super().__init__(nodes, offset, ledger)

    async def read(self) -> Chunk:
        """The next bytes. @raise Refused"""
        while True:
            chunk = await self._turn()
            if chunk is not None and chunk.data:
                return chunk

    async def _turn(self) -> Chunk | None:
        try:
            if self._socket is None:
                address = self._addresses[self._at]
                loop = asyncio.get_running_loop()
                self._connect(_best(await loop.getaddrinfo(address.host, None, type=socket.SOCK_STREAM)))
            self._ask()
            chunk = self._arrived()
            if chunk is None:
                await self._wait()
            return chunk
        except (_Leave, OSError, UnicodeError, zmq.ZMQError) as error:
            if self._leave(str(error)):
                await asyncio.sleep(PAUSE)
            return None

    async def _wait(self) -> None:
        """Until something may have come. The descriptors tell of all that comes after a receive that found nothing."""
        loop = asyncio.get_running_loop()
        something: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not something.done():
                something.set_result(None)

        descriptors = [int(one.getsockopt(zmq.FD)) for one in self._sockets()]
        for descriptor in descriptors:
            loop.add_reader(descriptor, wake)
        timer = loop.call_later(HEARTBEAT, wake)
        try:
            await something
        finally:
            timer.cancel()
            for descriptor in descriptors:
                loop.remove_reader(descriptor)

    async def lines(self) -> AsyncIterator[bytes]:
        """Whole lines, without their line feeds."""
        rest = b""
        async for chunk in self:
            *whole, rest = (rest + chunk.data).split(b"\n")
            for line in whole:
                yield line

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        while True:
            yield await self.read()

    async def __aenter__(self) -> AsyncFeed:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

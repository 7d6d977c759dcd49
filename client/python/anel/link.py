"""One DEALER socket to one node, and what happens on it."""

from __future__ import annotations

import struct
from typing import Any, Iterator, Union

import zmq

from . import wire
from .events import Connected, Disconnected
from .options import Timing

LinkEvent = Union[Connected, Disconnected, wire.Reply]

_EVENTS = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_CONNECT_RETRIED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
_EVENT_HEAD = struct.Struct("=Hi")


class Link:
    """Sockets are never used again: a new link has a new one, so nothing of an old node is read from it."""

    def __init__(self, context: zmq.Context[Any], timing: Timing) -> None:
        self._context = context
        self._timing = timing
        self._socket: zmq.Socket[Any] | None = None
        self._monitor: zmq.Socket[Any] | None = None

    def open(self, endpoint: str) -> None:
        """@raise zmq.ZMQError: the endpoint cannot be used."""
        self.close()
        socket = self._socket = self._context.socket(zmq.DEALER)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.SNDHWM, 0),  # the session's window is the limit
            (zmq.RCVHWM, 0),
            (zmq.IPV6, int("[" in endpoint)),
            (zmq.IMMEDIATE, 1),
            (zmq.HANDSHAKE_IVL, _milliseconds(self._timing.connect_timeout)),
            (zmq.HEARTBEAT_IVL, _milliseconds(self._timing.heartbeat_interval)),
            (zmq.HEARTBEAT_TIMEOUT, _milliseconds(self._timing.heartbeat_timeout)),
        ):
            socket.setsockopt(option, value)
        self._monitor = socket.get_monitor_socket(_EVENTS)
        socket.connect(endpoint)

    def close(self) -> None:
        socket, self._socket = self._socket, None
        monitor, self._monitor = self._monitor, None
        if socket is not None:
            if monitor is not None:
                socket.disable_monitor()
                monitor.close()
            socket.close()

    def sockets(self) -> list[zmq.Socket[Any]]:
        """Those to wait for; none while it is closed."""
        return [one for one in (self._socket, self._monitor) if one is not None]

    def send(self, frame: bytes) -> None:
        if self._socket is not None:
            try:
                # Where it cannot be queued the connection is going; its event or a time-out tells the session.
                self._socket.send(frame, zmq.NOBLOCK)
            except zmq.ZMQError:
                return

    def receive(self) -> Iterator[LinkEvent]:
        """All that is there, answers first: an ack that stands before a drop of the connection is worth having."""
        while self._socket is not None:
            try:
                frame = self._socket.recv_multipart(zmq.NOBLOCK)[0]
            except zmq.Again:
                break
            try:
                yield wire.decode(frame)
            except wire.Unreadable as error:
                yield Disconnected(str(error))
        while self._monitor is not None:
            try:
                head = self._monitor.recv_multipart(zmq.NOBLOCK)[0]
            except zmq.Again:
                break
            yield _event(*_EVENT_HEAD.unpack(head))

    def is_ready(self) -> bool:
        """More could be received. The sockets' descriptors tell of a change only once, and sending may use it up."""
        return any(int(one.getsockopt(zmq.EVENTS)) & zmq.POLLIN for one in self.sockets())


def _event(number: int, _value: int) -> LinkEvent:
    match number:
        case zmq.EVENT_HANDSHAKE_SUCCEEDED:
            return Connected()
        case zmq.EVENT_DISCONNECTED:
            return Disconnected("the connection dropped")
        case zmq.EVENT_CLOSED | zmq.EVENT_CONNECT_RETRIED:
            return Disconnected("the connection was refused")
    return Disconnected("the handshake failed; is this a client port of a node?")


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))

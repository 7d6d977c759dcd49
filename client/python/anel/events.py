"""What a session is told, and what it tells its shell to do."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Union

from . import wire
from .outbox import Settled


# --- events ---------------------------------------------------------------------------------------
class Connected(NamedTuple):
    """The link of the last OpenLink stands."""


class Disconnected(NamedTuple):
    """It dropped, was refused, or could not be made."""

    why: str


class Tick(NamedTuple):
    """Time has passed, or something was pushed."""


class Leave(NamedTuple):
    """Say `bye` when all is settled."""


class Abandon(NamedTuple):
    """Settle what is left as it is: sent messages are unknown, others were never sent. Nothing follows."""

    why: str


Event = Union[Connected, Disconnected, Tick, Leave, Abandon, wire.Reply]


# --- actions, to be performed in order ------------------------------------------------------------
class OpenLink(NamedTuple):
    """A fresh socket to this node; the one before is closed already."""

    node: int


class CloseLink(NamedTuple):
    why: str


class Send(NamedTuple):
    frame: bytes


class Ended(NamedTuple):
    """`bye` is durable, or the session can go on no more; nothing follows."""


Action = Union[OpenLink, CloseLink, Send, Settled, Ended]


class State(Enum):
    """Where the session stands with its node."""

    WAITING = "no link; the next one is opened when the pause is over"
    CONNECTING = "a link was asked for"
    GREETING = "`hello` is out, `welcome` is awaited"
    PUSHING = "batches go out"
    PAUSED = "`busy`: silent until the node's time is over"
    LEAVING = "`bye` is out"
    ENDED = "nothing goes out any more"

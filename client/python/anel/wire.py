"""The frames of version 1 of the client protocol (docs/PROTOCOL.md, part 1) and nothing else."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, Union

import msgpack

VERSION = 1
BATCH_MESSAGES_MAX = 65_535
CLIENT_ID_BYTES_MAX = 64
INTEGER_MAX = 2**64 - 1
TIMESTAMP_MIN, TIMESTAMP_MAX = -(2**63), 2**63 - 1
MESSAGE_OVERHEAD = 15  # bytes beside the payload
PUSH_OVERHEAD = 32 + CLIENT_ID_BYTES_MAX  # at most so many bytes beside the messages

# The parts of a push are packed by hand, in their widest form, which every msgpack reader takes: a message is packed
# once however often it is sent, and its size is known before.
_MESSAGE_HEAD = struct.Struct(">BBqBI")  # fixarray of 2, int64, bin32
_COUNT = struct.Struct(">BH")  # array16


class Limits(NamedTuple):
    """What one node takes."""

    max_message_bytes: int = 1024 * 1024
    max_batch_bytes: int = 4 * 1024 * 1024
    window_bytes: int = 8 * 1024 * 1024


class Welcome(NamedTuple):
    client_id: str
    last: int
    node: int
    limits: Limits
    birth: int = 0  # of the session: named in each later hello; 0: the node is of an older program


class Ack(NamedTuple):
    client_id: str
    last: int
    sequence: int
    round: int


class Busy(NamedTuple):
    client_id: str
    first: int
    retry_after_ms: int


class Reject(NamedTuple):
    client_id: str
    sequence: int
    code: str
    text: str


class Byed(NamedTuple):
    client_id: str


class Other(NamedTuple):
    """An answer of a kind that this client does not know, and must pass over."""

    kind: str


Reply = Union[Welcome, Ack, Busy, Reject, Byed, Other]


class Unreadable(ValueError):
    """A frame that no node of this version sends."""


def hello(client_id: str, instance: int, sent: int, birth: int = 0) -> bytes:
    """birth: of the session that it goes on with; 0: it knows of none."""
    # A node of an older program knows three fields; it tells no birth, so it is never told one back.
    return _pack([VERSION, "hello", client_id, instance, sent, *([birth] if birth else [])])


def bye(client_id: str, instance: int) -> bytes:
    return _pack([VERSION, "bye", client_id, instance])


def message(timestamp: int, payload: bytes) -> bytes:
    """One message as it stands in a push."""
    return _MESSAGE_HEAD.pack(0x92, 0xD3, timestamp, 0xC6, len(payload)) + payload


def push(client_id: str, instance: int, first: int, messages: list[bytes]) -> bytes:
    """The messages are those of `message`."""
    fields = _pack([VERSION, "push", client_id, instance, first])
    return b"".join([b"\x96", fields[1:], _COUNT.pack(0xDC, len(messages)), *messages])


def decode(frame: bytes) -> Reply:
    """Reads an answer. @raise Unreadable: this is no answer of a node that speaks version 1."""
    try:
        fields = msgpack.unpackb(frame, unicode_errors="surrogateescape")
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise Unreadable("a reply of the node cannot be read") from error
    if not isinstance(fields, list) or len(fields) < 2 or not _is_integer(fields[0]) or not isinstance(fields[1], str):
        raise Unreadable("a reply of the node cannot be read")
    version, kind, *rest = fields
    if version != VERSION:
        raise Unreadable(f"the node speaks version {version}, not {VERSION}")
    return _reply(kind, rest)


def _reply(kind: str, fields: list[Any]) -> Reply:
    match kind, fields:
        case "ack", [str() as client_id, last, sequence, number] if _are_integers(last, sequence, number):
            return Ack(client_id, last, sequence, number)
        case "welcome", [str() as client_id, last, node, dict() as told] if _are_integers(last, node):
            return Welcome(client_id, last, node, _limits(told), _birth(told))
        case "busy", [str() as client_id, first, retry_after_ms] if _are_integers(first, retry_after_ms):
            return Busy(client_id, first, retry_after_ms)
        case "reject", [str() as client_id, sequence, str() as code, str() as text] if _is_integer(sequence):
            return Reject(client_id, sequence, code, text)
        case "bye", [str() as client_id]:
            return Byed(client_id)
        case ("ack" | "welcome" | "busy" | "reject" | "bye"), _:
            raise Unreadable(f"the node sent a '{kind}' that cannot be read")
    return Other(kind)


def _limits(told: dict[Any, Any]) -> Limits:
    known = {name: told[name] for name in Limits._fields if name in told}
    if not _are_integers(*known.values()):
        raise Unreadable("the node sent limits that cannot be read")
    return Limits(**known)


def _birth(told: dict[Any, Any]) -> int:
    birth = told.get("birth", 0)
    if not _is_integer(birth):
        raise Unreadable("the node sent a birth that cannot be read")
    return int(birth)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_integers(*values: Any) -> bool:
    return all(_is_integer(value) for value in values)


def _pack(fields: list[Any]) -> bytes:
    packed: bytes = msgpack.packb(fields)
    return packed

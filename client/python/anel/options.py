"""What a user may choose, and the checks that need no node."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Iterable, NamedTuple

from .wire import BATCH_MESSAGES_MAX, CLIENT_ID_BYTES_MAX, Limits

NODES_MAX = 64


@dataclass(frozen=True)
class Timing:
    """All times, in seconds, come from one: how long a node may be silent while it owes an answer."""

    answer_timeout: float = 2.0

    @property
    def connect_timeout(self) -> float:
        return self.answer_timeout / 4

    @property
    def retry_pause(self) -> float:
        """Wait before another try, once every node was tried in vain."""
        return self.answer_timeout / 20

    @property
    def progress_timeout(self) -> float:
        """A node that answers (`busy`, say) but acks nothing for so long is left."""
        return self.answer_timeout * 4

    @property
    def heartbeat_interval(self) -> float:
        """ZMTP heartbeats find a frozen node while its kernel still keeps the connection."""
        return self.answer_timeout / 16

    @property
    def heartbeat_timeout(self) -> float:
        return self.answer_timeout / 8


@dataclass(frozen=True)
class Options:
    """Sizes and times; the defaults suit most."""

    first_node: int = 0  # where in the list of nodes it begins
    batch_messages: int = 4096  # a call into ZeroMQ costs as much as packing hundreds of messages
    batch_bytes: int = 256 * 1024  # a larger message goes alone
    message_bytes: int = Limits().max_message_bytes
    window_messages: int = 64 * 1024  # not yet settled, sent or not
    window_bytes: int = Limits().window_bytes
    answer_timeout: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            least = 0 if field.name == "first_node" else 1
            value = getattr(self, field.name)
            if field.name == "answer_timeout":
                if not value > 0:
                    raise ValueError(f"answer_timeout is {value} s, must be above 0")
            elif not isinstance(value, int) or value < least:
                raise ValueError(f"{field.name} is {value!r}, an integer of {least} or more is allowed")
        if self.batch_messages > BATCH_MESSAGES_MAX:
            raise ValueError(f"{self.batch_messages} messages in a batch, 1 to {BATCH_MESSAGES_MAX} are allowed")

    @property
    def timing(self) -> Timing:
        return Timing(self.answer_timeout)


class Address(NamedTuple):
    """host:port taken apart; a v6 host stands without its brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _port(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text) if 1 <= int(text) <= 65535 else None


def parse_address(text: str) -> Address:
    host, _, digits = text.rpartition(":")
    if len(host) > 2 and host[0] == "[" and host[-1] == "]":
        host = host[1:-1]
    port = _port(digits)
    if port is None or not host or any(one in host for one in " \t/"):
        raise ValueError(f"'{text}' is not host:port with a port from 1 to 65535")
    return Address(host, port)


def parse_nodes(nodes: str | Iterable[str]) -> list[Address]:
    """A list, or a text with commas. "host:5000..5004" stands for five ports of one host."""
    addresses: list[Address] = []
    for one in nodes.split(",") if isinstance(nodes, str) else nodes:
        if not one:
            continue
        begin, dots, end = one.partition("..")
        first = parse_address(begin)
        last = _port(end) if dots else first.port
        if last is None or not first.port <= last < first.port + NODES_MAX:
            raise ValueError(f"'{one}' is not a range of ports such as 127.0.0.1:5000..5004")
        addresses += [Address(first.host, port) for port in range(first.port, last + 1)]
    if not addresses:
        raise ValueError("no node is named; one host:port at least, with commas between several")
    return addresses


def check_client_id(client_id: str) -> None:
    size = len(client_id.encode())
    if not 1 <= size <= CLIENT_ID_BYTES_MAX:
        raise ValueError(f"a client id of {size} bytes, 1 to {CLIENT_ID_BYTES_MAX} are allowed")
    if client_id.startswith("anon:"):
        raise ValueError(f"client id '{client_id}': ids that begin with 'anon:' belong to the nodes")

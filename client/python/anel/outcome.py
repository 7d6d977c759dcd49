"""What became of a message: a Durable, or one of the errors."""

from __future__ import annotations

from typing import NamedTuple, Union


class Durable(NamedTuple):
    """The message stands in the ledger and survives a power cut.

    Acks are cumulative: one covers many messages, and names the place of the last of them alone.
    """

    acked_sequence: int  # ledger sequence of the last message that the ack covered, not of each
    acked_round: int  # its round; this message's own round is this one or an earlier one


class Told(Exception):
    """What every exception of this package says: `code` for programs, `text` for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Error(Told):
    """A message that is not known to be durable."""

    def again(self) -> Error:
        """A new one that says the same: an exception that is raised in several places gathers all their traces."""
        return type(self)(self.code, self.text)


class Refused(Error):
    """The message is not in the ledger and will not come there by itself.

    `code` is a reject code of docs/PROTOCOL.md, or `would_block`: the window is full.
    """


class Closed(Refused):
    """The message was never sent, because the client was closed or its session has ended."""


class Unknown(Error):
    """The message was sent, and whether it is or comes to be in the ledger cannot be said."""


Outcome = Union[Durable, Error]

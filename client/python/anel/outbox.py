"""The messages that are not settled yet, and their numbers. Pure: no socket, clock, thread or randomness."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from . import wire
from .outcome import Durable, Outcome


class Batch:
    """Messages that go out in one push. `first` is the client sequence of the first one; 0: none has a number."""

    __slots__ = ("first", "messages", "tokens", "size", "sent_before")

    def __init__(self) -> None:
        self.first = 0
        self.messages: list[bytes] = []  # packed
        self.tokens: list[Any] = []  # what the caller gave with each message, to know it again
        self.size = 0  # of all messages, packed
        self.sent_before = False  # on an earlier link: another node may have it

    @property
    def last(self) -> int:
        return self.first + len(self.messages) - 1

    @property
    def frame_bytes(self) -> int:
        return self.size + wire.PUSH_OVERHEAD

    def append(self, message: bytes, token: Any) -> None:
        self.messages.append(message)
        self.tokens.append(token)
        self.size += len(message)

    def split_behind(self, count: int) -> Batch:
        """Keeps the first `count` messages and gives back the others."""
        tail = Batch()
        tail.first = self.first + count if self.first else 0
        tail.sent_before = self.sent_before
        tail.messages, tail.tokens = self.messages[count:], self.tokens[count:]
        tail.size = sum(map(len, tail.messages))
        del self.messages[count:], self.tokens[count:]
        self.size -= tail.size
        return tail


class Settled:
    """The outcome of messages, told once for each; `tokens` are theirs."""

    __slots__ = ("tokens", "outcome")

    def __init__(self, tokens: list[Any], outcome: Outcome) -> None:
        self.tokens = tokens
        self.outcome = outcome


class Outbox:
    """The messages of one client id and instance.

    1. `batches` stand in the order of their pushes. Those with a number come before those without, and their
       numbers have no gaps.
    2. A number once sent names the same message for ever, unless the only node that ever saw it refused it for good.
    3. Each message is settled exactly once.
    """

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.open = Batch()  # grows; its messages come behind all of `batches`
        self.numbered = 0  # how many of `batches` have a number
        self.next = 0  # the batch that goes out next on this link
        self.skipped = 0  # batches before it that were written earlier and only wait for an ack
        self.sent = 0  # highest client sequence ever sent
        self.acked = 0
        self.assigned = 0  # the last client sequence given to a message
        self.in_flight_bytes = 0  # frames of the batches from `skipped` to `next`
        self.messages = 0  # not settled
        self.bytes = 0

    # --- new messages ---------------------------------------------------------------------------------
    def append(self, message: bytes, token: Any) -> None:
        self.open.append(message, token)
        self.messages += 1
        self.bytes += len(message)

    def seal(self) -> None:
        """The open batch takes no more messages; a new one begins."""
        self.batches.append(self.open)
        self.open = Batch()

    def number_next(self) -> Batch:
        """The batch that goes out next; it gets numbers if it has none."""
        batch = self.batches[self.next]
        if not batch.first:
            batch.first = self.assigned + 1
            self.assigned = batch.last
            self.sent = max(self.sent, self.assigned)
            self.numbered += 1
        return batch

    def sent_next(self) -> None:
        self.in_flight_bytes += self.batches[self.next].frame_bytes
        self.next += 1

    # --- places ---------------------------------------------------------------------------------------
    def find(self, sequence: int) -> int | None:
        """The place of the batch that holds this client sequence."""
        if sequence == 0 or not self.acked < sequence <= self.assigned:
            return None
        return bisect_right(self.batches, sequence, 0, self.numbered, key=lambda batch: batch.first) - 1

    def cut_before(self, sequence: int) -> None:
        """Makes this client sequence, if it is here, the first of its batch."""
        place = self.find(sequence)
        if place is not None and self.batches[place].first != sequence:
            self.cut(place, sequence - self.batches[place].first)

    def cut(self, place: int, count: int) -> None:
        """Makes two batches of one; the first keeps `count` messages."""
        batch = self.batches[place]
        self.batches.insert(place + 1, batch.split_behind(count))
        self.numbered += 1 if batch.first else 0
        self.next += 1 if place < self.next else 0
        self.skipped += 1 if place < self.skipped else 0
        self._recount_in_flight()

    def resend_from(self, sequence: int) -> None:
        """The batch that begins here goes out next. A sequence behind all that was sent: what was never sent."""
        self.cut_before(sequence)
        place = self.find(sequence)
        self.next = self.numbered if place is None else place
        self.skipped = min(self.skipped, self.next)
        self._recount_in_flight()

    def skip_to_next(self) -> None:
        """What stands before the next batch is written, and only waits for an ack."""
        self.skipped = self.next
        self.in_flight_bytes = 0

    def renew(self) -> None:
        """Counts from the beginning, under another instance; nothing here has a number."""
        assert self.numbered == 0
        self.sent = self.acked = self.assigned = 0

    def leave_link(self) -> None:
        """What was sent may be at the node that is left, and goes to the next one too."""
        for batch in self.batches[: self.numbered]:
            batch.sent_before = True
        self.next = self.skipped = self.in_flight_bytes = 0

    def _recount_in_flight(self) -> None:
        self.in_flight_bytes = sum(batch.frame_bytes for batch in self.batches[self.skipped : self.next])

    # --- outcomes -------------------------------------------------------------------------------------
    def take_ack(self, last: int, outcome: Durable) -> list[Settled]:
        self.cut_before(last + 1)
        count = bisect_left(self.batches, last + 1, 0, self.numbered, key=lambda batch: batch.first)
        done = self._remove(0, count, outcome)
        self.acked = last
        return done

    def refuse(self, place: int, outcome: Outcome) -> list[Settled]:
        """Takes one message that the only node that saw it refused out, and gives its number to the next.

        Sound because no other node has seen this number or a higher one (`sent_before` is false).
        """
        assert not self.batches[place].sent_before and len(self.batches[place].messages) == 1
        if place < self.numbered:
            self.assigned = self.batches[place].first - 1
            for batch in self.batches[place:]:
                batch.first = 0
            self.numbered = place
        self.next = min(self.next, place)
        return self._remove(place, 1, outcome)

    def refuse_one(self, sequence: int, outcome: Outcome) -> list[Settled]:
        """The same, of the message with this client sequence, which is here."""
        self.cut_before(sequence)
        self.cut_before(sequence + 1)
        place = self.find(sequence)
        assert place is not None
        return self.refuse(place, outcome)

    def settle_all(self, sent: Outcome, unsent: Outcome) -> list[Settled]:
        if self.open.messages:
            self.seal()
        settled = self._remove(0, self.numbered, sent)
        return settled + self._remove(0, len(self.batches), unsent)

    def _remove(self, place: int, count: int, outcome: Outcome) -> list[Settled]:
        gone = self.batches[place : place + count]
        del self.batches[place : place + count]
        self.numbered -= sum(1 for batch in gone if batch.first)
        self.next -= min(count, max(0, self.next - place))
        self.skipped -= min(count, max(0, self.skipped - place))
        self._recount_in_flight()
        self.messages -= sum(len(batch.messages) for batch in gone)
        self.bytes -= sum(batch.size for batch in gone)
        return [Settled(batch.tokens, outcome) for batch in gone]

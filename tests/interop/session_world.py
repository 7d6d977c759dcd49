"""What stands around a session of the Python client in its tests: a shell that records, and a ring in a few lines."""

import os
import sys

import msgpack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client", "python"))

from anel import Options, wire  # noqa: E402
from anel.events import CloseLink, Connected, Disconnected, Ended, OpenLink, Send, State, Tick  # noqa: E402
from anel.outbox import Settled  # noqa: E402
from anel.session import Session  # noqa: E402


class World:
    """Records what the shell would have to do. Messages are known again by their own text."""

    def __init__(self, nodes=3, fresh_instance=0, **options):
        self.now = 1000.0
        options = Options(**{"batch_messages": 4, "window_messages": 64, **options})
        self.session = Session("tea", 7, nodes, options, fresh_instance)
        self.opened, self.closed, self.hellos, self.pushes, self.byes, self.ended = [], [], [], [], 0, 0
        self.named = []  # births, in hellos
        self.birth = 3  # what welcomes tell
        self.outcomes = {}

    def step(self, event):
        for action in self.session.step(event, self.now):
            match action:
                case OpenLink(node):
                    self.opened.append(node)
                case CloseLink(why):
                    self.closed.append(why)
                case Send(frame):
                    self.sent(*msgpack.unpackb(frame))
                case Settled():
                    for token in action.tokens:
                        assert token not in self.outcomes, f"settled twice: {token}"
                        self.outcomes[token] = action.outcome
                case Ended():
                    self.ended += 1

    def sent(self, version, kind, client_id, instance, *fields):
        assert (version, client_id, instance) == (1, "tea", self.session.instance)
        if kind == "hello":
            self.hellos.append(fields[0])
            self.named.append(fields[1] if len(fields) > 1 else 0)
        elif kind == "push":
            self.pushes.append((fields[0], [payload.decode() for _, payload in fields[1]]))
        else:
            self.byes += 1

    def tick(self, seconds=0.0):
        self.now += seconds
        self.step(Tick())

    def push(self, *texts):
        for text in texts:
            self.session.push(1, text.encode(), text)
        if self.session.wants_step():
            self.tick()

    def push_many(self, count, prefix="m"):
        self.push(*(f"{prefix}{number}" for number in range(1, count + 1)))

    def ack(self, last):
        self.step(wire.Ack("tea", last, 100 + last, 9))

    def reject(self, sequence, code):
        self.step(wire.Reject("tea", sequence, code, "why"))

    def busy(self, first, milliseconds):
        self.step(wire.Busy("tea", first, milliseconds))

    def welcome(self, last=0, **limits):
        self.step(wire.Welcome("tea", last, 0, wire.Limits(**limits), self.birth))

    def meet(self, last=0, **limits):
        """The link of the last OpenLink comes to stand and its node greets back."""
        if self.session.state is State.WAITING:
            self.tick()
        self.step(Connected())
        assert self.session.state is State.GREETING
        self.welcome(last, **limits)

    def begin(self, last=0, **limits):
        self.tick()
        self.meet(last, **limits)
        return self

    def are(self, kind, *texts):
        return all(isinstance(self.outcomes.get(text), kind) for text in texts)


class FakeRing:
    """A ring in a few lines: it takes batches in order, loses connections, and answers now and then."""

    def __init__(self, world, dice):
        self.world = world
        self.dice = dice
        self.written = []
        self.taken = 0  # pushes of the world that were looked at
        self.deaf = False  # after a refusal, until the expected sequence comes

    def turn(self):
        world = self.world
        if world.session.state is State.WAITING:
            world.tick(0.2)
        if world.session.state is State.CONNECTING:
            self.taken, self.deaf = len(world.pushes), False
            world.step(Disconnected("refused") if self.dice(4) else Connected())
        elif world.session.state is State.GREETING:
            self.taken, self.deaf = len(world.pushes), False
            if self.dice(5):
                world.reject(0, "no_quorum")
            else:
                world.welcome(len(self.written))
        elif self.take():
            world.tick(3 if self.dice(3) else 0.02)

    def take(self):
        """@return false when something else than an ack was said."""
        while self.taken < len(self.world.pushes):
            first, texts = self.world.pushes[self.taken]
            self.taken += 1
            expected = len(self.written) + 1
            if first > expected or self.deaf and first != expected:
                continue
            self.deaf = self.dice(6)
            if self.deaf:
                self.world.busy(first, 10)
                return False
            self.written += texts[max(0, expected - first):]
            assert self.written[first - 1:first - 1 + len(texts)] == texts, "a number was given to another message"
            if self.dice(7):
                self.world.step(Disconnected("gone"))
                return False
            if self.dice(2):
                self.world.ack(first + len(texts) - 1)
        return True

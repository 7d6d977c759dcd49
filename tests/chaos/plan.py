"""The schedule of a chaos run, from its seed alone: episodes of one or two faults, and the calm behind each.

Kinds are dealt like cards, a whole deck before any comes again, so that a short run has met each of them.
"""

import random
from typing import NamedTuple

NODES = 5

ROUND = ("record.write", "record.written", "decide.before", "decide.after", "output.write", "output.middle",
         "output.written", "sync.requested", "segment.sync", "segment.synced")
GRANT = ("grant.before_seal", "grant.sealed", "grant.durable", "segment.write", "grant.before_link", "grant.linked")
REST = ("rotate.sealed", "output.sync", "blocks.write", "checkpoint.write", "checkpoint.before_link", "trim.unlink")
ERRORS = ("record.write=error:EIO", "output.write=error:EIO", "output.middle=error:EIO", "segment.sync=error:EIO",
          "output.sync=error:EIO", "record.reserve=error:ENOSPC", "output.reserve=error:ENOSPC",
          "checkpoint.write=error:ENOSPC", "output.write=short", "record.write=short")


class Fault(NamedTuple):
    """`nodes`: who it befalls; where `holder` is set, the holder if there is one, in the place of the first."""
    kind: str
    verb: str
    nodes: tuple = ()
    holder: bool = False
    length: float = 0.0   # s between its two halves: dead, paused, cut off
    after: float = 0.0    # s from the beginning of the episode
    point: str = ""       # of ANEL_FAIL_POINTS
    pick: int = 0         # which client

    def __str__(self):
        who = "holder" if self.holder else "a client" if self.verb == "kill_client" else \
            "node " + ",".join(str(node) for node in self.nodes)
        return f"{self.kind} {who} {self.length * 1000:.0f} ms{' ' + self.point if self.point else ''}"


class Episode(NamedTuple):
    faults: list
    calm: float    # s until the next one
    settle: bool   # wait until the ring is whole and every client got something acked


class Plan:
    """`kinds`: names of the methods below that may be dealt."""

    def __init__(self, seed, kinds):
        self.chance = random.Random(seed)
        self.kinds = list(kinds)
        self.deck = []

    def episodes(self):
        while True:
            faults = [self.draw()]
            # Some of a pair begin together, some while the other is under way.
            if self.chance.random() < 0.35:
                faults.append(self.draw()._replace(after=self.chance.choice([0.0, self.between(0.01, 0.8)])))
            yield Episode(faults, self.between(0.05, 1.0), self.chance.random() < 0.4)

    def draw(self):
        if not self.deck:
            self.deck = list(self.kinds)
            self.chance.shuffle(self.deck)
        kind = self.deck.pop()
        return getattr(self, kind)()._replace(kind=kind)

    # --- chances ------------------------------------------------------------------------------------
    def between(self, low, high):
        """Short ones as likely as long ones: even on a logarithmic scale."""
        return low * (high / low) ** self.chance.random()

    def some(self, count):
        return tuple(self.chance.sample(range(NODES), count))

    def make(self, verb, nodes=None, **more):
        return Fault("", verb, self.some(1) if nodes is None else nodes, **more)

    # --- kinds: death -------------------------------------------------------------------------------
    def dead_for(self):
        return self.chance.choice([0.0, self.between(0.02, 2.0)])

    def kill_holder(self):
        return self.make("kill", holder=True, length=self.dead_for())

    def kill_any(self):
        return self.make("kill", length=self.dead_for())

    def kill_several(self):
        return self.make("kill", self.some(self.chance.randint(2, NODES - 1)), length=self.dead_for())

    def kill_all(self):
        return self.make("kill", self.some(NODES), length=self.dead_for() / 4)

    def leave_holder(self):
        return self.make("leave", holder=True, length=self.dead_for())

    def leave_any(self):
        return self.make("leave", self.some(self.chance.randint(1, 2)), length=self.dead_for())

    def leave_all(self):
        return self.make("leave", self.some(NODES), length=self.dead_for() / 4)

    # --- kinds: sleep -------------------------------------------------------------------------------
    def pause_holder_briefly(self):
        return self.make("pause", holder=True, length=self.between(0.01, 0.2))

    def pause_holder(self):
        return self.make("pause", holder=True, length=self.between(0.3, 3.0))

    def pause_any(self):
        return self.make("pause", length=self.between(0.01, 3.0))

    def pause_several(self):
        return self.make("pause", self.some(self.chance.randint(2, NODES)), length=self.between(0.01, 2.0))

    def stutter_holder(self):
        return self.make("stutter", holder=True, length=self.between(0.005, 0.06), pick=self.chance.randint(8, 25))

    def pause_in_view_change(self):
        """The holder dies, and while the others find together one of them freezes."""
        return self.make("kill_and_pause", self.some(2), holder=True, length=self.between(0.05, 2.0),
                         pick=self.chance.randint(0, 120))

    # --- kinds: fail points -------------------------------------------------------------------------
    def armed(self, verb, action):
        place = self.chance.choice([ROUND, ROUND, GRANT, REST])
        count = 1 if place is GRANT else int(self.between(1, 30)) if place is ROUND else int(self.between(1, 3))
        # The lowest node calls for the next epoch.
        nodes = (0, self.chance.randint(1, NODES - 1)) if place is GRANT else self.some(1)
        return self.make(verb, nodes, length=self.between(0.05, 2.0),
                         point=f"{self.chance.choice(place)}={action}@{count}")

    def stop_at_point(self):
        return self.armed("stop_at", "stop")

    def crash_at_point(self):
        return self.armed("end_at", "exit")

    def error_at_point(self):
        return self.make("fail_at", length=self.between(0.3, 1.5),
                         point=f"{self.chance.choice(ERRORS)}@{int(self.between(1, 10))}")

    # --- kinds: others ------------------------------------------------------------------------------
    def kill_client(self):
        return self.make("kill_client", (), length=self.between(0.02, 1.0), pick=self.chance.randint(0, 99))

    def cut_off_holder(self):
        return self.make("cut_off", holder=True, length=self.between(0.2, 4.0))

    def cut_off_any(self):
        return self.make("cut_off", length=self.between(0.2, 4.0))

    def cut_off_several(self):
        return self.make("cut_off", self.some(self.chance.randint(2, 3)), length=self.between(0.2, 3.0))


LIFE = ("kill_holder", "kill_any", "kill_several", "kill_all", "leave_holder", "leave_any", "leave_all",
        "pause_holder_briefly", "pause_holder", "pause_any", "pause_several", "kill_client")
PROCESSES = LIFE + ("stutter_holder", "pause_in_view_change", "stop_at_point", "crash_at_point", "error_at_point")
CONTAINERS = LIFE + ("pause_in_view_change", "cut_off_holder", "cut_off_any", "cut_off_several")

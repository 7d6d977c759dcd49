"""The journal of a ring that runs for long: within one epoch it stays as short as its limits say, and so does what a node
has to read that starts again."""

import os
import unittest

from common import BINARIES, Ring, main, wait_until
from load import Load, check, numbers_in

SEGMENT_BYTES = 65536
# The epoch must last: a busy machine is no reason to begin another.
SETTINGS = {"ANEL_SEGMENT_BYTES": str(SEGMENT_BYTES), "ANEL_CHECKPOINT_ROUNDS": "5", "ANEL_TOKEN_TIMEOUT_MS": "3000"}
ROUNDS = 6000
NODES = 3
SEGMENTS = 40       # at most: where a checkpoint takes long, the journal grows meanwhile
CHECKPOINTS = 2 + NODES     # at most: each node may have one below which it still has to remove; a listing is no snapshot
BACK_WITHIN = 10    # s; as a rule it is one, and with a journal of this epoch from its beginning it were more and more


def size_of(path):
    """0: it was trimmed a moment ago."""
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


class Journal(unittest.TestCase):
    def test_the_journal_of_a_long_epoch_stays_short(self):
        with Ring(BINARIES, nodes=NODES, settings=SETTINGS) as ring, Load(ring) as load:
            ring.wait_healthy()
            epoch = ring.status(0)["epoch"]
            load.start_everywhere(list(range(NODES)), batch=2, filler=200)
            most = {"segments": 0, "bytes": 0, "checkpoints": 0}
            first = max(numbers_in(ring, "journal"))

            def look():
                load.look()
                segments = numbers_in(ring, "journal")
                sizes = [size_of(os.path.join(ring.data, ".anel", "journal", str(one))) for one in segments]
                for what, now in (("segments", len(segments)), ("bytes", sum(sizes)),
                                  ("checkpoints", len(numbers_in(ring, "checkpoint")))):
                    most[what] = max(most[what], now)
                return ring.status(0)["round"] >= ROUNDS
            wait_until(look, 240, f"{ROUNDS} rounds")
            status = ring.status(0)
            self.assertEqual(status["epoch"], epoch, "all of it was one epoch")
            print(f"round {status['round']}, segments from {first} to {max(numbers_in(ring, 'journal'))}; at most {most}")
            self.assertGreater(max(numbers_in(ring, "journal")), first + SEGMENTS, "there was something to trim")
            self.assertLessEqual(most["segments"], SEGMENTS)
            self.assertLessEqual(most["bytes"], SEGMENTS * SEGMENT_BYTES * 2)
            self.assertLessEqual(most["checkpoints"], CHECKPOINTS)

            # Who starts again reads a checkpoint and what is behind it, not the epoch from its beginning.
            ring.nodes[1].kill()
            ring.nodes[1].start()
            load.start("at-who-was-away", [1])
            load.wait_acks(1, BACK_WITHIN)
            load.finish()
            ring.wait_healthy()
            check(self, ring, load)


if __name__ == "__main__":
    main()

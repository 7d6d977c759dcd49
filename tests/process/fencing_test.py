"""A node is stopped at an exact place; the ring goes on without it; it wakes up later and does no harm."""

import unittest

from common import BINARIES, Ring, main, wait_until
from load import Load, arm, check, is_stopped, numbers_in, read_output

SEPARATOR = b"#" * 56 + b"\n"
CHECKPOINTS = {"ANEL_CHECKPOINT_ROUNDS": "5"}
EPOCHS = 4  # that pass at least, besides the one that begins when the victim is missed
SHORT_SEGMENTS = {"ANEL_SEGMENT_BYTES": "65536"}


class Fencing(unittest.TestCase):
    def stop_at(self, point, victim, settings=None, provoke=None, quiet=False, at_stop=None, meanwhile=None,
                **options):
        """`provoke(ring, reached)`: what brings the victim to the place, again and again until it is there; else the
        clients do. `quiet`: there is one round already, and no client pushes until it stands there. `at_stop(output)`,
        `meanwhile(ring, load)`: while it stands there. Options are of the clients."""
        with Ring(BINARIES, settings=settings) as ring, Load(ring) as load:
            ring.wait_healthy()
            node = ring.nodes[victim]
            others = [other.id for other in ring.nodes if other.id != victim]
            node.kill()
            ring.wait_healthy(others)
            arm(ring, victim, f"{point}=stop")
            wait_until(lambda: is_stopped(node) or ring.is_healthy(), 20, "the victim joins")
            # One client begins at the victim, so that it has work and closes rounds itself.
            if quiet:
                load.start("early", others)
                load.wait_acks(1)
                load.finish()
                self.assertFalse(is_stopped(node), f"node {victim} came to {point} too early")
            else:
                load.start_everywhere([victim, *others], **options)
            if provoke is None:
                wait_until(lambda: is_stopped(node), 20, f"node {victim} comes to {point}")
            for _ in range(20):
                if is_stopped(node):
                    break
                provoke(ring, lambda: is_stopped(node))
            self.assertTrue(is_stopped(node), f"node {victim} did not come to {point}")

            before = read_output(ring)
            if at_stop is not None:
                at_stop(before)
            if quiet:
                load.start_everywhere([victim, *others], **options)
            load.wait_acks()
            ring.wait_healthy(others)
            if meanwhile is not None:
                meanwhile(ring, load)
            self.epochs_pass(ring, load, others)
            later = read_output(ring)
            self.assertGreater(len(later), len(before))

            node.resume()
            ring.wait_healthy()
            load.start("at-the-victim", [victim])
            load.wait_acks()
            load.finish()
            ring.wait_healthy()
            end = read_output(ring)
            self.assertTrue(end.startswith(later), "bytes changed that were written while the victim stood")
            self.assertTrue(later.startswith(before), "bytes changed that stood there when it was stopped")
            check(self, ring, load)

    def epochs_pass(self, ring, load, others):
        """What the victim knows is not only of the epoch before: others held, sealed and wrote in several since."""
        def epoch():
            return ring.status(others[0])["epoch"]
        *rest, guest = others
        begun = epoch()
        for _ in range(EPOCHS // 2):
            ring.nodes[guest].kill()
            ring.wait_healthy(rest)
            load.wait_acks()
            ring.nodes[guest].start()
            ring.wait_healthy(others)
            load.wait_acks()
        self.assertGreaterEqual(epoch(), begun + EPOCHS)

    def output_is_cut(self, output):
        self.assertFalse(output.endswith(SEPARATOR))

    def lose_a_member(self, ring, reached):
        """Ends the epoch: the lowest node, that is the victim, calls for the next one."""
        ring.nodes[4].kill()
        wait_until(lambda: reached() or ring.is_healthy([0, 1, 2, 3]), 20, "a view without node 4")
        ring.nodes[4].start()
        wait_until(lambda: reached() or ring.is_healthy(), 20, "a view with node 4")

    def wait_newer_checkpoint(self, ring, load):
        # Of the others, above the one that the victim is at.
        newest = max(numbers_in(ring, "checkpoint"), default=0)
        wait_until(lambda: load.look() or max(numbers_in(ring, "checkpoint"), default=0) > newest + 20, 20,
                   "newer checkpoints")

    # --- a round ------------------------------------------------------------------------------------
    def test_before_the_record_is_written(self):
        self.stop_at("record.write", 0)

    def test_between_record_and_decide(self):
        self.stop_at("record.written", 1)

    def test_at_the_decide(self):
        self.stop_at("decide.before", 2)

    def test_decided_and_not_written(self):
        self.stop_at("decide.after", 3)

    def test_before_the_output_is_written(self):
        self.stop_at("output.write", 4)

    def test_in_the_middle_of_the_output(self):
        self.stop_at("output.middle", 0, at_stop=self.output_is_cut)

    def test_behind_the_output(self):
        self.stop_at("output.written", 1)

    def test_before_the_token_goes_on(self):
        self.stop_at("sync.requested", 2)

    def test_before_the_sync(self):
        self.stop_at("segment.sync", 3)

    def test_between_the_sync_and_its_word(self):
        self.stop_at("segment.synced", 4)

    # --- a grant ------------------------------------------------------------------------------------
    def test_a_candidate_before_it_seals(self):
        self.stop_at("grant.before_seal", 0, provoke=self.lose_a_member)

    def test_a_candidate_that_sealed(self):
        self.stop_at("grant.sealed", 0, provoke=self.lose_a_member)

    def test_a_candidate_that_made_the_last_segment_durable(self):
        self.stop_at("grant.durable", 0, provoke=self.lose_a_member)

    def test_a_candidate_that_writes_the_last_round_again(self):
        self.stop_at("output.middle", 0, provoke=self.lose_a_member, quiet=True)

    def test_a_candidate_before_its_segment_has_a_name(self):
        self.stop_at("grant.before_link", 0, provoke=self.lose_a_member)

    def test_a_candidate_whose_segment_has_a_name(self):
        self.stop_at("grant.linked", 0, provoke=self.lose_a_member)

    def test_a_candidate_whose_number_was_used_and_trimmed_meanwhile(self):
        def until_trimmed(ring, load):
            number = max(numbers_in(ring, "journal"))
            ring.nodes[4].kill()
            ring.wait_healthy([1, 2, 3])
            ring.nodes[4].start()
            ring.wait_healthy([1, 2, 3, 4])
            wait_until(lambda: load.look() or number not in numbers_in(ring, "journal"), 20, "the number is free again")
        self.stop_at("grant.before_link", 0, settings=CHECKPOINTS, provoke=self.lose_a_member, meanwhile=until_trimmed)

    def test_a_rotation_that_sealed(self):
        self.stop_at("rotate.sealed", 1, settings=SHORT_SEGMENTS, filler=2000)

    # --- a checkpoint -------------------------------------------------------------------------------
    def test_a_checkpoint_before_the_output_is_durable(self):
        self.stop_at("output.sync", 0, settings=CHECKPOINTS, meanwhile=self.wait_newer_checkpoint)

    def test_a_checkpoint_before_its_block_sums(self):
        self.stop_at("blocks.write", 1, settings=CHECKPOINTS, meanwhile=self.wait_newer_checkpoint, filler=20_000)

    def test_a_checkpoint_before_it_is_written(self):
        self.stop_at("checkpoint.write", 2, settings=CHECKPOINTS, meanwhile=self.wait_newer_checkpoint)

    def test_a_checkpoint_before_it_has_a_name(self):
        self.stop_at("checkpoint.before_link", 3, settings=CHECKPOINTS, meanwhile=self.wait_newer_checkpoint)

    def test_a_checkpoint_before_it_deletes_what_is_below(self):
        self.stop_at("trim.unlink", 4, settings=CHECKPOINTS, meanwhile=self.wait_newer_checkpoint)

    # --- twice --------------------------------------------------------------------------------------
    def test_a_node_that_is_stopped_in_turn_at_every_place_of_a_round(self):
        """It wakes up at one place and is stopped at the next, whole epochs later."""
        points = ["record.write", "record.written", "decide.before", "decide.after", "output.write",
                  "output.middle", "output.written", "sync.requested", "segment.sync", "segment.synced"]
        with Ring(BINARIES) as ring, Load(ring) as load:
            ring.wait_healthy()
            ring.nodes[1].kill()
            ring.wait_healthy([0, 2, 3, 4])
            arm(ring, 1, ",".join(f"{point}=stop" for point in points))
            ring.wait_healthy()
            copies = [b""]
            load.start_everywhere([2, 3, 4, 0])
            for _ in points:
                # Stops that it meets on its way back into the ring count as well.
                load.start(f"visitor-{len(copies)}", [1, 2, 3, 4, 0])
                wait_until(lambda: load.look() or is_stopped(ring.nodes[1]), 20, "node 1 comes to a place")
                load.wait_acks()
                copies.append(read_output(ring))
                ring.nodes[1].resume()
                wait_until(lambda: is_stopped(ring.nodes[1]) or ring.is_healthy(), 20, "node 1 is back")
            ring.wait_healthy()
            load.finish()
            end = read_output(ring)
            for copy in copies:
                self.assertTrue(end.startswith(copy), "bytes changed")
            check(self, ring, load)


if __name__ == "__main__":
    main()

"""Disks that are full, that fail, that write short: nothing acked is lost, and a node that cannot go on says why."""

import os
import shutil
import subprocess
import tempfile
import unittest

from common import BINARIES, Dealer, Ring, main, wait_until
from load import Load, arm, check, numbers_in, verify

CHECKPOINTS = {"ANEL_CHECKPOINT_ROUNDS": "5"}


class SmallDisk:
    """A tmpfs of its own; needs root."""

    def __init__(self, megabytes):
        self.folder = tempfile.mkdtemp(prefix="anel-disk-")
        self.ballast = os.path.join(self.folder, "ballast")
        self.megabytes = megabytes

    def __enter__(self):
        mounting = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m", "anel", self.folder],
                                  capture_output=True, text=True, check=False)
        if mounting.returncode != 0:
            os.rmdir(self.folder)
            raise unittest.SkipTest(f"no tmpfs can be mounted: {mounting.stderr.strip()}")
        return self

    def __exit__(self, kind, error, trace):
        subprocess.run(["umount", "-l", self.folder], check=True)
        os.rmdir(self.folder)

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            size = 1024 * 1024
            while size > 0:
                try:
                    if file.write(bytes(size)) < size:
                        size //= 2
                except OSError:
                    size //= 2

    def clear(self):
        os.remove(self.ballast)


class Disk(unittest.TestCase):
    # --- full ---------------------------------------------------------------------------------------
    def test_a_disk_that_is_full_for_a_while(self):
        with SmallDisk(48) as disk, Ring(BINARIES, folder=disk.folder) as ring, Load(ring) as load:
            ring.wait_healthy()
            load.start_everywhere([0, 1, 2, 3, 4], filler=2000)
            load.wait_acks()
            disk.fill()
            load.wait_reject("disk_full")  # what was reserved before is used up now
            disk.clear()
            load.wait_acks()
            load.finish()
            ring.wait_healthy()
            check(self, ring, load)

    def test_a_full_disk_gives_no_new_epoch_and_all_goes_on_when_there_is_room(self):
        with SmallDisk(48) as disk, Ring(BINARIES, folder=disk.folder) as ring, Load(ring) as load:
            ring.wait_healthy()
            load.start_everywhere([0, 1, 2, 3, 4], filler=2000)
            load.wait_acks()
            disk.fill()
            load.wait_reject("disk_full")
            ring.nodes[2].kill()
            load.wait_reject("disk_full")  # also by nodes that cannot form a ring
            disk.clear()
            ring.wait_healthy([0, 1, 3, 4])
            load.wait_acks()
            ring.nodes[2].start()
            ring.wait_healthy()
            load.finish()
            check(self, ring, load)

    def test_a_disk_that_is_full_whenever_a_segment_or_a_checkpoint_is_due(self):
        """Segments are so short that it is mostly a new one that finds no room: clients are told just the same."""
        settings = dict(CHECKPOINTS, ANEL_SEGMENT_BYTES="65536")
        with SmallDisk(48) as disk, Ring(BINARIES, nodes=3, folder=disk.folder, settings=settings) as ring, \
                Load(ring) as load:
            ring.wait_healthy()
            load.start_everywhere([0, 1, 2], filler=2000)
            load.wait_acks()
            for _ in range(3):
                disk.fill()
                load.wait_reject("disk_full")
                disk.clear()
                load.wait_acks()
            self.assertGreater(numbers_in(ring, "journal")[0], 1)
            load.finish()
            ring.wait_healthy()
            check(self, ring, load)

    def no_room_for(self, point, settings=None):
        """All nodes without room, then one after the other with room again."""
        with Ring(BINARIES, nodes=3, settings=settings) as ring, Load(ring) as load:
            ring.wait_healthy()
            for node in ring.nodes:
                node.kill()
            for node in ring.nodes:
                arm(ring, node.id, f"{point}=error:ENOSPC")
            load.start_everywhere([0, 1, 2])
            load.wait_reject("disk_full")
            self.assertEqual([pusher.acked for pusher in load.pushers], [0, 0, 0])
            self.assertEqual(ring.output().bytes, b"")
            for node in ring.nodes:
                arm(ring, node.id, "")
                wait_until(lambda: load.look() or node.running and ring.status(node.id), 20, "the node answers")
            load.wait_acks()
            load.finish()
            ring.wait_healthy()
            check(self, ring, load)

    def test_no_room_for_a_record(self):
        self.no_room_for("record.reserve")

    def test_no_room_for_the_output(self):
        self.no_room_for("output.reserve")

    def test_no_room_for_a_segment(self):
        self.no_room_for("segment.reserve")

    def test_no_room_for_a_segment_at_one_node_alone(self):
        """The lowest, which calls first each time: another one has to be granted the epoch."""
        with Ring(BINARIES, nodes=3) as ring, Load(ring) as load:
            ring.wait_healthy()
            ring.nodes[0].kill()
            ring.wait_healthy([1, 2])
            arm(ring, 0, "segment.reserve=error:ENOSPC")
            ring.wait_healthy()
            load.start_everywhere([1, 2, 0])
            for _ in range(20):
                if "no epoch can be granted" in ring.log_tail(0):
                    break
                ring.nodes[2].kill()
                ring.nodes[2].start()
                ring.wait_healthy()
                load.wait_acks(1)
            self.assertIn("no epoch can be granted", ring.log_tail(0))
            load.wait_acks()
            load.finish()
            check(self, ring, load)

    def no_room_for_a_checkpoint(self, point, **options):
        with Ring(BINARIES, nodes=3, settings=CHECKPOINTS) as ring, Load(ring) as load:
            for node in ring.nodes:
                wait_until(lambda: ring.status(node.id), 20, "the node answers")
                arm(ring, node.id, f"{point}=error:ENOSPC")
            ring.wait_healthy()
            load.start_everywhere([0, 1, 2], **options)
            load.wait_acks(50)
            checkpoints = numbers_in(ring, "checkpoint")
            load.wait_acks(50)
            self.assertEqual(numbers_in(ring, "checkpoint"), checkpoints)
            for node in ring.nodes:
                arm(ring, node.id, "")
                wait_until(lambda: load.look() or ring.status(node.id), 20, "the node answers")
            wait_until(lambda: load.look() or numbers_in(ring, "checkpoint") != checkpoints, 20, "a checkpoint")
            load.finish()
            ring.wait_healthy()
            check(self, ring, load)

    def test_no_room_for_a_checkpoint(self):
        self.no_room_for_a_checkpoint("checkpoint.write")

    def test_no_room_for_block_sums(self):
        self.no_room_for_a_checkpoint("blocks.write", filler=20_000)

    # --- failing ------------------------------------------------------------------------------------
    def failing(self, points, code, message, settings=None, candidate=False, **options):
        """Node 0 of three meets the failure under load: it ends with `code` and `message`, nobody else does, and it
        can come back."""
        with Ring(BINARIES, nodes=3, settings=settings) as ring, Load(ring) as load:
            ring.wait_healthy()
            ring.nodes[0].kill()
            ring.wait_healthy([1, 2])
            arm(ring, 0, points)
            node = ring.nodes[0]
            wait_until(lambda: not node.running or ring.is_healthy(), 20, "node 0 joins")
            load.start_everywhere([0, 1, 2], **options)
            if candidate:
                load.wait_acks(1)
            for _ in range(20):
                if not candidate or not node.running:
                    break
                ring.nodes[2].kill()  # the lowest calls for the next view
                ring.nodes[2].start()
                wait_until(lambda: not node.running or ring.is_healthy(), 20, "a view with node 2")
            self.assertEqual(node.process.wait(20), code)
            self.assertIn(message, ring.log_tail(0).splitlines()[-1])
            load.wait_acks()
            ring.wait_healthy([1, 2])
            arm(ring, 0, "")
            ring.wait_healthy()
            load.wait_acks()
            load.finish()
            check(self, ring, load)

    def test_no_record_can_be_written(self):
        self.failing("record.write=error:EIO", 12, "aneld: cannot write a record of the journal: Input/output error")

    def test_the_file_system_became_read_only(self):
        self.failing("record.write=error:EROFS", 12,
                     "aneld: cannot write a record of the journal: Read-only file system")

    def test_no_space_can_be_reserved(self):
        self.failing("record.reserve=error:EIO", 12,
                     "aneld: cannot reserve space for the journal: Input/output error")

    def test_no_output_can_be_written(self):
        self.failing("output.write=error:EIO", 12, "aneld: cannot write output.txt: Input/output error")

    def test_half_of_the_output_can_be_written(self):
        self.failing("output.middle=error:EIO", 12, "aneld: cannot write output.txt: Input/output error")

    def test_a_disk_that_is_full_although_space_was_reserved(self):
        self.failing("output.write=error:ENOSPC", 12, "aneld: cannot write output.txt: No space left on device")

    def test_the_journal_cannot_be_made_durable(self):
        self.failing("segment.sync=error:EIO", 10, "aneld: cannot make .anel/journal/")

    def test_the_output_cannot_be_made_durable(self):
        self.failing("output.sync=error:EIO", 10, "aneld: cannot make output.txt durable: Input/output error",
                     settings=CHECKPOINTS)

    def test_no_checkpoint_can_be_written(self):
        self.failing("checkpoint.write=error:EIO", 12, "aneld: cannot write a checkpoint: Input/output error",
                     settings=CHECKPOINTS)

    def test_the_folder_of_checkpoints_cannot_be_made_durable(self):
        # Two are of the start, and a checkpoint may sync the folder of the journal before its own.
        self.failing("folder.sync=error:EIO@4", 10, "aneld: cannot make .anel/checkpoint durable: Input/output error",
                     settings=CHECKPOINTS)

    def test_the_folder_of_the_journal_cannot_be_made_durable(self):
        # Two are of the start.
        self.failing("folder.sync=error:EIO@3", 10, "aneld: cannot make .anel/journal durable: Input/output error",
                     candidate=True)

    def test_no_segment_can_be_written(self):
        self.failing("segment.write=error:EIO", 12, "aneld: cannot write a segment: Input/output error",
                     candidate=True)

    def test_the_data_folder_cannot_be_made_durable(self):
        with Ring(BINARIES, nodes=1) as ring:
            wait_until(lambda: ring.status(0), 20, "the node answers")
            ring.nodes[0].kill()
            shutil.rmtree(os.path.join(ring.data, ".anel"))
            os.remove(os.path.join(ring.data, "output.txt"))
            arm(ring, 0, "folder.sync=error:EIO")
            self.assertEqual(ring.nodes[0].process.wait(20), 10)
            self.assertIn("durable: Input/output error", ring.log_tail(0))
            arm(ring, 0, "")
            ring.wait_healthy()

    def written_without_its_client(self, points, code):
        """Node 0 decides a round and fails; nobody sends its message again."""
        for _ in range(10):
            ring = Ring(BINARIES, nodes=3)
            ring.nodes[0].environment["ANEL_FAIL_POINTS"] = points
            with ring:
                ring.wait_healthy()
                if ring.holder() != 0:
                    continue  # the lowest calls first; on a busy machine it may come late
                with Dealer(ring, 0, "silent", 7) as client:
                    self.assertEqual(client.hello()[0], "welcome")
                    client.push(1, [[0, b"once"]])
                    self.assertEqual(ring.nodes[0].process.wait(20), code)
                    self.assertFalse(client.socket.poll(0), "an ack of what is not durable")
                ring.wait_healthy([1, 2])
                self.assertEqual(ring.output().messages, [b"once"])
                with Dealer(ring, 2, "silent", 7) as client:
                    self.assertEqual(client.hello(1)[:3], ["welcome", "silent", 1])
                verify(self, ring)
                return
        self.fail("node 0 never held the first token")

    def test_a_decided_round_is_written_by_the_next_epoch(self):
        self.written_without_its_client("output.write=error:EIO", 12)

    def test_a_decided_round_of_which_half_is_written_is_written_by_the_next_epoch(self):
        self.written_without_its_client("output.middle=error:EIO", 12)

    def test_a_decided_round_whose_sync_failed_is_made_durable_by_the_next_epoch(self):
        # The first sync is of the hello.
        self.written_without_its_client("segment.sync=error:EIO@2", 10)

    # --- short --------------------------------------------------------------------------------------
    def test_every_write_comes_in_pieces(self):
        places = ["record.write", "output.first_half", "output.middle", "segment.write", "segment.write_again",
                  "checkpoint.write", "blocks.write"]
        points = ",".join(f"{place}=short" for place in places)
        settings = dict(CHECKPOINTS, ANEL_SEGMENT_BYTES="65536", ANEL_FAIL_POINTS=points)
        with Ring(BINARIES, settings=settings) as ring, Load(ring) as load:
            ring.wait_healthy()
            load.start_everywhere([0, 1, 2, 3, 4], filler=5000)
            load.wait_acks()
            for node in (0, 3):
                ring.nodes[node].kill()
                load.wait_acks()
                ring.nodes[node].start()
                ring.wait_healthy()
            load.wait_acks()
            load.finish()
            self.assertNotEqual(numbers_in(ring, "checkpoint"), [])
            self.assertNotIn(1, numbers_in(ring, "journal"))
            check(self, ring, load)


if __name__ == "__main__":
    main()

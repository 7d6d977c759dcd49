"""Outside hands: files of a ledger that are removed, cut, edited, exchanged or copied, while a ring runs and between
runs. Each is noticed and named with the way out, and that way leads out."""

import json
import os
import re
import shutil
import tempfile
import unittest

from common import BINARIES, Dealer, Ring, main, push_text, wait_until
from load import Load, check, numbers_in, verify

CHECKPOINTS = {"ANEL_CHECKPOINT_ROUNDS": "5"}


def path_in(ring, *parts):
    return os.path.join(ring.data, *parts)


def newest_segment(ring):
    return os.path.join(".anel", "journal", str(numbers_in(ring, "journal")[-1]))


def cut(size):
    return lambda path: os.truncate(path, size)


def replace(path):
    """As many editors save: a new file under the old name."""
    shutil.copyfile(path, path + ".new")
    os.rename(path + ".new", path)


def edit_start(path):
    with open(path, "r+b") as file:
        file.write(b"edited")


def append(path):
    with open(path, "ab") as file:
        file.write(b"mine\n")


def copy_of(path):
    with open(path, "rb") as file:
        return file.read()


def put_back(data, path):
    """Into the same file."""
    with open(path, "r+b") as file:
        file.write(data)


class Outside(unittest.TestCase):
    def repair(self, ring, *flags, code=0):
        done = ring.anel("repair", *flags, ring.data)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def push(self, ring, count, client_id="keeper", known=0):
        """Messages known+1.. of one client whose instance stays the same."""
        with Dealer(ring, 0, client_id, 7) as client:
            self.assertEqual(client.hello(known)[:3], ["welcome", client_id, known])
            for number in range(known + 1, known + count + 1):
                client.push(number, [[0, b"%d" % number]])
                client.receive_ack(number)
        return [b"%d" % number for number in range(1, known + count + 1)]

    def goes_on(self, ring, known):
        """All nodes start again: nothing is missing, sequences and sessions go on."""
        for node in ring.nodes:
            if not node.running:
                node.start()
        ring.wait_healthy()
        self.assertEqual(ring.output().messages, [b"%d" % number for number in range(1, known + 1)])
        wanted = self.push(ring, 3, known=known)
        self.assertEqual(ring.output().messages, wanted)
        verify(self, ring)

    # --- while the ring runs ------------------------------------------------------------------------
    def hands_while_it_runs(self, part, deed, told, way):
        """@return the ring, stopped, with 20 acked messages of "keeper"."""
        ring = Ring(BINARIES, nodes=3)
        with ring:
            ring.wait_healthy()
            self.push(ring, 20)
            deed(path_in(ring, part if isinstance(part, str) else part(ring)))
            with Dealer(ring, 0, "other", 1) as client:  # nobody will ack this
                client.send("hello", "other", 1, 0)
                # The holder notices first; the others may come upon a consequence, and be gone before it.
                wait_until(lambda: any(not node.running and node.process.returncode == 12 for node in ring.nodes), 20,
                           "a node names what was done")
            ended = [node for node in ring.nodes if not node.running]
            for node in ended:
                self.assertIn(node.process.returncode, (11, 12), ring.log_tail(node.id))
            lines = [ring.log_tail(node.id).splitlines()[-1] for node in ended if node.process.returncode == 12]
            line = next((line for line in lines if told in line), "\n".join(lines))
            self.assertIn("aneld: ", line)
            self.assertIn(told, line)
            self.assertIn(way, line)
            if len(ended) < 3:
                refused = ring.anel("repair", ring.data)
                self.assertEqual(refused.returncode, 2, refused.stderr)
                self.assertIn("stop all nodes first", refused.stderr)
            for node in ring.nodes:
                node.kill()
            yield ring

    def test_output_is_cut(self):
        for ring in self.hands_while_it_runs("output.txt", cut(100), "output.txt was shortened to 100 bytes",
                                             "anel repair /"):
            self.assertIn("rewritten from the journal: output.txt from byte 100 to ", self.repair(ring))
            self.goes_on(ring, 20)

    def test_output_is_removed(self):
        for ring in self.hands_while_it_runs("output.txt", os.remove, "output.txt was removed or replaced",
                                             "anel repair --adopt /"):
            self.assertIn("CANNOT be restored", self.repair(ring, code=1))
            self.assertIn("adopted: .anel/adopted/1", self.repair(ring, "--adopt"))
            self.goes_on(ring, 20)

    def test_output_is_saved_by_an_editor(self):
        for ring in self.hands_while_it_runs("output.txt", replace, "output.txt was removed or replaced",
                                             "anel repair --adopt /"):
            self.assertIn("adopted: .anel/adopted/1", self.repair(ring, "--adopt"))
            self.goes_on(ring, 20)

    def test_output_is_appended_to(self):
        for ring in self.hands_while_it_runs("output.txt", append, "somebody else wrote behind them", "truncate -s "):
            output = path_in(ring, "output.txt")
            said = self.repair(ring, code=1)
            own = int(re.search(rf"truncate -s (\d+) {output}$", said.strip()).group(1))
            self.assertEqual(copy_of(output)[own:], b"mine\n")
            os.truncate(output, own)
            self.goes_on(ring, 20)

    def test_output_is_edited(self):
        """The next checkpoint would vouch for it, so who makes that looks."""
        with Ring(BINARIES, nodes=3, settings={"ANEL_CHECKPOINT_ROUNDS": "40"}) as ring:
            ring.wait_healthy()
            self.push(ring, 20)
            edit_start(path_in(ring, "output.txt"))
            with Dealer(ring, 0, "other", 1) as client:
                client.hello()
                for number in range(1, 100):
                    client.push(number, [[0, b"other"]])
                    wait_until(lambda: client.socket.poll(0) or not all(node.running for node in ring.nodes), 20,
                               "an ack, or an end")
                    if not all(node.running for node in ring.nodes):
                        break
                    client.receive_ack(number)
            ended = [node for node in ring.nodes if not node.running]
            self.assertTrue(ended, "nobody noticed")
            for node in ended:
                self.assertEqual(node.exit_code, 12, ring.log_tail(node.id))
                self.assertIn("output.txt was changed while the ring ran", ring.log_tail(node.id).splitlines()[-1])
            for node in ring.nodes:
                node.kill()
            self.assertIn("rewritten from the journal: output.txt from byte 0 to ", self.repair(ring))
            ring.start()
            ring.wait_healthy()
            self.assertEqual(ring.output().messages[:20], [b"%d" % number for number in range(1, 21)])
            verify(self, ring)

    def test_the_newest_segment_is_removed(self):
        for _ in self.hands_while_it_runs(newest_segment, os.remove, "was removed while the ring ran", "put it back"):
            pass

    def test_the_newest_segment_is_cut(self):
        for _ in self.hands_while_it_runs(newest_segment, cut(8300), "was shortened to 8300 bytes", "put it back"):
            pass

    def test_the_ledger_is_removed(self):
        for _ in self.hands_while_it_runs(".anel/ledger", os.remove, ".anel/ledger was removed", "put it back"):
            pass

    def test_all_of_it_is_moved_away_and_back(self):
        for ring in self.hands_while_it_runs(".anel", lambda path: os.rename(path, path + ".old"),
                                             ".anel/ledger was removed or replaced while", "put it back"):
            os.rename(path_in(ring, ".anel.old"), path_in(ring, ".anel"))
            self.goes_on(ring, 20)

    def test_all_of_it_is_removed(self):
        for _ in self.hands_while_it_runs(".anel", shutil.rmtree, "was removed while the ring ran", "put it back"):
            pass

    # What is mapped and has no bytes any more cannot even be read (SIGBUS). Who looks at the file first names it, and who
    # comes upon it by its map can say no more than that there is such a file.
    def emptied(self, part, provoke):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            self.push(ring, 20)
            place = path_in(ring, part(ring))
            kept = copy_of(place)
            os.truncate(place, 0)
            provoke(ring)
            wait_until(lambda: any(node.exit_code == 12 for node in ring.nodes), 20, "who comes upon it ends")
            for node in ring.nodes:
                line = ring.log_tail(node.id).splitlines()[-1]
                if node.exit_code == 12:
                    mapped = "anel: a file of .anel was shortened, or its disk failed, while it was mapped (SIGBUS)" in line
                    self.assertTrue(mapped or "was shortened to 0 bytes" in line, line)
                    self.assertIn("run anel verify" if mapped else "put it back", line)
                else:  # killed, or without a majority since the others have ended
                    self.assertIn(node.exit_code, (None, -9), line)
                    node.kill()
            put_back(kept, place)
            self.goes_on(ring, 20)

    def test_the_newest_segment_is_emptied(self):
        def write(ring):
            with Dealer(ring, 0, "other", 1) as client:
                client.send("hello", "other", 1, 0)
                wait_until(lambda: not all(node.running for node in ring.nodes), 20, "the holder comes upon it")
        self.emptied(newest_segment, write)

    def test_the_ledger_is_emptied(self):
        """Nothing reads it but who calls for an epoch, and who is called."""
        self.emptied(lambda ring: ".anel/ledger", lambda ring: ring.nodes[2].kill())

    def test_the_checkpoints_are_removed(self):
        for views, deed in ((1, shutil.rmtree), (3, shutil.rmtree), (3, lambda path: os.rename(path, path + ".old"))):
            with self.subTest(views=views):
                self.checkpoints_are_removed(views, deed)

    def checkpoints_are_removed(self, views, deed):
        """Nothing reads them but a start and who makes the next one: that one misses them, and trims nothing."""
        with Ring(BINARIES, nodes=3, settings=CHECKPOINTS) as ring:
            ring.wait_healthy()
            self.push(ring, 10)
            if views > 1:  # a segment that the next checkpoint makes useless
                ring.nodes[2].kill()
                ring.wait_healthy([0, 1])
                ring.nodes[2].start()
                ring.wait_healthy()
            self.push(ring, 10, known=10)
            due = ring.status(0)["round"] - 5
            wait_until(lambda: [one > due for one in numbers_in(ring, "checkpoint")] == [True], 20, "no checkpoint is due")
            wait_until(lambda: len(numbers_in(ring, "journal")) == 1, 20, "the segments it covers are trimmed")
            # A node that was late for the first view makes a second one, and that has a segment of its own.
            segment = numbers_in(ring, "journal")[0]
            self.assertTrue(segment > 1 or views == 1)
            place, kept = path_in(ring, ".anel", "checkpoint"), path_in(ring, "..", "kept")
            shutil.copytree(place, kept)
            deed(place)
            with Dealer(ring, 0, "keeper", 7) as client:
                self.assertEqual(client.hello(20)[:3], ["welcome", "keeper", 20])
                acked = 20
                while all(node.running for node in ring.nodes):
                    self.assertLess(acked, 100, "nobody misses the checkpoints")
                    client.push(acked + 1, [[0, b"%d" % (acked + 1)]])
                    try:
                        client.receive_ack(acked + 1, 1)
                    except AssertionError:  # of a ring that lost who missed them
                        break
                    acked += 1
            # The others may come upon a consequence.
            told = ".anel/checkpoint was removed or replaced while the ring ran: stop all nodes and put it back"
            wait_until(lambda: any(told in ring.log_tail(node.id) and node.exit_code == 12 for node in ring.nodes), 20,
                       "a node misses them")
            self.assertIn(segment, numbers_in(ring, "journal"))
            for node in ring.nodes:
                self.assertIn(node.exit_code, (None, 11, 12), ring.log_tail(node.id))
                node.kill()
            ring.nodes[0].start()
            self.assertEqual(ring.nodes[0].process.wait(20), 11)
            self.assertIn(".anel/checkpoint is missing", ring.log_tail(0).splitlines()[-1])
            shutil.copytree(kept, place)
            ring.start()
            ring.wait_healthy()
            known = len(ring.output().messages)
            self.assertGreaterEqual(known, acked)
            self.goes_on(ring, known)

    def test_a_paused_node_lives(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            self.push(ring, 3)
            ring.nodes[1].pause()
            ring.nodes[0].kill()
            ring.nodes[2].kill()
            said = self.repair(ring, code=2)
            self.assertIn(f"process {ring.nodes[1].process.pid}", said)
            self.assertIn("nothing to do", self.repair(ring, "--dry-run"))
            ring.nodes[1].kill()
            self.assertIn("nothing to do", self.repair(ring))
            self.goes_on(ring, 3)

    # --- between runs -------------------------------------------------------------------------------
    def test_between_runs_each_part_is_missed(self):
        deeds = [
            ("output.txt", os.remove, 12, "output.txt is missing", "--adopt"),
            ("output.txt", cut(3), 12, "output.txt has 3 bytes", "anel repair /"),
            ("output.txt", edit_start, 12, "output.txt was changed somewhere in the", "anel repair /"),
            ("output.txt", replace, 12, "output.txt was replaced by another file", "--adopt"),
            (".anel", shutil.rmtree, 12, "no ledger stands beside it", "put that back"),
            (".anel/ledger", os.remove, 11, ".anel/ledger is missing", "any copy of that file will do"),
            (".anel/journal", shutil.rmtree, 11, ".anel/journal is missing", "put it back"),
            (newest_segment, os.remove, 11, "is missing", "put it back"),
            (".anel/checkpoint", shutil.rmtree, 11, ".anel/checkpoint is missing", "put it back"),
            (".anel/ledger", replace, 12, ".anel was copied or restored", "--adopt"),
        ]
        with Ring(BINARIES, nodes=1, settings=CHECKPOINTS) as ring:
            ring.wait_healthy()
            self.push(ring, 20)
            wait_until(lambda: numbers_in(ring, "checkpoint"), 20, "a checkpoint")
            node = ring.nodes[0]
            self.assertEqual(node.stop(), 0)
            kept = path_in(ring, "..", "kept")
            for part, deed, code, told, way in deeds:
                name = part if isinstance(part, str) else part(ring)
                with self.subTest(part=name, deed=getattr(deed, "__name__", "cut")):
                    os.mkdir(kept)
                    place = path_in(ring, name)
                    top = path_in(ring, name.split(os.sep)[0])
                    # Moved away and copied: the deed is done to the copy, the real files come back afterwards.
                    if deed in (os.remove, shutil.rmtree, replace):
                        os.rename(place, os.path.join(kept, "part"))
                        if deed is replace:
                            shutil.copyfile(os.path.join(kept, "part"), place)
                    else:
                        shutil.copyfile(place, os.path.join(kept, "bytes"))
                        deed(place)
                    node.start()
                    self.assertEqual(node.process.wait(20), code, ring.log_tail(0))
                    line = ring.log_tail(0).splitlines()[-1]
                    self.assertIn(told, line)
                    self.assertIn(way, line)
                    self.assertTrue(os.path.exists(top) or deed in (os.remove, shutil.rmtree))
                    if os.path.exists(os.path.join(kept, "part")):
                        os.rename(os.path.join(kept, "part"), place)
                    else:
                        with open(os.path.join(kept, "bytes"), "rb") as old, open(place, "r+b") as file:
                            file.write(old.read())
                    shutil.rmtree(kept)
            self.goes_on(ring, 20)

    # --- backup -------------------------------------------------------------------------------------
    def test_a_backup_of_a_busy_ring_is_restored(self):
        settings = dict(CHECKPOINTS, ANEL_SEGMENT_BYTES="65536")
        copies = tempfile.mkdtemp(prefix="anel-backup-")
        try:
            with Ring(BINARIES, nodes=3, settings=settings) as ring, Load(ring) as load:
                ring.wait_healthy()
                self.push(ring, 20)
                load.start_everywhere([0, 1, 2], filler=2000)
                for turn in range(3):
                    load.wait_acks(30)
                    acked = {pusher.client_id: pusher.acked for pusher in load.pushers}
                    done = ring.anel("backup", ring.data, os.path.join(copies, str(turn), "data"))
                    self.assertEqual(done.returncode, 2, "its parent is missing")
                    os.mkdir(os.path.join(copies, str(turn)))
                    done = ring.anel("backup", "--json", ring.data, os.path.join(copies, str(turn), "data"))
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.assertTrue(json.loads(done.stdout)["sound"])
                done = ring.anel("backup", ring.data, os.path.join(copies, "2", "data"))
                self.assertEqual(done.returncode, 2)
                self.assertIn("allowed is an empty folder", done.stderr)
                load.finish()
                check_load = ring.output().messages
                verify(self, ring)
            with Ring(BINARIES, nodes=3, folder=os.path.join(copies, "2"), settings=settings) as restored:
                for node in restored.nodes:
                    self.assertEqual(node.process.wait(20), 12)
                    self.assertIn("anel repair --adopt /", restored.log_tail(node.id))
                self.assertIn("adopted: ", self.repair(restored, "--adopt"))
                restored.start()
                restored.wait_healthy()
                verify(self, restored)
                messages = restored.output().messages
                self.assertEqual(messages, check_load[:len(messages)])
                for client_id, last in acked.items():
                    own = [text for text in messages if text.startswith(client_id.encode() + b" ")]
                    self.assertGreaterEqual(len(own), last, "acked before the backup began")
                with Dealer(restored, 0, "keeper", 7) as client:
                    self.assertEqual(client.hello(20)[:3], ["welcome", "keeper", 20])
                push_text(restored, 1, "behind it")
                verify(self, restored)
        finally:
            shutil.rmtree(copies)


if __name__ == "__main__":
    main()

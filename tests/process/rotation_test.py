"""The output goes on in new files while nodes are killed, frozen at exact places, and come back: readers by name and by
feed get each byte once."""

import glob
import json
import os
import signal
import unittest

from common import Output, main, push_text, wait_until
from load import Load, arm, check, is_stopped, read_output, verify
from readers import ANEL, Program, RingWithFeeds

# Where a holder or whoever enters the new file may stand: before, in and behind everything that gives it its name.
PLACES = ("output.prepared", "rotate.sealed", "grant.before_link", "grant.linked", "series.write", "output.before_turn",
          "output.turned")


def finished(ring):
    return sorted(glob.glob(os.path.join(ring.data, "output.0*.txt")))


class RotatingRing(RingWithFeeds):
    def __init__(self, nodes=3, **settings):
        super().__init__(nodes, settings=dict({"ANEL_OUTPUT_BYTES": "20000"}, **settings))


class Readers:
    """Everybody who may follow the output, from its first byte on."""

    def __init__(self, ring):
        # Debian's tail; a short interval, because it looks for another file only between two of them where it has no
        # events.
        self.tail = Program(ring, "tail", "tail", "-n", "+1", "-s", "0.05", "-F", os.path.join(ring.data, "output.txt"))
        self.watch = Program(ring, "watch", ANEL, "watch", ring.data, "--from", "start")
        self.sleeper = Program(ring, "sleeper", ANEL, "watch", ring.data, "--from", "start")
        self.feed = Program(ring, "feed", ANEL, "watch", *ring.feeds(), "--from", "start")
        self.all = (self.tail, self.watch, self.sleeper, self.feed)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.all:
            one.__exit__()

    def check(self, test, output):
        self.sleeper.process.send_signal(signal.SIGCONT)
        for one in self.all:
            one.check(test, output)


def messages_of(path):
    """Of JSON lines, those that are whole."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line)["message"] for line in file if line.endswith("\n")]


class Makers:
    """Who makes something else of each message: JSON lines, and rows of finished files. On rings of their own: the work is
    much, and where a machine is busy with it, tail comes too late for a file that has its name for a moment only."""

    def __init__(self, ring):
        self.ring = ring
        self.lines = Program(ring, "lines", ANEL, "watch", ring.data, "--from", "start", "--json")
        self.sleeper = Program(ring, "sleeper", ANEL, "watch", *ring.feeds(), "--from", "start", "--json")
        self.rows = os.path.join(ring.folder, "rows")
        self.export = Program(ring, "export", ANEL, "export", ring.data, self.rows, "--follow")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in (self.lines, self.sleeper, self.export):
            one.__exit__()

    def check(self, test, output):
        self.sleeper.process.send_signal(signal.SIGCONT)
        messages = [text.decode() for text in Output(output).messages]
        for one in (self.lines, self.sleeper):
            wait_until(lambda one=one: len(messages_of(one.path)) >= len(messages), 60, f"{one.path} has each message")
            test.assertEqual(messages_of(one.path), messages)
        check_rows(test, self.ring, self.rows)
        test.assertIsNone(self.export.process.poll(), self.export.errors)


def check_rows(test, ring, rows):
    """There is a file of rows for each finished one, with its messages once and in their order."""
    newest = os.path.join(ring.data, "output.txt")
    for file in finished(ring):
        if os.path.samefile(file, newest):
            continue  # it is about to lose the name
        path = os.path.join(rows, os.path.basename(file).replace(".txt", ".jsonl"))
        wait_until(lambda path=path: os.path.exists(path), 30, f"{path} is exported")
        with open(file, "rb") as written:
            test.assertEqual(messages_of(path), [text.decode() for text in Output(written.read()).messages])


class Rotation(unittest.TestCase):
    def test_readers_by_name_and_by_feed_get_every_byte_once_through_kills_and_pauses(self):
        self.kills_and_pauses(Readers)

    def test_lines_and_rows_have_each_message_once_through_kills_and_pauses(self):
        self.kills_and_pauses(Makers)

    def kills_and_pauses(self, kind):
        with RotatingRing() as ring, Load(ring) as load:
            ring.wait_healthy()
            with kind(ring) as readers:
                load.start_everywhere([0, 1, 2], batch=5, filler=100)
                load.wait_acks(20)
                readers.sleeper.process.send_signal(signal.SIGSTOP)
                for turn in range(3):
                    node = ring.nodes[turn]
                    node.kill()
                    load.wait_acks(30)
                    node.start()
                    ring.wait_healthy()
                    node.pause()
                    load.wait_acks(30)
                    node.resume()
                    ring.wait_healthy()
                load.finish()
                output = read_output(ring)
                self.assertGreater(len(finished(ring)), 3)
                readers.check(self, output)
            check(self, ring, load)
            for file in finished(ring):
                self.assertLessEqual(os.path.getsize(file), 20000)
                self.assertGreater(os.path.getsize(file), 10000)

    def test_a_node_that_is_frozen_at_any_place_of_a_rotation(self):
        for place in PLACES:
            with self.subTest(place=place):
                self.one_place(place, "stop")

    def test_a_node_that_dies_at_any_place_of_a_rotation(self):
        for place in PLACES:
            with self.subTest(place=place):
                self.one_place(place, "exit")

    def one_place(self, place, action):
        with RotatingRing() as ring, Load(ring) as load:
            ring.wait_healthy()
            with Readers(ring) as readers:
                load.start_everywhere([0, 1, 2], batch=5, filler=100)
                load.wait_acks(10)
                node = ring.nodes[0]
                # The first pass of a grant's places is the grant; a later one is a rotation, or another's new file.
                arm(ring, 0, f"{place}={action}@{2 if place.startswith('grant') else 1}")
                def reached():
                    return is_stopped(node) if action == "stop" else not node.running
                wait_until(lambda: reached() or ring.is_healthy(), 20, "it joins")
                # Who opens the rounds begins the new files: where that is another, a new epoch decides anew who it is.
                for turn in range(20):
                    if reached():
                        break
                    other = ring.nodes[1 + turn % 2]
                    other.kill()
                    files = len(finished(ring))
                    wait_until(lambda: reached() or len(finished(ring)) >= files + 2, 30, "an epoch goes on in new files")
                    other.start()
                    wait_until(lambda: reached() or ring.is_healthy(), 20, "the other one joins")
                self.assertTrue(reached(), f"node 0 did not come to {place}")
                before = len(finished(ring))
                load.wait_acks(20)
                wait_until(lambda: len(finished(ring)) >= before + 2, 30, "the others went on in two more files")
                if action == "stop":
                    node.environment.pop("ANEL_FAIL_POINTS")
                    node.resume()
                else:
                    arm(ring, 0, "")
                ring.wait_healthy()
                load.wait_acks(10)
                load.finish()
                readers.check(self, read_output(ring))
            check(self, ring, load)

    def test_finished_files_become_rows_while_the_ring_goes_on(self):
        with RotatingRing(nodes=1, ANEL_OUTPUT_BYTES="2000") as ring:
            ring.wait_healthy()
            rows = os.path.join(ring.folder, "rows")
            with Program(ring, "export", ANEL, "export", ring.data, rows, "--follow"):
                for number in range(20):
                    push_text(ring, 0, f"message {number} " + "x" * 300)
                files = finished(ring)
                self.assertGreater(len(files), 2)
                names = [os.path.basename(file).replace(".txt", ".jsonl") for file in files]
                wait_until(lambda: os.path.isdir(rows) and set(names) <= set(os.listdir(rows)), 30, "all are exported")
            for file, name in zip(files, names):
                with open(file, encoding="utf-8") as lines:
                    written = [line.rstrip("\n")[len("Mensagem: "):] for line in lines if line.startswith("Mensagem")]
                with open(os.path.join(rows, name), encoding="utf-8") as lines:
                    self.assertEqual([json.loads(line)["message"] for line in lines], written)

    def test_removed_and_touched_files_are_named(self):
        with RotatingRing(nodes=1, ANEL_OUTPUT_BYTES="2000", ANEL_CHECKPOINT_ROUNDS="5") as ring:
            ring.wait_healthy()
            for number in range(30):
                push_text(ring, 0, f"message {number} " + "x" * 300)
            output = read_output(ring)
            whole = ring.anel("watch", ring.data, "--from", "start", "--until-end").stdout
            self.assertEqual(whole.encode(), output)
            self.assertEqual(ring.anel("watch", ring.data, "--from", "7", "--until-end").stdout,
                             ring.anel("watch", ring.feeds()[0], "--from", "7", "--until-end").stdout)
            first = finished(ring)[0]
            gone = os.path.getsize(first)
            os.remove(first)
            verify(self, ring)
            self.assertIn(f"removed: the 1 oldest, with output from byte 0 to {gone}",
                          ring.anel("verify", ring.data).stdout)
            for where in (ring.data, ring.feeds()[0]):
                rest = ring.anel("watch", where, "--from", "start", "--until-end")
                self.assertEqual((rest.returncode, rest.stdout.encode()), (0, output[gone:]), rest.stderr)
            refused = ring.anel("watch", ring.feeds()[0], "--offset", "0", "--until-end")
            self.assertEqual(refused.returncode, 1)
            self.assertIn(f"removed: offset 0 was asked for, and the output before {gone} was removed", refused.stderr)
            ring.nodes[0].stop()
            ring.nodes[0].start()
            ring.wait_healthy()
            push_text(ring, 0, "behind")
            verify(self, ring)
            os.remove(finished(ring)[2])
            differs = ring.anel("verify", ring.data)
            self.assertEqual(differs.returncode, 1)
            self.assertIn("is missing between others", differs.stderr)


if __name__ == "__main__":
    main()

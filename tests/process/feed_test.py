"""Readers without the volume: each gets the bytes of output.txt, once and all of them, whatever it and the nodes do."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import msgpack
import zmq

from common import ANELD, main, push_text, wait_until
from load import Load, is_stopped, read_output
from readers import ANEL, Program, RingWithFeeds

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client", "python"))

import anel.feed  # noqa: E402


class FeedRing(RingWithFeeds):
    """Its feeds can be asked."""

    def ask(self, node, *fields, seconds=5):
        """One request over a REQ socket. @return the answer."""
        with self.context.socket(zmq.REQ) as reader:
            reader.linger = 0
            reader.connect(self.feed(node))
            reader.send(msgpack.packb([1, "read", *fields]))
            if not reader.poll(int(seconds * 1000)):
                raise AssertionError(f"the feed of node {node} does not answer")
            return msgpack.unpackb(reader.recv())

    def wait_end(self, node, least, seconds=20):
        """Until the node's feed has so many durable bytes."""
        return wait_until(lambda: self.ask(node, "", 0, 0)[4] >= least, seconds, f"feed {node} has {least} bytes")


class Reader(threading.Thread):
    """The Python reader; `use`: one of the two kinds."""

    def __init__(self, ring, use):
        super().__init__(daemon=True)
        self.nodes = [ring.feed(1), ring.feed(0)]
        self.use = use
        self.data = b""
        self.ending = False
        self.error = None

    def run(self):
        try:
            self.use(self)
        except BaseException as error:  # shown by whoever waits for this thread
            self.error = error

    def threads(self):
        with anel.feed.Feed(self.nodes, offset=0) as feed:
            while not self.ending:
                chunk = feed.read(timeout=0.2)
                self.data += chunk.data if chunk else b""

    def asynchronous(self):
        async def read():
            async with anel.feed.AsyncFeed(self.nodes, offset=0) as feed:
                while not self.ending:
                    try:
                        async with asyncio.timeout(0.05):  # so short that it often gives up in the middle
                            self.data += (await feed.read()).data
                    except TimeoutError:
                        pass
        asyncio.run(read())


class Feeds(unittest.TestCase):
    def test_readers_get_every_byte_once_through_kills_and_pauses(self):
        with FeedRing(3) as ring, Load(ring) as load:
            ring.wait_healthy()
            everywhere = [ring.feed(node) for node in range(3)]
            with Program(ring, "sleeper", ANEL, "watch", ring.feed(2), "--from", "start") as sleeper, \
                    Program(ring, "follower", ANEL, "watch", *everywhere, "--from", "start") as follower, \
                    Program(ring, "stubborn", ANEL, "watch", ring.feed(0), "--from", "start") as stubborn:
                readers = [Reader(ring, Reader.threads), Reader(ring, Reader.asynchronous)]
                for reader in readers:
                    reader.start()
                load.start_everywhere([0, 1, 2], batch=20, filler=400)
                load.wait_acks(100)
                wait_until(lambda: sleeper.bytes, 20, "the sleeper has read something")
                sleeper.process.send_signal(signal.SIGSTOP)
                wait_until(lambda: is_stopped(sleeper), 10, "it sleeps")
                slept_at = len(sleeper.bytes)
                ring.nodes[0].kill()
                load.wait_acks(100)
                wait_until(lambda: len(follower.bytes) > slept_at, 20, "the follower has gone to another node")
                ring.nodes[0].start()
                ring.wait_healthy()
                ring.nodes[1].pause()
                load.wait_acks(100)
                ring.nodes[1].resume()
                ring.wait_healthy()
                self.assertEqual(len(sleeper.bytes), slept_at)
                sleeper.process.send_signal(signal.SIGCONT)
                load.finish()
                output = read_output(ring)
                self.assertGreater(len(output), 200_000)
                for watch in (sleeper, follower, stubborn):
                    wait_until(lambda watch=watch: len(watch.bytes) >= len(output), 30, f"{watch.path} has all")
                    self.assertTrue(watch.bytes == output, watch.path)
                for reader in readers:
                    wait_until(lambda reader=reader: reader.error or len(reader.data) >= len(output), 30, "Python too")
                    reader.ending = True
                    reader.join(10)
                    self.assertIsNone(reader.error)
                    self.assertTrue(reader.data == output)

    def test_where_a_reader_may_begin_and_end(self):
        with FeedRing(1) as ring:
            ring.wait_healthy()
            for number in range(5):
                push_text(ring, 0, f"message {number}")
            output = read_output(ring)
            ring.wait_end(0, len(output))

            def watch(*arguments):
                done = ring.anel("watch", *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout
            ledger, end, number = watch(ring.feed(0), "--position").split()
            self.assertEqual((int(end), int(number)), (len(output), ring.status(0)["durable_round"]))
            whole = output.decode()
            self.assertEqual(watch(ring.feed(0), "--from", "start", "--until-end"), whole)
            for rounds in ("1", "3", "99"):
                self.assertEqual(watch(ring.feed(0), "--from", rounds, "--until-end"),
                                 watch(ring.data, "--from", rounds, "--until-end"))
            self.assertEqual(watch(ring.feed(0), "--offset", "20", "--ledger", ledger, "--until-end"), whole[20:])
            self.assertEqual(watch(ring.data, "--offset", "20", "--until-end"), whole[20:])
            self.assertIn('"message":"message 4"', watch(ring.feed(0), "--from", "1", "--json", "--count", "1"))
            self.check_refusals(ring, ledger, len(output))
            feed = ring.feed(0)
            ring.stop()
            gone = ring.anel("watch", feed, "--until-end")
            self.assertEqual((gone.returncode, gone.stdout), (4, ""))
            self.assertIn("no node answers", gone.stderr)

    def check_refusals(self, ring, ledger, end):
        other = ring.anel("watch", ring.feed(0), "--ledger", "another", "--offset", "0")
        self.assertEqual(other.returncode, 1)
        self.assertIn("other_ledger", other.stderr)
        self.assertEqual(len(other.stderr.splitlines()), 1)
        with self.assertRaises(anel.feed.Refused) as refused, anel.feed.Feed([ring.feed(0)], ledger="x") as feed:
            feed.read()
        self.assertEqual(refused.exception.code, "other_ledger")
        self.assertEqual(ring.ask(0, ledger, end + 1, 10)[1:3], ["reject", "behind"])
        for wrong in (["--from", "soon"], [ring.data], ["tcp://nowhere"], ["--offset", "1", "--from", "2"]):
            usage = ring.anel("watch", ring.feed(0), *wrong)
            self.assertNotEqual(usage.returncode, 0, wrong)
            self.assertEqual(usage.stdout, "")
        taken = dict(ring.nodes[0].environment, ANEL_FEED_PORT=ring.nodes[0].environment["PORT"])
        done = subprocess.run([ANELD], env=taken, capture_output=True, text=True, timeout=20,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("feed_port", done.stderr)

    def test_strangers_and_greedy_readers_cost_the_others_nothing(self):
        seed = int(os.environ.get("ANEL_SEED", random.randrange(2**32)))
        print(f"{self.id()}: replay with ANEL_SEED={seed}")
        dice = random.Random(seed)
        with FeedRing(1) as ring:
            ring.wait_healthy()
            for number in range(20):
                push_text(ring, 0, "x" * 50_000 + str(number))
            output = read_output(ring)
            ring.wait_end(0, len(output))
            port = int(ring.feed(0).rsplit(":", 1)[1])
            for _ in range(50):
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=1) as stranger:
                        stranger.sendall(dice.randbytes(dice.randrange(1, 2000)))
                except OSError:
                    pass  # the node may cut us off at any byte
            good = msgpack.packb([1, "read", "", 0, 1000])
            with ring.context.socket(zmq.DEALER) as stranger:
                stranger.linger = 0
                stranger.sndtimeo = 5000
                stranger.connect(ring.feed(0))
                for length in range(len(good)):
                    stranger.send(good[:length])
                    self.assertTrue(stranger.poll(5000), length)
                    self.assertEqual(msgpack.unpackb(stranger.recv())[1:3], ["reject", "malformed"])
                for _ in range(100):
                    stranger.send_multipart([b"x"] * dice.randrange(3, 20))
                stranger.send(b"\x93" + b"x" * 1000)  # more than a request may have: cut off
            greedy = []
            for _ in range(20):
                reader = ring.context.socket(zmq.DEALER)
                greedy.append(reader)
                reader.linger = 0
                reader.rcvhwm = 1
                reader.setsockopt(zmq.RCVBUF, 4096)
                reader.connect(ring.feed(0))
                for _ in range(200):
                    reader.send(msgpack.packb([1, "read", "", 0, 2**63]))
            with anel.feed.Feed([ring.feed(0)], offset=0) as feed:
                data = b""
                while len(data) < len(output):
                    data += feed.read(timeout=20).data
            self.assertTrue(data == output)
            self.check_memory(ring.nodes[0].pid)
            for reader in greedy:
                reader.close()
            push_text(ring, 0, "still here")

    def check_memory(self, pid):
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            if "/libasan" in file.read():
                return  # a sanitizer keeps what was freed
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        self.assertLess(resident, 300 * 1024, "KiB, with 20 readers that asked for 200 answers each and read none")

    def test_idle_readers_hear_that_the_node_lives(self):
        with FeedRing(1) as ring:
            ring.wait_healthy()
            push_text(ring, 0, "one")
            end = len(read_output(ring))
            ring.wait_end(0, end)
            started = time.monotonic()
            self.assertEqual(ring.ask(0, "", end, 1000)[3:], [end, end, ring.status(0)["durable_round"], b""])
            self.assertGreater(time.monotonic() - started, 0.5)


if __name__ == "__main__":
    main()

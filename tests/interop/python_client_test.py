"""The Python client against rings of real nodes that are killed, paused and restarted under it.

Usage: python_client_test.py FOLDER_OF_BINARIES [unittest arguments]
"""

import asyncio
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import unittest

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "client" / "python"
sys.path.insert(0, str(PACKAGE))

import anel  # noqa: E402
import anel.aio  # noqa: E402

from ports import free_ports  # noqa: E402
from ring import Dealer, Ring, wait_until  # noqa: E402

BINARIES = None
PAUSE = 0.01  # s between two bursts of a pusher
BURST = 10


class Pusher(threading.Thread):
    """Pushes without end in a thread of its own, and keeps the future of each message."""

    def __init__(self, ring, name, first_node):
        super().__init__(name=name, daemon=True)
        self.nodes = ring.addresses()
        self.options = anel.Options(first_node=first_node, window_messages=200, batch_messages=50)
        self.futures = []
        self.acked = 0
        self.client = None
        self.ending = False
        self.error = None

    def text(self, number):
        return f"{self.name} {number}"

    def note(self, future):
        if future.exception() is None:
            self.acked += 1

    def run(self):
        try:
            self.serve()
        except BaseException as error:  # shown by whoever waits for this thread
            self.error = error

    def serve(self):
        with anel.Client(self.nodes, self.name, options=self.options) as client:
            self.client = client
            while not self.ending:
                for _ in range(BURST):
                    try:
                        future = client.push(self.text(len(self.futures) + 1), timeout=0.2)
                    except anel.Refused as error:
                        assert error.code == "would_block", error
                    else:
                        future.add_done_callback(self.note)
                        self.futures.append(future)
                time.sleep(PAUSE)
            client.flush(30)


class AsyncPusher(Pusher):
    """The same with asyncio."""

    def serve(self):
        asyncio.run(self.serve_loop())

    async def serve_loop(self):
        async with anel.aio.Client(self.nodes, self.name, options=self.options) as client:
            self.client = client
            while not self.ending:
                for _ in range(BURST):
                    future = await client.push(self.text(len(self.futures) + 1))
                    future.add_done_callback(self.note)
                    self.futures.append(future)
                await asyncio.sleep(PAUSE)
            async with asyncio.timeout(30):
                await client.flush()


class Load:
    """Two clients of each kind, which begin at different nodes."""

    def __init__(self, ring):
        self.ring = ring
        kinds = [Pusher, AsyncPusher] * 2
        self.pushers = [kind(ring, f"{kind.__name__}-{number}", number) for number, kind in enumerate(kinds)]

    def __enter__(self):
        for pusher in self.pushers:
            pusher.start()
        return self

    def __exit__(self, *_):
        for pusher in self.pushers:
            pusher.ending = True

    def look(self):
        for pusher in self.pushers:
            if pusher.error is not None:
                raise pusher.error

    def wait_acks(self, count=50):
        """All of them get so many messages acked from now on that were pushed from now on."""
        goals = [(pusher, len(pusher.futures) + count) for pusher in self.pushers]

        def reached():
            self.look()
            return all(pusher.acked >= goal for pusher, goal in goals)
        wait_until(reached, 40, "all clients get new messages acked")

    def wait_trouble(self, word):
        """Each of them is in this trouble at some time."""
        left = set(self.pushers)

        def reached():
            self.look()
            left.difference_update([pusher for pusher in left if word in pusher.client.trouble])
            return not left
        wait_until(reached, 40, f"all clients are told {word}")

    def finish(self):
        for pusher in self.pushers:
            pusher.ending = True
        for pusher in self.pushers:
            pusher.join(60)
            assert not pusher.is_alive(), f"{pusher.name} does not end"
        self.look()


class UnderFaults(unittest.TestCase):
    def check(self, ring, load):
        """Each message is acked, stands once, in the order of its client; and each ack names a true place."""
        messages = [one.decode() for one in ring.output().messages]
        for pusher in load.pushers:
            pushed = [pusher.text(number + 1) for number in range(len(pusher.futures))]
            self.assertEqual([one for one in messages if one.startswith(f"{pusher.name} ")], pushed)
            place = {text: sequence for sequence, text in enumerate(messages, 1)}
            for text, future in zip(pushed, pusher.futures):
                durable = future.result()
                self.assertGreaterEqual(durable.acked_sequence, place[text])
                self.assertTrue(messages[durable.acked_sequence - 1].startswith(f"{pusher.name} "))

    def test_nodes_die_freeze_and_lose_their_majority(self):
        with Ring(BINARIES, nodes=3) as ring, Load(ring) as load:
            ring.wait_healthy()
            load.wait_acks()

            victim = ring.nodes[ring.holder() or 0]
            victim.kill()
            load.wait_acks()
            victim.start()
            ring.wait_healthy()
            load.wait_acks()

            frozen = ring.nodes[1]
            frozen.pause()
            load.wait_acks()
            frozen.resume()
            ring.wait_healthy()
            load.wait_acks()

            for node in ring.nodes[:2]:
                node.pause()
            load.wait_trouble("no_quorum")
            for node in ring.nodes[:2]:
                node.resume()
            load.wait_acks()
            load.finish()
            ring.wait_healthy()
            self.check(ring, load)

    def test_all_nodes_of_five_are_killed_and_restarted(self):
        with Ring(BINARIES) as ring, Load(ring) as load:
            ring.wait_healthy()
            load.wait_acks()
            for _ in range(2):
                for node in ring.nodes:
                    node.kill()
                ring.start()
                load.wait_acks()
            load.finish()
            ring.wait_healthy()
            self.check(ring, load)


class OnOneRing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Ring(BINARIES, nodes=3)
        cls.ring.start()
        cls.addClassCleanup(cls.ring.__exit__, None, None, None)
        cls.ring.wait_healthy()

    def times_in_output(self, text):
        return self.ring.output().messages.count(text.encode())

    def told_to_a_late_hello(self, client_id, instance):
        with Dealer(self.ring, 2, client_id, instance) as late:
            return late.hello(sent=1)

    def test_a_message_is_durable_and_the_session_is_gone_behind_the_block(self):
        with anel.Client(self.ring.addresses(), "sync") as client:
            durable = client.send("sync one", timeout=20)
            self.assertEqual(self.ring.output().messages[durable.acked_sequence - 1], b"sync one")
            futures = [client.push(b"sync %d" % number, number) for number in range(1000)]
            client.flush(20)
            self.assertEqual({future.done() for future in futures}, {True})
        self.assertEqual(self.told_to_a_late_hello("sync", client.instance)[3], "session_retired")
        with self.assertRaises(anel.Closed):
            client.push("late")
        client.close()

    def test_the_same_with_asyncio(self):
        async def body():
            async with anel.aio.Client(self.ring.addresses(), "aio") as client:
                durable = await client.send("aio one")
                self.assertEqual(self.ring.output().messages[durable.acked_sequence - 1], b"aio one")
                given_up = await client.push("aio cancelled")
                given_up.cancel()
                await asyncio.gather(*(client.send(f"aio {number}") for number in range(300)))
                await client.flush()
            with self.assertRaises(anel.Closed):
                await client.send("late")
            await client.close()
            return client.instance
        instance = asyncio.run(asyncio.wait_for(body(), 30))
        self.assertEqual(self.told_to_a_late_hello("aio", instance)[3], "session_retired")
        self.assertEqual(self.times_in_output("aio cancelled"), 1)

    def test_the_examples_of_its_readme_run(self):
        blocks = re.findall(r"^```python\n(.*?)^```", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.M | re.S)
        self.assertEqual(len(blocks), 3)
        for block in blocks[:2]:  # the third reads a feed without end; tests/process/feed_test.py reads feeds
            code = re.sub(r'"127\.0\.0\.1:5000\.\.5004"|\["127.*?\]', repr(self.ring.addresses()), block)
            self.assertNotIn(":5000", code)
            done = subprocess.run([sys.executable, "-c", code], env=dict(os.environ, PYTHONPATH=str(PACKAGE)),
                                  timeout=60, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("Durable(acked_sequence=", done.stdout)
        self.assertEqual(self.times_in_output("message 999"), 2)

    def test_a_session_that_may_come_back_is_kept(self):
        client = anel.Client(self.ring.addresses(), "kept")
        client.send("kept", timeout=20)
        client.close(bye=False)
        self.assertEqual(self.told_to_a_late_hello("kept", client.instance)[:3], ["welcome", "kept", 1])

    def test_who_loses_its_client_id_is_told(self):
        with self.assertRaises(anel.Unknown) as raised:
            with anel.Client(self.ring.addresses(), "shared") as first:
                first.send("shared 1", timeout=20)
                with anel.Client(self.ring.addresses(), "shared", options=anel.Options(first_node=1)) as second:
                    second.send("shared 2", timeout=20)
                    future = first.push("shared 3")
                    self.assertEqual(future.exception(20).code, "conflict")
                    with self.assertRaises(anel.Refused) as refused:
                        first.push("shared 4")
                    self.assertEqual(refused.exception.code, "conflict")
        self.assertEqual(raised.exception.code, "conflict")  # also told by the end of the block
        self.assertEqual(self.times_in_output("shared 3"), 0)

    def test_a_name_is_looked_up(self):
        with anel.Client(f"localhost:{self.ring.nodes[0].port}") as client:
            client.send("by name", timeout=20)
        self.assertEqual(self.times_in_output("by name"), 1)

    def test_callbacks_may_push_and_must_not_wait(self):
        told = []

        def callback(_):
            try:
                told.append(client.push("from a callback"))
                client.send("never")
            except RuntimeError as error:
                told.append(error)
        with anel.Client(self.ring.addresses()) as client:
            client.push("first").add_done_callback(callback)
            wait_until(lambda: len(told) == 2, 20, "the callback ran")
            told[0].result(20)
        self.assertIn("callback", str(told[1]))
        self.assertEqual(self.times_in_output("from a callback"), 1)

    def test_threads_that_push_at_once_keep_their_own_order(self):
        with anel.Client(self.ring.addresses(), options=anel.Options(window_messages=100)) as client:
            def push(name):
                for number in range(500):
                    client.push(f"{name} {number}")
            threads = [threading.Thread(target=push, args=(f"thread-{one}",)) for one in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        messages = [one.decode() for one in self.ring.output().messages]
        for one in range(3):
            self.assertEqual([text for text in messages if text.startswith(f"thread-{one} ")],
                             [f"thread-{one} {number}" for number in range(500)])


class OnNarrowNodes(unittest.TestCase):
    """Nodes that take less than clients may know before the first welcome, and cut connections that bring more."""

    def test_what_they_cannot_take_is_refused_and_holds_nothing_up(self):
        with Ring(BINARIES, nodes=1, settings={"ANEL_MESSAGE_BYTES": "1000", "ANEL_BATCH_BYTES": "2048"}) as ring:
            with anel.Client(ring.addresses()) as client:
                futures = [client.push(text) for text in ("before", "x" * 9000, "y" * 1500, "behind")]
                codes = [getattr(future.exception(20), "code", None) for future in futures]
                self.assertEqual(codes, [None, "too_large", "too_large", None])
                with self.assertRaises(anel.Refused):
                    client.flush()
            self.assertEqual(ring.output().messages, [b"before", b"behind"])
            sent = ring.anel("send", "-", input="before\n" + "x" * 9000 + "\nbehind\n")
            self.assertNotEqual(sent.returncode, 0)
            self.assertIn("too_large", sent.stderr)
            self.assertEqual(ring.output().messages[2:], [b"before", b"behind"])


class WithoutARing(unittest.TestCase):
    def setUp(self):
        self.nodes = f"127.0.0.1:{free_ports(1)[0]}"

    def test_time_is_over_for_who_waits_and_the_client_goes_on_trying(self):
        client = anel.Client(self.nodes, options=anel.Options(window_messages=2))
        with self.assertRaisesRegex(TimeoutError, "no ack after 0.05 s"):
            client.send("one", timeout=0.05)
        future = client.push("two")
        with self.assertRaises(anel.Refused) as full:
            client.push("three", timeout=0.05)
        self.assertEqual(full.exception.code, "would_block")
        with self.assertRaisesRegex(TimeoutError, "2 messages"):
            client.flush(timeout=0.05)
        wait_until(lambda: "refused" in client.trouble, 20, "the client says what is wrong")
        with self.assertRaises(anel.Closed):
            client.close(timeout=0.05)
        self.assertIsInstance(future.exception(0), anel.Closed)

    def test_the_same_with_asyncio(self):
        async def body():
            client = anel.aio.Client(self.nodes, options=anel.Options(window_messages=1))
            future = await client.push("one")
            for waiting in (client.push("two"), client.flush()):
                with self.assertRaises(TimeoutError):
                    await asyncio.wait_for(waiting, 0.05)
            with self.assertRaises(anel.Closed):
                await client.close(timeout=0.05)
            with self.assertRaises(anel.Closed):
                await future
        asyncio.run(body())

    def test_what_cannot_be_sent_is_refused_at_once(self):
        with anel.Client(self.nodes) as client:
            for bad in (5, None, ["a"]):
                with self.subTest(bad), self.assertRaises(TypeError):
                    client.push(bad)
            for time_, error in ((1.5, TypeError), (2**63, ValueError)):
                with self.subTest(time_), self.assertRaises(error):
                    client.push("a", time_)
            with self.assertRaises(UnicodeEncodeError):
                client.push("\ud800")
            with self.assertRaises(anel.Refused) as raised:
                client.push("x" * (1024 * 1024 + 1))
            self.assertEqual(raised.exception.code, "too_large")
            self.assertEqual(client.unsettled, 0)  # so the end of the block has nothing to wait for
        for client_id in ("", "x" * 65, "anon:1"):
            with self.subTest(client_id), self.assertRaises(ValueError):
                anel.Client(self.nodes, client_id)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BINARIES = sys.argv.pop(1)
    unittest.main(verbosity=2)

"""Clients in trouble: nodes that go while a batch is under way, two processes with one client id, too many sessions."""

import json
import os
import subprocess
import unittest

from common import BINARIES, Dealer, Ring, TimedOut, main, push_text, wait_until
from load import numbers_in, verify


def hello_until(ring, node, client_id, instance, sent, kind):
    """Says hello until the answer is of this kind, over whatever is in the way. @return it."""
    def attempt():
        with Dealer(ring, node, client_id, instance) as client:
            client.send("hello", client_id, instance, sent)
            try:
                reply = client.receive(2)
            except TimedOut:
                return None
            return reply if kind in (reply[0], reply[3] if reply[0] == "reject" else None) else None
    return wait_until(attempt, 30, f"node {node} answers the hello of {client_id} with {kind}", step=0.05)


class Clients(unittest.TestCase):
    def push_on(self, ring, node, client_id, instance, first, last):
        """Goes on at another node: hello, then all behind what stands there, until it is acked."""
        def attempt():
            with Dealer(ring, node, client_id, instance) as client:
                client.send("hello", client_id, instance, last)
                try:
                    reply = client.receive(2)
                    if reply[0] != "welcome":
                        return False
                    self.assertLessEqual(reply[2], last)
                    begin = max(first, min(reply[2], last))  # what stands there is acked by its last message
                    client.push(begin, [[1, b"%d" % number] for number in range(begin, last + 1)])
                    client.receive_ack(last, 2)
                except TimedOut:
                    return False
                return True
        wait_until(attempt, 30, f"node {node} acks {last}")

    def test_a_node_goes_in_the_middle_of_a_batch(self):
        size = 2000
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            last = 0
            for turn, fault in enumerate(("kill", "pause", "stop") * 2):
                victim = turn % 3
                with Dealer(ring, victim, "mover", 5) as client:
                    self.assertEqual(client.hello(sent=last)[0], "welcome")
                    first, last = last + 1, last + size
                    for begin in range(first, last, size // 4):
                        client.push(begin, [[1, b"%d" % number] for number in range(begin, begin + size // 4)])
                    if turn % 2:
                        client.socket.poll(20)  # perhaps some of it is written, perhaps all
                    if fault == "kill":
                        ring.nodes[victim].kill()
                    elif fault == "pause":
                        ring.nodes[victim].pause()
                    else:
                        ring.nodes[victim].stop()
                self.push_on(ring, (victim + 1) % 3, "mover", 5, first, last)
                if fault == "pause":
                    ring.nodes[victim].resume()
                else:
                    ring.nodes[victim].start()
                ring.wait_healthy()
            self.assertEqual(ring.output().messages, [b"%d" % number for number in range(1, last + 1)])
            verify(self, ring)

    def exact_from(self, ring):
        """The first byte of output.txt that the journal still has."""
        return json.loads(ring.anel("verify", "--json", ring.data).stdout)["exact_from"]

    def test_a_session_outlives_checkpoints_and_a_trimmed_journal_and_the_end_of_all_nodes(self):
        small = {"ANEL_CHECKPOINT_ROUNDS": "5", "ANEL_SEGMENT_BYTES": "65536"}
        with Ring(BINARIES, nodes=3, settings=small) as ring:
            ring.wait_healthy()
            with Dealer(ring, 0, "patient", 9) as client:
                self.assertEqual(client.hello()[2], 0)
                client.push(1, [[1, "one"], [1, "two"]])
                acked = client.receive_ack(2)
            with Dealer(ring, 1, "other", 1) as other:
                other.hello()
                number = 0
                # An epoch that ended before anything was written leaves a segment that says nothing of the output.
                while numbers_in(ring, "journal")[0] == 1 or self.exact_from(ring) == 0:
                    number += 1
                    self.assertLess(number, 1000, "the journal is not trimmed")
                    other.push(number, [[1, b"x" * 4000]])
                    other.receive_ack(number)
            for node in ring.nodes:
                node.kill()
            ring.start()
            ring.wait_healthy()
            with Dealer(ring, 2, "patient", 9) as client:
                self.assertEqual(client.hello(sent=2)[:3], ["welcome", "patient", 2])
                client.push(1, [[1, "one"], [1, "two"]])
                self.assertEqual(client.receive_ack(2)[2:4], acked[2:4])
                client.push(3, [[1, "three"]])
                client.receive_ack(3)
            messages = [text for text in ring.output().messages if not text.startswith(b"x")]
            self.assertEqual(messages, [b"one", b"two", b"three"])
            verify(self, ring)
            # What the journal has no more may be gone, for who audits the journal alone.
            with open(os.path.join(ring.data, "output.txt"), "r+b") as output:
                output.write(b"!")
            self.assertEqual(ring.anel("verify", ring.data).returncode, 1)
            self.assertEqual(ring.anel("verify", "--journal", ring.data).returncode, 0)

    def test_of_two_processes_with_one_client_id_one_is_refused_and_told_what_to_do(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            outbox = os.path.join(ring.folder, "twin.box")
            command = [os.path.join(BINARIES, "anel"), "send", "--nodes", ring.addresses(), "--id", "twin",
                       "--outbox", outbox, "-"]
            first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     text=True)
            try:
                first.stdin.write("of the first\n")
                first.stdin.flush()
                wait_until(lambda: b"of the first" in ring.output().messages, 20, "the first has a session")
                # One outbox is one instance: two processes cannot have it at once.
                same = ring.anel("send", "--outbox", outbox, "of nobody")
                self.assertEqual(same.returncode, 2, same.stderr)
                self.assertIn(f"outbox file {outbox}: another process uses it", same.stderr)
                second = ring.anel("send", "--id", "twin", "of the second")
                self.assertEqual(second.returncode, 0, second.stderr)
                said, complaint = first.communicate("too late\n", timeout=60)
            finally:
                first.kill()
                first.wait()
            self.assertIn(first.returncode, (1, 3), said + complaint)
            self.assertIn("conflict", complaint)
            self.assertIn("what to do: another process pushes under client id 'twin'", complaint)
            self.assertIn("--id", complaint)
            self.assertEqual(ring.output().messages, [b"of the first", b"of the second"])

    def test_a_hello_that_comes_late_brings_nothing_into_the_output_twice(self):
        pushed = [[1, "one"], [1, "two"]]
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            with Dealer(ring, 0, "slow", 5) as client:
                birth = client.hello()[4]["birth"]
                client.push(1, pushed)
                client.receive_ack(2)
            with Dealer(ring, 0, "slow", 6) as other:  # takes the session over, and ends it
                self.assertEqual(other.hello()[2], 2)
                other.send("bye", "slow", 6)
                self.assertEqual(other.receive(), ["bye", "slow"])
            with Dealer(ring, 2, "slow", 5) as late:  # as if it had lain in the socket of a node that was frozen
                made_anew = late.hello()
                self.assertEqual(made_anew[:3], ["welcome", "slow", 0], made_anew)
                self.assertNotEqual(made_anew[4]["birth"], birth)
            with Dealer(ring, 1, "slow", 5) as client:  # it heard of no ack, say
                client.send("hello", "slow", 5, 2, birth)
                self.assertEqual(client.receive()[3], "session_retired")
                client.push(1, pushed)
                self.assertEqual(client.receive()[3], "hello_first")
            self.assertEqual(ring.output().messages, [b"one", b"two"])
            verify(self, ring)

    def test_with_too_many_sessions_the_idlest_retires_and_is_told_so(self):
        crowded = {"ANEL_SESSIONS": "3", "ANEL_SESSION_IDLE_S": "3600"}
        with Ring(BINARIES, nodes=3, settings=crowded) as ring:
            ring.wait_healthy()
            for number, client_id in enumerate(("a", "b", "c")):
                with Dealer(ring, number, client_id, 7) as client:
                    client.hello()
                    client.push(1, [[1, client_id]])
                    client.receive_ack(1)
            with Dealer(ring, 0, "d", 7) as client:
                self.assertEqual(client.hello()[3], "too_many_sessions")
                client.push(1, [[1, "d"]])
                self.assertEqual(client.receive()[3], "hello_first")
            sent = ring.anel("send", "--id", "e", "--retry-for", "1", "e")
            self.assertEqual(sent.returncode, 1, sent.stderr)
            self.assertIn("too_many_sessions", sent.stderr)
            # With nobody too young to retire, the place of "a" goes to "d".
            self.assertEqual(ring.stop(), [0] * 3)
            for node in ring.nodes:
                node.environment["ANEL_SESSION_IDLE_S"] = "0"
            ring.start()
            ring.wait_healthy()
            hello_until(ring, 1, "d", 7, 0, "welcome")
            hello_until(ring, 2, "a", 7, 1, "session_retired")
            with Dealer(ring, 0, "b", 7) as client:
                self.assertEqual(client.hello(sent=1)[:3], ["welcome", "b", 1])
            self.assertEqual(ring.status(0)["sessions"], 3)
            self.assertEqual(ring.output().messages, [b"a", b"b", b"c"])
            verify(self, ring)

    def test_plain_text_goes_on_after_the_nodes_own_session_retired(self):
        with Ring(BINARIES, nodes=1, settings={"ANEL_SESSIONS": "2", "ANEL_SESSION_IDLE_S": "0"}) as ring:
            ring.wait_healthy()
            push_text(ring, 0, "first")
            for number in range(4):
                hello_until(ring, 0, f"client-{number}", 1, 0, "welcome")
            self.assertEqual(ring.status(0)["sessions"], 2)
            push_text(ring, 0, "again")
            self.assertEqual(ring.output().messages, [b"first", b"again"])


if __name__ == "__main__":
    main()

"""The whole ring is killed, again and again, and clients resend all they ever sent: each message stands once."""

import unittest

from common import BINARIES, Dealer, Ring, main, wait_until
from load import Load, check, read_output, verify


class Restart(unittest.TestCase):
    def kill_all(self, ring):
        for node in ring.nodes:
            node.kill()

    def test_all_are_killed_under_load_again_and_again(self):
        with Ring(BINARIES, settings={"ANEL_CHECKPOINT_ROUNDS": "20"}) as ring, Load(ring) as load:
            ring.wait_healthy()
            load.start_everywhere([0, 1, 2, 3, 4])
            copy = b""
            for _ in range(8):
                load.wait_acks(20)
                self.kill_all(ring)
                before, copy = copy, read_output(ring)
                self.assertTrue(copy.startswith(before), "bytes changed")
                verify(self, ring)
                ring.start()
            load.wait_acks()
            load.finish()
            ring.wait_healthy()
            self.assertTrue(read_output(ring).startswith(copy), "bytes changed")
            check(self, ring, load)

    def test_all_crash_at_different_places(self):
        places = ["record.written", "decide.after", "output.middle", "segment.sync", "checkpoint.before_link"]
        with Ring(BINARIES, settings={"ANEL_CHECKPOINT_ROUNDS": "5"}) as ring, Load(ring) as load:
            ring.wait_healthy()
            self.kill_all(ring)
            for node, place in zip(ring.nodes, places):
                node.environment["ANEL_FAIL_POINTS"] = f"{place}=exit@5"
            ring.start()
            load.start_everywhere([0, 1, 2, 3, 4])

            def no_majority():
                load.look()
                return sum(not node.running for node in ring.nodes) >= 3
            wait_until(no_majority, 30, "most nodes have crashed")
            self.assertLessEqual({node.process.returncode for node in ring.nodes}, {77, None})
            self.kill_all(ring)
            verify(self, ring)
            for node in ring.nodes:
                del node.environment["ANEL_FAIL_POINTS"]
            ring.start()
            load.wait_acks()
            load.finish()
            ring.wait_healthy()
            check(self, ring, load)

    def push_all(self, ring, node, batches, sent):
        """All of them on a new connection, one after the other, each until it is acked. @return the last ack."""
        with Dealer(ring, node, "again", 4711) as client:
            self.assertEqual(client.hello(sent)[:3], ["welcome", "again", sent])
            for first, messages in batches:
                client.push(first, messages)
                ack = client.receive_ack(first + len(messages) - 1)
            return ack

    def test_everything_is_sent_again_from_the_first(self):
        messages = [[number, b"message %d" % number] for number in range(1, 51)]
        batches = [(first, messages[first - 1:first + 9]) for first in range(1, 51, 10)]
        whole = [(1, messages)]
        with Ring(BINARIES) as ring:
            ring.wait_healthy()
            first_ack = self.push_all(ring, 1, batches, 0)

            def again(node):
                for form in (batches, whole, list(reversed(batches))):
                    self.assertEqual(self.push_all(ring, node, form, 50), first_ack)
                self.assertEqual(ring.output().messages, [payload for _, payload in messages])
            for node in (1, 2, 0, 4):
                again(node)
            self.kill_all(ring)
            ring.start()
            ring.wait_healthy()
            for node in (1, 3):
                again(node)
            self.assertEqual(ring.stop(), [0] * 5)
            ring.start()
            ring.wait_healthy()
            again(0)
            verify(self, ring)

    def test_everything_is_sent_to_all_nodes_at_once(self):
        with Ring(BINARIES) as ring:
            ring.wait_healthy()
            sent = 0
            for _ in range(20):
                clients = [Dealer(ring, node, "again", 4711) for node in range(5)]
                for client in clients:
                    self.assertEqual(client.hello(sent)[:3], ["welcome", "again", sent])
                sent += 10
                for client in clients:
                    client.push(1, [[0, b"message %d" % number] for number in range(1, sent + 1)])
                for client in clients:
                    client.receive_ack(sent)
                    client.socket.close()
            self.assertEqual(ring.output().messages, [b"message %d" % number for number in range(1, sent + 1)])
            verify(self, ring)


if __name__ == "__main__":
    main()

"""The client protocol, from Python with Debian's python3-zmq and python3-msgpack.

Usage: interop_test.py FOLDER_OF_BINARIES [unittest arguments]
"""

import sys
import unittest

import msgpack
import zmq

from ring import Dealer, Ring, wait_until

BINARIES = None


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Ring(BINARIES)
        try:
            cls.ring.start()
            cls.ring.wait_healthy()
        except BaseException:
            cls.ring.__exit__(*sys.exc_info())
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            codes = cls.ring.stop()
        except BaseException:
            cls.ring.__exit__(*sys.exc_info())
            raise
        cls.ring.__exit__(None, None, None)
        assert codes == [0] * 5, codes

    def times_in_output(self, payload):
        return self.ring.output().messages.count(payload)

    def test_a_batch_over_dealer_is_acked_and_stands_in_the_file(self):
        with Dealer(self.ring, 0, "python-batch", 11) as client:
            welcome = client.hello()
            self.assertEqual(welcome[:4], ["welcome", "python-batch", 0, 0])
            self.assertEqual(set(welcome[4]), {"max_message_bytes", "max_batch_bytes", "window_bytes", "birth"})
            client.push(1, [[3, "str payload"], [2, b"bin payload"], [1, "third"]])
            kind, client_id, last, sequence, round_number = client.receive_ack(3)
            self.assertEqual((kind, client_id, last), ("ack", "python-batch", 3))
            self.assertGreaterEqual(sequence, 3)
            self.assertGreaterEqual(round_number, 1)
        mine = [one for one in self.ring.output().messages if one in (b"str payload", b"bin payload", b"third")]
        self.assertEqual(mine, [b"str payload", b"bin payload", b"third"])  # its own order, whatever the timestamps

    def test_a_resend_to_another_node_is_acked_again_without_a_second_copy(self):
        batch = [[1, b"resent %d" % number] for number in range(100)]
        with Dealer(self.ring, 1, "python-resend", 12) as client:
            client.hello()
            client.push(1, batch)
            first = client.receive_ack(100)
            client.push(1, batch)
            self.assertEqual(client.receive_ack(100), first)
        with Dealer(self.ring, 3, "python-resend", 12) as client:
            welcome = client.hello(sent=100)
            self.assertEqual(welcome[:4], ["welcome", "python-resend", 100, 3])
            client.push(1, batch)
            self.assertEqual(client.receive_ack(100), first)
            client.push(101, [[1, b"resent and on"]])
            client.receive_ack(101)
        for _, payload in batch:
            self.assertEqual(self.times_in_output(payload), 1, payload)

    def test_req_with_the_empty_delimiter(self):
        with self.ring.context.socket(zmq.REQ) as asking:
            asking.linger = 0
            asking.rcvtimeo = 20_000
            asking.connect(self.ring.address(2))
            asking.send(msgpack.packb([1, "hello", "python-req", 13, 0]))
            self.assertEqual(msgpack.unpackb(asking.recv())[1], "welcome")
            asking.send(msgpack.packb([1, "push", "python-req", 13, 1, [[5, "over req"]]]))
            self.assertEqual(msgpack.unpackb(asking.recv())[1:4], ["ack", "python-req", 1])
            asking.send(msgpack.packb([1, "bye", "python-req", 13]))
            self.assertEqual(msgpack.unpackb(asking.recv())[1:], ["bye", "python-req"])
        self.assertEqual(self.times_in_output(b"over req"), 1)

    def test_three_lines_push_plain_text(self):
        asking = zmq.Context.instance().socket(zmq.REQ)
        asking.rcvtimeo, asking.linger = 20_000, 0
        asking.connect(self.ring.address(4))
        # The three lines of the README begin here.
        asking.send_string("ol\u00e1, anel")
        answer = asking.recv_string()
        self.assertRegex(answer, r"^OK [1-9][0-9]*$")
        asking.close()
        self.assertEqual(self.times_in_output("ol\u00e1, anel".encode()), 1)

    def test_plain_text_over_dealer_gets_rising_sequences(self):
        with self.ring.context.socket(zmq.DEALER) as sending:
            sending.linger = 0
            sending.connect(self.ring.address(0))
            for number in range(20):
                sending.send(b"plain %d" % number)
            answers = []
            for _ in range(20):
                self.assertTrue(sending.poll(20_000), "no answer")
                answers.append(sending.recv().decode())
        numbers = [int(answer.removeprefix("OK ")) for answer in answers]
        self.assertEqual(numbers, sorted(set(numbers)))
        for number in range(20):
            self.assertEqual(self.times_in_output(b"plain %d" % number), 1)

    def test_bytes_that_are_neither_text_nor_msgpack_are_refused(self):
        with self.ring.context.socket(zmq.REQ) as asking:
            asking.linger = 0
            asking.rcvtimeo = 20_000
            asking.connect(self.ring.address(0))
            for bad in (b"", b"\xff\xfe"):
                asking.send(bad)
                self.assertTrue(asking.recv().startswith(b"ERR malformed"), bad)

    def test_payloads_cannot_forge_lines(self):
        evil = "a\n" + "#" * 56 + "\nContainer 9 \nMensagem: forged\x1b\\"
        with Dealer(self.ring, 0, "python-evil", 14) as client:
            client.hello()
            client.push(1, [[1, evil], [1, b"\xff\x00"]])
            client.receive_ack(2)
        escaped = b"a\\n" + b"#" * 56 + b"\\nContainer 9 \\nMensagem: forged\\x1b\\\\"
        self.assertEqual(self.times_in_output(escaped), 1)
        self.assertEqual(self.times_in_output(b"\\xff\\x00"), 1)
        self.assertNotIn(b"forged", self.ring.output().messages)

    def test_rejects_name_what_is_wrong(self):
        with Dealer(self.ring, 0, "python-bad", 15) as client:
            client.push(1, [[1, "no hello"]])
            self.assertEqual(client.receive()[:4], ["reject", "python-bad", 1, "hello_first"])
            client.hello()
            client.push(3, [[1, "a gap"]])
            reply = client.receive()
            self.assertEqual(reply[:4], ["reject", "python-bad", 3, "gap"])
            self.assertIn("1", reply[4])
            client.push(1, [[1, "x" * (1024 * 1024 + 1)]])
            self.assertEqual(client.receive()[3], "too_large")
            client.send("hello", "", 15, 0)
            self.assertEqual(client.receive()[3], "malformed")
            client.push(1, [[1, "at last"]])
            client.receive_ack(1)
        with Dealer(self.ring, 0, "python-bad", 16) as other:
            self.assertEqual(other.hello(sent=1)[3], "conflict")
        with Dealer(self.ring, 0, "python-never", 17) as nobody:
            self.assertEqual(nobody.hello(sent=5)[3], "session_retired")
        self.assertEqual(self.times_in_output(b"at last"), 1)
        self.assertEqual(self.times_in_output(b"a gap"), 0)

    def test_another_instance_takes_the_session_over(self):
        with Dealer(self.ring, 2, "python-taken", 18) as first, Dealer(self.ring, 2, "python-taken", 19) as second:
            first.hello()
            first.push(1, [[1, "taken 1"]])
            first.receive_ack(1)
            self.assertEqual(second.hello()[2], 1)
            second.push(2, [[1, "taken 2"]])
            second.receive_ack(2)
            first.push(2, [[1, "too late"]])
            self.assertEqual(first.receive()[3], "conflict")
        self.assertEqual(self.times_in_output(b"too late"), 0)

    def test_the_anel_command_says_the_same(self):
        sent = self.ring.anel("send", "--id", "command", "--json", "from the command")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        self.assertEqual(self.times_in_output(b"from the command"), 1)
        status = self.ring.anel("status")
        self.assertEqual(status.returncode, 0, status.stdout + status.stderr)
        lines = "".join(f"line {number}\n" for number in range(20_000))
        many = self.ring.anel("send", "-", input=lines)
        self.assertEqual(many.returncode, 0, many.stderr)
        mine = [one for one in self.ring.output().messages if one.startswith(b"line ")]
        self.assertEqual(b"\n".join(mine) + b"\n", lines.encode())

    def test_sequences_of_the_ledger_are_those_of_the_file(self):
        with Dealer(self.ring, 1, "python-sequence", 20) as client:
            client.hello()
            client.push(1, [[1, "the one with a sequence"]])
            sequence = client.receive_ack(1)[3]
        messages = wait_until(lambda: [one for one in [self.ring.output().messages] if len(one) >= sequence], 5,
                              "the message stands in the file")[0]
        self.assertEqual(messages[sequence - 1], b"the one with a sequence")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BINARIES = sys.argv.pop(1)
    unittest.main(verbosity=2)

#!/usr/bin/python3
"""The judge of the chaos runs finds what it is there for: each test breaks a good output or ack in one way."""

import os
import sys
import tempfile
import types
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from follower import Follower  # noqa: E402
from judge import Judge  # noqa: E402
from payloads import payload, timestamp  # noqa: E402
from senders import Run  # noqa: E402

SEPARATOR = b"#" * 56 + b"\n"
ESCAPES = {0x0a: b"\\n", 0x0d: b"\\r", 0x09: b"\\t", 0x5c: b"\\\\"}


def shown(text):
    """As it stands in the file; in this test only printable ASCII stays as it is, which reads back the same."""
    return b"".join(ESCAPES.get(byte) or (bytes([byte]) if 32 <= byte < 127 else b"\\x%02x" % byte) for byte in text)


def entry(text, container=0):
    return b"Container %d \nMensagem: %s\n" % (container, shown(text))


class Finds(unittest.TestCase):
    def setUp(self):
        # 40 rounds of one message of a wire client, one of a sender, one text.
        self.wire = types.SimpleNamespace(client_id="wire-1", made=40, acked=40, acks=[])
        runs = [Run(1, 20, 1000, False), Run(21, 30, 1000, True), Run(31, 50, 1000, True)]
        self.sender = types.SimpleNamespace(client_id="send-1", acks=[(40, 119, 140)], runs=runs)
        self.text = types.SimpleNamespace(client_id="text-1", asked=45, certain={40: 120})
        self.rounds = []
        for number in range(1, 41):
            self.wire.acks.append((number, 3 * number - 2, 100 + number))
            self.rounds.append([entry(payload("wire-1", number), number % 5),
                                entry(payload("send-1", number, one_line=True), 1), entry(b"text-1 %d " % number, 2)])

    def findings(self):
        judge = Judge(b"".join(b"".join(one) + SEPARATOR for one in self.rounds), 5)
        judge.judge_wire(self.wire)
        judge.judge_sender(self.sender)
        judge.judge_text(self.text)
        return judge.findings()

    def assert_found(self, *words):
        findings = "\n".join(self.findings())
        for word in words:
            self.assertIn(word, findings)

    def test_nothing_where_all_is_well(self):
        self.assertEqual(self.findings(), [])

    def test_a_message_that_is_lost(self):
        del self.rounds[7][0]
        self.assert_found("wire-1: its message 9 stands where 8 is due")

    def test_the_last_message_that_is_lost(self):
        del self.rounds[39]
        self.assert_found("wire-1", "nothing", "send-1: message 40 was acked")

    def test_a_message_that_stands_twice(self):
        self.rounds[20].insert(1, entry(payload("wire-1", 21)))
        self.assert_found("wire-1: its message 21 stands where 22 is due")

    def test_a_line_of_a_sender_that_stands_twice(self):
        self.rounds[30].append(entry(payload("send-1", 3, one_line=True)))
        self.assert_found("send-1: ", "stand where they should not")

    def test_a_text_that_stands_twice(self):
        self.rounds[30].append(entry(b"text-1 3 "))
        self.assert_found("text-1: a text stands twice")

    def test_two_messages_of_one_client_that_changed_places(self):
        self.rounds[3][0], self.rounds[4][0] = self.rounds[4][0], self.rounds[3][0]
        self.assert_found("wire-1: its message 5 stands where 4 is due", "wire-1: message 4 was acked as sequence 10")

    def test_bytes_that_changed(self):
        self.rounds[5][0] = self.rounds[5][0].replace(b"wire-1 6 ", b"wire-1 6 ?")
        self.assert_found("wire-1: message 6 was changed", "wire-1: message 6 was acked as sequence 16")

    def test_a_message_that_nobody_sent(self):
        self.rounds[5].append(entry(b"forged 1 "))
        self.assert_found("messages of 'forged', who sent none")

    def test_a_message_without_a_name(self):
        self.rounds[5].append(entry(b"what"))
        self.assert_found("nobody sends such")

    def test_a_run_that_ended_and_lacks_a_line(self):
        del self.rounds[9][1]
        self.assert_found("send-1: message 10 of")

    def test_a_killed_run_with_a_hole(self):
        del self.rounds[24][1]
        self.assert_found("send-1: [26, 27, 28, 29, 30] stand where they should not")

    def test_a_text_that_was_answered_and_is_missing(self):
        del self.rounds[39][2]
        self.assert_found("text-1: message 40 was acked as sequence 120, where 'nothing' stands")

    def test_an_ack_beyond_the_file(self):
        self.wire.acks.append((40, 4000, 140))
        self.assert_found("wire-1: message 40 was acked as sequence 4000")

    def test_what_was_never_acked(self):
        self.wire.acked = 39
        self.assert_found("wire-1: 39 of 40 acked")

    def test_one_round_that_acks_give_two_numbers_and_two_with_one(self):
        self.wire.acks[10] = (11, 31, 110)
        self.assert_found("acks name round 110 for messages of two rounds")

    def test_rounds_that_changed_places(self):
        self.wire.acks[10], self.wire.acks[11] = (11, 31, 112), (12, 34, 111)
        self.assert_found("is block 10, round 111 is 11")

    def test_a_container_that_is_not_there(self):
        self.rounds[5][0] = self.rounds[5][0].replace(b"Container 1 ", b"Container 5 ")
        self.assert_found("there is no container 5")

    def test_blanks_and_half_a_round(self):
        self.rounds[5].append(b"    \n")
        self.assert_found("not rounds and nothing but rounds")
        self.rounds[5].pop()
        self.rounds.append([entry(b"text-1 41 ")])
        judge = Judge(b"".join(b"".join(one) + SEPARATOR for one in self.rounds)[:-len(SEPARATOR)], 5)
        self.assertIn("the file is not rounds and nothing but rounds", judge.findings())

    def test_an_order_that_timestamps_deny(self):
        self.sender.runs = [run._replace(timestamp=0) for run in self.sender.runs]
        self.assertGreater(timestamp("wire-1", 1), 0)
        self.assert_found("block 0: (0, 1, 'send-1', 1) stands behind", "order: 35 more")


class Follows(unittest.TestCase):
    def test_it_finds_bytes_that_changed_behind_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "output.txt")
            with open(path, "wb") as file:
                file.write(b"as it was")
            follower = Follower(path)
            follower.start()
            follower.finish()
            self.assertEqual(list(follower.findings(b"as it was")), [])
            self.assertEqual(list(follower.findings(b"as it is.")), ["bytes that the reader saw have changed"])
            self.assertEqual(list(follower.findings(b"as it")), ["the reader saw 9 bytes, the output has 5"])

    def test_it_goes_from_file_to_file_and_finds_a_name_that_went_back(self):
        with tempfile.TemporaryDirectory() as folder:
            def put(name, text):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(text)
            path = os.path.join(folder, "output.txt")
            put("output.txt", b"one ")
            follower = Follower(path)
            file = follower.read(open(path, "rb"))
            for number, text in (("1", b"two "), ("2", b"three ")):
                os.link(path, os.path.join(folder, f"output.00000{number}.txt"))
                put("next", text)
                os.rename(os.path.join(folder, "next"), path)
            file = follower.read(file)
            self.assertEqual(list(follower.findings(b"one two three ")), [])
            os.link(os.path.join(folder, "output.000001.txt"), os.path.join(folder, "old"))
            os.link(path, os.path.join(folder, "output.000003.txt"))
            os.rename(os.path.join(folder, "old"), path)
            with self.assertRaisesRegex(AssertionError, "an older file again"):
                follower.read(file)


if __name__ == "__main__":
    unittest.main()

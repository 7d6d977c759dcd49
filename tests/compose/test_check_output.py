#!/usr/bin/python3
"""A checker that finds nothing is worth nothing: each thing it has to find, shown to it once."""

import unittest
from types import SimpleNamespace

import check_output

SEPARATOR = "#" * 56 + "\n"


def entry(client, time, number, container=None):
    container = client if container is None else container
    return f"Container {container} \nMensagem: client {client} time: {time} - message: {number}\n"


def full_round(number):
    return "".join(entry(client, 1000 * client, number) for client in range(5)) + SEPARATOR


class CheckOutput(unittest.TestCase):
    def findings(self, text, **options):
        defaults = {"nodes": 5, "clients": 5, "runs": 1, "min_full_rounds": 1}
        return check_output.check(text.encode(), SimpleNamespace(**{**defaults, **options}))[0]

    def assert_found(self, words, text, **options):
        self.assertIn(words, "\n".join(self.findings(text, **options)))

    def test_a_good_file_has_no_findings(self):
        self.assertEqual(self.findings(full_round(0) + full_round(1), min_full_rounds=2), [])

    def test_a_second_run_may_begin_at_zero_or_go_on(self):
        self.assertEqual(self.findings(full_round(0) + full_round(0), runs=2), [])
        self.assert_found("2 times in 1 runs", full_round(0) + full_round(0))

    def test_two_messages_of_one_client_keep_their_order_over_the_turn_of_a_second(self):
        late = entry(0, 999000, 1) + entry(0, 5, 2)
        self.assertEqual(self.findings(full_round(0) + late + SEPARATOR), [])

    def test_the_structure_counts_byte_for_byte(self):
        for broken in (
            full_round(0).replace("Container 0 \n", "Container 0\n"),
            full_round(0).replace("Mensagem", "mensagem"),
            full_round(0).replace("time: 1000", "time: 01000"),
            full_round(0).replace("time: 1000", "time: 1000000"),
            full_round(0).replace("#\n", "\n"),
            full_round(0).replace("#\n", "##\n"),
            full_round(0) + "\0\0",
            full_round(0) + "\n",
        ):
            self.assert_found("neither an entry nor a separator", broken)
        self.assert_found("within a round", full_round(0) + entry(0, 1, 1))
        self.assert_found("empty round", full_round(0) + SEPARATOR)

    def test_order_numbers_and_names_are_checked(self):
        self.assert_found("stands behind", entry(1, 7, 0) + entry(0, 6, 0) + SEPARATOR)
        self.assert_found("stands behind", entry(1, 7, 0) + entry(0, 7, 0) + SEPARATOR)
        self.assert_found("client 0 says 2 where 1", full_round(0) + full_round(2))
        self.assert_found("client 0 says 1 where 2", full_round(0) + full_round(1) + full_round(1))
        self.assert_found("no container 5", full_round(0) + entry(0, 1, 1, container=5) + SEPARATOR)
        self.assert_found("no client 5", full_round(0) + entry(5, 1, 0, container=0) + SEPARATOR)

    def test_rounds_are_full_and_clients_at_home(self):
        self.assert_found("1 of 1 rounds hold one message of each of 5 clients, at least 4", full_round(0),
                          min_full_rounds=4)
        torn = "".join(entry(k, 1, 0) + SEPARATOR for k in range(5))
        self.assert_found("0 of 5 rounds hold", torn)
        self.assertEqual(self.findings(torn + full_round(1)), [])
        twice = entry(0, 1, 0) + entry(0, 2, 1) + "".join(entry(k, 1000 * k, 0) for k in range(1, 4)) + SEPARATOR
        self.assert_found("0 of 1 rounds hold", twice)
        elsewhere = "".join(entry(k, 1000 * k, 0, container=max(k, 1)) for k in range(5)) + SEPARATOR
        self.assertEqual(self.findings(elsewhere),
                         ["no message of client 0 was taken by the node it speaks to first"])


if __name__ == "__main__":
    unittest.main()

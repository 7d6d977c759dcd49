#!/usr/bin/python3
"""Real nodes in network namespaces: partitions, one-way and whole, a holder that is cut off, links that cannot be made.

The data folder stays shared; only the network is cut.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))

from common import BINARIES, Dealer, main, wait_until  # noqa: E402
from load import Load, check, verify  # noqa: E402
from network import NetworkRing, enter  # noqa: E402

ALL = [0, 1, 2, 3, 4]
SECONDS = 120      # a busy machine's bound for what takes a second or two
SILENT_AT_MOST = 8  # s; 0.5 s where nobody else uses the processors


@contextlib.contextmanager
def ring_under_load(nodes):
    """One client of the wire protocol for each of these nodes, each of which may go to all of them."""
    with NetworkRing(BINARIES) as ring, Load(ring) as load:
        ring.wait_healthy(seconds=SECONDS)
        load.start_everywhere(nodes)
        load.wait_acks(10, SECONDS)
        yield ring, load


class LibraryClient:
    """`anel send`, which knows all nodes and begins with this one, and is fed line after line."""

    def __init__(self, ring, first_node):
        self.fed = 0
        self.ending = threading.Event()
        self.process = subprocess.Popen(
            [os.path.join(ring.binaries, "anel"), "send", "--id", "library", "--first-node", str(first_node),
             "--retry-for", str(SECONDS), "-"],
            env=dict(os.environ, ANEL_NODES=ring.addresses()), stdin=subprocess.PIPE, bufsize=0)
        self.feeder = threading.Thread(target=self.feed, daemon=True)
        self.feeder.start()

    def feed(self):
        while not self.ending.wait(0.005):
            self.fed += 1
            self.process.stdin.write(b"library %d\n" % self.fed)
        self.process.stdin.close()

    def finish(self):
        self.ending.set()
        self.feeder.join()
        return self.process.wait(2 * SECONDS)


class Partition(unittest.TestCase):
    def finish(self, ring, load):
        """Healed: one ring without hand work, everything acked, and the output right."""
        ring.heal()
        ring.wait_healthy(seconds=SECONDS)
        load.wait_acks(10, SECONDS)
        load.finish(SECONDS)
        check(self, ring, load)

    def wait_refused(self, ring, nodes):
        def refused(node):
            with Dealer(ring, node, f"lonely-{node}", 1) as client:
                client.send("hello", f"lonely-{node}", 1, 0)
                return client.socket.poll(1000) and client.receive()[3:4] == ["no_quorum"]
        for node in nodes:
            wait_until(lambda node=node: refused(node), SECONDS, f"node {node} says no_quorum")

    def longest_silence(self, load, change, until):
        """Of all clients together, from the change until the condition holds and acks have come again."""
        begun = last = time.monotonic()
        longest = 0.0
        acked = sum(pusher.acked for pusher in load.pushers)
        change()
        settled = False
        while True:
            load.look()
            now, count = time.monotonic(), sum(pusher.acked for pusher in load.pushers)
            if count > acked:
                longest, last, acked = max(longest, now - last), now, count
                if settled:
                    return longest
            self.assertLess(now - begun, SECONDS, "acks, or the others' ring, do not come back")
            settled = settled or bool(until())
            time.sleep(0.002)

    # --- whole partitions -----------------------------------------------------------------------------
    def test_the_majority_goes_on_and_the_minority_says_no_quorum(self):
        with ring_under_load(ALL) as (ring, load):
            for minority in ([0, 3], [4]):
                majority = [node for node in ALL if node not in minority]
                ring.part(minority, majority)
                ring.wait_healthy(majority, seconds=SECONDS)
                self.wait_refused(ring, minority)
                load.wait_acks(10, SECONDS)
                for node in minority:
                    self.assertEqual(ring.status(node)["members"], [])
                ring.heal()
                ring.wait_healthy(seconds=SECONDS)
            self.finish(ring, load)

    def test_three_sides_without_a_majority_refuse_all_until_they_are_healed(self):
        with ring_under_load(ALL) as (ring, load):
            ring.part([0, 1], [2, 3], [4])
            self.wait_refused(ring, ALL)
            written = ring.output().messages
            for pusher in load.pushers:
                self.assertLess(pusher.acked, pusher.sent)
            self.wait_refused(ring, ALL)
            self.assertEqual(ring.output().messages, written)
            self.finish(ring, load)

    def test_a_client_of_the_library_moves_to_a_node_that_works(self):
        with NetworkRing(BINARIES) as ring:
            ring.wait_healthy(seconds=SECONDS)
            client = LibraryClient(ring, 0)

            def wait_written(count):
                wait_until(lambda: len(ring.output().messages) >= count, SECONDS, f"{count} lines are written")
            wait_written(50)
            ring.part([0, 1], [2, 3, 4])
            ring.wait_healthy([2, 3, 4], seconds=SECONDS)
            wait_written(client.fed + 50)
            ring.heal()
            ring.wait_healthy(seconds=SECONDS)
            wait_written(client.fed + 50)
            self.assertEqual(client.finish(), 0)
            self.assertEqual(ring.output().messages, [b"library %d" % number for number in range(1, client.fed + 1)])
            verify(self, ring)

    # --- one direction --------------------------------------------------------------------------------
    def test_a_node_that_hears_nobody_is_left_out(self):
        with ring_under_load(ALL) as (ring, load):
            ring.cut([0, 1, 3, 4], [2])
            ring.wait_healthy([0, 1, 3, 4], seconds=SECONDS)
            self.wait_refused(ring, [2])
            load.wait_acks(10, SECONDS)
            self.finish(ring, load)

    def test_a_node_that_nobody_hears_is_left_out(self):
        with ring_under_load(ALL) as (ring, load):
            ring.cut([0], [1, 2, 3, 4])
            ring.wait_healthy([1, 2, 3, 4], seconds=SECONDS)
            self.wait_refused(ring, [0])
            load.wait_acks(10, SECONDS)
            self.finish(ring, load)

    def test_one_direction_between_two_neighbours(self):
        """All others hear both: one of the two has to stay out, or the ring would stop again and again."""
        with ring_under_load(ALL) as (ring, load):
            silence = self.longest_silence(load, lambda: ring.cut([1], [2]), lambda: ring.is_healthy([0, 1, 3, 4]))
            self.assertLess(silence, SILENT_AT_MOST)
            load.wait_acks(1000, SECONDS)
            self.finish(ring, load)

    # --- the holder -----------------------------------------------------------------------------------
    def cut_off(self, ring, load, holder, also=lambda: None):
        """`also`: done at the same moment."""
        others = [node for node in ALL if node != holder]

        def change():
            ring.part([holder], others)
            also()
        silence = self.longest_silence(load, change, lambda: ring.is_healthy(others))
        print(f"holder {holder} cut off: no ack for {silence * 1000:.0f} ms", file=sys.stderr)
        self.assertLess(silence, SILENT_AT_MOST)
        ring.heal()
        ring.wait_healthy(seconds=SECONDS)

    def test_a_holder_that_is_cut_off_under_load(self):
        with ring_under_load(ALL) as (ring, load):
            for _ in range(3):
                self.cut_off(ring, load, ring.holder() or 0)
            self.finish(ring, load)

    def test_a_holder_that_is_cut_off_with_a_parked_token(self):
        with NetworkRing(BINARIES) as ring, Load(ring) as load:
            ring.wait_healthy(seconds=SECONDS)
            parked = wait_until(lambda: [node for node in ALL if ring.status(node).get("parked")], SECONDS,
                                "a parked token")
            others = [node for node in ALL if node != parked[0]]
            self.cut_off(ring, load, parked[0], also=lambda: load.start_everywhere(others))
            self.finish(ring, load)

    # --- addresses --------------------------------------------------------------------------------------
    def test_nodes_that_come_back_under_other_addresses(self):
        """As containers do that are taken off a network and put back; two of them have changed places."""
        with ring_under_load(ALL) as (ring, load):
            for moves in ({1: "10.77.0.41"}, {2: "10.77.0.13", 3: "10.77.0.12"}):
                staying = [node for node in ALL if node not in moves]
                ring.part(*[[node] for node in moves], staying)
                ring.wait_healthy(staying, seconds=SECONDS)
                ring.heal()
                for node, address in moves.items():
                    ring.move(node, address)
                ring.wait_healthy(seconds=SECONDS)
                load.wait_acks(10, SECONDS)
            self.finish(ring, load)

    def test_a_node_whose_address_was_given_to_another_one_while_it_was_away(self):
        with ring_under_load(ALL) as (ring, load):
            ring.part([2], [3], [0, 1, 4])
            ring.wait_healthy([0, 1, 4], seconds=SECONDS)
            ring.heal()
            ring.take_off(3)
            ring.move(2, "10.77.0.13")
            ring.wait_healthy([0, 1, 2, 4], seconds=SECONDS)
            ring.move(3, "10.77.0.12")
            ring.wait_healthy(seconds=SECONDS)
            load.wait_acks(10, SECONDS)
            self.finish(ring, load)

    # --- links ----------------------------------------------------------------------------------------
    def test_a_node_whose_link_cannot_be_made_is_left_out_and_readmitted(self):
        """Node 0 is the hardest one: the others wait for its call."""
        for blocked in (0, 3):
            others = [node for node in ALL if node != blocked]
            with self.subTest(blocked=blocked), ring_under_load(ALL) as (ring, load):
                silence = self.longest_silence(load, lambda: ring.block_links(blocked), lambda: ring.is_healthy(others))
                self.assertLess(silence, SILENT_AT_MOST)
                load.wait_acks(1000, SECONDS)
                self.finish(ring, load)


if __name__ == "__main__":
    enter()
    main(verbosity=2)

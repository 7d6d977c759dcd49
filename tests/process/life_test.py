"""Nodes start, die, leave and come back; what was acked stands in the file."""

import os
import signal
import subprocess
import time
import unittest

from common import ANELD, BINARIES, Dealer, Ring, main, push_text, wait_until


class Life(unittest.TestCase):
    def check_output(self, ring, wanted):
        messages = ring.output().messages
        self.assertEqual(len(messages), len(set(messages)), "a message stands twice")
        self.assertEqual([text for text in wanted if text not in messages], [])

    def test_five_nodes_start_cold_serve_and_leave_with_0(self):
        with Ring(BINARIES) as ring:
            ring.wait_healthy()
            wanted = []
            for node in range(5):
                text = b"message to %d" % node
                self.assertEqual(push_text(ring, node, text), node + 1)
                wanted.append(text)
            self.assertEqual(ring.stop(), [0] * 5)
            self.check_output(ring, wanted)

    def test_one_node_leaves_the_others_go_on_and_it_comes_back(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            self.assertEqual(ring.nodes[1].stop(), 0)
            ring.wait_healthy([0, 2])
            push_text(ring, 0, "without one")
            ring.nodes[1].start()
            ring.wait_healthy()
            push_text(ring, 1, "with one")
            self.check_output(ring, [b"without one", b"with one"])

    def test_each_node_is_killed_under_load_and_nothing_acked_is_lost(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            acked = []
            for victim in (0, 1, 2):
                with Dealer(ring, (victim + 1) % 3, f"client-{victim}", 1 + victim) as client:
                    client.hello()
                    first = 1
                    ring.nodes[victim].kill()
                    for _ in range(20):
                        batch = [[first + index, b"%d-%d" % (victim, first + index)] for index in range(10)]
                        self.push_until_acked(client, first, batch)
                        acked += [payload for _, payload in batch]
                        first += 10
                ring.nodes[victim].start()
                ring.wait_healthy()
            self.check_output(ring, acked)

    def push_until_acked(self, client, first, batch, seconds=20):
        deadline = time.monotonic() + seconds
        last = first + len(batch) - 1
        while True:
            client.push(first, batch)
            while client.socket.poll(1000):
                reply = client.receive()
                if reply[0] == "ack" and reply[2] >= last:
                    return
                if reply[0] in ("reject", "busy"):
                    time.sleep(0.05)
                    break
            self.assertLess(time.monotonic(), deadline, "no ack")

    def test_all_are_killed_and_start_again(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            push_text(ring, 0, "before")
            for node in ring.nodes:
                node.kill()
            ring.start()
            ring.wait_healthy()
            self.assertEqual(push_text(ring, 2, "after"), 2)
            self.check_output(ring, [b"before", b"after"])

    def test_a_paused_node_does_not_stop_the_others_and_comes_back(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            holder = ring.holder() or 0
            ring.nodes[holder].pause()
            others = [node for node in range(3) if node != holder]
            push_text(ring, others[0], "while it sleeps")
            ring.wait_healthy(others)
            ring.nodes[holder].resume()
            ring.wait_healthy()
            push_text(ring, holder, "awake")
            self.check_output(ring, [b"while it sleeps", b"awake"])

    def test_a_minority_says_no_quorum_and_serves_when_the_rest_comes(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            ring.nodes[1].kill()
            ring.nodes[2].kill()

            def refused():
                with Dealer(ring, 0, "lonely", 1) as client:
                    client.send("hello", "lonely", 1, 0)
                    return client.socket.poll(500) and client.receive()[3:4] == ["no_quorum"]
            wait_until(refused, 10, "the lonely node says no_quorum")
            ring.nodes[1].start()
            ring.wait_healthy([0, 1])
            push_text(ring, 0, "two are enough")

    def test_a_ring_of_one_needs_no_peers(self):
        with Ring(BINARIES, nodes=1) as ring:
            ring.wait_healthy()
            ring.nodes[0].stop()
            del ring.nodes[0].environment["ANEL_PEERS"]
            ring.nodes[0].start()
            ring.wait_healthy()
            push_text(ring, 0, "alone")
            self.assertEqual(ring.stop(), [0])

    def test_a_paused_ring_of_one_takes_sigterm_as_process_1(self):
        if os.geteuid() != 0:
            self.skipTest("only root can start a process 1")
        with Ring(BINARIES, nodes=1) as ring:
            ring.wait_healthy()
            ring.nodes[0].stop()
            with open(ring.nodes[0].log, "ab") as log:
                outer = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", ANELD], stderr=log,
                                         env=ring.nodes[0].environment)
            try:
                wait_until(lambda: ring.is_healthy(), 10, "process 1 serves")
                children = f"/proc/{outer.pid}/task/{outer.pid}/children"
                with open(children, encoding="ascii") as file:
                    os.kill(int(file.read().split()[0]), signal.SIGTERM)
                self.assertEqual(outer.wait(10), 0)
            finally:
                outer.kill()
                outer.wait()

    def test_an_idle_ring_uses_next_to_no_processor(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            push_text(ring, 0, "then nothing")
            time.sleep(1)  # what follows a round is over

            def ticks():
                total = 0
                for node in ring.nodes:
                    with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as file:
                        fields = file.read().rsplit(")", 1)[1].split()
                        total += int(fields[11]) + int(fields[12])
                return total
            before = ticks()
            time.sleep(3)
            per_node = (ticks() - before) / os.sysconf("SC_CLK_TCK") / 3 / len(ring.nodes)
            self.assertLess(per_node, 0.01, "of a processor, for each idle node")

    def test_status_has_all_its_keys(self):
        with Ring(BINARIES, nodes=1) as ring:
            ring.wait_healthy()
            status = ring.status(0)
        self.assertEqual(
            set(status),
            {"node", "incarnation", "version", "state", "taking_pushes", "epoch", "coordinator", "members",
             "configured", "segment", "round", "sequence", "durable_round", "holder", "parked", "pending_messages",
             "pending_bytes", "sessions", "clients", "connections", "connections_max", "memory_bytes",
             "memory_bytes_max", "uptime_ms", "token_timeout_ms", "overdue_after_ms", "timing", "format", "data"})


if __name__ == "__main__":
    main()

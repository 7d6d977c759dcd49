"""The memory and the connections of a node are bounded, whatever its clients do, and it serves the others meanwhile."""

import os
import resource
import subprocess
import threading
import time
import unittest

import msgpack

from common import ANELD, BINARIES, Dealer, Ring, main, push_text, wait_until
from zmtp import MORE, Raw

MIB = 1024 * 1024
SMALL = {"ANEL_SESSIONS": "1000", "ANEL_CLIENTS": "1000", "ANEL_CONNECTIONS": "200", "ANEL_UNREAD_BYTES": "32MiB",
         "ANEL_MESSAGE_BYTES": "256KiB", "ANEL_BATCH_BYTES": "1MiB", "ANEL_WINDOW_BYTES": "2MiB",
         "ANEL_PENDING_BYTES": "4MiB", "ANEL_TOKEN_BYTES": "2MiB"}
# What may come between two looks of the node at its memory, on a machine where everything waits for a processor.
OVERSHOOT = 128 * MIB
# Between two pieces of what never ends, so that what comes between two looks is bounded by more than the machine's speed.
PACE = 0.02


def resident(node):
    with open(f"/proc/{node.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Attack:
    """Each function runs on a thread of its own, over and over, until the end of the block."""

    def __init__(self, *functions):
        self.ending = False
        self.cut = 0
        self.threads = [threading.Thread(target=self.run, args=(one,), daemon=True) for one in functions]

    def run(self, function):
        while not self.ending:
            try:
                function(self)
            except OSError:
                self.cut += 1  # by the node; again

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        for thread in self.threads:
            thread.join(30)


class Bounds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        cls.files = hard

    def test_an_idle_node_needs_little(self):
        with Ring(BINARIES, nodes=5) as ring:
            ring.wait_healthy()
            push_text(ring, 0, "then nothing")
            for node in ring.nodes:
                self.assertLess(resident(node), 32 * MIB)

    def test_ten_thousand_connections_then_more_than_allowed_then_new_ones_when_others_go(self):
        most = min(10_000, self.files - 1500)
        if most < 2000:
            self.skipTest(f"ulimit -Hn is {self.files}: too few open files for a crowd")
        print(f"{most} connections")
        with Ring(BINARIES, nodes=3, settings={"ANEL_CONNECTIONS": str(most)}) as ring:
            ring.wait_healthy()
            node = ring.nodes[0]
            crowd = []
            try:
                for number in range(most - 5):  # the ring of this test asks for status now and then
                    crowd.append(Raw(node.port))
                    if number % 100 == 99:
                        crowd[-1].read_greeting()
                for client in crowd[-1::-100]:
                    client.send(msgpack.packb([1, "hello", f"one of many {id(client)}", 1, 0]))
                push_text(ring, 0, "beside thousands")
                status = ring.status(0, 5)
                self.assertGreaterEqual(status["connections"], most - 5)
                self.assertLess(resident(node), status["memory_bytes_max"])
                print(f"{resident(node) // MIB} MiB, allowed {status['memory_bytes_max'] // MIB}")
                more = [Raw(node.port) for _ in range(100)]
                crowd += more
                wait_until(lambda: self.closed(more) >= 90, 20, "connections beyond the limit are cut")
                self.assertTrue(node.running)
                for client in crowd[:1000]:
                    client.close()

                def served():
                    try:
                        return push_text(ring, 0, "when others went", 2)
                    except AssertionError:
                        return None
                wait_until(served, 30, "new connections are served when others have gone")
            finally:
                for client in crowd:
                    client.close()
            wait_until(lambda: ring.status(0, 1)["connections"] < 50, 20, "the node has seen them go")
            ring.wait_healthy()
            self.assertEqual(ring.stop(), [0] * 3)

    @staticmethod
    def closed(clients):
        count = 0
        for client in clients:
            client.socket.settimeout(0.01)
            try:
                while client.socket.recv(1000):
                    pass
                count += 1
            except TimeoutError:
                pass
            except OSError:
                count += 1
        return count

    def test_no_client_can_fill_the_memory_of_a_node(self):
        with Ring(BINARIES, nodes=3, settings=SMALL) as ring:
            ring.wait_healthy()
            port = ring.nodes[0].port
            part = bytes(MIB)

            def endless_message(attack):
                with Raw(port) as client:
                    client.read_greeting()
                    while not attack.ending:
                        client.send(part, MORE)
                        time.sleep(PACE)

            def endless_small_parts(attack):
                with Raw(port) as client:
                    client.read_greeting()
                    many = bytes([MORE, 1, 0]) * 20_000
                    while not attack.ending:
                        client.socket.sendall(many)
                        time.sleep(PACE)

            def greedy(attack):
                name = f"greedy {threading.get_ident()}"
                with Raw(port) as client:
                    client.read_greeting()
                    client.send(msgpack.packb([1, "hello", name, 1, 0]))
                    client.read_frame()
                    batch = [[1, bytes(200_000)]] * 4
                    first = 1
                    while not attack.ending:
                        client.send(msgpack.packb([1, "push", name, 1, first, batch]))
                        first += 4
                        time.sleep(PACE)

            def never_reads(attack):
                with Raw(port, receive_buffer=4096) as client:
                    client.read_greeting()
                    many = b"".join(b"\0" + bytes([len(one)]) + one for one in [msgpack.packb([1, "status"])] * 1000)
                    while not attack.ending:
                        client.socket.sendall(many)

            bound = ring.status(0)["memory_bytes_max"]
            most = 0
            functions = [endless_message, endless_small_parts, greedy, never_reads] * 2
            with Attack(*functions) as attack, Dealer(ring, 0, "honest", 3) as honest:
                honest.hello()
                until = time.monotonic() + 6
                acked = 0
                while time.monotonic() < until or attack.cut == 0:
                    self.assertLess(time.monotonic(), until + 60, "nobody was cut")
                    most = max(most, resident(ring.nodes[0]))
                    acked += self.push_once(honest, acked + 1)
                print(f"{most // MIB} MiB at most, allowed {bound // MIB}; {attack.cut} cut, {acked} messages acked")
            self.assertLess(most, bound + OVERSHOOT)
            self.assertGreater(acked, 0)
            ring.wait_healthy()
            push_text(ring, 0, "afterwards")
            wait_until(lambda: resident(ring.nodes[0]) < bound, 20, "memory is given back")
            self.assertEqual(ring.stop(), [0] * 3)

    @staticmethod
    def push_once(client, sequence):
        """@return 1 when it was acked, 0 when it has to be said again."""
        client.push(sequence, [[1, b"honest"]])
        while client.socket.poll(500):
            reply = client.receive()
            if reply[0] == "ack" and reply[2] >= sequence:
                return 1
            if reply[0] == "reject":  # its own connection was cut perhaps
                client.send("hello", client.client_id, client.instance, sequence)
            if reply[0] in ("busy", "welcome"):
                return 0
        client.send("hello", client.client_id, client.instance, sequence)
        return 0

    def test_connections_that_never_greet_are_closed(self):
        with Ring(BINARIES, nodes=1) as ring:
            ring.wait_healthy()
            silent = [Raw(ring.nodes[0].port, greet=False) for _ in range(50)]
            wait_until(lambda: self.closed(silent) == 50, 20, "who does not greet is closed")
            for client in silent:
                client.close()

    def with_files(self, ring, most):
        """Starts node 0 with this limit of open files."""
        node = ring.nodes[0]
        with open(node.log, "ab") as log:
            node.process = subprocess.Popen(
                [ANELD], env=node.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, most)))

    def test_the_limit_of_open_files_is_raised_and_minded(self):
        with Ring(BINARIES, nodes=1) as ring:
            ring.wait_healthy()
            self.assertEqual(ring.nodes[0].stop(), 0)
            self.with_files(ring, 300)
            self.assertEqual(ring.nodes[0].process.wait(10), 2)
            self.assertIn("may have 300 files open; allowed are", ring.log_tail(0))
            self.with_files(ring, 600)
            ring.wait_healthy()
            allowed = ring.status(0)["connections_max"]
            self.assertLess(allowed, 600)
            self.assertIn(f"allows {allowed} client connections", ring.log_tail(0))
            crowd = [Raw(ring.nodes[0].port) for _ in range(700)]
            wait_until(lambda: self.closed(crowd) >= 700 - allowed, 30, "those beyond the limit are cut")
            for client in crowd:
                client.close()
            push_text(ring, 0, "afterwards", 30)
            self.assertEqual(ring.stop(), [0])


if __name__ == "__main__":
    main()

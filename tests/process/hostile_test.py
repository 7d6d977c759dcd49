"""Random bytes, malformed and oversized messages, readers that do not read: the ring goes on."""

import os
import random
import socket
import time
import unittest

import msgpack
import zmq

from common import BINARIES, Dealer, Ring, main, push_text


LIMITS = {"ANEL_BATCH_BYTES": "65536", "ANEL_MESSAGE_BYTES": "16384"}


class Hostile(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("ANEL_SEED", random.randrange(2**32)))
        self.random = random.Random(self.seed)
        print(f"{self.id()}: replay with ANEL_SEED={self.seed}")

    def run(self, result=None):
        # Around each test, so that the ring hears of a failure and shows its logs.
        method = getattr(self, self._testMethodName)

        def within_ring():
            with Ring(BINARIES, nodes=3, settings=LIMITS) as self.ring:
                self.ring.wait_healthy()
                method()
        setattr(self, self._testMethodName, within_ring)
        return super().run(result)

    def listening_ports(self, node):
        """Every TCP port this node listens on: clients, control, and its link."""
        inodes = set()
        folder = f"/proc/{node.process.pid}/fd"
        for descriptor in os.listdir(folder):
            try:
                target = os.readlink(os.path.join(folder, descriptor))
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        ports = []
        with open("/proc/net/tcp", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    ports.append(int(fields[1].split(":")[1], 16))
        return ports

    def throw(self, port, data):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as stranger:
                stranger.sendall(data)
                stranger.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the node may cut us off at any byte

    def assert_goes_on(self, epoch=None):
        self.ring.wait_healthy()
        for node in range(3):
            push_text(self.ring, node, f"still here {node} {self.random.random()}")
        if epoch is not None:
            self.assertEqual(self.ring.status(0)["epoch"], epoch, "a stranger caused a view change")

    def test_random_bytes_on_every_port(self):
        push_text(self.ring, 0, "first")
        epoch = self.ring.status(0)["epoch"]
        greeting = bytes.fromhex("ff00000000000000017f03") + b"\0NULL".ljust(53, b"\0")
        for _ in range(30):
            for node in self.ring.nodes:
                ports = self.listening_ports(node)
                self.assertGreaterEqual(len(ports), 3)
                for port in ports:
                    data = self.random.randbytes(self.random.randrange(1, 2000))
                    self.throw(port, greeting[1:] + data if self.random.random() < 0.3 else data)
        self.assert_goes_on(epoch)

    def test_strangers_that_speak_zeromq_to_the_control_port(self):
        epoch = self.ring.status(0)["epoch"]
        context = self.ring.context
        for node in self.ring.nodes:
            with context.socket(zmq.DEALER) as stranger:
                stranger.linger = 1000
                stranger.connect(f"tcp://127.0.0.1:{node.environment['CLUSTER_PORT']}")
                for _ in range(300):
                    frames = [self.random.randbytes(self.random.randrange(100))
                              for _ in range(self.random.randrange(1, 4))]
                    stranger.send_multipart(frames)
                for kind in ("call", "answer", "view", "suspect", "durable", "who", "taken", "nothing"):
                    for fields in ([], [0, 1], [0, 1, 2, 3, "x"], [64, 1, 1], [-1, "a"], [0, 0, 1]):
                        stranger.send(msgpack.packb([1, kind, *fields]))
                stranger.send(b"\0" * 100_000)  # more than a control message may have
        self.assert_goes_on(epoch)

    def test_malformed_requests_cost_their_sender_a_reject(self):
        good = msgpack.packb([1, "push", "client", 1, 1, [[1, "text"]]])
        with Dealer(self.ring, 0, "client", 1) as client:
            client.hello()
            for length in range(1, len(good)):
                client.socket.send(good[:length])
            for _ in range(300):
                data = bytearray(good)
                data[self.random.randrange(len(data))] = self.random.randrange(256)
                client.socket.send(b"\x96" + bytes(data[1:]))
            for _ in range(200):
                client.socket.send_multipart([b"x"] * self.random.randrange(2, 20))
            client.socket.send(b"")
        self.assert_goes_on()

    def test_too_large_is_refused_and_larger_is_cut_off(self):
        with Dealer(self.ring, 1, "large", 5) as client:
            client.hello()
            client.push(1, [[1, b"x" * 16385]])
            self.assertEqual(client.receive()[3], "too_large")
            client.push(1, [[1, b"x" * 16000] for _ in range(6)])  # over batch_bytes, within twice that
            self.assertEqual(client.receive()[3], "too_large")
            client.push(1, [[1, b"x" * 200_000]])  # beyond: the connection is cut
            self.assertFalse(client.socket.poll(500))
        with Dealer(self.ring, 1, "large", 5) as client:
            client.hello()
            client.push(1, [[1, b"fits"]])
            client.receive_ack(1)
        self.assert_goes_on()

    def test_a_client_that_never_reads_does_not_slow_the_others(self):
        with self.ring.context.socket(zmq.DEALER) as lazy:
            lazy.linger = 0
            lazy.rcvhwm = 1
            lazy.sndhwm = 0
            lazy.setsockopt(zmq.RCVBUF, 4096)
            lazy.connect(self.ring.address(0))
            for _ in range(20_000):
                lazy.send(msgpack.packb([1, "status"]))
            slowest = 0
            for number in range(50):
                start = time.monotonic()
                push_text(self.ring, 0, f"beside the lazy one {number}")
                slowest = max(slowest, time.monotonic() - start)
            self.assertLess(slowest, 3)
        self.assert_goes_on()

    def test_clients_that_come_and_go(self):
        for number in range(200):
            with self.ring.context.socket(zmq.DEALER) as client:
                client.linger = 50
                client.setsockopt(zmq.IDENTITY, b"same name")  # a connection takes the name over from the one before
                client.connect(self.ring.address(number % 3))
                client.send(b"gone before the answer %d" % number)
        self.assert_goes_on()


if __name__ == "__main__":
    main()

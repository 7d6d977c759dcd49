"""What a message costs, in counts that do not depend on how busy the machine is: system calls, context switches, bytes
written, allocations, and bytes copied within a node's own memory.

A guard against a change that quietly doubles the work. Bounds are about twice what was counted when they were set,
which stands beside them: lower them when the ring gets better. System calls are counted by strace; where tracing is
not allowed, that part is left out, and said so. Allocations and copies are counted by bench_counting.so, which the nodes load.

Usage: counts_test.py FOLDER_OF_BINARIES [unittest arguments]
"""

import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

from common import Dealer, Ring, wait_until

PAYLOAD = b"x" * 100
BATCH = 256
BATCHES_IN_FLIGHT = 4

# Of all five nodes together, for each message. `single`: one client, one message in flight, each a round of its own.
# `batched`: three clients, batches of 256, four in flight of each; how many batches meet in a round is a matter of
# timing, and the bound is below what a round for each batch would cost. A message takes 124 bytes in the output, and is
# written twice; those of large bids once more, to a file that is written over and over and hardly ever reaches the disk.
BOUNDS = {
    "single": {"system calls": 400, "switches": 50, "bytes written": 900,    # counted: 188, 24, 649
               "allocations": 310, "bytes copied": 7000},                         # counted: 152, 3253
    "batched": {"system calls": 0.6, "switches": 0.1, "bytes written": 450,  # counted: 0.19, 0.03, 310
                "allocations": 0.5, "bytes copied": 250},                         # counted: 0.23, 138
}


class Counter:
    """Sums over all nodes of a ring of what /proc knows of them."""

    def __init__(self, ring, counting):
        self.pids = [node.process.pid for node in ring.nodes]
        self.counting = counting

    def now(self):
        counts = {"switches": sum(self.switches(pid) for pid in self.pids),
                  "bytes written": sum(self.field(f"/proc/{pid}/io", "wchar") for pid in self.pids)}
        if self.counting:
            sums = [struct.unpack("QQ", self.page(pid)) for pid in self.pids]
            counts["allocations"], counts["bytes copied"] = map(sum, zip(*sums))
        return counts

    def page(self, pid):
        with open(os.path.join(self.counting, str(pid)), "rb") as file:
            return file.read(16)

    @staticmethod
    def field(path, name):
        with open(path, encoding="ascii") as file:
            return int(re.search(rf"^{name}:\s*(\d+)", file.read(), re.MULTILINE).group(1))

    def switches(self, pid):
        """How often a thread went to sleep. How often others pushed it aside depends on them."""
        tasks = f"/proc/{pid}/task"
        return sum(self.field(f"{tasks}/{task}/status", "voluntary_ctxt_switches") for task in os.listdir(tasks))


class Tracer:
    """Counts the system calls of all nodes while it is open. `calls`: how many, None where it is not allowed, as `refusal` says."""

    def __init__(self, ring):
        self.pids = [node.process.pid for node in ring.nodes]
        self.calls = None
        self.refusal = ""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile(mode="r", suffix=".strace")
        arguments = ["strace", "-c", "-f", "-o", self.file.name]
        for pid in self.pids:
            arguments += ["-p", str(pid)]
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: self.process.poll() is not None or self.traces_all(), 20, "strace follows every thread")
        return self

    def traces_all(self):
        return all(Counter.field(f"/proc/{pid}/task/{task}/status", "TracerPid")
                   for pid in self.pids for task in os.listdir(f"/proc/{pid}/task"))

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
            total = re.search(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total", self.file.read(), re.MULTILINE)
            self.calls = int(total.group(1))
        else:
            self.refusal = self.process.stderr.read().strip()
        self.process.stderr.close()
        self.file.close()


class Client:
    """Pushes batches of one size and waits for their acks."""

    def __init__(self, ring, node, name):
        self.dealer = Dealer(ring, node, name, 1)
        self.sent = self.dealer.hello()[2]
        self.acked = self.sent

    def push(self, count):
        self.dealer.push(self.sent + 1, [[1, PAYLOAD]] * count)
        self.sent += count

    def take_acks(self, until):
        while self.acked < until:
            kind, _, last, *_ = self.dealer.receive(60)
            assert kind == "ack", kind
            self.acked = last


def push_single(client, messages):
    for _ in range(messages):
        client.push(1)
        client.take_acks(client.sent)


def push_batched(clients, batches, batch):
    for _ in range(batches):
        for client in clients:
            client.take_acks(client.sent - (BATCHES_IN_FLIGHT - 1) * batch)
            client.push(batch)
    for client in clients:
        client.take_acks(client.sent)


class Counts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        settings = {"ANEL_TOKEN_TIMEOUT_MS": "10000"}
        cls.counting = None
        library = os.path.join(BINARIES, "bench_counting.so")
        if os.path.exists(library):
            cls.counting = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="anel-counting-"))
            settings |= {"LD_PRELOAD": library, "ANEL_COUNTING": cls.counting}
        else:
            print("allocations and copies are not counted: this is no x86-64")
        cls.ring = cls.enterClassContext(Ring(BINARIES, settings=settings))
        cls.ring.wait_healthy()
        cls.clients = [Client(cls.ring, node, f"counts-{node}") for node in (0, 2, 4)]
        push_batched(cls.clients, 4, BATCH)  # what happens once, at the beginning, is not what is counted

    def counted(self, push, messages):
        """Per message: switches and bytes of one run, system calls of another, which strace makes slow."""
        counter = Counter(self.ring, self.counting)
        before = counter.now()
        push()
        costs = {what: (count - before[what]) / messages for what, count in counter.now().items()}
        with Tracer(self.ring) as tracer:
            push()
        if tracer.calls is None:
            print("system calls are not counted:", tracer.refusal)
        else:
            costs["system calls"] = tracer.calls / messages
        print({what: round(cost, 2) for what, cost in costs.items()}, flush=True)
        return costs

    def check(self, costs, bounds):
        for what, cost in costs.items():
            self.assertLessEqual(cost, bounds[what], f"{what} for each message")
            self.assertGreater(cost, 0, what)

    def test_a_message_that_is_a_round_of_its_own(self):
        costs = self.counted(lambda: push_single(self.clients[0], 100), 100)
        self.check(costs, BOUNDS["single"])
        # The same counts, held against the other bounds: those do tell a ring that gathers nothing.
        for what, cost in costs.items():
            self.assertGreater(cost, BOUNDS["batched"][what], f"{what} in batches: the bound lets too much pass")

    def test_messages_in_batches(self):
        self.check(self.counted(lambda: push_batched(self.clients, 40, BATCH), 3 * 40 * BATCH), BOUNDS["batched"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER_OF_BINARIES [unittest arguments]")
    BINARIES = os.path.abspath(sys.argv.pop(1))
    unittest.main()

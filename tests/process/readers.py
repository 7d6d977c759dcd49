"""Rings whose output is read by others, and those who read it."""

import os
import signal
import subprocess

from common import BINARIES, Ring, free_ports, wait_until

ANEL = os.path.join(BINARIES, "anel")


class RingWithFeeds(Ring):
    """Each node has a feed."""

    def __init__(self, nodes, **options):
        super().__init__(BINARIES, nodes=nodes, **options)
        for node, port in zip(self.nodes, free_ports(nodes)):
            node.environment["ANEL_FEED_PORT"] = str(port)

    def feed(self, node):
        return f"tcp://127.0.0.1:{self.nodes[node].environment['ANEL_FEED_PORT']}"

    def feeds(self):
        return [self.feed(node) for node in range(len(self.nodes))]


class Program:
    """A reader with its output in a file."""

    def __init__(self, ring, name, *command):
        self.path = os.path.join(ring.folder, name)
        with open(self.path, "wb") as out, open(self.path + ".err", "wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)

    @property
    def bytes(self):
        with open(self.path, "rb") as file:
            return file.read()

    @property
    def errors(self):
        with open(self.path + ".err", encoding="utf-8") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    def check(self, test, output):
        wait_until(lambda: len(self.bytes) >= len(output), 30, f"{self.path} has {len(output)} bytes")
        test.assertTrue(self.bytes == output, f"{self.path}: {len(self.bytes)} bytes, {len(output)} were written")

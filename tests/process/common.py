"""What the process tests share; rings of real nodes come from tests/interop/ring.py."""

import os
import sys
import unittest

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from ports import free_ports, free_rows  # noqa: E402,F401
from ring import Dealer, Output, Ring, TimedOut, output_bytes, wait_until  # noqa: E402,F401

if len(sys.argv) < 2:
    sys.exit(f"usage: {sys.argv[0]} FOLDER_OF_BINARIES [unittest arguments]")
BINARIES = os.path.abspath(sys.argv.pop(1))
ANELD = os.path.join(BINARIES, "aneld")


def push_text(ring, node, text, seconds=20):
    """One plain text message, resent as a new one until it is taken. @return the ledger sequence."""
    def attempt():
        with ring.context.socket(zmq.DEALER) as client:
            client.linger = 0
            client.connect(ring.address(node))
            client.send(text if isinstance(text, bytes) else text.encode())
            if not client.poll(3000):
                return None
            answer = client.recv().split()
            return int(answer[1]) if answer[0] == b"OK" else None
    return wait_until(attempt, seconds, f"node {node} takes a message")


main = unittest.main

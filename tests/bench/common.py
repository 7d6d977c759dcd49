"""What the bench shares with the tests: free ports, and rings of real nodes, from tests/interop."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from ports import free_ports  # noqa: E402,F401
from ring import Dealer, HttpRing, Ring, TimedOut, wait_until  # noqa: E402,F401

"""The package list of this machine, split over five clients at five nodes: each line once, in each client's order."""

import os
import re
import shutil
import subprocess
import unittest

from common import BINARIES, Ring, main
from load import verify

LINES = 100_000
LEAST = 10_000
NAMED = {b"\n": rb"\n", b"\r": rb"\r", b"\t": rb"\t", b"\\": rb"\\"}
# What the classic format does not show raw: control characters, U+2028 and U+2029, the backslash.
UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\\\\]|[\udc80-\udcff]")


def escaped(line):
    """As README says of output.txt; bytes that are no UTF-8 come as lone surrogates here."""
    def escape(match):
        raw = match.group().encode("utf-8", "surrogateescape")
        return NAMED.get(raw, b"".join(rb"\x%02x" % byte for byte in raw)).decode()
    return UNSHOWN.sub(escape, line.decode("utf-8", "surrogateescape")).encode()


def lines_of(*command):
    if shutil.which(command[0]) is None:
        return []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        lines = {}  # each once, in their order
        for line in program.stdout:
            lines.setdefault(line.rstrip(b"\n"))
            if len(lines) >= LINES:
                program.kill()
                break
        return list(lines)


def package_list():
    """Different lines; each names something real. Enough of them, or none."""
    lines = lines_of("apt-cache", "dumpavail")
    if len(lines) < LEAST:
        fields = ("Package", "Version", "Maintainer", "Depends", "Description", "Conffiles", "db-fsys:Files")
        lines = lines_of("dpkg-query", "-W", "-f", "".join(f"{field}: ${{{field}}}\n" for field in fields))
    return lines if len(lines) >= LEAST else []


class RealInput(unittest.TestCase):
    def test_the_package_list_of_this_machine(self):
        lines = package_list()
        if not lines:
            self.skipTest("no package list of Debian here")
        self.assertTrue(any(not line.isascii() for line in lines), "no line has more than ASCII")
        parts = [lines[start::5] for start in range(5)]
        with Ring(BINARIES) as ring:
            ring.wait_healthy()
            environment = dict(os.environ, ANEL_NODES=ring.addresses())
            senders = []
            for node, part in enumerate(parts):
                name = os.path.join(ring.folder, f"part{node}")
                with open(name, "wb") as file:
                    file.write(b"".join(line + b"\n" for line in part))
                senders.append(subprocess.Popen(
                    [os.path.join(BINARIES, "anel"), "send", "--file", name, "--id", f"part{node}",
                     "--first-node", str(node)],
                    env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
            try:
                for sender in senders:
                    said, _ = sender.communicate(timeout=120)
                    self.assertEqual(sender.returncode, 0, said)
            finally:
                for sender in senders:
                    sender.kill()
                    sender.communicate()
            messages = ring.output().messages
            place = {message: at for at, message in enumerate(messages)}
            self.assertEqual(len(messages), len(lines))
            self.assertEqual(len(place), len(lines), "a line stands twice")
            for node, part in enumerate(parts):
                places = [place.get(escaped(line), -1) for line in part]
                self.assertNotIn(-1, places, f"a line of part {node} is missing")
                self.assertEqual(places, sorted(places), f"the order of part {node}")
            containers = {container for one in ring.output().rounds for container, _ in one}
            # On a busy machine a node may leave the ring for a moment, and its client goes to the next one.
            self.assertLessEqual(containers, {0, 1, 2, 3, 4})
            self.assertGreater(len(containers), 1)
            verify(self, ring)


if __name__ == "__main__":
    main()

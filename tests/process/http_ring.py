"""A ring whose nodes have HTTP ports, and one who looks at it: for the tests of what people and machines see."""

import json
import os
import shutil
import subprocess
import urllib.request

from common import BINARIES, wait_until
from ring import HttpRing as RingWithHttp

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def promtool():
    path = os.pathsep.join([os.environ.get("PATH", ""), os.path.join(ROOT, "build", "tools", "usr", "bin")])
    found = shutil.which("promtool", path=path)
    if found is None:
        raise AssertionError("promtool is not there: ./dev test gets it")
    return found


def run_tool(case, *command, **options):
    """Fails with what the tool said, unless it was content."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)
    case.assertEqual(done.returncode, 0, done.stdout + done.stderr)
    return done.stdout + done.stderr


class HttpRing(RingWithHttp):
    def __init__(self, nodes, **settings):
        super().__init__(BINARIES, nodes=nodes, settings=settings)


class Viewer:
    """One that looks at the stream of a node."""

    def __init__(self, ring, node=0):
        self.answer = urllib.request.urlopen(f"http://127.0.0.1:{ring.http[node]}/events", timeout=20)

    def next(self, kind="picture"):
        """The data of the next event of this kind."""
        name = None
        for line in self.answer:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            if line.startswith("data: ") and name == kind:
                return json.loads(line.removeprefix("data: "))
        raise AssertionError("the stream ended")

    def until(self, condition, what, seconds=20):
        return wait_until(lambda: (lambda seen: seen if condition(seen) else None)(self.next()), seconds, what)

    def close(self):
        self.answer.close()

"""The Python package, installed by pip as its README says, pushes to a real ring. Usage: python_test.py BINARIES"""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE.parent.parent / "client" / "python"
SKIPPED = 77  # as ctest is told

if not importlib.util.find_spec("pip"):
    print("skipped: python3-pip is not installed; ./dev test installs it")
    sys.exit(SKIPPED)

sys.path.insert(0, str(HERE.parent / "interop"))

from ring import Ring  # noqa: E402

BINARIES = pathlib.Path(sys.argv.pop(1)).resolve()
PROGRAM = """
import sys
import anel, anel.aio, anel.feed
with anel.Client(sys.argv[1]) as client:
    print(anel.__file__, client.send("one message").acked_sequence)
"""


class PythonPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="anel-python-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        # Nothing but what is installed: no path, no settings and no cache of whoever runs this.
        cls.environment = {"PATH": os.environ["PATH"], "HOME": folder.name, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        cls.python = cls.folder / "venv" / "bin" / "python"

    def run_here(self, *command):
        """What it prints. A command that fails, fails the test with all that it said."""
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=200, check=False,
                              env=self.environment, cwd=self.folder)
        self.assertEqual(done.returncode, 0, f"{command}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_what_pip_installs_pushes_to_a_ring(self):
        self.run_here(sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", "venv")
        # A copy: pip builds in the folder itself.
        shutil.copytree(PACKAGE, self.folder / "source", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
        # From nowhere else: what it depends on must be what the system has, and new enough.
        self.run_here(sys.executable, "-m", "pip", "--python", self.python, "install", "--no-index",
                      "--no-build-isolation", self.folder / "source")
        shutil.rmtree(self.folder / "source")
        with Ring(BINARIES, nodes=1) as ring:
            ring.wait_healthy()
            where, sequence = self.run_here(self.python, "-c", PROGRAM, ring.addresses()).split()
            self.assertEqual(sequence, "1")
            self.assertEqual(ring.output().messages, [b"one message"])
            self.assertEqual(ring.stop(), [0])
        installed = pathlib.Path(where).parent
        self.assertTrue(installed.is_relative_to(self.folder), installed)
        wanted = {path.name for path in (PACKAGE / "anel").iterdir() if path.suffix == ".py" or path.name == "py.typed"}
        self.assertLessEqual(wanted, {path.name for path in installed.iterdir()})


if __name__ == "__main__":
    unittest.main()

"""The experiments of docs/EXPLAINED.md, done as they stand there, one after another on one ring; and what the page says
is to be expected. Usage: explained_test.py REPOSITORY BINARIES"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

REPOSITORY = pathlib.Path(sys.argv[1])
BINARIES = pathlib.Path(sys.argv[2]).resolve()

# What each experiment must print. The first block only names helpers.
EXPECTED = {
    "Experiment 1": [r"Mensagem: I came to node 0", r"Mensagem: I came to node 4"],
    "Experiment 2": [r"the holder is node \d", r"ring: healthy", r"clean: output and ledger agree"],
    "Experiment 3": [r"real\s+0m", r"clean: output and ledger agree"],
    "Experiment 4": [r"^100000$"],
    "Experiment 5": [r"no_quorum", r"code [13]"],
    "Experiment 6": [r"nobody gets it"],
    "Experiment 7": [r"DIFFERS", r"code 1", r"repaired", r"clean: output and ledger agree"],
}


def blocks():
    """[(title, commands)] of every shell block of section 7."""
    text = (REPOSITORY / "docs" / "EXPLAINED.md").read_text(encoding="utf-8")
    section = text.split("## 7. Break it yourself")[1].split("\n## ")[0]
    parts = re.split(r"^### (Experiment \d+).*$", section, flags=re.MULTILINE)
    return [(title, "".join(re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)))
            for title, part in zip(["helpers", *parts[1::2]], parts[::2])]


class Explained(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.environment = {**os.environ, "PATH": f"{BINARIES}:{os.environ['PATH']}"}
        self.ring = subprocess.Popen(["anel", "up", "--clients", "0", "--quiet"], cwd=self.folder.name, env=self.environment,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while subprocess.run(["anel", "status", "--healthy"], env=self.environment, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, check=False).returncode != 0:
            self.assertLess(time.monotonic(), deadline, "the ring forms")
            time.sleep(0.05)

    def tearDown(self):
        # Whatever an experiment left behind, in the ring of this test alone.
        self.bash(dict(blocks())["helpers"] + "kill -CONT $(pids); kill -9 $(pids); true", 60)
        self.ring.kill()
        self.ring.wait()
        self.folder.cleanup()

    def bash(self, commands, seconds):
        return subprocess.run(["bash", "-c", commands], cwd=self.folder.name, env=self.environment, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)

    def test_the_experiments_end_as_they_are_told(self):
        (_, helpers), *experiments = blocks()
        self.assertEqual([title for title, _ in experiments], list(EXPECTED))
        for title, commands in experiments:
            with self.subTest(title):
                done = self.bash(f"{helpers}\nset -e\n{commands}", 180)
                self.assertEqual(done.returncode, 0, f"{title}:\n{done.stdout}")
                for expected in EXPECTED[title]:
                    self.assertRegex(done.stdout, re.compile(expected, re.MULTILINE), title)


if __name__ == "__main__":
    os.environ.pop("ANEL_NODES", None)
    unittest.main(argv=sys.argv[:1], verbosity=2)

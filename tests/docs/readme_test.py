"""Runs what the README tells people to run, so that it cannot rot. Usage: readme_test.py REPOSITORY BINARIES"""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest

REPOSITORY = pathlib.Path(sys.argv[1])
BINARIES = pathlib.Path(sys.argv[2])
NODES = "127.0.0.1:5000..5004"


def blocks(name, language):
    """The code blocks of one language in a document of the repository."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(name):
    """Every command of the shell blocks, without its comment."""
    for block in blocks(name, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


class Ring:
    """The ring that the README's commands speak to: `anel up` on the default ports."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [BINARIES / "anel", "up", "--nodes", "5", "--clients", "0", "--quiet", "--data", self.folder.name,
             "--seconds", "120"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while subprocess.run([BINARIES / "anel", "status", "--healthy", "--nodes", NODES], check=False,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.__exit__()
                raise AssertionError("the ring of the README did not form")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.code = self.process.wait(30)
        self.folder.cleanup()

    def output(self):
        return (pathlib.Path(self.folder.name) / "output.txt").read_text(encoding="utf-8")


class Readme(unittest.TestCase):
    def run_anel(self, words, **options):
        done = subprocess.run([BINARIES / words[0], *words[1:]], capture_output=True, text=True, timeout=60,
                              check=False, **options)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def test_dev_up_shows_a_growing_file_and_ends_cleanly(self):
        self.assertIn(["./dev", "up"], list(commands("README.md")))
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["./dev", "up", "--seconds", "6", "--data", folder], cwd=REPOSITORY, timeout=300,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stdout, r"Container \d \nMensagem: client \d time: \d+ - message: \d+\n")
            self.assertIn("rounds,", done.stdout + done.stderr)
            self.run_anel(["anel", "verify", folder])

    def test_dev_test_is_a_verb_that_bash_can_read(self):
        self.assertIn(["./dev", "test"], list(commands("README.md")))
        subprocess.run(["bash", "-n", REPOSITORY / "dev"], check=True)
        listed = subprocess.run(["./dev"], cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout
        self.assertRegex(listed, r"(?m)^\s+test\b")

    def test_the_compose_file_that_it_names_is_there(self):
        compose = [words for words in commands("README.md") if words[:2] == ["docker", "compose"]]
        self.assertEqual(len(compose), 1)
        self.assertTrue((REPOSITORY / compose[0][3]).is_file())

    def test_the_commands_and_the_three_lines_of_python_work(self):
        told = [words for words in commands("README.md") if words[0] == "anel" and words[1] != "up"]
        self.assertGreaterEqual({words[1] for words in told}, {"send", "watch", "status", "verify"})
        with Ring() as ring:
            for block in blocks("README.md", "python"):
                done = subprocess.run(["/usr/bin/python3", "-c", block], capture_output=True, text=True, timeout=60,
                                      check=True)
                self.assertRegex(done.stdout, r"^OK \d+\n$")
            for words in told:
                words = [ring.folder.name if word == "shared_data" else word for word in words]
                elsewhere = {"/backups/monday": "copy", "/srv/rows": "rows"}
                words = [os.path.join(ring.folder.name, elsewhere[word]) if word in elsewhere else word for word in words]
                if words[1] == "watch":
                    words.append("--until-end")
                if words[1] == "repair":
                    words.append("--dry-run")  # the ring runs
                self.run_anel(words, cwd=ring.folder.name, input="from standard input\n")
            self.assertEqual(ring.output().count("Mensagem: hello, ring\n"), 2)
            self.assertEqual(ring.output().count("Mensagem: from standard input\n"), 1)
        self.assertEqual(ring.code, 0)

    def test_both_languages_tell_the_same_commands(self):
        english, portuguese = ([words[:2] for words in commands(name)] for name in ("README.md", "README.pt-BR.md"))
        self.assertEqual(english, portuguese)


if __name__ == "__main__":
    os.environ.pop("ANEL_NODES", None)
    unittest.main(argv=sys.argv[:1], verbosity=2)

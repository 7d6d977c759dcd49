"""`anel export`: finished pieces of an output become rows, while it follows, however often it is killed."""

import csv
import json
import os
import signal
import subprocess
import tempfile
import unittest

from common import BINARIES, main, wait_until

ANEL = os.path.join(BINARIES, "anel")


class Export(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="anel-export-")
        self.addCleanup(folder.cleanup)
        self.pieces, self.rows = os.path.join(folder.name, "pieces"), os.path.join(folder.name, "rows")
        os.mkdir(self.pieces)

    def piece(self, number, messages):
        """Appears under its name when it is whole, as a finished piece is."""
        path = os.path.join(self.pieces, f"output.{number:06}.txt")
        with open(path + ".new", "w", encoding="utf-8") as file:
            for message in messages:
                file.write(f"Container 1 \nMensagem: {message}\n" + "#" * 56 + "\n")
        os.rename(path + ".new", path)

    def export(self, *arguments, code=0):
        done = subprocess.run([ANEL, "export", self.pieces, self.rows, *arguments], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def start(self, *arguments):
        process = subprocess.Popen([ANEL, "export", self.pieces, self.rows, *arguments], stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def path(self, name):
        return os.path.join(self.rows, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file)) if name.endswith(".csv") else [json.loads(line) for line in file]

    def test_both_formats_say_the_same_and_what_is_there_stays(self):
        messages = ["plain", 'a "quoted", one', "ação", r"two\nlines"]
        self.piece(1, messages)
        self.assertEqual(self.export(), "output.000001.jsonl: 4 rows\n")
        self.assertEqual(self.export("--format", "csv"), "output.000001.csv: 4 rows\n")
        self.assertEqual(self.export(), "", "they stay")
        self.assertEqual([row["message"] for row in self.read("output.000001.jsonl")], messages)
        self.assertEqual([{key: str(value) for key, value in row.items()} for row in self.read("output.000001.jsonl")],
                         self.read("output.000001.csv"))
        self.assertEqual(sorted(os.listdir(self.rows)), ["output.000001.csv", "output.000001.jsonl"])
        os.unlink(self.path("output.000001.csv"))
        self.assertEqual(self.export("--format", "csv"), "output.000001.csv: 4 rows\n", "it comes again")
        os.remove(self.path("output.000001.csv"))
        self.assertEqual(json.loads(self.export("--format", "csv", "--json")), {"file": "output.000001.csv", "rows": 4})

    def test_it_follows_and_ends_as_told(self):
        process = self.start("--follow")
        self.piece(1, ["one"])
        wait_until(lambda: os.path.exists(self.path("output.000001.jsonl")), 20, "the first piece is exported")
        busy = self.export(code=2)
        self.assertEqual(len(busy.splitlines()), 1)
        self.assertIn("another anel export is at work", busy)
        self.piece(2, ["two"])
        wait_until(lambda: os.path.exists(self.path("output.000002.jsonl")), 20, "the second piece is exported")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 0)

    def test_whoever_sees_a_name_reads_all_of_it_however_often_it_is_killed(self):
        count = 40_000
        self.piece(1, [f"message {number} " + "x" * 80 for number in range(count)])
        for _ in range(5):
            process = self.start()
            # It is at work: a part is there, or all of it already.
            wait_until(lambda: os.path.exists(self.path("output.000001.jsonl")) or
                       any(name.endswith(".part") for name in os.listdir(self.rows)) if os.path.isdir(self.rows) else False,
                       20, "it is at work", step=0.001)
            process.kill()
            process.wait()
            if os.path.exists(self.path("output.000001.jsonl")):
                self.assertEqual(len(self.read("output.000001.jsonl")), count)
                os.unlink(self.path("output.000001.jsonl"))
        self.export()
        rows = self.read("output.000001.jsonl")
        self.assertEqual([row["row"] for row in rows], list(range(1, count + 1)))
        self.assertEqual(os.listdir(self.rows), ["output.000001.jsonl"])

    def test_what_cannot_be_exported_is_named(self):
        self.piece(1, ["one"])
        os.truncate(os.path.join(self.pieces, "output.000001.txt"), 20)
        told = self.export(code=1)
        self.assertIn("output.000001.txt: ends in the middle", told)
        self.assertEqual(len(told.splitlines()), 1)
        self.assertEqual(os.listdir(self.rows), [])
        self.pieces += "/none"
        self.assertIn("No such file", self.export(code=2))
        self.assertIn("--format", self.export("--format", "xml", code=2))


if __name__ == "__main__":
    main()

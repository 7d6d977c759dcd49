"""`anel` at a terminal and in scripts: the live table, JSON from whatever prints data, exit codes as they are documented."""

import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import urllib.request

from common import BINARIES, Ring, free_ports, free_rows, main, push_text, unittest, wait_until

ANEL = os.path.join(BINARIES, "anel")
OPERATIONS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "OPERATIONS.md"
PRINT_NO_DATA = {"completion", "demo"}


def help_of(*words):
    return subprocess.run([ANEL, *words, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout


def commands():
    return re.findall(r"^  ([a-z]+) ", help_of().split("Subcommands:\n")[1].split("\n\n")[0], re.MULTILINE)


class Watching(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = cls.enterClassContext(Ring(BINARIES, nodes=2))
        cls.ring.wait_healthy()

    def watch(self, *arguments, **options):
        command = [ANEL, "status", "--watch", "--interval-ms", "50", "--nodes", self.ring.addresses(), *arguments]
        process = subprocess.Popen(command, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_json_is_a_line_each_time_until_ctrl_c(self):
        watching = self.watch("--json", stdout=subprocess.PIPE, text=True)
        looks = [json.loads(watching.stdout.readline()) for _ in range(3)]
        watching.send_signal(signal.SIGINT)
        self.assertEqual(watching.wait(20), 0)
        watching.stdout.close()
        for look in looks:
            self.assertEqual(look["ring"], "healthy")
            self.assertEqual([node["status"]["node"] for node in look["nodes"]], [0, 1])
        self.assertLess(looks[0]["time_ms"], looks[2]["time_ms"])

    def on_a_terminal(self, until, columns=200, **environment):
        """What it writes to a terminal until that holds for the text; then Ctrl-C is typed."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
        watching = self.watch(stdin=follower, stdout=follower, start_new_session=True,
                              preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                              env=dict(clean, **{"TERM": "xterm", **environment}))
        os.close(follower)
        text = ""

        def read():
            nonlocal text
            text += os.read(leader, 65536).decode()
            return until(text)
        try:
            wait_until(read, 30, "the table is drawn")
            os.write(leader, b"\x03")
            self.assertEqual(watching.wait(20), 0)
        finally:
            os.close(leader)
        return text

    def test_a_table_is_drawn_over_itself_in_colours(self):
        text = self.on_a_terminal(lambda text: text.count("ring: healthy") >= 3)
        self.assertRegex(text, r"ADDRESS +NODE")
        self.assertIn("\x1b[32mring: healthy", text)
        # Up over the head, two nodes and the last line.
        self.assertEqual(text.count("\x1b[4A\r"), text.count("ADDRESS") - 1)

    def test_no_color_is_heeded(self):
        text = self.on_a_terminal(lambda text: text.count("ring: healthy") >= 2, NO_COLOR="1")
        self.assertNotRegex(text, r"\x1b\[\d*m")
        self.assertIn("\x1b[4A\r", text)

    def test_a_narrow_terminal_gets_lines_that_fit(self):
        text = self.on_a_terminal(lambda text: text.count("ADDRESS") >= 3, columns=40)
        for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r", "\n").splitlines():
            self.assertLessEqual(len(line.removeprefix("^C")), 40)

    def test_a_pipe_gets_frames_one_below_the_other(self):
        watching = self.watch(stdout=subprocess.PIPE, text=True)
        text = "".join(watching.stdout.readline() for _ in range(9))
        watching.send_signal(signal.SIGTERM)
        self.assertEqual(watching.wait(20), 0)
        watching.stdout.close()
        self.assertNotIn("\x1b", text)
        self.assertEqual(text.count("ADDRESS"), 2)
        self.assertRegex(text, r"ring: healthy   - messages/s   \d\d:\d\d:\d\d UTC\n")

    def test_what_was_written_meanwhile_shows_as_a_rate(self):
        watching = self.watch(stdout=subprocess.PIPE, text=True)
        self.assertIn("ADDRESS", watching.stdout.readline())
        push_text(self.ring, 0, "one more")
        wait_until(lambda: re.search(r" [1-9]\d* messages/s", watching.stdout.readline()), 60, "a rate above 0 is shown")
        watching.send_signal(signal.SIGINT)
        watching.wait(20)
        watching.stdout.close()

    def test_a_wrong_option_is_refused(self):
        for wrong in (["--watch", "--interval-ms", "0"], ["--watch", "--healthy"], ["--interval-ms", "5"]):
            done = subprocess.run([ANEL, "status", *wrong], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertRegex(done.stderr, r"^anel status: .*--(interval-ms|healthy).*\n$")


class Scripts(unittest.TestCase):
    def test_whatever_prints_data_prints_json_too(self):
        without = {name for name in commands() if "--json" not in help_of(name)}
        self.assertEqual(without, PRINT_NO_DATA)

    def test_a_ring_that_was_up_says_what_came_of_it(self):
        with tempfile.TemporaryDirectory() as folder:
            ports = [str(port) for port in free_ports(2)]
            done = subprocess.run([ANEL, "up", "--json", "--nodes", "1", "--clients", "1", "--interval-ms", "0",
                                   "--linger-ms", "0", "--seconds", "2", "--data", folder, "--base-port", ports[0],
                                   "--cluster-base-port", ports[1]], capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = json.loads(done.stdout)
            self.assertEqual(told["endings"]["node 0"], "exit code 0")
            self.assertGreater(told["messages"], 0)
            output = pathlib.Path(folder, "output.txt").read_text(encoding="utf-8")
            self.assertEqual(output.count("Container "), told["messages"])

    def test_a_ring_that_is_up_shows_itself_in_a_browser(self):
        with tempfile.TemporaryDirectory() as folder:
            clients, cluster, http = free_rows(3, 2)
            up = subprocess.Popen([ANEL, "up", "--nodes", "2", "--clients", "0", "--quiet", "--data", folder,
                                   "--base-port", str(clients), "--cluster-base-port", str(cluster),
                                   "--http-base-port", str(http)], stderr=subprocess.PIPE, text=True)
            self.addCleanup(up.wait)
            self.addCleanup(up.kill)
            told = [up.stderr.readline(), up.stderr.readline()]
            self.assertEqual(told[1], f"anel up: the ring in a browser: http://127.0.0.1:{http}/\n")
            for node in range(2):
                with urllib.request.urlopen(f"http://127.0.0.1:{http + node}/status", timeout=20) as answer:
                    self.assertEqual(json.load(answer)["node"], node)
            up.send_signal(signal.SIGINT)
            self.assertEqual(up.wait(30), 0)
            up.stderr.close()

    def test_a_ring_without_room_for_its_ports_is_refused_in_one_line(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket() as taken:
            rows = free_rows(3, 2)
            flags = ("--base-port", "--cluster-base-port", "--http-base-port")
            taken.bind(("127.0.0.1", rows[2] + 1))
            taken.listen()
            overlapping = [rows[0], rows[1], rows[0] + 1]
            for ports, told in ((rows, rf"http-base-port {rows[2]}: node 1 cannot have port {rows[2] + 1}: Address already"),
                                ([*rows[:2], 65535], "http-base-port 65535: 2 ports in a row from 1 to 65535 are allowed"),
                                (overlapping, rf"http-base-port {rows[0] + 1}: --base-port {rows[0]} has ports of it")):
                arguments = [word for flag, port in zip(flags, ports) for word in (flag, str(port))]
                done = subprocess.run([ANEL, "up", "--nodes", "2", "--data", f"{folder}/ring", *arguments],
                                      capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, rf"^anel up: --{told}.*\n$")
            self.assertFalse(os.path.exists(f"{folder}/ring"), "nothing was done")

    def test_a_bench_of_more_clients_than_the_system_allows_is_refused_in_one_line(self):
        refused = subprocess.run(
            ["/bin/sh", "-c", 'ulimit -n 1000; exec "$@"', "sh", ANEL, "bench", "--clients", "500"],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertRegex(refused.stderr, r"\Aanel bench: --clients 500: 150 are allowed where .* 1000 descriptors.*\n\Z")

    def test_exit_codes_of_help_are_those_of_the_table(self):
        """Each code that a command's help names stands in the table of docs/OPERATIONS.md, and the other way round."""
        section = OPERATIONS.read_text(encoding="utf-8").split("## 8. Exit codes")[1].split("\n## ")[0]
        table, program = {}, ""
        for cells in re.findall(r"^\| *([^|]*?) *\| *([\d, ]+?) *\|", section, re.MULTILINE):
            program = cells[0].strip("`") or program
            table.setdefault(program, set()).update(int(code) for code in cells[1].split(","))
        self.assertEqual(table.pop("all"), {0, 2})
        table.pop("aneld")
        helped = {}
        for name in commands():
            told = re.search(r"Exit codes?: (.*?)(\n\n|$)", help_of(name), re.DOTALL)
            self.assertTrue(told, f"anel {name} --help names its exit codes")
            helped[f"anel {name}"] = {int(code) for code in re.findall(r"(?:^|[,;] (?:\w+ )*)(\d) ", told[1])} - {0, 2}
        for name, codes in helped.items():
            self.assertEqual(table.get(name, set()) - {0, 2}, codes, name)
        self.assertLessEqual(set(table), set(helped))


if __name__ == "__main__":
    main(verbosity=2)

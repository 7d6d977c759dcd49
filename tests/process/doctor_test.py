"""`anel doctor`: what it says before a node is started, beside a ring that runs, and when something is in the way."""

import json
import os
import socket
import subprocess
import tempfile

from common import BINARIES, Ring, free_ports, main, unittest

ANEL = os.path.join(BINARIES, "anel")


class Doctor(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="anel-doctor-")
        self.addCleanup(self.folder.cleanup)
        self.ports = free_ports(3)

    def ask(self, *arguments, **environment):
        """(exit code, {what: finding}, findings) of a node of a ring of one, unless told otherwise."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("ANEL_")}
        settings = {"ID": "0", "PORT": str(self.ports[0]), "CLUSTER_PORT": str(self.ports[1]),
                    "ANEL_PEERS": f"0=127.0.0.1:{self.ports[1]}", "ANEL_DATA": self.folder.name}
        # Of nodes that are not there it always waits for all of that.
        patience = [] if "--timeout-ms" in arguments else ["--timeout-ms", "500"]
        done = subprocess.run([ANEL, "doctor", "--json", *patience, *arguments],
                              env={**clean, **settings, **environment}, capture_output=True, text=True, timeout=120, check=False)
        self.assertNotIn(done.returncode, (-6, -11), done.stderr)
        told = json.loads(done.stdout)
        return done.returncode, {one["what"]: one for one in told["findings"]}, told

    def assert_finding(self, finding, level, *words):
        self.assertEqual(finding["level"], level, finding)
        for word in words:
            self.assertIn(word, finding["text"] + finding["where"])

    def test_before_the_first_start(self):
        code, found, told = self.ask()
        for what in ("space", "file system", "ledger", "client port", "cluster port"):
            self.assert_finding(found[what], "ok")
        self.assert_finding(found["client port"], "ok", "free", f"127.0.0.1:{self.ports[0]}")
        self.assert_finding(found["ledger"], "ok", "none yet")
        self.assert_finding(found["majority"], "warn", "0 of 1", "start")
        self.assertEqual((code, told["worst"]), (1, "warn"))
        self.assertEqual(os.listdir(self.folder.name), [], "it left something behind")

    def test_beside_a_ring_that_runs(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            environment = {key: value for key, value in ring.nodes[1].environment.items()
                           if key in ("ID", "PORT", "CLUSTER_PORT") or key.startswith("ANEL_")}
            code, found, told = self.ask("--timeout-ms", "5000", "--nodes", ring.addresses(), **environment)
            self.assert_finding(found["client port"], "ok", "node 1 runs")
            self.assert_finding(found["cluster port"], "ok", "node 1 runs")
            self.assert_finding(found["node 0"], "ok", "operational")
            self.assert_finding(found["node 2"], "ok", "operational")
            self.assert_finding(found["ledger"], "ok", "3 nodes")
            self.assert_finding(found["majority"], "ok", "3 of 3")
            self.assert_finding(found["versions"], "ok")
            self.assertEqual([one["text"] for one in told["findings"] if one["what"] == "clients"],
                             [f"node {node} takes messages" for node in range(3)])
            ring.nodes[2].kill()
            ring.wait_healthy([0, 1])
            code, found, _ = self.ask("--timeout-ms", "2000", **environment)
            self.assert_finding(found["node 2"], "warn", "nobody listens", "start the node")
            self.assert_finding(found["majority"], "ok", "2 of 3")
            self.assertEqual(code, 1)
            ring.nodes[0].kill()
            code, found, _ = self.ask("--timeout-ms", "2000", **environment)
            self.assert_finding(found["majority"], "fail", "1 of 3", "needs 2")
            self.assertEqual(code, 3)

    def test_a_port_that_somebody_else_has(self):
        with socket.create_server(("127.0.0.1", self.ports[0])):
            code, found, _ = self.ask("--timeout-ms", "300")
        self.assert_finding(found["client port"], "fail", "Address already in use", "ss -ltnp")
        self.assertEqual(code, 3)

    def test_another_program_at_a_peers_place(self):
        with socket.create_server(("127.0.0.1", self.ports[2])):
            code, found, _ = self.ask("--timeout-ms", "300",
                                      ANEL_PEERS=f"0=127.0.0.1:{self.ports[1]},1=127.0.0.1:{self.ports[2]}")
        self.assert_finding(found["node 1"], "fail", "does not answer as a node")
        self.assertEqual(code, 3)

    def test_an_id_at_anothers_place(self):
        with Ring(BINARIES, nodes=1) as ring:
            ring.wait_healthy()
            there = ring.nodes[0].environment["CLUSTER_PORT"]
            _, found, _ = self.ask("--timeout-ms", "2000", ANEL_PEERS=f"0=127.0.0.1:{self.ports[1]},7=127.0.0.1:{there}")
        self.assert_finding(found["node 7"], "fail", "node 0 answers there", "ANEL_PEERS")
        self.assert_finding(found["node list"], "fail", "[0]", "[0,7]")

    def test_a_name_that_leads_nowhere(self):
        _, found, _ = self.ask("--timeout-ms", "300", ANEL_PEERS=f"0=127.0.0.1:{self.ports[1]},1=no-such.invalid:6001")
        self.assert_finding(found["node 1"], "fail", "no-such.invalid", "ANEL_PEERS")

    def test_a_folder_that_is_missing_or_not_the_rings(self):
        code, found, _ = self.ask(os.path.join(self.folder.name, "gone"))
        self.assert_finding(found["volume"], "fail", "is missing", "gone")
        self.assertEqual(code, 3)
        output = os.path.join(self.folder.name, "output.txt")
        with open(output, "w", encoding="ascii") as file:
            file.write("mine\n")
        _, found, _ = self.ask()
        self.assert_finding(found["ledger"], "fail", "5 bytes", "ANEL_ADOPT")
        _, found, _ = self.ask(ANEL_ADOPT="true")
        self.assert_finding(found["ledger"], "ok")

    def test_a_ledger_of_other_nodes_and_one_that_was_touched(self):
        with Ring(BINARIES, nodes=1, folder=self.folder.name) as ring:
            ring.wait_healthy()
            self.assertEqual(ring.anel("send", "x").returncode, 0)
            ring.stop()
            _, found, _ = self.ask(ring.data)
            self.assert_finding(found["ledger"], "ok", "of 1 node")
            _, found, _ = self.ask(ring.data, "--timeout-ms", "300",
                                   ANEL_PEERS=f"0=127.0.0.1:{self.ports[1]},1=127.0.0.1:{self.ports[2]}")
            self.assert_finding(found["ledger"], "fail", "of the nodes 0, this one is configured with 0,1")
            output = os.path.join(ring.data, "output.txt")
            os.rename(output, output + ".old")
            _, found, _ = self.ask(ring.data)
            self.assert_finding(found["ledger"], "fail", "output.txt is missing")

    def test_a_clock_that_was_set_back(self):
        path = os.path.join(self.folder.name, "output.txt")
        with open(path, "wb"):
            pass
        later = os.stat(path).st_mtime + 3600
        os.utime(path, (later, later))
        _, found, _ = self.ask()
        self.assert_finding(found["clock"], "warn", "behind the last change", "timedatectl")

    def test_lines_for_people_and_what_is_refused(self):
        done = subprocess.run([ANEL, "doctor", "--port", str(self.ports[0]), "--cluster-port", str(self.ports[1]),
                               self.folder.name], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for line in done.stdout.splitlines():
            self.assertRegex(line, r"^(ok  |warn|fail)  [a-z0-9 ]+ \S.*: .+$")
        for wrong, words in ((["--port", "x"], "allowed is"), (["--nodes", "x"], "host:port"), (["--timeout-ms", "0"], "allowed"),
                             (["--config", "/gone.toml"], "/gone.toml")):
            done = subprocess.run([ANEL, "doctor", *wrong], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)


if __name__ == "__main__":
    main(verbosity=2)

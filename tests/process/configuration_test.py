"""What a node refuses to start with: the exit code, and one line that says what, and what is allowed."""

import os
import socket
import subprocess
import tempfile
import unittest

from common import ANELD, BINARIES, Ring, free_ports, main, push_text


class Configuration(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="anel-configuration-")
        self.addCleanup(self.folder.cleanup)

    def run_aneld(self, *arguments, **environment):
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith("ANEL_") and key not in ("ID", "PORT", "CLUSTER_PORT")}
        return subprocess.run([ANELD, *arguments], env=dict(clean, **environment), capture_output=True, text=True,
                              timeout=30, check=False, cwd=self.folder.name)

    def assert_refused(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        lines = [line for line in result.stderr.splitlines() if line.startswith("aneld: ")]
        self.assertEqual(len(lines), 1, result.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def keys(self):
        """(key, variable) of each line that --print-config prints."""
        result = self.run_aneld("--print-config")
        self.assertEqual(result.returncode, 0, result.stderr)
        keys = []
        for line in result.stdout.splitlines():
            name = line.removeprefix("# ").split(" = ")[0]
            keys.append((name, line.rsplit(" ", 1)[1]))
        self.assertGreater(len(keys), 20)
        return keys

    def test_a_wrong_value_of_every_key_from_every_place(self):
        for key, variable in self.keys():
            if key == "data":
                continue  # any text may be a folder's name
            self.assert_refused(self.run_aneld(**{variable: "~wrong~"}), 2, key, "~wrong~", "environment", "allowed")
            flag = "--" + key.replace("_", "-")
            self.assert_refused(self.run_aneld(flag, "~wrong~"), 2, key, "~wrong~", "flag", "allowed")
            path = os.path.join(self.folder.name, "aneld.toml")
            with open(path, "w", encoding="ascii") as file:
                file.write(f'{key} = "~wrong~"\n')
            self.assert_refused(self.run_aneld("--config", path), 2, key, "~wrong~", path, "allowed")

    def test_flags_before_environment_before_file(self):
        path = os.path.join(self.folder.name, "aneld.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write("port = 5003\nlinger_ms = 3\nsessions = 3\n")
        result = self.run_aneld("--config", path, "--port", "5001", "--print-config", PORT="5002", ANEL_LINGER_MS="2")
        for line in ("port = 5001 ", "linger_ms = 2 ", "sessions = 3 "):
            self.assertIn(line, result.stdout)

    def test_unknown_keys_flags_and_missing_files(self):
        path = os.path.join(self.folder.name, "aneld.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write("tokn_timeout_ms = 3\n")
        self.assert_refused(self.run_aneld("--config", path), 2, path + ":1", "tokn_timeout_ms", "token_timeout_ms")
        self.assert_refused(self.run_aneld("--tokn-timeout-ms", "3"), 2, "--tokn-timeout-ms")
        self.assert_refused(self.run_aneld("--config", "/nowhere"), 2, "/nowhere", "allowed")
        self.assert_refused(self.run_aneld("--config", "/"), 2, "allowed")

    def test_an_id_that_the_peers_do_not_name(self):
        self.assert_refused(self.run_aneld(ID="3", ANEL_PEERS="0=a:1,1=b:1"), 2, "id = 3", "0, 1")

    def test_help_and_version(self):
        result = self.run_aneld("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("--token-timeout-ms", result.stdout)
        self.assertIn("aneld --id 0", result.stdout)
        self.assertTrue(self.run_aneld("--version").stdout.startswith("aneld "))

    # --- the folder ---------------------------------------------------------------------------------
    def start_in(self, folder, **more):
        client, control = free_ports(2)
        return self.run_aneld(PORT=str(client), CLUSTER_PORT=str(control), ANEL_DATA=folder, **more)

    def test_a_folder_that_is_not_there_or_is_a_file(self):
        self.assert_refused(self.start_in("/nowhere/at/all"), 12, "/nowhere/at/all")
        path = os.path.join(self.folder.name, "file")
        with open(path, "w", encoding="ascii"):
            pass
        self.assert_refused(self.start_in(path), 12, path)

    def test_an_output_that_is_not_ours_is_left_alone_unless_adopted(self):
        path = os.path.join(self.folder.name, "output.txt")
        with open(path, "w", encoding="ascii") as file:
            file.write("somebody else's\n")
        self.assert_refused(self.start_in(self.folder.name), 12, "output.txt")
        with Ring(BINARIES, nodes=1, settings={"ANEL_DATA": self.folder.name, "ANEL_ADOPT": "true"}) as ring:
            ring.wait_healthy()
            push_text(ring, 0, "ours")
            ring.stop()
        with open(path, "rb") as file:
            self.assertTrue(file.read().startswith(b"somebody else's\nContainer 0 \n"))

    def test_a_ledger_of_other_nodes_or_another_format(self):
        with Ring(BINARIES, nodes=1, settings={"ANEL_DATA": self.folder.name}) as ring:
            ring.wait_healthy()
            ring.stop()
        self.assert_refused(self.start_in(self.folder.name, ID="1"), 12)
        self.assert_refused(self.start_in(self.folder.name, ANEL_FORMAT="jsonl"), 12, "jsonl")

    # --- ports and ids ------------------------------------------------------------------------------
    def test_a_port_in_use(self):
        names = ("PORT", "CLUSTER_PORT", "ANEL_HTTP_PORT", "ANEL_FEED_PORT")
        for taken in names:
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                other.listen()
                ports = dict(zip(names, map(str, free_ports(len(names)))))
                ports[taken] = str(other.getsockname()[1])
                self.assert_refused(self.run_aneld(ANEL_DATA=self.folder.name, **ports), 13, ports[taken])

    def test_a_second_node_with_the_place_of_a_first_one(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            environment = {key: value for key, value in ring.nodes[1].environment.items()
                           if key.startswith("ANEL_") or key in ("ID", "PORT", "CLUSTER_PORT")}
            self.assert_refused(self.run_aneld(**dict(environment, PORT=str(free_ports(1)[0]))), 14, "id = 1")
            self.assertTrue(ring.is_healthy())

    def test_a_second_node_with_the_id_of_a_first_one_elsewhere(self):
        with Ring(BINARIES, nodes=3) as ring:
            ring.wait_healthy()
            client, control = free_ports(2)
            peers = ring.nodes[1].environment["ANEL_PEERS"].split(",")
            peers[1] = f"1=127.0.0.1:{control}"
            twin = self.run_aneld(ID="1", PORT=str(client), CLUSTER_PORT=str(control), ANEL_PEERS=",".join(peers),
                                  ANEL_DATA=ring.data)
            self.assert_refused(twin, 14, "id = 1")
            ring.wait_healthy()
            push_text(ring, 1, "still here")


if __name__ == "__main__":
    main()

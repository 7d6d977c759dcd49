"""The other systems, each in a folder of its own on ports that are free, started as processes and ended by pid.

Debian's packages, as they are. Redis' server is a second name of a program in redis-tools; etcd and NATS are unpacked
beside the build (`./dev bench` does it), because installing them would start them as services of this machine.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

from common import free_ports, wait_until

NODES = 5


class NotHere(Exception):
    """A peer cannot be measured on this machine; the text says why."""


def find_program(name, unpacked):
    """A program of the unpacked packages, or of the system."""
    for folder in ("usr/bin", "usr/sbin"):
        path = os.path.join(unpacked, folder, name)
        if os.path.exists(path):
            return path
    path = shutil.which(name)
    if not path:
        raise NotHere(f"{name} is not installed")
    return path


class Servers:
    """Some processes of one peer. `with` starts them, waits until they serve, and ends them; the folder goes too."""

    def __init__(self, place, unpacked):
        self.folder = tempfile.mkdtemp(prefix="peer-", dir=place)
        self.unpacked = unpacked
        self.processes = []
        self.ports = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def launch(self, arguments, **options):
        log = os.path.join(self.folder, f"log-{len(self.processes)}")
        with open(log, "wb") as output:
            self.processes.append(subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                                   cwd=self.folder, **options))

    def wait_serving(self, condition, what):
        def look():
            for number, process in enumerate(self.processes):
                if process.poll() is not None:
                    with open(os.path.join(self.folder, f"log-{number}"), encoding="utf-8", errors="replace") as log:
                        raise NotHere(f"{what} ended at once: {log.read()[-300:]}")
            try:
                return condition()
            except (OSError, ValueError):
                return False
        wait_until(look, 120, f"{what} serves", step=0.1)


class Redis(Servers):
    """One server that syncs its file before it answers."""

    PROGRAM = "/usr/bin/redis-check-rdb"

    @classmethod
    def version(cls, _):
        return subprocess.run(["redis-server", "--version"], executable=cls.PROGRAM, capture_output=True, text=True,
                              check=True).stdout.split("v=")[1].split()[0]

    def start(self):
        if not os.path.exists(self.PROGRAM):
            raise NotHere("redis-tools is not installed")
        self.ports = free_ports(1)
        self.launch(["redis-server", "--port", str(self.ports[0]), "--bind", "127.0.0.1", "--dir", self.folder,
                     "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                     "--auto-aof-rewrite-percentage", "0"], executable=self.PROGRAM)
        self.wait_serving(self.answers, "redis")

    def answers(self):
        with socket.create_connection(("127.0.0.1", self.ports[0]), 1) as asking:
            asking.sendall(b"PING\r\n")
            return asking.recv(100).startswith(b"+PONG")


class Etcd(Servers):
    """Five members; each write is synced by a majority."""

    @staticmethod
    def version(unpacked):
        return subprocess.run([find_program("etcd", unpacked), "--version"], capture_output=True, text=True,
                              check=True).stdout.split()[2]

    def start(self):
        program = find_program("etcd", self.unpacked)
        all_ports = free_ports(2 * NODES)
        self.ports, peer_ports = all_ports[:NODES], all_ports[NODES:]
        members = ",".join(f"m{node}=http://127.0.0.1:{port}" for node, port in enumerate(peer_ports))
        for node in range(NODES):
            peer = f"http://127.0.0.1:{peer_ports[node]}"
            client = f"http://127.0.0.1:{self.ports[node]}"
            self.launch([program, "--name", f"m{node}", "--data-dir", os.path.join(self.folder, f"m{node}"),
                         "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                         "--listen-client-urls", client, "--advertise-client-urls", client,
                         "--initial-cluster", members, "--initial-cluster-state", "new",
                         "--logger", "zap", "--log-level", "error"],
                        env=dict(os.environ, ETCD_UNSUPPORTED_ARCH="arm64"))
        self.wait_serving(lambda: all(self.healthy(port) for port in self.ports), "etcd")

    @staticmethod
    def healthy(port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return json.load(answer).get("health") == "true"


class Nats(Servers):
    """Five servers, a stream with five replicas. This version has no setting that syncs each write: the folder's files
    are made synchronous instead (chattr +S), which the file system has to know."""

    @staticmethod
    def version(unpacked):
        return subprocess.run([find_program("nats-server", unpacked), "--version"], capture_output=True, text=True,
                              check=True).stdout.split()[1].lstrip("v")

    def start(self):
        program = find_program("nats-server", self.unpacked)
        made = subprocess.run(["chattr", "+S", self.folder], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise NotHere("chattr +S does not work here: " + made.stderr.strip())
        all_ports = free_ports(2 * NODES)
        self.ports, cluster_ports = all_ports[:NODES], all_ports[NODES:]
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in cluster_ports)
        for node in range(NODES):
            path = os.path.join(self.folder, f"n{node}.conf")
            with open(path, "w", encoding="ascii") as file:
                file.write(f'listen: "127.0.0.1:{self.ports[node]}"\nserver_name: "n{node}"\n'
                           f'jetstream {{ store_dir: "{self.folder}/n{node}", max_file: 20GB }}\n'
                           f'cluster {{ name: "bench", listen: "127.0.0.1:{cluster_ports[node]}", routes: [{routes}] }}\n')
            self.launch([program, "-c", path])
        self.wait_serving(self.make_stream, "nats with a stream of five replicas")

    def make_stream(self):
        wanted = json.dumps({"name": "bench", "subjects": ["bench"], "num_replicas": NODES, "storage": "file"})
        answer = self.ask("$JS.API.STREAM.CREATE.bench", wanted)
        return '"error"' not in answer and '"bench"' in answer

    def ask(self, subject, payload):
        """One request to the first server. OSError (also a time-out) when nothing comes."""
        with socket.create_connection(("127.0.0.1", self.ports[0]), 2) as asking:
            asking.sendall(f"CONNECT {{\"verbose\":false}}\r\nSUB _INBOX.run 1\r\n"
                           f"PUB {subject} _INBOX.run {len(payload)}\r\n{payload}\r\n".encode())
            seen = b""
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                got = asking.recv(65536)
                if not got:
                    raise OSError("closed")
                seen += got
                at = seen.find(b"MSG _INBOX.run 1 ")
                head_end = seen.find(b"\r\n", at)
                if at >= 0 and head_end >= 0:
                    length = int(seen[at:head_end].split()[-1])
                    if len(seen) >= head_end + 2 + length:
                        return seen[head_end + 2:head_end + 2 + length].decode()
            raise OSError("no answer")

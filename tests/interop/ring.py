"""A ring of real aneld processes on loopback, for tests: start, stop, kill, pause; wait by condition.

    with Ring(binaries) as ring:          # five nodes, a folder of its own
        ring.wait_healthy()
        ...
        ring.output().messages            # output.txt by a parser of its own
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import msgpack
import zmq

from ports import free_ports

SEPARATOR = b"#" * 56


class TimedOut(AssertionError):
    """A condition did not come true in time."""


def wait_until(condition, seconds, what, step=0.02):
    """Gives back the first true value of condition(); what: a sentence for the failure."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimedOut(f"not within {seconds} s: {what}")
        time.sleep(step)


def output_bytes(data):
    """All files of the output of a data folder, joined; none: there is no output.txt."""
    newest = os.path.join(data, "output.txt")
    while True:
        finished = sorted(glob.glob(os.path.join(data, "output.0*.txt")))
        try:
            with open(newest, "rb") as file:
                last = file.fileno()
                joined = b"".join(open_bytes(name) for name in finished
                                  if not os.path.samestat(os.stat(name), os.fstat(last)))
                joined += file.read()
        except FileNotFoundError:
            return None
        if finished == sorted(glob.glob(os.path.join(data, "output.0*.txt"))):
            return joined


def open_bytes(name):
    with open(name, "rb") as file:
        return file.read()


class Output:
    """output.txt in the classic format: rounds of (container, payload bytes as they stand in the file)."""

    MESSAGE = re.compile(rb"Container (\d+) \nMensagem: ([^\n]*)\n")

    def __init__(self, data):
        self.rounds = []
        self.bytes = data
        at = 0
        current = []
        while at < len(data):
            found = self.MESSAGE.match(data, at)
            if found:
                current.append((int(found.group(1)), found.group(2)))
                at = found.end()
                continue
            end = data.find(b"\n", at)
            if end < 0:
                break  # being written
            line = data[at:end]
            if line == SEPARATOR:
                if not current:
                    raise AssertionError(f"an empty round at byte {at}")
                self.rounds.append(current)
                current = []
            elif line.startswith(b"Container ") and data.find(b"\n", end + 1) < 0:
                break  # the second half is being written
            elif line.strip(b" "):
                raise AssertionError(f"no line of the format at byte {at}: {line[:80]!r}")
            at = end + 1
        self.unfinished = current

    @property
    def messages(self):
        """All messages of finished rounds, in order."""
        return [payload for one in self.rounds for _, payload in one]


class Node:
    def __init__(self, identity, program, environment, log):
        self.id = identity
        self.command = [program]
        self.environment = environment
        self.log = log
        self.process = None

    @property
    def port(self):
        return int(self.environment["PORT"])

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    @property
    def exit_code(self):
        """None: it runs, or was never started."""
        return None if self.process is None else self.process.poll()

    def start(self):
        assert not self.running, f"node {self.id} runs already"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def signal(self, number):
        if self.running:
            self.process.send_signal(number)

    def kill(self):
        """kill -9."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self, seconds=10):
        """SIGTERM. @return the exit code; a node that does not end in time is killed and the test fails."""
        if self.process is None:
            return None
        self.resume()
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimedOut(f"node {self.id} did not end within {seconds} s of SIGTERM") from None


class Ring:
    """`settings`: added to each node's environment, ANEL_LINGER_MS=50 say."""

    def __init__(self, binaries, nodes=5, folder=None, settings=None):
        self.binaries = os.path.abspath(binaries)
        self.own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="anel-ring-")
        self.data = os.path.join(self.folder, "data")
        os.makedirs(self.data, exist_ok=True)
        ports = free_ports(2 * nodes)
        peers = ",".join(f"{node}=127.0.0.1:{ports[nodes + node]}" for node in range(nodes))
        self.nodes = []
        for node in range(nodes):
            # What the caller's shell has set for another ring must not reach this one.
            clean = {key: value for key, value in os.environ.items() if not key.startswith("ANEL_")}
            environment = dict(clean, ID=str(node), PORT=str(ports[node]), CLUSTER_PORT=str(ports[nodes + node]),
                               ANEL_PEERS=peers, ANEL_DATA=self.data)
            environment.update(settings or {})
            log = os.path.join(self.folder, f"node_{node}.log")
            self.nodes.append(Node(node, os.path.join(self.binaries, "aneld"), environment, log))
        self.context = zmq.Context()

    # --- life ---------------------------------------------------------------------------------------
    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, error, trace):
        for node in self.nodes:
            if node.running:
                node.resume()
                node.kill()
        self.context.destroy(linger=0)
        if kind is not None:
            print(f"\nthe ring's folder is kept: {self.folder}", file=sys.stderr)
            for node in self.nodes:
                print(f"--- node {node.id}, last lines of {node.log}", file=sys.stderr)
                print(self.log_tail(node.id), file=sys.stderr)
        elif self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        for node in self.nodes:
            node.start()

    def stop(self, seconds=10):
        """SIGTERM to all at once. @return the exit codes in order of ids."""
        for node in self.nodes:
            node.resume()
            node.signal(signal.SIGTERM)
        return [node.stop(seconds) for node in self.nodes]

    def log_tail(self, node, lines=15):
        try:
            with open(self.nodes[node].log, encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except OSError:
            return "(no log)"

    # --- looking ------------------------------------------------------------------------------------
    def address(self, node):
        return f"tcp://127.0.0.1:{self.nodes[node].port}"

    def addresses(self):
        """For `anel --nodes`."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def status(self, node, seconds=1.0):
        """The node's status as a dict; None: no answer."""
        with self.context.socket(zmq.DEALER) as asking:
            asking.linger = 0
            asking.connect(self.address(node))
            asking.send(msgpack.packb([1, "status"]))
            if not asking.poll(int(seconds * 1000)):
                return None
            return json.loads(msgpack.unpackb(asking.recv())[2])

    def is_healthy(self, nodes=None):
        """These nodes (default: all) are in one view, which has just them as members, and take pushes."""
        wanted = list(range(len(self.nodes))) if nodes is None else sorted(nodes)
        answers = [self.status(node, 0.3) for node in wanted]
        return all(answer and answer.get("state") == "operational" and answer.get("taking_pushes")
                   and sorted(answer.get("members", [])) == wanted for answer in answers) \
            and len({answer.get("epoch") for answer in answers}) == 1

    def wait_healthy(self, nodes=None, seconds=20):
        def look():
            for node in self.nodes if nodes is None else [self.nodes[one] for one in nodes]:
                if not node.running:
                    raise AssertionError(f"node {node.id} ended with {node.exit_code}:\n{self.log_tail(node.id)}")
            return self.is_healthy(nodes)
        wait_until(look, seconds, f"nodes {nodes or 'all'} are one healthy ring")

    def holder(self):
        """The id of the node that holds the token now, or None."""
        for node in self.nodes:
            answer = self.status(node.id, 0.3) if node.running else None
            if answer and answer.get("holder"):
                return node.id
        return None

    def output(self):
        return Output(output_bytes(self.data) or b"")

    def anel(self, *arguments, **options):
        """Runs the `anel` program; gives back what subprocess.run does."""
        environment = dict(os.environ, ANEL_NODES=self.addresses())
        return subprocess.run([os.path.join(self.binaries, "anel"), *arguments], env=environment, timeout=120,
                              capture_output=True, text=True, check=False, **options)


class HttpRing(Ring):
    """A ring whose nodes have HTTP ports."""

    def __init__(self, binaries, nodes=5, folder=None, settings=None):
        super().__init__(binaries, nodes, folder, settings)
        self.http = free_ports(nodes)
        for node, port in zip(self.nodes, self.http):
            node.environment["ANEL_HTTP_PORT"] = str(port)

    def get(self, path, node=0, method="GET"):
        """(status, headers, body) of an answer, whatever its status."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http[node]}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def metrics(self, node=0):
        """{name with labels: value} of every sample."""
        lines = [line for line in self.get("/metrics", node)[2].splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


class Dealer:
    """A client of the msgpack protocol that does nothing by itself."""

    def __init__(self, ring, node, client_id, instance):
        self.socket = ring.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(ring.address(node))
        self.client_id = client_id
        self.instance = instance

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, *fields):
        self.socket.send(msgpack.packb([1, kind, *fields]))

    def receive(self, seconds=10):
        """[kind, fields...] of the next reply."""
        if not self.socket.poll(int(seconds * 1000)):
            raise TimedOut(f"no reply within {seconds} s")
        version, *rest = msgpack.unpackb(self.socket.recv())
        assert version == 1, version
        return rest

    def hello(self, sent=0, patience=20):
        """Until the ring answers with something else than a passing trouble. @return that reply."""
        deadline = time.monotonic() + patience
        while True:
            self.send("hello", self.client_id, self.instance, sent)
            reply = self.receive(patience)
            passes = ("no_quorum", "busy", "hello_first")  # the last: its session changed while the hello waited
            if reply[0] != "reject" or reply[3] not in passes or time.monotonic() > deadline:
                return reply
            time.sleep(0.1)

    def push(self, first, messages):
        self.send("push", self.client_id, self.instance, first, messages)

    def receive_ack(self, last, seconds=20):
        """Acks are cumulative: waits for one that covers `last`."""
        while True:
            reply = self.receive(seconds)
            assert reply[0] == "ack" and reply[1] == self.client_id, reply
            if reply[2] >= last:
                return reply

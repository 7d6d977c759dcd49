"""`anel send` with an outbox, run after run: a run is killed or ends by itself, and the next one goes on."""

import json
import os
import signal
import subprocess
import time
from typing import NamedTuple

from client import Client
from payloads import payload


class Run(NamedTuple):
    """Messages first..last were given to one run. A run that was killed may have taken only the first of them."""
    first: int
    last: int
    timestamp: int
    killed: bool


class Sender(Client):
    RETRY_FOR = "600"   # s; longer than any fault: it must not give up

    def __init__(self, ring, client_id, seed, ack_times):
        super().__init__(ring, client_id, seed, ack_times)
        self.outbox = os.path.join(ring.folder, f"{client_id}.box")
        self.made = 0
        self.acked = 0
        self.runs = []
        self.acks = []      # (number of the message, ledger sequence, round)
        self.process = None
        self.dying = 0.0

    @property
    def done(self):
        return not self.is_alive()

    def kill(self, seconds):
        """kill -9 of the run that is under way; the next begins after so long. @return whether there was one."""
        process = self.process
        if process is None or process.poll() is not None:
            return False
        self.dying = seconds
        process.kill()
        return True

    def work(self):
        while not self.aborted:
            # What a killed run left in its outbox goes out with the next one, so the last must end by itself.
            ending = self.ending
            if self.one_run() and ending:
                return

    def clear_up(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def command(self, timestamp):
        program = os.path.join(self.ring.binaries, "anel")
        return [program, "send", "--id", self.client_id, "--outbox", self.outbox, "--timestamp", str(timestamp),
                "--first-node", str(self.chance.randrange(len(self.ring.nodes))), "--retry-for", self.RETRY_FOR,
                "--json", "-"]

    def one_run(self):
        """@return whether it ended by itself."""
        count = 1 if self.ending else self.chance.randint(1, 400)
        first, timestamp = self.made + 1, self.chance.randint(0, 1000)
        self.made += count
        environment = dict(os.environ, ANEL_NODES=self.ring.addresses())
        with open(os.path.join(self.ring.folder, f"{self.client_id}.log"), "ab") as log:
            self.process = subprocess.Popen(self.command(timestamp), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=log, bufsize=0, env=environment)
        self.feed(first)
        said = self.process.stdout.read()
        code = self.process.wait()
        self.process.stdout.close()
        self.runs.append(Run(first, self.made, timestamp, code == -signal.SIGKILL))
        if code == -signal.SIGKILL:
            self.deaths += 1
            time.sleep(self.dying)
            return False
        assert code == 0, f"{self.client_id}: anel send ended with {code}: {said}"
        self.note(count, json.loads(said))
        return True

    def feed(self, first):
        """Some lines at a time, so that a run lasts through faults."""
        try:
            for begin in range(first, self.made + 1, 16):
                numbers = range(begin, min(begin + 16, self.made + 1))
                self.process.stdin.write(b"".join(payload(self.client_id, number, one_line=True) + b"\n"
                                                  for number in numbers))
                time.sleep(0.0 if self.ending else 0.03)
        except BrokenPipeError:
            pass  # it was killed
        self.process.stdin.close()

    def note(self, count, said):
        assert said["durable"] >= count and not said["refused"] and not said["unknown"], f"{self.client_id}: {said}"
        self.acks.append((self.made, said["last_sequence"], said["last_round"]))
        self.acked += said["durable"]
        self.ack_times.note()

#!/usr/bin/python3
"""A ring of real nodes under load, with faults from a seed; then the faults stop and every byte is judged.

    chaos.py FOLDER_OF_BINARIES [--seconds N] [--seed S]

Exit code 0, figures and the seed when all is well; 1 otherwise, and the run's folder is kept.
"""

import argparse
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))

from clients import AckTimes, TextClient, WireClient  # noqa: E402
from common import BINARIES, Ring, TimedOut, output_bytes, wait_until  # noqa: E402
from containers import ContainerRing  # noqa: E402
from faults import Faults  # noqa: E402
from follower import Follower  # noqa: E402
from judge import Judge  # noqa: E402
from plan import CONTAINERS, NODES, PROCESSES, Plan  # noqa: E402
from senders import Sender  # noqa: E402

# Small pieces, so that rotations, checkpoints and trimming happen all the time.
SETTINGS = {"ANEL_CHECKPOINT_ROUNDS": "200", "ANEL_SEGMENT_BYTES": "262144", "ANEL_CHECKPOINT_BYTES": "524288",
            "ANEL_LINGER_MS": "0"}
# Of every two seeds one has an output that goes on in new files all the time; in containers each has (compose/chaos.yml).
ROTATION = {"ANEL_OUTPUT_ROUNDS": "120"}
WHOLE_WITHIN = 90       # s until a ring without faults is whole, and until all is acked: a busy machine's bound
MESSAGES_PER_S = 40     # at least, of all clients
SECONDS_PER_KIND = 60   # each kind of fault once in so long at least, and once in any run


class Chaos:
    def __init__(self, ring, seed, seconds, kinds, rotates):
        self.ring = ring
        self.rotates = rotates
        self.seed = seed
        self.seconds = seconds
        self.kinds = kinds
        self.begun = time.monotonic()
        self.log_file = open(os.path.join(ring.folder, "chaos.log"), "w", encoding="ascii")
        self.acks = AckTimes()
        wires = [WireClient(ring, f"wire-{number}", seed, self.acks, width=2 if number > 5 else 1)
                 for number in range(1, 8)]
        senders = [Sender(ring, f"send-{number}", seed, self.acks) for number in range(1, 4)]
        self.mortals = wires + senders
        self.wires, self.senders = wires, senders
        self.text = TextClient(ring, "text-1", seed, self.acks)
        self.clients = self.mortals + [self.text]
        self.faults = Faults(ring, self.mortals, self.log)
        self.follower = Follower(os.path.join(ring.data, "output.txt"))
        self.epoch = 0

    def log(self, text):
        line = f"[{time.monotonic() - self.begun:8.3f}] {text}"
        print(line, file=self.log_file, flush=True)
        print(line, flush=True)

    # --- the run ------------------------------------------------------------------------------------
    def run(self):
        """@return what is wrong, as a list of sentences."""
        try:
            self.follower.start()
            self.wait_whole()
            self.epoch = self.ring.status(0)["epoch"]
            for client in self.clients:
                client.start()
            self.begun = time.monotonic()
            self.wait_acks()
            self.disturb()
            self.finish()
        finally:
            for client in self.clients:
                client.aborted = True
            for client in self.clients:
                if client.ident is not None:
                    client.join(30)
        return self.judge()

    def disturb(self):
        limit = 20 * self.seconds + 120  # on a busy machine; else it is over in time
        for episode in Plan(self.seed, self.kinds).episodes():
            elapsed = time.monotonic() - self.begun
            if elapsed >= self.seconds and not self.lacks():
                return
            if elapsed > limit:
                raise TimedOut(f"after {limit} s: {'; '.join(self.lacks())}")
            self.faults.perform(episode)
            time.sleep(episode.calm)
            self.look()
            if episode.settle:
                self.wait_whole()
                self.wait_acks()
                self.log("whole, and every client was acked")

    def lacks(self):
        """What still has to happen for the run to count."""
        wanted = max(1, self.seconds // SECONDS_PER_KIND)
        lacks = [f"{kind}: {self.faults.counts[kind]} of {wanted}" for kind in self.kinds
                 if self.faults.counts[kind] < wanted]
        messages = sum(client.acked for client in self.clients)
        if messages < self.seconds * MESSAGES_PER_S:
            lacks.append(f"messages: {messages} of {self.seconds * MESSAGES_PER_S}")
        return lacks

    def finish(self):
        self.log("no more faults")
        self.wait_whole()
        self.wait_acks()
        for client in self.clients:
            client.ending = True
        deadline = time.monotonic() + WHOLE_WITHIN
        for client in self.clients:
            client.join(max(0.0, deadline - time.monotonic()))
        self.look()
        late = [client.client_id for client in self.clients if client.is_alive()]
        if late:
            raise TimedOut(f"not all was acked within {WHOLE_WITHIN} s without faults: {', '.join(late)}")
        self.wait_whole()
        self.epoch = self.ring.status(0)["epoch"] - self.epoch
        codes = self.ring.stop(60)
        assert codes == [0] * NODES, f"the nodes left with {codes}"
        self.follower.finish()

    # --- waiting ------------------------------------------------------------------------------------
    def look(self):
        for one in [*self.clients, self.follower]:
            if one.error is not None:
                raise one.error

    def wait_whole(self):
        self.ring.wait_healthy(seconds=WHOLE_WITHIN)

    def wait_acks(self):
        marks = {client: client.acked for client in self.clients}

        def reached():
            self.look()
            return all(client.acked > mark for client, mark in marks.items())
        try:
            wait_until(reached, WHOLE_WITHIN, "every client gets something acked")
        except TimedOut:
            stuck = [f"{client.client_id} at {mark}" for client, mark in marks.items() if client.acked <= mark]
            raise TimedOut(f"nothing was acked for {WHOLE_WITHIN} s: {', '.join(stuck)}") from None

    # --- the end ------------------------------------------------------------------------------------
    def judge(self):
        data = output_bytes(self.ring.data)
        judge = Judge(data, NODES)
        for client in self.wires:
            judge.judge_wire(client)
        for sender in self.senders:
            judge.judge_sender(sender)
        judge.judge_text(self.text)
        findings = judge.findings() + list(self.follower.findings(data))
        if self.rotates and len(self.follower.files) < 2:
            findings.append("the output never went on in a new file")
        audit = self.ring.anel("verify", self.ring.data)
        if audit.returncode != 0:
            findings.append(f"anel verify: {audit.stdout}{audit.stderr}")
        self.report(judge, data)
        return findings

    def report(self, judge, data):
        acks = sum(len(client.acks) for client in self.mortals) + len(self.text.certain)
        told = {}
        for client in self.wires:
            for code, count in client.told.items():
                told[code] = told.get(code, 0) + count
        self.log(f"{len(judge.messages)} messages in {len(data)} bytes, {acks} acks compared, "
                 f"{len(judge.rounds)} rounds named by them; refused and sent again: {told}")
        self.log(f"{len(self.follower.files)} files of the output were seen with the name output.txt")
        self.log(f"{sum(self.faults.counts.values())} faults: "
                 + ", ".join(f"{kind} {self.faults.counts[kind]}" for kind in self.kinds))
        self.log(f"{self.epoch} epochs; deaths of clients: {sum(client.deaths for client in self.mortals)}; "
                 f"longest time without any ack: {self.acks.longest:.2f} s")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=60, help="of faults, at least (default 60)")
    parser.add_argument("--seed", type=int, default=None, help="of the schedule (default: a random one)")
    # By tests/compose/run.sh, which has started the ring.
    parser.add_argument("--project", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.seconds < 1:
        parser.error(f"--seconds {options.seconds}: allowed is 1 and more")
    if options.seed is None:
        options.seed = random.randrange(1, 2**31)
    return options


def open_ring(options, rotates):
    if options.project:
        return ContainerRing(BINARIES, options.project, options.folder, NODES)
    return Ring(BINARIES, nodes=NODES, settings=SETTINGS | (ROTATION if rotates else {}))


def main(arguments):
    options = parse(arguments)
    print(f"chaos: --seconds {options.seconds} --seed {options.seed}", flush=True)
    kinds = CONTAINERS if options.project else PROCESSES
    rotates = bool(options.project) or options.seed % 2 == 1
    with open_ring(options, rotates) as ring:
        findings = Chaos(ring, options.seed, options.seconds, kinds, rotates).run()
        if findings:
            raise AssertionError("the output is not what was promised:\n  " + "\n  ".join(findings))
    print(f"chaos: passed with seed {options.seed}", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (AssertionError, OSError) as error:
        sys.exit(f"chaos: FAILED: {error}")

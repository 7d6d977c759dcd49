"""Clients that push without end, resend, fail over, and know what was acked; and the judge of what they see.

    with Ring(BINARIES) as ring, Load(ring) as load:
        pusher = load.start("tea", nodes=[2, 0, 1])    # begins at node 2
        load.wait_acks()                                # every client got new messages acked
        load.finish()                                   # no new ones; all acked
        check(test, ring, load)
"""

import os
import random
import threading
import time

from common import Dealer, TimedOut, output_bytes, wait_until

FINAL = ("too_large", "malformed", "conflict", "session_retired")


class Pusher(threading.Thread):
    """One client with an outbox. `nodes`: where it may go, in this order, beginning with the first."""

    PATIENCE = 0.4  # s without an answer: the next node

    def __init__(self, ring, client_id, nodes, batch=3, filler=0):
        super().__init__(name=client_id, daemon=True)
        self.ring = ring
        self.client_id = client_id
        self.instance = random.randrange(1, 2**63)
        self.nodes = list(nodes)
        self.batch = batch
        self.filler = b" " + b"x" * filler if filler else b""
        self.sent = 0
        self.acked = 0
        self.rejects = {}
        self.ending = False
        self.aborted = False
        self.error = None

    def payload(self, sequence):
        return b"%s %d%s" % (self.client_id.encode(), sequence, self.filler)

    @property
    def done(self):
        return self.ending and self.acked == self.sent

    def run(self):
        try:
            turn = 0
            while not self.done and not self.aborted:
                with Dealer(self.ring, self.nodes[turn % len(self.nodes)], self.client_id, self.instance) as node:
                    self.serve_at(node)
                turn += 1
        except BaseException as error:  # shown by whoever waits for this thread
            self.error = error

    def answer(self, node):
        """Notes what the next answer says. @return its kind, or a reject's code; None: silence."""
        if not node.socket.poll(int(self.PATIENCE * 1000)):
            return None
        kind, *fields = node.receive()
        if kind in ("ack", "welcome"):
            assert fields[1] <= self.sent, f"{self.client_id}: {kind} of {fields[1]}, {self.sent} were sent"
            self.acked = max(self.acked, fields[1])
        if kind != "reject":
            return kind
        code = fields[2]
        self.rejects[code] = self.rejects.get(code, 0) + 1
        assert code not in FINAL, f"{self.client_id}: {fields}"
        return code

    def serve_at(self, node):
        greeted = False
        while not self.done and not self.aborted:
            if not greeted:
                node.send("hello", self.client_id, self.instance, self.sent)
                wanted = "welcome"
            else:
                if self.acked == self.sent:
                    if self.ending:
                        return
                    self.sent += self.batch
                first = self.acked + 1
                node.push(first, [[0, self.payload(number)] for number in range(first, self.sent + 1)])
                wanted = "ack"
            said = self.answer(node)
            while greeted and said == "welcome" or not greeted and said == "ack":
                said = self.answer(node)  # of an earlier request
            if said is None or said in ("no_quorum", "shutting_down"):
                return
            if said == wanted:
                greeted = True
            elif said in ("gap", "hello_first"):
                greeted = False
            else:  # busy, disk_full, too_many_sessions
                time.sleep(0.02)


class Load:
    def __init__(self, ring):
        self.ring = ring
        self.pushers = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        # Before the ring's context goes: no socket may outlive it.
        for pusher in self.pushers:
            pusher.aborted = True
        for pusher in self.pushers:
            pusher.join(10)

    def start(self, client_id, nodes, **options):
        pusher = Pusher(self.ring, client_id, nodes, **options)
        self.pushers.append(pusher)
        pusher.start()
        return pusher

    def start_everywhere(self, nodes, **options):
        """One client for each of these nodes; each may go to all of them."""
        for at, node in enumerate(nodes):
            self.start(f"client-{node}", nodes[at:] + nodes[:at], **options)

    def look(self):
        for pusher in self.pushers:
            if pusher.error is not None:
                raise AssertionError(f"{pusher.client_id} failed") from pusher.error

    def wait_acks(self, more=10, seconds=30):
        """Until every client has got `more` messages acked that it had not got acked before."""
        marks = {pusher: pusher.acked + more for pusher in self.pushers if not pusher.ending}

        def reached():
            self.look()
            return all(pusher.acked >= mark for pusher, mark in marks.items())
        wait_until(reached, seconds, f"{more} more acks for each client")

    def wait_reject(self, code, seconds=30):
        """Until every client was refused with `code` once more."""
        marks = {pusher: pusher.rejects.get(code, 0) for pusher in self.pushers}

        def reached():
            self.look()
            return all(pusher.rejects.get(code, 0) > mark for pusher, mark in marks.items())
        wait_until(reached, seconds, f"each client is told {code}")

    def finish(self, seconds=30):
        """No new messages; waits until all are acked."""
        for pusher in self.pushers:
            pusher.ending = True
        deadline = time.monotonic() + seconds
        for pusher in self.pushers:
            pusher.join(max(0.0, deadline - time.monotonic()))
            self.look()
            if pusher.is_alive():
                raise TimedOut(f"{pusher.client_id}: {pusher.acked} of {pusher.sent} acked within {seconds} s")


def check(test, ring, load):
    """After finish(): every message of each client once, in its order, nothing else; and `anel verify` is content."""
    seen = {}
    for text in ring.output().messages:
        client_id, sequence, *_ = text.split(b" ")
        seen.setdefault(client_id.decode(), []).append(int(sequence))
    for pusher in load.pushers:
        test.assertEqual(pusher.acked, pusher.sent)
        test.assertEqual(seen.pop(pusher.client_id, []), list(range(1, pusher.sent + 1)), pusher.client_id)
    test.assertEqual(seen, {}, "messages that nobody sent")
    verify(test, ring)


def verify(test, ring):
    audit = ring.anel("verify", ring.data)
    test.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)
    test.assertIn("\nclean: ", "\n" + audit.stdout)


def read_output(ring):
    return output_bytes(ring.data)


def numbers_in(ring, *folder):
    """Names of a folder of the ledger that are numbers: its segments or checkpoints."""
    names = os.listdir(os.path.join(ring.data, ".anel", *folder))
    return sorted(int(name) for name in names if name.isdigit())


def arm(ring, node, points):
    """Starts this node again, in a ring that stands without it, with ANEL_FAIL_POINTS; empty: without."""
    node = ring.nodes[node]
    if node.running:
        node.kill()
    node.environment.pop("ANEL_FAIL_POINTS", None)
    if points:
        node.environment["ANEL_FAIL_POINTS"] = points
    node.start()


def is_stopped(node):
    """SIGSTOP has taken effect on the process; one that is gone, killed by another fault say, is not stopped."""
    try:
        with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        return False

"""Clients of the wire protocol with windows, batches and an outbox: they fail over and resend under one instance.

`width` is the number of connections, each to another node: a client of two pushes all it has to both.
"""

import threading
import time

import zmq

from client import Client
from common import Dealer
from payloads import payload, timestamp

FINAL = ("too_large", "malformed", "conflict", "session_retired")


class AckTimes:
    """When any client was acked anything: the longest time without it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.last = None
        self.longest = 0.0

    def note(self):
        with self.lock:
            now = time.monotonic()
            if self.last is not None:
                self.longest = max(self.longest, now - self.last)
            self.last = now


class Connection(Dealer):
    """A client at one node. `cursor`: what it pushes next; None: nothing before the welcome."""

    def __init__(self, client, node):
        super().__init__(client.ring, node, client.client_id, client.instance)
        self.node = node
        self.cursor = None
        self.asked = False
        self.not_before = 0.0
        self.heard = time.monotonic()

    def greet_again(self):
        self.cursor = None
        self.asked = False


class WireClient(Client):
    PATIENCE = 0.7     # s without an answer that is due: another node
    WINDOW = 400       # messages under way
    STEP_MS = 15

    def __init__(self, ring, client_id, seed, ack_times, width=1, pace=2):
        super().__init__(ring, client_id, seed, ack_times)
        self.instance = self.chance.randrange(1, 2**63)
        self.width = width
        self.pace = pace       # new messages in one step, on average
        self.connections = []
        # The outbox: what a client that dies finds again. Messages are made from their numbers.
        self.made = 0
        self.sent = 0
        self.birth = 0         # of the session, as its welcomes tell it
        self.acked = 0
        self.acks = []         # (client sequence, ledger sequence, round), for the judge
        self.told = {}         # refusals by code
        self.dead_for = None

    @property
    def done(self):
        return self.ending and self.acked == self.made

    def kill(self, seconds):
        """All but the outbox is lost, and for so long it does nothing. @return True: it always lives."""
        self.dead_for = seconds
        return True

    def work(self):
        while not self.done and not self.aborted:
            self.step()

    def clear_up(self):
        self.drop_all()

    def step(self):
        if self.dead_for is not None:
            self.drop_all()
            self.deaths += 1
            time.sleep(self.dead_for)
            self.dead_for = None
        self.make_messages()
        while len(self.connections) < self.width:
            self.connect()
        for connection in list(self.connections):
            self.push(connection)
        self.listen()

    def make_messages(self):
        if not self.ending and self.made - self.acked < self.WINDOW:
            burst = 30 if self.chance.random() < 0.01 else 1
            self.made += self.chance.randint(0, 2 * self.pace) * burst

    # --- connections --------------------------------------------------------------------------------
    def connect(self):
        taken = [connection.node for connection in self.connections]
        nodes = [node.id for node in self.ring.nodes if node.id not in taken]
        self.connections.append(Connection(self, self.chance.choice(nodes)))

    def drop(self, connection):
        connection.socket.close()
        self.connections.remove(connection)

    def drop_all(self):
        for connection in list(self.connections):
            self.drop(connection)

    # --- speaking -----------------------------------------------------------------------------------
    def push(self, connection):
        now = time.monotonic()
        waits = connection.asked and (connection.cursor is None or connection.cursor > self.acked + 1)
        if waits and now - connection.heard > self.PATIENCE:
            self.drop(connection)
            return
        if now < connection.not_before:
            return
        if not waits:
            connection.heard = now
        if not connection.asked:
            connection.asked = True
            connection.send("hello", self.client_id, self.instance, self.sent, *([self.birth] if self.sent else []))
        while connection.cursor is not None and connection.cursor <= self.made:
            # Borders of batches move from one attempt to the next.
            last = min(self.made, connection.cursor + self.chance.randint(0, 12 * self.pace))
            self.sent = max(self.sent, last)
            connection.push(connection.cursor, [[timestamp(self.client_id, number), payload(self.client_id, number)]
                                                for number in range(connection.cursor, last + 1)])
            connection.cursor = last + 1

    # --- listening ----------------------------------------------------------------------------------
    def listen(self):
        poller = zmq.Poller()
        for connection in self.connections:
            poller.register(connection.socket, zmq.POLLIN)
        ready = dict(poller.poll(self.STEP_MS))
        for connection in list(self.connections):
            while connection in self.connections and (connection.socket in ready and connection.socket.poll(0)):
                connection.heard = time.monotonic()
                self.hear(connection, *connection.receive())
        if not self.connections:
            time.sleep(self.STEP_MS / 1000)

    def hear(self, connection, kind, client_id, *fields):
        assert client_id == self.client_id, f"{self.client_id} was told of {client_id}"
        if kind == "welcome":
            assert fields[0] <= self.sent, f"{client_id}: welcome with {fields[0]}, {self.sent} were sent"
            assert self.sent == 0 or fields[2]["birth"] == self.birth, f"{client_id}: welcome to another session"
            self.birth = fields[2]["birth"]
            # As one that has forgotten its last acks: repeats must be acked again.
            connection.cursor = max(1, self.acked + 1 - self.chance.choice([0, 0, self.chance.randint(0, 60)]))
        elif kind == "ack":
            self.hear_ack(*fields)
        elif kind == "busy":
            self.told["busy"] = self.told.get("busy", 0) + 1
            connection.not_before = time.monotonic() + fields[1] / 1000
            if fields[0] == 0:
                connection.greet_again()
            elif connection.cursor is not None:
                connection.cursor = min(connection.cursor, fields[0])
        else:
            assert kind == "reject", kind
            self.hear_reject(connection, *fields)

    def hear_ack(self, last, sequence, ledger_round):
        assert last <= self.sent, f"{self.client_id}: ack of {last}, {self.sent} were sent"
        ack = (last, sequence, ledger_round)
        if last > self.acked:
            self.ack_times.note()
            self.acked = last
        if not self.acks or self.acks[-1] != ack:
            self.acks.append(ack)

    def hear_reject(self, connection, _, code, text):
        self.told[code] = self.told.get(code, 0) + 1
        assert code not in FINAL, f"{self.client_id} at node {connection.node}: {code}: {text}"
        if code in ("gap", "hello_first"):
            if connection.cursor is not None:  # else it is of a push from before the hello
                connection.greet_again()
        elif code in ("no_quorum", "shutting_down"):
            self.drop(connection)
        else:  # disk_full, too_many_sessions
            connection.not_before = time.monotonic() + 0.05
            if connection.cursor is not None:
                connection.cursor = self.acked + 1


class TextClient(Client):
    """Plain text from one node to the next. No answer: it may stand in the output, once, or not."""

    def __init__(self, ring, client_id, seed, ack_times):
        super().__init__(ring, client_id, seed, ack_times)
        self.asked = 0
        self.certain = {}      # number -> ledger sequence

    @property
    def acked(self):
        return len(self.certain)

    def work(self):
        while not self.ending and not self.aborted:
            with self.ring.context.socket(zmq.REQ) as socket:
                socket.linger = 0
                socket.connect(self.ring.address(self.chance.choice(self.ring.nodes).id))
                while not self.ending and not self.aborted and self.ask(socket):
                    time.sleep(0.02)

    def ask(self, socket):
        self.asked += 1
        socket.send(b"%s %d " % (self.client_id.encode(), self.asked))
        if not socket.poll(1500):
            return False
        word, *rest = socket.recv().split()
        if word != b"OK":
            return False
        self.ack_times.note()
        self.certain[self.asked] = int(rest[0])
        return True

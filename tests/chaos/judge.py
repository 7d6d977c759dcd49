"""Compares output.txt with what was sent and what was acked. Shares no code with the writer.

Every message must be one that was sent, once, in its client's order, in the order of its round; every ack must name
the very place where its message stands.
"""

import re
from typing import NamedTuple

from payloads import parse_name, payload, timestamp
from ring import SEPARATOR, Output

ESCAPE = re.compile(rb"\\(?:(\\)|([nrt])|x([0-9a-f]{2}))")
SHORT = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
SHOWN_MAX = 5   # findings of each topic


class Message(NamedTuple):
    block: int        # which of the rounds that stand in the output, from 0
    container: int
    client_id: str
    number: int       # the client's own
    text: bytes


def unescape(text):
    return ESCAPE.sub(lambda found: found[1] or SHORT.get(found[2]) or bytes([int(found[3], 16)]), text)


def read(data):
    """@return (messages in order, what is wrong with the file as such)."""
    output = Output(data)
    again = b"".join(b"".join(b"Container %d \nMensagem: %s\n" % one for one in entries) + SEPARATOR + b"\n"
                     for entries in output.rounds)
    findings = [] if again == data else ["the file is not rounds and nothing but rounds"]
    messages = []
    for block, entries in enumerate(output.rounds):
        for container, text in entries:
            text = unescape(text)
            try:
                messages.append(Message(block, container, *parse_name(text), text))
            except ValueError:
                findings.append(f"message {len(messages) + 1}: nobody sends such: {text[:80]!r}")
                messages.append(Message(block, container, "", 0, text))
    return messages, findings


class Judge:
    def __init__(self, data, nodes):
        self.messages, form = read(data)
        self.topics = {"form": form}
        self.numbers = {}     # client id -> its numbers in the order of the file
        self.rounds = {}      # ledger round, as acks name it -> block
        self.known = set()
        self.when = {}        # client id -> function from number to timestamp
        for message in self.messages:
            self.numbers.setdefault(message.client_id, []).append(message.number)
            self.expect(message.container < nodes, "container", f"there is no container {message.container}")

    def expect(self, right, topic, finding):
        if not right:
            self.topics.setdefault(topic, []).append(finding)

    def findings(self):
        """After all clients were judged."""
        for client_id in sorted(set(self.numbers) - self.known):
            self.expect(False, "strangers", f"messages of {client_id!r}, who sent none")
        self.judge_rounds()
        self.judge_order()
        shown = []
        for topic, found in self.topics.items():
            shown += found[:SHOWN_MAX] + [f"{topic}: {len(found) - SHOWN_MAX} more"] * (len(found) > SHOWN_MAX)
        return shown

    # --- clients ------------------------------------------------------------------------------------
    def judge_wire(self, client):
        """All it made stands there once and in order."""
        numbers = self.take(client.client_id, lambda number: timestamp(client.client_id, number))
        self.expect(client.acked == client.made, client.client_id,
                    f"{client.client_id}: {client.acked} of {client.made} acked")
        self.expect(numbers == list(range(1, client.made + 1)), client.client_id,
                    f"{client.client_id}: {self.first_wrong(numbers)}")
        self.judge_acks(client, payload)

    def judge_sender(self, sender):
        """All of a run that ended, and of one that was killed the first ones, as far as it had taken them."""
        runs = {number: run for run in sender.runs for number in range(run.first, run.last + 1)}
        numbers = self.take(sender.client_id, lambda number: runs[number].timestamp if number in runs else 0)
        at = 0
        for run in sender.runs:
            wanted = run.first
            while at < len(numbers) and numbers[at] == wanted <= run.last:
                at, wanted = at + 1, wanted + 1
            self.expect(run.killed or wanted > run.last, sender.client_id,
                        f"{sender.client_id}: message {wanted} of {run} is missing")
        self.expect(at == len(numbers), sender.client_id,
                    f"{sender.client_id}: {numbers[at:at + 5]} stand where they should not")
        self.judge_acks(sender, lambda *name: payload(*name, one_line=True))

    def judge_text(self, client):
        """What was answered with OK is where the answer says; the rest once at most."""
        numbers = self.take(client.client_id, None)
        self.expect(len(numbers) == len(set(numbers)), client.client_id, f"{client.client_id}: a text stands twice")
        for number in numbers:
            self.expect(1 <= number <= client.asked, client.client_id,
                        f"{client.client_id}: text {number} was never sent")
        for number, sequence in client.certain.items():
            self.judge_place(client.client_id, number, sequence, b"%s %d " % (client.client_id.encode(), number))

    def take(self, client_id, when):
        self.known.add(client_id)
        self.when[client_id] = when
        return self.numbers.get(client_id, [])

    @staticmethod
    def first_wrong(numbers):
        for at, number in enumerate(numbers):
            if number != at + 1:
                return f"its message {number} stands where {at + 1} is due"
        return f"it ends with message {len(numbers)}"

    def judge_acks(self, client, text):
        for number, sequence, ledger_round in client.acks:
            if self.judge_place(client.client_id, number, sequence, text(client.client_id, number)):
                block = self.messages[sequence - 1].block
                self.expect(self.rounds.setdefault(ledger_round, block) == block, "rounds",
                            f"acks name round {ledger_round} for messages of two rounds")
        # Acked or not: no message may be another than its number says.
        for message in self.messages:
            if message.client_id == client.client_id:
                self.expect(message.text == text(client.client_id, message.number), "contents",
                            f"{client.client_id}: message {message.number} was changed: {message.text[:80]!r}")

    def judge_place(self, client_id, number, sequence, text):
        found = self.messages[sequence - 1] if 0 < sequence <= len(self.messages) else None
        right = found is not None and found.text == text
        self.expect(right, f"acks of {client_id}", f"{client_id}: message {number} was acked as sequence {sequence}, "
                    f"where {found.text[:40] if found else 'nothing'!r} stands")
        return right

    # --- rounds -------------------------------------------------------------------------------------
    def judge_rounds(self):
        """Rounds grow as the file does, and no two of them are one."""
        before = (0, -1)
        for ledger_round, block in sorted(self.rounds.items()):
            self.expect(block > before[1], "rounds",
                        f"round {ledger_round} is block {block}, round {before[0]} is {before[1]}")
            before = (ledger_round, block)

    def judge_order(self):
        """By (timestamp, container, client id, number), where a client's message is raised to its earlier one."""
        block, raised, before = -1, {}, None
        for message in self.messages:
            if message.block != block:
                block, raised, before = message.block, {}, None
            when = self.when.get(message.client_id)
            if when is None:
                continue  # the node's own clock stands between the others, wherever
            key = max((when(message.number), message.container), raised.get(message.client_id, (-1, -1)))
            raised[message.client_id] = key
            place = (*key, message.client_id, message.number)
            self.expect(before is None or before < place, "order", f"block {block}: {place} stands behind {before}")
            before = place

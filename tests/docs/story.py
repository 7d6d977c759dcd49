"""Makes of a trace what a picture shows: arrows between lanes, notes on them, and who held the token, slept or was dead.

Lanes are "clients" and the numbers of the nodes. A row is one moment; what happens later stands lower. What is said
again, word for word, is left out."""

import re

CLIENTS = "clients"
QUIET_LINK_MESSAGES = {"hello", "welcome", "hop_ack"}
SILENT_GAP_US = 20_000


class Arrow:
    """A message: sent in one row, received in another or (None) never."""

    def __init__(self, lane, to, row, label, kind):
        self.lane, self.to, self.row, self.label, self.kind = lane, to, row, label, kind
        self.end = None


class Note:
    """What one lane does in a row; `lane` None: of the whole world."""

    def __init__(self, lane, row, label, kind="plain"):
        self.lane, self.row, self.label, self.kind = lane, row, label, kind


class Span:
    """A lane's state from a row to another: "token", "frozen", "dead"."""

    def __init__(self, lane, kind, row):
        self.lane, self.kind, self.row, self.end = lane, kind, row, None


def flat(value):
    """A value that can be compared, heads included."""
    if isinstance(value, dict):
        return (getattr(value, "head", ""), tuple((key, flat(item)) for key, item in value.items()))
    return tuple(flat(item) for item in value) if isinstance(value, list) else value


def listed(numbers):
    return ", ".join(str(number) for number in numbers)


def describe_token(token):
    parts = []
    for closed in token.get("closed", []):
        result = closed.get("result")
        parts.append(f"result of round {result['round']}" if result else "result: nothing new")
    if "open" in token:
        round_ = token["open"]
        votes = f"voted: {listed(round_['votes'])}" if round_["votes"] else "no votes yet"
        bids = [bid["node"] for bid in round_.get("bids", [])]
        parts.append(f"open round, {votes}" + (f", bids of {listed(bids)}" if bids else ""))
    return f"token, hop {token['hop']}: " + "; ".join(parts) if parts else f"token, hop {token['hop']}"


def describe_control(message):
    return {"call": "call: who is there?", "answer": "answer, with a link address", "content": "content: the ring stands",
            "join": "join: let me in", "ready": "ready", "wake_ack": "wake ack",
            "suspect": f"suspect: {str(message.get('reason', '')).replace('_', ' ')}, node {message.get('about')}",
            "view": f"view of epoch {message.get('view', {}).get('epoch')}: nodes "
                    f"{listed(member['id'] for member in message.get('view', {}).get('members', []))}",
            "wake": "wake" + (", with a copy of the push" if "entries" in message else ""),
            "durable": f"durable: round {message.get('round')}"}[message.head]


class Story:
    """Reads events one by one. Rows are made for what is shown, between the lines that begin with "---"."""

    def __init__(self, events):
        self.items, self.times, self.nodes = [], [], set()
        self.shown, self.over = False, False
        self.begun = {}  # by node: the note of a step at the ledger that has not ended
        self.peers, self.lines = {}, {}
        self.under_way, self.spans = [], {}
        self.said, self.hops = set(), {}  # what the picture has already, and every token; the highest hop a node saw
        for event in events:
            if not self.over:
                self.take(event)
        for span in self.spans.values():
            span.end = len(self.times) - 1

    # --- rows ---------------------------------------------------------------------------------------
    def row(self, event):
        if self.times and event.time_us - self.times[-1] > SILENT_GAP_US:
            self.times.append(self.times[-1])
            gap = (event.time_us - self.times[-2]) / 1000
            self.items.append(Note(None, len(self.times) - 1, f"{gap:.0f} ms later", "gap"))
        self.times.append(event.time_us)
        return len(self.times) - 1

    def note(self, event, lane, label, kind="plain"):
        if not self.shown:
            return None
        self.items.append(Note(lane, self.row(event), label, kind))
        return self.items[-1]

    def begin_step(self, event, node, does, what):
        """A step that a death or a stop may prevent."""
        self.begun[node] = (self.note(event, node, f"{does}s {what}", "ledger"), f"is about to {does} {what}")

    def prevent_step(self, node):
        note, label = self.begun.pop(node, (None, None))
        if note:
            note.label = label

    def send(self, event, lane, to, key, label, kind):
        is_repeat = kind != "client" and (lane, to, key) in self.said
        if self.shown or kind == "token":
            self.said.add((lane, to, key))
        arrow = Arrow(lane, to, self.row(event), label, kind) if self.shown and not is_repeat else None
        if arrow:
            self.items.append(arrow)
        self.under_way.append((lane, to, key, arrow))

    def receive(self, event, lane, from_, key):
        for index, (sender, to, what, arrow) in enumerate(self.under_way):
            if (sender, to, what) == (from_, lane, key):
                del self.under_way[index]
                if arrow and self.shown:
                    arrow.end = self.row(event)
                return

    def begin(self, lane, kind):
        if (lane, kind) not in self.spans:
            span = self.spans[lane, kind] = Span(lane, kind, max(0, len(self.times) - 1))
            self.items.append(span)

    def stop(self, lane, kind):
        span = self.spans.pop((lane, kind), None)
        if span:
            span.end = max(0, len(self.times) - 1)
            if not self.shown:
                self.items.remove(span)

    # --- events -------------------------------------------------------------------------------------
    def take(self, event):
        if event.node is None:
            return self.tell(event)
        self.nodes.add(event.node)
        handle = getattr(self, ("on_" if event.way == "<-" else "do_") + event.term.head, None)
        if handle:
            handle(event, event.node, event.term)

    def tell(self, event):
        """Lines in words."""
        text = event.text
        if text.startswith("---"):
            self.shown, self.over = text.endswith("begins"), text.endswith("ends")
        for pattern, take in ((r"client (\w+) meets node (\d+) on line (\d+)", self.client_meets),
                              (r"client (\w+) -> (\w+) (.*)", self.client_says),
                              (r"client (\w+) <- (\w+) (.*)", self.client_hears),
                              (r"node (\d+) (starts|dies|freezes|goes on)(.*)", self.node_lives),
                              (r"()()(the power goes|volume: .*)", self.world_changes)):
            found = re.fullmatch(pattern, text)
            if found:
                take(event, *found.groups())

    def client_meets(self, _, client, node, line):
        self.lines[client] = int(node)
        self.lines[line] = client

    def client_says(self, event, client, kind, rest):
        said = re.search(r'text="(.*)"', rest)
        label = f"{client}: {kind} " + (f"“{said.group(1)}”" if said else "")
        self.send(event, CLIENTS, self.lines[client], (client, kind), label.strip(), "client")

    def client_hears(self, event, client, kind, _):
        self.receive(event, CLIENTS, self.lines[client], (client, kind))

    def node_lives(self, event, node, what, rest):
        node = int(node)
        self.nodes.add(node)
        if what == "starts":
            self.note(event, node, "starts")
            self.stop(node, "dead")
        elif what == "dies":
            self.prevent_step(node)
            self.note(event, node, "dies" + rest, "bad")
            for kind in ("token", "frozen"):
                self.stop(node, kind)
            self.begin(node, "dead")
        elif what == "freezes":
            self.prevent_step(node)
            self.note(event, node, "is stopped (SIGSTOP)", "bad")
            self.begin(node, "frozen")
        else:
            self.note(event, node, "goes on, as if nothing had been", "bad")
            self.stop(node, "frozen")

    def world_changes(self, event, _, __, what):
        self.note(event, None, what, "bad" if "power" in what else "world")

    # --- what a node does ---------------------------------------------------------------------------
    def do_connect(self, _, node, term):
        process, link = term["address"].split(":")[1:]
        self.peers[node, term["link"]] = int(process)
        self.peers[int(process), int(link)] = node

    def do_send_link(self, event, node, term):
        message, to = term["message"], self.peers.get((node, term["link"]))
        if message.head in QUIET_LINK_MESSAGES:
            return
        self.send(event, node, to, flat(message), describe_token(message), "token")
        self.stop(node, "token")

    def do_send(self, event, node, term):
        message = term["message"]
        self.send(event, node, term["to"], flat(message), describe_control(message), "control")
        if message.head == "suspect":
            self.stop(node, "token")

    def do_reply(self, event, node, term):
        reply, client = term["reply"], self.lines.get(re.sub(r"^req:|\..*", "", str(term["to"])))
        label = {"ack": f"{client}: ack, round {reply.get('round')}"}.get(reply.head, f"{client}: {reply.head}")
        self.send(event, node, CLIENTS, (client, reply.head), label, "client")

    def do_decide(self, event, node, term):
        record = term["record"]
        self.begin_step(event, node, "decide", f"round {record['round']}" + ("" if record["count"] else " (a session)"))

    def do_write_output(self, event, node, term):
        self.begin_step(event, node, "write", f"round {term['round']} to output.txt")

    def do_make_durable(self, event, node, _):
        self.note(event, node, "starts a sync", "ledger")

    def do_ask_grant(self, event, node, _):
        self.note(event, node, "asks the ledger for an epoch", "ledger")

    # --- what comes to a node -----------------------------------------------------------------------
    def on_link(self, event, node, term):
        message = term["message"]
        if message.head in QUIET_LINK_MESSAGES:
            return
        self.receive(event, node, self.peers.get((node, term["link"])), flat(message))
        hop = (message["epoch"], message["hop"])
        if hop > self.hops.get(node, (0, 0)):
            self.hops[node] = hop
            self.begin(node, "token")

    def on_control(self, event, node, term):
        self.receive(event, node, term["from"], flat(term["message"]))
        if term["message"].head == "suspect":
            self.stop(node, "token")

    def on_client(self, event, node, term):
        client = term["frame"].get("client")
        self.receive(event, node, CLIENTS, (client, term["frame"].head))

    def on_decided(self, _, node, __):
        self.begun.pop(node, None)

    def on_written(self, _, node, __):
        self.begun.pop(node, None)

    def on_durable(self, event, node, term):
        self.note(event, node, f"round {term['round']} is durable", "ledger")

    def on_refused(self, event, node, term):
        self.note(event, node, {"fenced": "FENCED: the segment is sealed"}.get(term["why"], "the disk is full"), "bad")
        self.stop(node, "token")

    def on_granted(self, event, node, term):
        self.note(event, node, f"is granted epoch {term['epoch']}; the old segment is sealed", "ledger")

    def on_caught_up(self, event, node, term):
        self.note(event, node, f"has read the ledger up to round {term['history']['tip']['round']}", "ledger")

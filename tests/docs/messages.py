"""What the programs say when something is wrong, read from their sources: every text that is given to one of the
functions that make an error, a warning or a line on standard error."""

import pathlib
import re

# Functions whose texts people see. Those with a template put their text into it.
MAKERS = {"failure": "{}", "wrong": "{}", "unusable": "{}", "touched": "{}", "other": "{}", "bad": "{}", "fail": "{}",
          "refuse_push": "{}", "fail_over": "{}", "Disconnected": "{}", "failed": "outbox file {{}}: {}",
          "io_failure": "cannot {}", "sync_failure": "cannot make {{}} durable", "spdlog::warn": "{}",
          "spdlog::error": "{}", "fmt::print": "{}", "problem_of": "{}", "overlap_of": "{}"}
# Of what the file system refused, the verb is the case; the file is filled in.
REFUSED_CALL = re.compile(r"(reserve space for|look at|(?:open|make) the folder|make the copy|\w+)")
# Whatever is said here in several words is said to people.
OUTSPOKEN = ("ring/aneld.cpp", "ring/daemon/daemon.cpp", "ring/ledger/sigbus.cpp", "ring/ledger/folder.cpp",
             "client/command/local_ring.cpp", "client/command/children.cpp", "client/command/bench/ring.cpp",
             "client/command/bench/failover.cpp", "client/command/feed_cursor.cpp")
TOKEN = re.compile(r"""(?P<raw>R"\((?:.|\n)*?\)")|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<skip>//[^\n]*|\s+)
    |(?P<letter>(?<![0-9A-Za-z])'(?:\\.|[^'\\])')|(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*)
    |(?P<other>.)""", re.VERBOSE)
CODE = re.compile(r"ErrorCode::(\w+)")


class Message:
    """One text, where it is said, and of what kind it is if the call says so."""

    def __init__(self, path, maker, text, code):
        self.path, self.maker, self.text, self.code = path, maker, text, code

    def __str__(self):
        return f"{self.path}: {self.text}"


def calls(source):
    """(maker, source of the whole call, its texts) of each call of a maker; neighbouring literals are one text."""
    tokens = [token for token in TOKEN.finditer(source) if token.lastgroup != "skip"]
    for index, token in enumerate(tokens):
        if token.group() not in MAKERS or index + 1 == len(tokens) or tokens[index + 1].group() not in "({":
            continue
        depth, texts, joined, at = 0, [], False, index + 1
        while at < len(tokens):
            letter, kind = tokens[at].group(), tokens[at].lastgroup
            depth += (letter in "({" and kind == "other") - (letter in ")}" and kind == "other")
            if depth == 0:
                break
            if kind == "text" and joined:
                texts[-1] += letter[1:-1]
            elif kind == "text":
                texts.append(letter[1:-1])
            joined = kind == "text"
            at += 1
        yield token.group(), source[token.start():tokens[min(at, len(tokens) - 1)].end()], texts


def outspoken_texts(source):
    joined = re.sub(r'"\s*\n\s*"', "", source)
    return [text for text in re.findall(r'"((?:\\.|[^"\\\n])*)"', joined) if len(text.split()) >= 4]


def said_in(path, source):
    for maker, call, texts in calls(source):
        code = CODE.search(call)
        if maker == "fmt::print" and "stderr" not in call:
            continue
        for text in texts:
            if maker == "io_failure":
                text = REFUSED_CALL.match(text).group(1)
            yield Message(path, maker, MAKERS[maker].format(text), code.group(1) if code else None)
    if path in OUTSPOKEN:
        for text in outspoken_texts(source):
            yield Message(path, "", text, None)


def all_messages(root):
    """Every message of the programs, in the order of files and lines; each text once a file."""
    seen = set()
    for folder in ("ring", "client"):
        for path in sorted(pathlib.Path(root, folder).rglob("*.?pp")):
            name = str(path.relative_to(root))
            for message in said_in(name, path.read_text(encoding="utf-8")):
                if (name, message.text) not in seen and len(message.text.split()) > 1:
                    seen.add((name, message.text))
                    yield message


def head_of(text):
    """A text up to the first colon or semicolon behind three of its own words: what names the case."""
    for end in re.finditer(r"[:;](?=\s|$)", text):
        if len(re.sub(r"\{[^{}]*\}", "", text[:end.start()]).split()) >= 3:
            return text[:end.start()]
    return text


def pattern_of(text):
    """What finds the head of a text on a page, with anything in the place of what is filled in."""
    head = head_of(text.replace('\\"', '"').replace("\\n", "").strip())
    pieces = [r"\s+".join(re.escape(word) for word in re.split(r"\s+", piece)) for piece in re.split(r"\{[^{}]*\}", head)]
    return re.compile(".{0,60}?".join(pieces), re.DOTALL)

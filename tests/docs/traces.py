"""Reads what the simulator prints with --trace and --story: lines with a time, a node, and an input or an action in the
language of tests/traces."""

import re

LINE = re.compile(r"^ *(\d+)\.(\d{6}) (.*)$")
STEP = re.compile(r"^node (\d+) (<-|->) (.*)$")


class Term(dict):
    """A head and named values: {token epoch=1 hop=2}. Values are numbers, texts, lists or terms."""

    def __init__(self, head="", **fields):
        super().__init__(fields)
        self.head = head


class Reader:
    """One line of the language, from left to right."""

    WORD = re.compile(r"[0-9A-Za-z_.:/+\-#]+")

    def __init__(self, text):
        self.text, self.at = text, 0

    def next_is(self, letter):
        found = self.text.startswith(letter, self.at)
        self.at += len(letter) if found else 0
        return found

    def word(self):
        found = self.WORD.match(self.text, self.at)
        if not found:
            raise ValueError(f"no word at {self.at} of: {self.text}")
        self.at = found.end()
        return found.group()

    def quoted(self):
        letters = []
        while not self.next_is('"'):
            if self.next_is("\\x"):
                letters.append(chr(int(self.text[self.at:self.at + 2], 16)))
                self.at += 2
                continue
            self.next_is("\\")
            letters.append(self.text[self.at])
            self.at += 1
        return "".join(letters)

    def value(self):
        if self.next_is('"'):
            return self.quoted()
        if self.next_is("{"):
            return self.term("}")
        if self.next_is("["):
            items = []
            while not self.next_is("]"):
                items.append(self.value())
                self.next_is(", ")
            return items
        word = self.word()
        return int(word) if word.isdigit() else word

    def term(self, end=None):
        term = Term()
        while self.at < len(self.text) and not (end and self.next_is(end)):
            if self.next_is(" "):
                continue
            word = self.word()
            if self.next_is("="):
                term[word] = self.value()
            else:
                term.head = word
        return term


class Event:
    """One line: when, at which node an input came ("<-") or an action was done ("->"); other lines have words alone."""

    def __init__(self, time_us, text):
        self.time_us, self.text = time_us, text
        step = STEP.match(text)
        self.node = int(step.group(1)) if step else None
        self.way = step.group(2) if step else None
        self.term = Reader(step.group(3)).term() if step else None


def read(lines):
    """All events of a trace, in order."""
    events = []
    for line in lines:
        found = LINE.match(line)
        if found:
            events.append(Event(int(found.group(1)) * 1_000_000 + int(found.group(2)), found.group(3)))
    return events

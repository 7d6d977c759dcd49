#!/usr/bin/python3
"""Reads an output.txt of the compose demo and says whether it is what docs promise, byte for byte.

Shares no code with the writer, on purpose: the format is spelled out here a second time.
Exit code 0 and one line of figures when all is well; 1 and one line for each finding otherwise.
"""

import argparse
import re
import sys
from pathlib import Path

SEPARATOR = b"#" * 56 + b"\n"
ENTRY = re.compile(
    rb"Container (?P<container>0|[1-9][0-9]*) \n"
    rb"Mensagem: client (?P<client>0|[1-9][0-9]*) time: (?P<time>0|[1-9][0-9]{0,5})"
    rb" - message: (?P<number>0|[1-9][0-9]*)\n"
)


def parse(data):
    """Returns the rounds, each a list of (container, client, time, number), and the findings about the structure."""
    rounds, current, position = [], [], 0
    while position < len(data):
        if data.startswith(SEPARATOR, position):
            if not current:
                return rounds, [f"byte {position}: an empty round leaves a trace"]
            rounds.append(current)
            current = []
            position += len(SEPARATOR)
            continue
        entry = ENTRY.match(data, position)
        if entry is None:
            return rounds, [f"byte {position}: neither an entry nor a separator: {data[position:position + 80]!r}"]
        current.append(tuple(int(field) for field in entry.groups()))
        position = entry.end()
    if current:
        return rounds, ["the file ends within a round"]
    return rounds, []


def check_order(number, entries):
    """By (time, container); a client's later message is raised to its earlier one, as DESIGN section 4 says."""
    last_of_client, before = {}, (-1, -1)
    for container, client, time, _ in entries:
        key = max((time, container), last_of_client.get(client, (-1, -1)))
        last_of_client[client] = key
        if key < before:
            yield f"round {number}: {key} stands behind {before}"
        before = key


def check_numbers(rounds, runs):
    """Each client counts 0, 1, 2, ... without a gap or a repeat; a new run of the demo may begin again at 0."""
    expected, starts = {}, {}
    for number, entries in enumerate(rounds, 1):
        for _, client, _, count in entries:
            if count == 0:
                starts[client] = starts.get(client, 0) + 1
                if starts[client] > runs:
                    yield f"round {number}: client {client} begins at 0 once more, {starts[client]} times in {runs} runs"
            elif count != expected.get(client, 0):
                yield f"round {number}: client {client} says {count} where {expected.get(client, 0)} is due"
            expected[client] = count + 1


def check(data, options):
    """Returns (findings, figures)."""
    rounds, findings = parse(data)
    at_home, full, messages = set(), 0, 0
    for number, entries in enumerate(rounds, 1):
        findings += check_order(number, entries)
        full += sorted(client for _, client, _, _ in entries) == list(range(options.clients))
        messages += len(entries)
        for container, client, _, _ in entries:
            if container == client:
                at_home.add(client)
            if container >= options.nodes:
                findings.append(f"round {number}: there is no container {container}")
            if client >= options.clients:
                findings.append(f"round {number}: there is no client {client}")
    findings += check_numbers(rounds, options.runs)
    # How many are torn apart, and how often a client moves on to another node, is a matter of the machine's speed.
    if full < options.min_full_rounds:
        findings.append(f"{full} of {len(rounds)} rounds hold one message of each of {options.clients} clients, "
                        f"at least {options.min_full_rounds} are due")
    for client in sorted(set(range(options.clients)) - at_home):
        findings.append(f"no message of client {client} was taken by the node it speaks to first")
    return findings, f"{len(rounds)} rounds, {full} of them full, {messages} messages"


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--clients", type=int, default=5)
    parser.add_argument("--runs", type=int, default=1, help="how often the demo was started on this file")
    parser.add_argument("--min-full-rounds", type=int, default=1, help="rounds with one message of each client")
    parser.add_argument("--begins-with", type=Path, help="an older copy of which this file must be a continuation")
    options = parser.parse_args(arguments)
    data = options.output.read_bytes()
    findings, figures = check(data, options)
    if options.begins_with is not None:
        older = options.begins_with.read_bytes()
        if not data.startswith(older):
            findings.append(f"the {len(older)} bytes of the run before do not stand at the beginning")
        elif len(data) == len(older):
            findings.append("nothing was added to the run before")
    for finding in findings:
        print(f"{options.output}: {finding}")
    if not findings:
        print(f"{options.output}: {figures}, as it should be")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

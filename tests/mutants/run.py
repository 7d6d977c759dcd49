#!/usr/bin/env python3
"""Breaks the sources on purpose, one mutant at a time, in a copy of the tree, and demands that the tests notice.

The mutants stand in the .toml files beside this one; README.md there says how to write one. Exit code 0: every mutant
was found. 1: at least one survived, does not apply or does not compile. 2: bad usage, or the unbroken copy fails."""

import argparse
import fcntl
import os
import signal
import sys
import time
from dataclasses import dataclass

import catalogue
from steps import Step
from tree import BuildFailed, Tree


@dataclass
class Outcome:
    mutant: catalogue.Mutant
    word: str  # found, SURVIVED, or INVALID: it does not compile
    seconds: float
    text: str

    def line(self):
        return f"{self.word:<8}  {self.mutant.name:<48} {self.seconds:5.1f} s  {self.text}"


def try_mutant(tree, mutant, everything):
    """Builds what each step needs and runs it, until one fails."""
    began = time.monotonic()
    notes = []
    found = False
    with tree.broken(mutant):
        for step in mutant.steps:
            try:
                tree.build(step.targets)
            except BuildFailed as failed:
                return Outcome(mutant, "INVALID", time.monotonic() - began, f"does not compile: {failed}")
            result = step.run(tree.binaries, tree.source)
            counts = result.failed and (mutant.hangs or not result.timed_out)
            if counts or result.timed_out:
                notes.append(f"{step.name}: {result.why}")
            found = found or counts
            if counts and not everything:
                break
    word = "found" if found else "SURVIVED"
    return Outcome(mutant, word, time.monotonic() - began, "; ".join(notes) or "nothing failed")


def check_unbroken(tree, mutants):
    """A test that fails without any break would find every mutant."""
    steps = {step.name: step for mutant in mutants for step in mutant.steps}
    for step in sorted(steps.values(), key=lambda one: one.name):
        try:
            tree.build(step.targets)
        except BuildFailed as failed:
            print(f"mutants: the unbroken copy does not compile: {failed}")
            return False
        result = step.run(tree.binaries, tree.source)
        if result.failed:
            print(f"mutants: the unbroken copy fails already: {step.name}: {result.why}")
            return False
    return True


def run_all(root, mutants, everything):
    folder = os.path.join(root, "build", "mutants")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = Tree(root, folder)
        tree.configure()
        if not check_unbroken(tree, mutants):
            return 2
        outcomes = []
        for mutant in mutants:
            outcomes.append(try_mutant(tree, mutant, everything))
            print(outcomes[-1].line(), flush=True)
    rest = [outcome for outcome in outcomes if outcome.word != "found"]
    print(f"{len(outcomes)} mutants, {len(outcomes) - len(rest)} found"
          + "".join(f", {outcome.word}: {outcome.mutant.name}" for outcome in rest))
    return 1 if rest else 0


def arguments():
    parser = argparse.ArgumentParser(prog="dev mutants", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="these mutants alone (a name or the beginning of it)")
    parser.add_argument("--list", action="store_true", help="what each mutant breaks and which tests look for it")
    parser.add_argument("--check", action="store_true", help="only check that every mutant applies and is documented")
    parser.add_argument("--short", action="store_true", help="--check, then the mutants marked as short (./dev test)")
    parser.add_argument("--table", action="store_true", help="the table of docs/TESTING.md")
    parser.add_argument("--every-step", action="store_true",
                        help="do not stop at the first test that fails: which tests find it at all?")
    return parser.parse_args()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # as after Ctrl-C: the copy is made whole
    options = arguments()
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(here))
    mutants = catalogue.load(here, Step.named)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name}\n    {mutant.breaks}\n    {', '.join(mutant.files())}: {mutant.found_by()}")
        return 0
    if options.table:
        print(catalogue.table(mutants), end="")
        return 0
    try:
        chosen = catalogue.choose(mutants, options.names)
    except KeyError as unknown:
        print(f"mutants: no mutant is called {unknown.args[0]}; --list names them", file=sys.stderr)
        return 2
    faults = catalogue.faults(root, chosen if options.names else mutants, check_table=not options.names)
    for fault in faults:
        print(fault)
    if faults:
        return 1
    if options.check or options.short:
        print(f"{len(mutants)} mutants, each applies to the sources once and stands in docs/TESTING.md")
    if options.check:
        return 0
    if options.short:
        chosen = [mutant for mutant in mutants if mutant.short]
    return run_all(root, chosen, options.every_step)


if __name__ == "__main__":
    sys.exit(main())

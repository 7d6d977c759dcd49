"""The list of mutants: read from the .toml files, checked against the sources and against docs/TESTING.md."""

import glob
import os
import tomllib
from dataclasses import dataclass, field

TABLE_BEGIN = "<!-- mutants: ./dev mutants --table -->\n"
TABLE_END = "<!-- end of mutants -->\n"
KEYS = {"name", "breaks", "edit", "tests", "short", "hangs"}


@dataclass
class Edit:
    """One place of a file: `find` must stand there exactly once."""

    file: str
    find: str
    replace: str


@dataclass
class Mutant:
    name: str
    breaks: str
    edits: list
    steps: list
    short: bool = False
    hangs: bool = False
    area: str = field(default="")

    def files(self):
        return sorted({edit.file for edit in self.edits})

    def found_by(self):
        return ", then ".join(step.name for step in self.steps)


def _mutant(entry, area, step_named):
    unknown = set(entry) - KEYS
    if unknown:
        raise SystemExit(f"mutants: {area}.toml: {entry.get('name', '?')}: unknown key {', '.join(sorted(unknown))}; "
                         f"known are {', '.join(sorted(KEYS))}")
    try:
        edits = [Edit(edit["file"], edit["find"], edit["replace"]) for edit in entry["edit"]]
        steps = [step_named(name) for name in entry["tests"]]
        return Mutant(entry["name"], entry["breaks"], edits, steps, entry.get("short", False),
                      entry.get("hangs", False), area)
    except KeyError as missing:
        raise SystemExit(f"mutants: {area}.toml: {entry.get('name', '?')}: {missing.args[0]}") from None


def load(folder, step_named):
    mutants = []
    for path in sorted(glob.glob(os.path.join(folder, "*.toml"))):
        with open(path, "rb") as file:
            entries = tomllib.load(file)["mutant"]
        area = os.path.splitext(os.path.basename(path))[0]
        mutants += [_mutant(entry, area, step_named) for entry in entries]
    return mutants


def choose(mutants, names):
    """@return those named, by the whole name or its beginning; all without names."""
    if not names:
        return mutants
    chosen = []
    for name in names:
        matching = [mutant for mutant in mutants if mutant.name == name]
        matching = matching or [mutant for mutant in mutants if mutant.name.startswith(name)]
        if not matching:
            raise KeyError(name)
        chosen += [mutant for mutant in matching if mutant not in chosen]
    return chosen


def applied(text, edit):
    """@return the file's text with the break in it, or none where the snippet does not stand exactly once."""
    if text.count(edit.find) != 1 or edit.find == edit.replace:
        return None
    return text.replace(edit.find, edit.replace)


def table(mutants):
    lines = ["| mutant | what it breaks | looked for by |\n", "|---|---|---|\n"]
    lines += [f"| `{mutant.name}` | {mutant.breaks} | {mutant.found_by()} |\n" for mutant in mutants]
    return "".join(lines)


def faults(root, mutants, check_table):
    """@return one clear line for each mutant that does not apply any more, and for a list that does not fit the page."""
    found = []
    seen = set()
    for mutant in mutants:
        if mutant.name in seen:
            found.append(f"mutants: {mutant.area}.toml has two mutants called {mutant.name}")
        seen.add(mutant.name)
        for edit in mutant.edits:
            path = os.path.join(root, edit.file)
            text = ""
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            if applied(text, edit) is None:
                found.append(f"mutants: {mutant.name} no longer applies: its snippet stands {text.count(edit.find)} times "
                             f"in {edit.file}, once is needed (tests/mutants/{mutant.area}.toml): {edit.find.strip()!r}")
    if check_table:
        with open(os.path.join(root, "docs", "TESTING.md"), encoding="utf-8") as file:
            page = file.read()
        if TABLE_BEGIN + "\n" + table(mutants) + "\n" + TABLE_END not in page:
            found.append("mutants: the table in docs/TESTING.md is not the one that ./dev mutants --table prints")
    return found

"""Man pages and completions know all that --help knows. Usage: manual_test.py BINARIES PACKAGING_BUILD"""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

BINARIES, BUILT = pathlib.Path(sys.argv.pop(1)), pathlib.Path(sys.argv.pop(1))


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=True, **options)


def help_of(program, *words):
    return run(BINARIES / program, *words, "--help").stdout


def flags_in(text):
    """Every flag that stands at the head of a line of help."""
    flags = set()
    for head in re.findall(r"^  (-\S+)", text, re.MULTILINE):
        flags.update(head.split(","))
    return flags


COMMANDS = re.findall(r"^  ([a-z]+) ", help_of("anel").split("Subcommands:\n")[1].split("\n\n")[0], re.MULTILINE)


class Manuals(unittest.TestCase):
    def page(self, name):
        """As people read it; anything that groff has to say about it fails."""
        shown = run("man", "--warnings", "--local-file", BUILT / name, env={"MANWIDTH": "200", "LC_ALL": "C.UTF-8",
                                                                            "PATH": "/usr/bin:/bin"})
        self.assertEqual(shown.stderr, "")
        return re.sub(r".\x08", "", shown.stdout)

    def assert_has(self, page, text):
        """Each flag, and each word of what it means."""
        for flag in flags_in(text):
            self.assertRegex(page, rf"(?m)(^|[ ,]){re.escape(flag)}($|[ ,\[=])")
        shown = "".join(page.split())
        meanings = re.findall(r"^ {2,30}(?:-\S+(?: \S+)*  +)?(\S.*)$", text.split("\n\n", 1)[1], re.MULTILINE)
        self.assertGreaterEqual(len(meanings), len(flags_in(text)) - 1)
        for meaning in meanings:
            self.assertIn("".join(meaning.split()), shown)

    def test_the_page_of_every_command_has_all_its_options(self):
        page = self.page("anel.1.gz")
        self.assert_has(page, help_of("anel").split("Subcommands:")[0])
        self.assertGreater(len(COMMANDS), 10)
        for command in COMMANDS:
            start = re.search(rf"(?m)^ {{3}}anel {command}( |$)", page)
            self.assertTrue(start, command)
            rest = page[start.end():]
            end = re.search(r"(?m)^( {3}anel [a-z]+|EXIT STATUS)( |$)", rest)
            self.assert_has(rest[:end.start()], help_of("anel", command))

    def test_the_page_of_the_node_has_all_its_settings(self):
        page = self.page("aneld.8.gz")
        self.assertGreater(len(flags_in(help_of("aneld"))), 25)
        self.assert_has(page, help_of("aneld"))
        for section in ("NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "FILES", "SEE ALSO"):
            self.assertRegex(page, rf"(?m)^{section}$")

    def test_pages_name_their_version(self):
        version = run(BINARIES / "aneld", "--version").stdout.strip()
        self.assertIn(version, self.page("aneld.8.gz"))


class Bash(unittest.TestCase):
    def complete(self, *words):
        """What bash would offer for the last of these words."""
        script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anel; printf "%s\\n" "${COMPREPLY[@]}"'
        return set(run("bash", "-c", script, "-", BUILT / "completion" / "anel", "anel", *words).stdout.split("\n")) - {""}

    def test_it_is_what_the_program_prints(self):
        self.assertEqual((BUILT / "completion" / "anel").read_text(), run(BINARIES / "anel", "completion", "bash").stdout)

    def test_every_command_and_every_flag(self):
        self.assertEqual(self.complete(""), set(COMMANDS) | flags_in(help_of("anel")))
        for command in COMMANDS:
            self.assertEqual(self.complete(command, "-"), flags_in(help_of("anel", command)), command)

    def test_values_and_paths(self):
        kinds = re.search(r"kind TEXT:\{(.*?)\}", help_of("anel", "bench"))[1]
        self.assertEqual(self.complete("bench", ""), set(kinds.split(",")))
        self.assertEqual(self.complete("bench", "--by", ""), {"nodes", "clients", "size"})
        self.assertEqual(self.complete("watch", "--from", "s"), {"start"})
        self.assertEqual(self.complete("completion", ""), {"bash", "zsh"})
        self.assertIn("/usr", self.complete("verify", "/us"))
        self.assertIn("/usr", self.complete("send", "--outbox", "/us"))
        self.assertEqual(self.complete("send", "--count", ""), set())


class Zsh(unittest.TestCase):
    def test_it_is_what_the_program_prints(self):
        self.assertEqual((BUILT / "completion" / "_anel").read_text(), run(BINARIES / "anel", "completion", "zsh").stdout)

    def offered(self, *words):
        """What the script hands to zsh's own functions, one word a line."""
        script = ('compdef() { :; }; source "$1"; shift\n'
                  '_describe() { print -l -- "${(@P)2}"; }\n'
                  '_arguments() { if [[ $1 == -C ]]; then if [[ -z $words[2] ]]; then state=command; else state=argument; '
                  'shift words; fi; else print -l -- "$@"; fi; }\n'
                  'words=("$@" ""); _anel')
        return run("zsh", "-fc", script, "-", BUILT / "completion" / "_anel", "anel", *words).stdout

    def test_every_command_and_every_flag(self):
        self.assertTrue(shutil.which("zsh"), "zsh is not installed")
        self.assertEqual(set(re.findall(r"^([a-z]+):", self.offered(), re.MULTILINE)), set(COMMANDS))
        for command in COMMANDS:
            offered = set(re.findall(r"^(-\S*?)\[", self.offered(command), re.MULTILINE))
            self.assertEqual(offered, flags_in(help_of("anel", command)), command)

    def test_the_real_completion_system_takes_it(self):
        """Every specification is read by zsh's own _arguments, which names what it cannot read."""
        for command in COMMANDS:
            for spec in self.offered(command).splitlines()[1:]:
                self.assertRegex(spec, r"^(-{1,2}[a-z][a-z-]*\[.+\](:.*:.*)?|\*:.*:.*)$")


if __name__ == "__main__":
    unittest.main(verbosity=2)

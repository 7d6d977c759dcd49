"""docs/OPERATIONS.md has all that an operator may meet: each message of the programs, each exit code, each alarm and
each setting. Usage: operations_test.py REPOSITORY"""

import pathlib
import re
import sys
import tempfile
import unittest

import messages

REPOSITORY = pathlib.Path(sys.argv[1])

# Kinds of errors that stay inside: the node takes its turn, nobody reads a line.
HANDLED = {"fenced", "newer_epoch", "output_full"}
# What strangers send is counted in the metrics (anel_..._malformed_total), not said.
COUNTED = {"ring/transport/codec.cpp", "ring/transport/links.cpp"}
# The findings of the doctor say what to do themselves.
SELF_SPOKEN = "client/doctor/"
NO_TROUBLE = ("%Y-%m-%dT", "anel {} incarnation", "anel up: {} nodes on", "anel up: the ring in a browser",
              "\\nanel up: {} rounds", "{} durable, {} under way", "and {} more up to message", "{}: '{}': {}",
              "durable, the last with sequence", "anel {}: {}", "aneld: {}", "node {} -> ", "exit code {}", "signal {}")
# Of words that stand in usage, all of which one sentence of the page covers.
USAGE = re.compile(r"^--|is allowed$|not beside a feed|allowed with tcp://|needs a ring of its own")


def read(*path):
    return (REPOSITORY.joinpath(*path)).read_text(encoding="utf-8")


def spans(page):
    """What stands in code marks outside of code blocks."""
    return re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL))


def of_operators(message):
    """Whether an operator may meet it."""
    return not (message.code in HANDLED or message.path in COUNTED or message.path.startswith(SELF_SPOKEN) or
                any(text in message.text for text in NO_TROUBLE) or USAGE.search(message.text))


def missing(page, found):
    """The messages that the page does not have."""
    known = spans(page)
    return [str(message) for message in found
            if not any(messages.pattern_of(message.text).search(span) for span in known)]


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = read("docs", "OPERATIONS.md")
        cls.said = list(messages.all_messages(REPOSITORY))

    def section(self, title):
        self.assertIn(title, self.page)
        return self.page.split(title)[1].split("\n## ")[0]

    def test_each_message_has_a_row(self):
        self.assertGreater(len(self.said), 200, "the sources are read")
        lacking = missing(self.page, [message for message in self.said if of_operators(message)])
        self.assertEqual(lacking, [], "docs/OPERATIONS.md, section 9, has no row for these")

    def test_each_row_is_of_a_message_that_is_still_said(self):
        heads = [messages.pattern_of(message.text) for message in self.said]
        sources = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "client").rglob("*.cpp"))
        rows = re.findall(r"^\| (`.*?) \|", self.section("## 9. Messages, and what to do"), re.MULTILINE)
        self.assertGreater(len(rows), 70)
        for row in rows:
            for span in re.findall(r"`([^`]+)`", row):
                if span.count(" ") > 1 and not span.startswith(("tcp://", "epoch ")):
                    self.assertTrue(span in sources or any(head.search(span) for head in heads), f"nothing says: {span}")

    def test_a_message_without_a_row_is_found(self):
        """The reader of the sources finds what it should, and says what is missing."""
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "ring").mkdir()
            pathlib.Path(folder, "client").mkdir()
            pathlib.Path(folder, "ring", "new.cpp").write_text(
                'return failure(ErrorCode::io_failed, fmt::format("the {} is on "\n    "fire: {}", what, why));\n'
                '// failure("not said")\nspdlog::warn("it is hot");\nthrow quiet("not said");\n', encoding="utf-8")
            found = list(messages.all_messages(folder))
        self.assertEqual([message.text for message in found], ["the {} is on fire: {}", "it is hot"])
        self.assertEqual(found[0].code, "io_failed")
        self.assertEqual(missing("`it is hot`", found), ["ring/new.cpp: the {} is on fire: {}"])
        self.assertEqual(missing("`it is hot` and `the house is on fire: ...`", found), [])

    def test_each_exit_code_of_a_node_has_a_row(self):
        ending = read("ring", "daemon", "ending.hpp")
        codes = set(re.findall(r"return (\d+);", ending)) | set(re.findall(r"exit_\w+ = (\d+);", ending))
        self.assertGreaterEqual(len(codes), 6)
        rows = set(re.findall(r"^\| .*?\| (\d+) \|", self.section("## 8. Exit codes"), re.MULTILINE))
        self.assertLessEqual(codes, rows)

    def test_each_reject_code_and_kind_of_error_is_told(self):
        kinds = re.search(r"enum class RejectCode \{(.*?)\};", read("common", "client_protocol.hpp"), re.DOTALL).group(1)
        codes = re.findall(r"^ +(\w+),", kinds, re.MULTILINE)
        self.assertGreater(len(codes), 8)
        table = read("docs", "PROTOCOL.md").split("## 1.8 Reject codes")[1].split("\n## ")[0]
        self.assertEqual(set(codes), set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)))

    def test_each_alarm_says_what_to_do(self):
        alarms = read("compose", "observe", "alarms.yml")
        told = self.section("### Alarms").split("\n**")[0]
        rows = [row for row in told.splitlines() if row.startswith("| ") and "---" not in row][1:]
        named = [name for row in rows for name in re.findall(r"`(Anel\w+)`", row)]
        self.assertEqual(sorted(named), sorted(re.findall(r"- alert: (\w+)", alarms)))
        for row in rows:
            self.assertTrue(all(cell.strip() for cell in row.strip("|").split("|")), row)

    def test_each_metric_says_when_to_look(self):
        """Their names are compared with a node's own by process.http."""
        rows = [row for row in self.section("### Metrics").split("###")[0].splitlines() if row.startswith("| `anel_")]
        self.assertGreater(len(rows), 40)
        for row in rows:
            self.assertEqual(len(row.strip("|").split(" | ")), 4, row)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

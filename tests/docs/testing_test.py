"""docs/TESTING.md names tests that are there: each name in its table of schedules and traps is a test of the kind that
stands before it, each counter a fault that the simulator has, and each path of the page leads somewhere.
Usage: testing_test.py REPOSITORY"""

import pathlib
import re
import sys
import unittest

REPOSITORY = pathlib.Path(sys.argv[1])
TESTS = REPOSITORY / "tests"
PAGE = (REPOSITORY / "docs" / "TESTING.md").read_text(encoding="utf-8")
# Where the tests of a kind stand.
UNITS = {"ledger": "ledger", "unit_core": "core", "unit_client": "client", "unit_common": "common", "unit_feed": "feed",
         "unit_transport": "transport"}
CASE = re.compile(r"BOOST_(?:AUTO|DATA|FIXTURE)_TEST_CASE(?:_F)?\(\s*(\w+)")


def section(title):
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def texts(folder, pattern):
    return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob(pattern))]


def files(folder, pattern):
    return {path.name for path in folder.rglob(pattern)}


def named(*lines):
    """The first cells of rows, without their marks."""
    return {line.strip("|").split("|")[0].strip(" `") for line in lines if line.startswith("| ")}


def known():
    """{kind: the names it may have}. What has no kind before it is a file of the tests, or a test of ctest."""
    names = {kind: set(CASE.findall("".join(texts(TESTS / "unit" / room, "*.cpp")))) | files(TESTS / "unit" / room, "*.cpp")
             for kind, room in UNITS.items()}
    for kind in ("process", "interop"):
        cases = re.findall(r"def (test_\w+)", "".join(texts(TESTS / kind, "*_test.py")))
        names[kind] = set(cases) | files(TESTS / kind, "*_test.py")
    models = (TESTS / "model" / "run.sh").read_text(encoding="utf-8")
    names["model"] = set(re.findall(r"^breaks\|(\w+)\|", models, re.MULTILINE))
    names["trace"] = files(TESTS / "traces", "*.trace")
    names["mutant"] = set(re.findall(r'^name = "(\w+)"', "".join(texts(TESTS / "mutants", "*.toml")), re.MULTILINE))
    names["simulate"] = named(*section("The simulator").splitlines()) | {"--months"}
    names[""] = set(re.findall(r"add_test\(NAME (\S+)", "".join(texts(TESTS, "CMakeLists.txt"))))
    return names


def claims(row):
    """(kind, name) of each test that the second cell of a row names. A remark in brackets names none."""
    _, tests = row.strip("|").split(" | ", 1)
    for part in re.sub(r"\([^)]*\)", "", tests).split("; "):
        kind = re.match(r"\s*(\w*)", part).group(1)
        for code, counter in re.findall(r'`([^`]+)`|"([^"]+)"', part):
            yield kind, code or counter


def untrue(rows, names):
    """The claims of rows that nothing stands behind."""
    return [f"{kind} {name}".strip() for row in rows for kind, name in claims(row)
            if name not in names.get(kind, ()) and not (name.startswith("tests/") and (REPOSITORY / name).exists())]


class Testing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.names = known()
        cls.rows = [line for line in section("Schedules and traps").splitlines() if line.startswith("| ")][1:]

    def test_each_named_test_is_there(self):
        self.assertGreater(len(self.rows), 60, "the table is read")
        self.assertGreater(sum(len(list(claims(row))) for row in self.rows), 130, "its names are read")
        self.assertEqual(untrue(self.rows, self.names), [], "docs/TESTING.md names tests that are not there")

    def test_each_row_names_a_test(self):
        for row in self.rows:
            self.assertTrue(list(claims(row)), row)

    def test_a_name_of_nothing_is_found(self):
        """Also one that is a test of another kind, or a model that shows no break."""
        case = sorted(name for name in self.names["ledger"] if not name.endswith(".cpp"))[0]
        rows = [f"| a trap | ledger `{case}`, `gone`; model `lock`, `progress`; process `fencing_test.py` (every place) |",
                f'| another | unit_core `{case}`; simulate "power cut", "earthquake"; `tests/gone.py`, `tests/docs` |']
        self.assertEqual(untrue(rows, self.names), ["ledger gone", "model progress", f"unit_core {case}",
                                                    "simulate earthquake", "tests/gone.py"])

    def test_each_path_leads_somewhere(self):
        paths = re.findall(r"`((?:tests|ring|client|common|docs|compose)/[^`\s]*)`", PAGE)
        self.assertGreater(len(paths), 20)
        self.assertEqual([path for path in paths if not (REPOSITORY / path).exists()], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

"""The figures' way into the page, from made-up results: verdicts, ratios, tables, plots."""

import itertools
import os
import tempfile
import unittest
import xml.dom.minidom

import musts
import page
import pictures
import rows
import tables
from results import Results

FOLDER = tempfile.TemporaryDirectory()
NUMBERS = itertools.count()
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def made_up(rate):
    """Every row measured, each at the same rate."""
    results = Results(os.path.join(FOLDER.name, f"{next(NUMBERS)}.json"))
    latency = {"p50_us": 300, "p99_us": 900, "max_us": 2000, "distribution": [[0.5, 300], [0.99, 900], [1.0, 2000]]}
    figures = {"messages_per_second": rate, "megabytes_per_second": rate / 1e4, "client_at_node_0": latency,
               "client_at_another_node": latency, "client_where_the_token_never_rests": latency, "latency": latency,
               "percent_of_a_core": 0.5, "written_bytes": 0, "switches_per_second": 10, "largest_node_mib": 12.5}
    for row in rows.anel_rows() + rows.peer_rows() + rows.sweep_rows(False):
        results.put(row.name, [figures] * 3)
    return results


def text_of_page():
    with open(os.path.join(ROOT, "docs", "PERFORMANCE.md"), encoding="utf-8") as file:
        return file.read()


class Musts(unittest.TestCase):
    def verdicts(self, results):
        return {must.what: must.verdict for must in musts.all_musts(results)}

    def test_what_is_reached_passes_and_what_is_not_fails(self):
        self.assertEqual(self.verdicts(made_up(1_000_000))["100 B messages"], "PASS")
        self.assertEqual(self.verdicts(made_up(999_999))["100 B messages"], "FAIL")

    def test_what_must_stay_below_fails_above(self):
        results = made_up(1_000_000)
        self.assertEqual(self.verdicts(results)["idle ring, all nodes"], "PASS")
        results.put("anel-idle", [{"percent_of_a_core": 1.5, "written_bytes": 4096, "largest_node_mib": 33}])
        self.assertEqual(self.verdicts(results)["idle ring, all nodes"], "FAIL")
        self.assertEqual(self.verdicts(results)["idle ring, written to disk in the run"], "FAIL")
        self.assertEqual(self.verdicts(results)["idle ring, largest node"], "FAIL")

    def test_a_ratio_is_that_of_medians(self):
        results = made_up(1_000_000)
        results.put("pipeline-100", [{"messages_per_second": rate} for rate in (1, 4_100_000, 9_000_000)])
        self.assertEqual(self.verdicts(results)["100 B against the plain pipeline"], "FAIL")
        results.put("pipeline-100", [{"messages_per_second": rate} for rate in (1, 3_900_000, 9_000_000)])
        self.assertEqual(self.verdicts(results)["100 B against the plain pipeline"], "PASS")

    def test_what_was_not_measured_is_neither(self):
        empty = Results(os.path.join(FOLDER.name, f"{next(NUMBERS)}.json"))
        self.assertEqual(set(self.verdicts(empty).values()), {"not measured"})


class Page(unittest.TestCase):
    def test_the_page_has_a_place_for_every_table_and_keeps_the_rest(self):
        before = text_of_page()
        made = tables.all_tables(made_up(1_234_567))
        after = page.rewritten(before, made)
        self.assertIn("1,234,567", after)
        self.assertEqual(page.rewritten(after, made), after)
        outside = [line for line in before.split("\n") if line and line[0] not in "|"]
        self.assertEqual(outside, [line for line in after.split("\n") if line and line[0] not in "|"])

    def test_a_page_without_a_place_is_refused(self):
        with self.assertRaisesRegex(page.NoMarkers, "machine"):
            page.rewritten("no markers", {"machine": "table"})

    def test_a_peer_that_is_not_here_leaves_a_gap(self):
        results = made_up(1000)
        results.put_absent("nats-100", "nats-server is not installed")
        self.assertIn("not here", next(line for line in tables.peer_table(results).split("\n") if "NATS" in line))

    def test_plots_are_svg_and_stand_in_the_page(self):
        text = text_of_page()
        for name, svg in pictures.all_pictures(made_up(1000)).items():
            xml.dom.minidom.parseString(svg)
            self.assertNotIn("nan", svg)
            self.assertIn(f"(plots/{name}.svg)", text)

    def test_nothing_measured_makes_no_plot_and_no_error(self):
        empty = Results(os.path.join(FOLDER.name, f"{next(NUMBERS)}.json"))
        self.assertEqual(set(pictures.all_pictures(empty).values()), {None})
        page.rewritten(text_of_page(), tables.all_tables(empty))


if __name__ == "__main__":
    unittest.main()

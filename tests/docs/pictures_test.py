"""The pictures of the documents are of today's programs: each story still goes as its picture shows, and a terminal
still says what stands there. Usage: pictures_test.py BINARIES"""

import pathlib
import re
import sys
import unittest
import xml.etree.ElementTree as xml

import draw
import pictures
import terminal
from story import Story
from traces import Reader, read

BINARIES = pathlib.Path(sys.argv[1]).resolve()
ROOT = pictures.PICTURES.parent.parent
AGAIN = "run ./dev pictures, look at the new picture, and see whether docs/EXPLAINED.md still tells it"

# What the text says of each picture, in this order.
POINTS = {
    "lap": ["decides round", "writes round", "token, hop .*: result of round", "bids of", "decides round", "is durable",
            "ack, round"],
    "standing_votes": ["push", "wake, with a copy of the push", "decides round", "writes round", "starts a sync",
                       "is durable", "ack, round"],
    "killed_holder": ["decides round 7", "is about to write round 7", "dies: kill -9", "suspect: link dropped", "call", "answer", "is granted epoch 2",
                      "view of epoch 2", "ready", "token, hop", "b: ack, round 7"],
    "fenced_sleeper": ["is about to decide round 7", "is stopped", "suspect: token overdue", "is granted epoch 2", "ack, round", "goes on",
                       "FENCED: the segment is sealed", "join: let me in", "view of epoch 3"],
    "power_cut": ["writes round 7", "the power goes", "volume: round 6", "starts", "is granted epoch 2", "a: welcome", "a: push",
                  "writes round 7", "a: ack, round 7", "volume: round 7"],
}


def steps_in(picture):
    """The steps that a picture was drawn from: its description."""
    found = xml.fromstring(picture).find("{http://www.w3.org/2000/svg}desc")
    return found.text.strip().split("\n")


class Pictures(unittest.TestCase):
    def test_each_story_goes_as_its_picture_shows(self):
        for name in pictures.STORIES:
            with self.subTest(name):
                today = draw.steps(pictures.tell(BINARIES, name))
                shown = steps_in((pictures.PICTURES / f"{name}.svg").read_text(encoding="utf-8"))
                self.assertEqual(today, shown, AGAIN)

    def test_each_story_has_the_points_that_the_text_makes(self):
        self.assertEqual(set(POINTS), set(pictures.STORIES))
        for name, points in POINTS.items():
            rest = iter(draw.steps(pictures.tell(BINARIES, name)))
            for point in points:
                self.assertTrue(any(re.search(point, step) for step in rest), f"{name}: {point} is missing or too early")

    def test_every_picture_is_shown_and_every_one_shown_is_there(self):
        shown = set()
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
            text = page.read_text(encoding="utf-8")
            for link in re.findall(r"(?:\]\(|src=\"|srcset=\")([^)\"]*pictures/[^)\"]+)", text):
                self.assertTrue((page.parent / link).is_file(), f"{page.name}: {link}")
                shown.add((page.parent / link).resolve())
        self.assertEqual(set(pictures.PICTURES.glob("*.*")) - shown, set(), "nothing shows these")

    def test_a_terminal_says_what_the_readme_shows(self):
        said = terminal.record(BINARIES)
        shown = (pictures.PICTURES / "terminal.svg").read_text(encoding="utf-8")
        for command, lines in said:
            self.assertIn(f">$ {command}<", shown)
            self.assertTrue(lines, command)
        text = "\n".join("\n".join(lines) for _, lines in said)
        for expected in ("#" * 56, "Mensagem: client", "ring: healthy", "clean: output and ledger agree"):
            self.assertIn(expected, text)
        xml.fromstring(terminal.picture(said))


class Traces(unittest.TestCase):
    def test_a_line_is_read_as_it_was_printed(self):
        term = Reader('link link=2 message={token epoch=1 hop=8 open={votes=[0, 1] bids=[{node=1 entries=[{frame={push '
                      'text="a \\\\ \\"\\x0ab"}}]}]}}').term()
        self.assertEqual((term.head, term["link"], term["message"].head), ("link", 2, "token"))
        self.assertEqual(term["message"]["open"]["votes"], [0, 1])
        self.assertEqual(term["message"]["open"]["bids"][0]["entries"][0]["frame"]["text"], 'a \\ "\nb')

    def test_a_message_that_never_came_is_lost_and_a_dead_node_ends(self):
        story = Story(read(["   0.000001 node 0 -> connect link=1 address=\"sim:1:4\"", "   0.000002 --- the picture begins",
                            "   0.000003 node 0 -> send_link link=1 message={token epoch=1 hop=2}",
                            "   0.000100 node 1 dies: kill -9", "   0.000200 --- the picture ends"]))
        self.assertEqual(draw.steps(story), ["0 -> 1: token, hop 2 (lost)", "1: dies: kill -9"])
        xml.fromstring(draw.Picture("A title", story).svg())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

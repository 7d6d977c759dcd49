"""The status page in a real browser, on a ring of five: what it shows, by keyboard, in the dark, on a phone."""

import importlib.util
import os
import shutil
import sys
import time
import unittest

SKIPPED = 77  # as ctest is told; it shows the test as skipped, and this line with --output-on-failure or -V
for missing, there in (("chromium", shutil.which("chromium")),
                       ("python3-websocket", importlib.util.find_spec("websocket"))):
    if not there:
        print(f"skipped: {missing} is not installed; ./dev test and ./dev page install it")
        sys.exit(SKIPPED)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))

from browser import Browser  # noqa: E402  (it needs websocket)
from common import main, push_text, wait_until  # noqa: E402
from http_ring import HttpRing  # noqa: E402

SECONDS = 90  # on a busy machine
PICTURES = os.environ.get("ANEL_PICTURES")  # a folder: what the page looks like is kept there


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = HttpRing(5)
        cls.addClassCleanup(lambda: cls.ring.__exit__(None, None, None))
        cls.ring.start()
        cls.ring.wait_healthy()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.complaints.clear()
        self.browser.screen(1200, 900)
        self.browser.prefer(color_scheme="light", reduced_motion="no-preference")
        self.open(1)

    def tearDown(self):
        self.assertEqual(self.browser.complaints, [], "the page complains")

    def open(self, node):
        self.browser.open(f"http://127.0.0.1:{self.ring.http[node]}/")
        self.until("document.querySelectorAll('#members .member').length === 5", "the ring is drawn")

    def until(self, condition, what):
        """Until a JavaScript expression is true."""
        def holds():
            return self.browser.ask(f"Boolean({condition})")
        wait_until(holds, SECONDS, f"{what}: {condition}", step=0.1)

    def focus_moves_on(self):
        """By one Tab. @return whether it is within the page; behind the last element it is the browser's own."""
        self.browser.press("Tab")
        return self.browser.ask("document.activeElement !== document.body")

    def look(self, name):
        if PICTURES:
            self.browser.picture(os.path.join(PICTURES, name + ".png"))

    def test_a_pushed_message_appears_and_is_text_whatever_it_is(self):
        push_text(self.ring, 3, "<img src=x onerror=alert(1)> & more")
        self.until("document.getElementById('output').innerText.includes('<img src=x onerror=alert(1)> & more')",
                   "the message is among the last lines")
        self.assertEqual(self.browser.ask("document.images.length"), 0)
        self.until("document.querySelector('#charts .line_1').getAttribute('d') !== ''", "messages a second are drawn")
        self.until("/ms/.test(document.querySelectorAll('.chart .value')[1].innerText)", "the ack latency is shown")
        self.until("document.getElementById('health').innerText === 'healthy'", "the ring is healthy")
        self.assertIn("nodes 0, 1, 2, 3, 4", self.browser.ask("document.getElementById('picture_text').textContent"))
        self.look("light")

    def test_an_open_round_shows_who_voted_and_who_bid(self):
        """A lap is over long before a picture of it is made, so the page is given one that shows it half way."""
        self.until("shown && shown.ring.parked", "a picture of the ring at rest")
        self.browser.ask("""document.getElementById('pause').click();
            window.rest = shown;
            window.half_way = {opener: 2, votes: [3, 4, 0], bids: [{node: 3, frames: 7}, {node: 0, frames: 150}]};
            window.drawn = (open, silent, holder) => {
                const nodes = rest.picture.nodes.map((node) => node.id === silent ? {id: node.id, answers: false} :
                    {...node, status: {...node.status, holder: node.id === holder, parked: node.id === holder}});
                draw({...rest.picture, nodes, token: {epoch: rest.ring.epoch, hop: 1, open}});
                const all = (kind) => [...document.querySelectorAll('#members .' + kind)];
                const at = (kind) => all(kind).map((badge) => badge.closest('.member').dataset.node).join();
                return {voted: at('badge_vote'), ticks: at('tick'), bid: at('badge_bid'),
                        texts: all('bid_text').map((one) => one.textContent).join(),
                        fills: all('badge_vote, .badge_bid').map((one) => getComputedStyle(one).fill),
                        round: document.getElementById('round').textContent};
            }; 0""")
        seen = self.browser.ask("drawn(half_way)")
        self.assertEqual((seen["voted"], seen["ticks"]), ("0,3,4", "0,3,4"))
        self.assertEqual((seen["bid"], seen["texts"]), ("0,3", "99+,7"))
        self.assertIn("A round is open, begun by node 2; voted: 3, 4, 0; frames bid: 7 of node 3, 150 of node 0.",
                      seen["round"])
        self.assertEqual(len({*seen["fills"], "rgb(0, 0, 0)"}), 3, "a vote and a bid have a colour each")
        self.look("open")
        # Who is gone has neither, whatever the token says of it; nor has anybody once the round is closed.
        seen = self.browser.ask("drawn(half_way, 3)")
        self.assertEqual((seen["voted"], seen["bid"], seen["texts"]), ("0,4", "0", "99+"))
        seen = self.browser.ask("drawn(null)")
        self.assertEqual((seen["voted"], seen["bid"]), ("", ""))
        self.assertNotIn("A round is open", seen["round"])
        # A token that rests has nothing under way: its round is open for whoever comes next.
        seen = self.browser.ask("drawn(half_way, null, 2)")
        self.assertEqual((seen["voted"], seen["bid"]), ("", ""))

    def test_a_killed_node_turns_grey_and_comes_back(self):
        gone = "document.querySelector('#members .member.gone[data-node=\"2\"]')"
        self.until(f"!{gone}", "node 2 is there")
        self.ring.nodes[2].kill()
        self.until(gone, "node 2 is grey")
        self.until("document.querySelector('#nodes tr.gone[data-node=\"2\"]')", "and in the table")
        self.until("document.getElementById('health').innerText === '4 of 5 nodes'", "the ring lacks a node")
        self.until("document.querySelectorAll('#arcs path').length === 4", "the ring goes on without it")
        self.look("gone")
        self.ring.nodes[2].start()
        self.until(f"!{gone} && document.querySelectorAll('#arcs path').length === 5", "node 2 is back")
        self.until("/joins/.test(document.querySelector('#views li').innerText)", "the reason is told")

    def test_a_node_that_served_the_page_is_missed_and_heard_again(self):
        self.ring.nodes[1].kill()
        self.until("!document.getElementById('notice').hidden && "
                   "document.getElementById('health').innerText === 'no news'", "the page says that it is old")
        # The browser's own word for a lost connection is no complaint of the page.
        self.browser.complaints.clear()
        self.ring.nodes[1].start()
        self.until("document.getElementById('notice').hidden && "
                   "document.getElementById('health').innerText === 'healthy'", "the page goes on by itself")
        self.browser.complaints[:] = [text for text in self.browser.complaints if "ERR_CONNECTION" not in text]

    def test_everything_is_reached_by_keyboard_and_the_focus_is_seen(self):
        reached = []
        while self.focus_moves_on():
            reached.append(self.browser.ask("document.activeElement.id || document.activeElement.className || "
                                            "document.activeElement.getAttribute('href')"))
            self.assertNotIn(self.browser.ask("getComputedStyle(document.activeElement).outlineStyle"), ("none", ""),
                             reached[-1])
            self.assertLess(len(reached), 50, reached)
        self.assertEqual(reached, ["skip", "pause", "output", "scroll", "/status", "/metrics", "/readyz"])
        self.browser.ask("document.getElementById('pause').focus()")
        self.browser.press(" ", "Space", " ")
        self.assertEqual(self.browser.ask("document.getElementById('pause').getAttribute('aria-pressed')"), "true")
        push_text(self.ring, 0, "while it pauses")
        time.sleep(1.5)  # three pictures: that nothing happens can only be waited for
        self.assertNotIn("while it pauses", self.browser.ask("document.getElementById('output').innerText"))
        self.browser.press(" ", "Space", " ")
        self.until("document.getElementById('output').innerText.includes('while it pauses')", "it goes on")

    def test_the_token_moves_rests_and_holds_still_for_those_who_want_it(self):
        place = "document.getElementById('token').getAttribute('cx')"
        self.until("document.querySelectorAll('#members .member.holder').length === 1", "the token is parked")
        self.until("/parked at node \\d/.test(document.getElementById('round').innerText)", "and the page says where")
        self.browser.ask(f"window.settled = {place}; 0")
        wait_until(lambda: self.browser.ask(f"window.before = window.settled; window.settled = {place}; "
                                            "window.before === window.settled"), SECONDS, "a parked token rests", 0.5)
        self.browser.prefer(reduced_motion="reduce")
        self.assertEqual(self.browser.ask("tokenMotion(shown.ring, {point: {hops: 100}}).speed"), 0)
        self.browser.prefer(reduced_motion="no-preference")
        moving = "tokenMotion({...shown.ring, parked: false}, {point: {hops: 100}}).speed"
        self.assertGreater(self.browser.ask(moving), 0)

    def test_dark_light_and_a_phone(self):
        grounds = set()
        for scheme in ("light", "dark"):
            self.browser.prefer(color_scheme=scheme)
            for name, width, phone in (("screen", 1200, False), ("phone", 360, True)):
                self.browser.screen(width, 800, phone)
                wide = self.browser.ask("document.documentElement.scrollWidth")
                self.assertLessEqual(wide, width, "nothing stands out of the page at its side")
                self.look(f"{scheme}-{name}")
            ground, ink, quiet = (self.browser.ask(f"getComputedStyle(document.querySelector('{element}')).{what}")
                                  for element, what in (("section", "backgroundColor"), ("body", "color"),
                                                        (".caption", "color")))
            self.assertGreater(contrast(ground, ink), 7)
            self.assertGreater(contrast(ground, quiet), 4.5)
            grounds.add(ground)
        self.assertEqual(len(grounds), 2, "dark is not light")

    def test_whatever_can_be_named_has_a_name(self):
        self.assertEqual(self.browser.ask("document.documentElement.lang"), "en")
        nameless = self.browser.ask("""[...document.querySelectorAll('svg, button, a, [tabindex], table, section')]
            .filter((one) => !(one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') ||
                               one.textContent.trim())).map((one) => one.outerHTML)""")
        self.assertEqual(nameless, [])
        self.until("/now .*, at most/.test(document.querySelector('.chart svg').getAttribute('aria-label'))",
                   "a chart says its figures")


def contrast(one, other):
    """Of two colours as computed styles have them, by the WCAG."""
    def light(colour):
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1:-1].split(",")[:3]]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


if __name__ == "__main__":
    main()

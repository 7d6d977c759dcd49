"""Takes the README's pictures of the status page, light and dark, on a ring of five with clients.
Usage: picture.py BINARIES FOLDER   (./dev pictures)"""

import os
import subprocess
import sys

FOLDER = os.path.abspath(sys.argv.pop(2)) if len(sys.argv) > 2 else sys.exit(__doc__)
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))

from browser import Browser  # noqa: E402
from common import BINARIES, wait_until  # noqa: E402
from http_ring import HttpRing  # noqa: E402

WIDTH, HEIGHT = 1200, 900
SHOWN_AFTER_S = 40  # the charts then have something to show


def clients(ring):
    """As the compose file has them: a message a second each, at a node of its own."""
    return [subprocess.Popen([os.path.join(BINARIES, "anel"), "demo", "--client", str(number), "--nodes", ring.addresses(),
                              "--first-node", str(number)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for number in range(5)]


def take(ring):
    with Browser() as browser:
        browser.screen(WIDTH, HEIGHT)
        browser.open(f"http://127.0.0.1:{ring.http[0]}/")
        wait_until(lambda: browser.ask("document.querySelectorAll('#members .member').length === 5"), 90, "the ring is drawn")
        wait_until(lambda: browser.ask(f"performance.now() > {SHOWN_AFTER_S * 1000}"), 120, "the charts have run", step=0.5)
        for scheme in ("light", "dark"):
            browser.prefer(color_scheme=scheme, reduced_motion="no-preference")
            browser.picture(os.path.join(FOLDER, f"page-{scheme}.png"), whole=False)


if __name__ == "__main__":
    with HttpRing(5, ANEL_LINGER_MS="1000") as ring:
        ring.wait_healthy()
        people = clients(ring)
        try:
            take(ring)
        finally:
            for one in people:
                one.kill()
                one.wait()

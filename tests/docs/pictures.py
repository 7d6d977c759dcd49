"""Draws docs/pictures: the stories of the simulator, and a terminal beside a real ring.
Usage: pictures.py BINARIES [FOLDER]   (./dev pictures; FOLDER is docs/pictures by default)"""

import pathlib
import subprocess
import sys

import draw
import terminal
from story import Story
from traces import read

PICTURES = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "pictures"
STORIES = {
    "lap": "One lap: a round is opened, voted on, decided, written, and acked when it is durable",
    "standing_votes": "Standing votes: the ring rests, and one message needs no lap of its own",
    "killed_holder": "The holder is killed between decide and write",
    "fenced_sleeper": "A holder is stopped in front of its decide, and wakes when the others have gone on",
    "power_cut": "The power goes behind the write and before the sync",
}


def tell(binaries, name):
    """A story of the simulator, from today's core."""
    done = subprocess.run([pathlib.Path(binaries, "simulate"), "--story", name], capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"simulate --story {name}: {done.stderr}")
    return Story(read(done.stdout.splitlines()))


def main(binaries, folder=PICTURES):
    binaries, folder = pathlib.Path(binaries).resolve(), pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, title in STORIES.items():
        (folder / f"{name}.svg").write_text(draw.Picture(title, tell(binaries, name)).svg(), encoding="utf-8")
    (folder / "terminal.svg").write_text(terminal.picture(terminal.record(binaries)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

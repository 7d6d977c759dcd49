"""A terminal beside a ring, as SVG: what the commands of the README really print."""

import html
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from ports import free_rows  # noqa: E402

STYLE = """<style>
text { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #23262b; white-space: pre }
.ground { fill: #f6f5f2; stroke: #d9d8d2 } .typed { fill: #2f5f9e; font-weight: 600 } .quiet { fill: #5f6670 }
.dot { fill: #d9d8d2 }
@media (prefers-color-scheme: dark) {
text { fill: #e4e6e9 } .ground { fill: #15171a; stroke: #32363c } .typed { fill: #86b4f0 } .quiet { fill: #9aa2ad }
.dot { fill: #32363c }
}
</style>"""
LINE, LETTER, LEFT, TOP = 18, 7.85, 18, 48


def record(binaries):
    """[(command, lines)]: what was typed beside a ring of five with five clients, and what came."""
    anel = pathlib.Path(binaries, "anel")
    clients, cluster = free_rows(2, 5)
    nodes = f"127.0.0.1:{clients}..{clients + 4}"
    environment = {**os.environ, "ANEL_NODES": nodes, "NO_COLOR": "1"}
    with tempfile.TemporaryDirectory() as folder:
        ring = subprocess.Popen([anel, "up", "--data", "shared_data", "--base-port", str(clients), "--cluster-base-port",
                                 str(cluster)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def typed(*words):
            done = subprocess.run([anel, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
                                  check=True)
            return (done.stdout + done.stderr).rstrip("\n").replace(str(folder) + "/", "").split("\n")
        try:
            rounds = whole_round(ring.stdout, 10)
            said = [("anel up", rounds), ("anel status", typed("status")),
                    ("anel verify shared_data", typed("verify", "shared_data"))]
        finally:
            ring.send_signal(signal.SIGINT)
            ring.stdout.read()
            ring.wait(30)
    for port in range(5):  # the ports that people have
        said = [(command, [line.replace(f"127.0.0.1:{clients + port}", f"127.0.0.1:{5000 + port}") for line in lines])
                for command, lines in said]
    return said


def whole_round(stream, messages):
    """The lines of the first round with a message of each client, or of what came within a while."""
    lines, until = [], time.monotonic() + 60
    while time.monotonic() < until:
        line = stream.readline()
        if not line:
            break
        lines.append(line.rstrip("\n"))
        if line.startswith("####"):
            if len(lines) > messages:
                return lines
            lines = []
    raise AssertionError("no round of all clients came")


def picture(said):
    rows = []
    for command, lines in said:
        rows += [("typed", "$ " + command)] + [("", line) for line in lines] + [("", "")]
    rows.pop()
    width = max(640, 2 * LEFT + LETTER * max(len(line) for _, line in rows))
    height = TOP + LINE * len(rows)
    parts = [f'<circle cx="{LEFT + 6 + 18 * index}" cy="20" r="5.5" class="dot"/>' for index in range(3)]
    for index, (kind, line) in enumerate(rows):
        parts.append(f'<text x="{LEFT}" y="{TOP + LINE * index}" class="{kind}" xml:space="preserve">'
                     f'{html.escape(line, False)}</text>')
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
            f'aria-label="A terminal: anel up, status and verify">\n{STYLE}\n'
            f'<rect class="ground" x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1}" rx="8"/>\n{body}\n</svg>\n')

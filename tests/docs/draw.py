"""A story as SVG, written by hand so that it needs nothing and reads well on light and on dark pages."""

import html

from story import CLIENTS, Arrow, Note, Span

STYLE = """<style>
text { font: 13px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #23262b; paint-order: stroke;
  stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
.ground { fill: #ffffff }
.head { font-size: 15px; font-weight: 600 } .title { font-size: 17px; font-weight: 600 }
.time, .gap { font-size: 11px; fill: #5f6670 }
.life { stroke: #b9bec6; stroke-width: 2 } .life.dead { stroke-dasharray: 2 6; stroke: #b3261e }
.span.token { fill: #c96a00; opacity: .85 } .span.frozen { fill: #8fabcf; opacity: .45 }
.arrow { fill: none; stroke-width: 1.6 } .lost { stroke-dasharray: 5 4 }
.token { stroke: #c96a00 } .control { stroke: #2f5f9e } .client { stroke: #1f7a4d }
text.token { fill: #9c5200 } text.control { fill: #2f5f9e } text.client { fill: #1f7a4d }
text.token, text.control, text.client { stroke: #ffffff }
.tip.token { fill: #c96a00 } .tip.control { fill: #2f5f9e } .tip.client { fill: #1f7a4d }
.dot { fill: #48607f } .dot.ledger { fill: #7a3d8f } .dot.bad { fill: #b3261e }
text.ledger { fill: #7a3d8f } text.bad { fill: #b3261e; font-weight: 600 } text.world { fill: #5f6670 }
@media (prefers-color-scheme: dark) {
text { fill: #e4e6e9; stroke: #15171a } .ground { fill: #15171a } .time, .gap { fill: #9aa2ad }
.life { stroke: #4b525c } .life.dead { stroke: #ff8a80 }
.span.token { fill: #ffab4a } .span.frozen { fill: #8fabcf }
.token { stroke: #ffab4a } .control { stroke: #86b4f0 } .client { stroke: #6cc596 }
text.token { fill: #ffab4a } text.control { fill: #86b4f0 } text.client { fill: #6cc596 }
text.token, text.control, text.client { stroke: #15171a }
.tip.token { fill: #ffab4a } .tip.control { fill: #86b4f0 } .tip.client { fill: #6cc596 }
.dot { fill: #8fabcf } .dot.ledger { fill: #d7a0ea } .dot.bad { fill: #ff8a80 }
text.ledger { fill: #d7a0ea } text.bad { fill: #ff8a80 } text.world { fill: #9aa2ad }
}
</style>"""
FIRST_LANE, LANE, ROW, TOP, BOTTOM, RIGHT = 110, 250, 27, 86, 24, 250


class Picture:
    """One story, drawn from the top down."""

    def __init__(self, title, story):
        self.title, self.story = title, story
        self.lanes = [CLIENTS] + sorted(story.nodes)
        self.width = FIRST_LANE + LANE * (len(self.lanes) - 1) + RIGHT
        self.height = TOP + ROW * len(story.times) + BOTTOM
        self.parts = []

    def x(self, lane):
        return FIRST_LANE + LANE * self.lanes.index(lane)

    @staticmethod
    def y(row):
        return TOP + ROW * row

    def put(self, part):
        self.parts.append(part)

    def text(self, x, y, words, kind="", anchor="start"):
        self.put(f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}">{html.escape(words, False)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.put(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" class="{kind}"/>')

    # --- the parts ----------------------------------------------------------------------------------
    def head(self):
        self.text(16, 26, self.title, "title")
        for lane in self.lanes:
            self.text(self.x(lane), TOP - 24, lane if lane == CLIENTS else f"node {lane}", "head", "middle")

    def lives(self):
        dead = [item for item in self.story.items if isinstance(item, Span) and item.kind == "dead"]
        for lane in self.lanes:
            at = self.y(0) - 14
            for span in [span for span in dead if span.lane == lane]:
                self.line(self.x(lane), at, self.x(lane), self.y(span.row), "life")
                self.line(self.x(lane), self.y(span.row), self.x(lane), self.y(span.end), "life dead")
                at = self.y(span.end)
            self.line(self.x(lane), at, self.x(lane), self.y(len(self.story.times) - 1) + 12, "life")

    def span(self, span):
        wide = {"token": 8, "frozen": 18}.get(span.kind)
        if wide:
            top, bottom = self.y(span.row), self.y(span.end)
            self.put(f'<rect x="{self.x(span.lane) - wide / 2:.0f}" y="{top:.0f}" width="{wide}" rx="3" '
                     f'height="{max(4, bottom - top):.0f}" class="span {span.kind}"/>')

    def arrow(self, arrow):
        x1, y1, x2 = self.x(arrow.lane), self.y(arrow.row), self.x(arrow.to)
        way = 1 if x2 > x1 else -1
        if arrow.end is None:  # it goes half of the way
            x2, y2, kind = x1 + (x2 - x1) * 0.45, y1 + ROW * 0.6, f"arrow lost {arrow.kind}"
        else:
            y2, kind = self.y(arrow.end), f"arrow {arrow.kind}"
        self.line(x1 + 5 * way, y1, x2 - 5 * way, y2, kind)
        if arrow.end is None:
            self.text(x2 + 6 * way, y2 + 5, "×", "bad", "middle")
        else:
            self.put(f'<path d="M{x2 - 3 * way:.0f} {y2:.0f} l{-9 * way} -4 l0 8 z" class="tip {arrow.kind}"/>')

    def arrow_label(self, arrow):
        way = 1 if self.x(arrow.to) > self.x(arrow.lane) else -1
        self.text(self.x(arrow.lane) + 14 * way, self.y(arrow.row) - 4, arrow.label, arrow.kind,
                  "start" if way > 0 else "end")

    def note(self, note):
        y = self.y(note.row)
        if note.lane is None:
            self.text(self.width / 2, y + 4, note.label, note.kind, "middle")
            return
        self.put(f'<circle cx="{self.x(note.lane):.0f}" cy="{y:.0f}" r="4.5" class="dot {note.kind}"/>')
        self.text(self.x(note.lane) + 14, y + 4, note.label, note.kind)

    def times(self):
        start, last = self.story.times[0], None
        for row, time in enumerate(self.story.times):
            stamp = f"{(time - start) / 1000:.1f} ms"
            if stamp != last:
                self.text(8, self.y(row) + 4, stamp, "time")
            last = stamp

    def svg(self):
        of = {kind: [item for item in self.story.items if isinstance(item, kind)] for kind in (Span, Arrow, Note)}
        self.head()
        self.lives()
        for draw, kind in ((self.span, Span), (self.arrow, Arrow), (self.arrow_label, Arrow), (self.note, Note)):
            for item in of[kind]:
                draw(item)
        self.times()
        body = "\n".join(self.parts)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img" '
                f'aria-label="{html.escape(self.title)}">\n<desc>\n{html.escape(chr(10).join(steps(self.story)), False)}\n'
                f'</desc>\n{STYLE}\n'
                f'<rect class="ground" width="{self.width}" height="{self.height}" rx="8"/>\n{body}\n</svg>\n')


def steps(story):
    """What a picture says, in order and without times: where it differs, another picture has to be looked at."""
    lines = []
    for item in story.items:
        if isinstance(item, Arrow):
            lines.append((item.row, f"{item.lane} -> {item.to}: {item.label}" + ("" if item.end is not None else " (lost)")))
        elif isinstance(item, Note) and item.kind != "gap":
            lines.append((item.row, f"{'all' if item.lane is None else item.lane}: {item.label}"))
    return [text for _, text in sorted(lines)]

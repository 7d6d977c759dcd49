"""Plots as SVG, written by hand so that they need nothing and read well on light and on dark pages."""

import html
import math

STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.title { font-size: 14px; fill: #24292f }
.axis { stroke: #8c959f; stroke-width: 1 }
.grid { stroke: #8c959f; stroke-width: .5; opacity: .35 }
.s0 { stroke: #3b6ea8; fill: #3b6ea8 } .s1 { stroke: #b5651d; fill: #b5651d }
.s2 { stroke: #4f8a5b; fill: #4f8a5b } .s3 { stroke: #8a5a9e; fill: #8a5a9e }
.line { fill: none; stroke-width: 2 } .spread { stroke-width: 1; opacity: .6 }
text.s0, text.s1, text.s2, text.s3 { stroke: none }
@media (prefers-color-scheme: dark) {
text { fill: #9aa4af } .title { fill: #d0d7de }
.s0 { stroke: #7aa7dc; fill: #7aa7dc } .s1 { stroke: #e0a15e; fill: #e0a15e }
.s2 { stroke: #86c193; fill: #86c193 } .s3 { stroke: #c09ad2; fill: #c09ad2 }
.line { fill: none } text.s0, text.s1, text.s2, text.s3 { stroke: none }
}
</style>"""

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 72, 150, 34, 46


def short(value):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


class Axis:
    """Maps values to places, by their logarithms where asked."""

    def __init__(self, low, high, from_, to, logarithmic):
        self.turn = math.log10 if logarithmic else float
        self.logarithmic = logarithmic
        self.low, self.high = low, high
        self.from_, self.to = from_, to

    def at(self, value):
        low, high = self.turn(self.low), self.turn(self.high)
        return self.from_ + (self.turn(value) - low) / ((high - low) or 1) * (self.to - self.from_)

    def ticks(self):
        if self.logarithmic:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            steps = (1, 2, 5) if last - first <= 2 else (1,)
            marks = [step * 10 ** power for power in range(first, last + 1) for step in steps]
        else:
            step = 10 ** math.floor(math.log10((self.high - self.low) / 2 or 1))
            step *= 2 if (self.high - self.low) / step > 6 else 1
            marks = [step * count for count in range(int(self.high / step) + 1)]
        return [mark for mark in marks if self.low <= mark <= self.high]


def text(x, y, words, anchor="middle", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{html.escape(words)}</text>'


def segment(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def picture(title, parts, height=HEIGHT):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
            f"<title>{html.escape(title)}</title>{STYLE}\n" + "\n".join(parts) + "\n</svg>\n")


def frame(title, x, y, x_name, y_name, x_ticks=None):
    parts = [text(LEFT, 18, title, "start", "title"), text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name),
             f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
             f"{html.escape(y_name)}</text>"]
    for mark in y.ticks():
        parts += [segment(LEFT, y.at(mark), WIDTH - RIGHT, y.at(mark), "grid"),
                  text(LEFT - 8, y.at(mark) + 4, short(mark), "end")]
    for mark, words in x_ticks or [(mark, short(mark)) for mark in x.ticks()]:
        parts += [segment(x.at(mark), HEIGHT - BOTTOM, x.at(mark), HEIGHT - BOTTOM + 4, "axis"),
                  text(x.at(mark), HEIGHT - BOTTOM + 18, words)]
    return parts + [segment(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis")]


def line_plot(title, x_name, y_name, series, x_ticks=None, y_logarithmic=True):
    """series: {name: [(x, y, lowest, highest), ...]}; without any point there is no plot."""
    points = [point for line in series.values() for point in line]
    if not points:
        return None
    xs = [point[0] for point in points]
    lows, highs = [point[2] for point in points], [point[3] for point in points]
    low = max(min(lows), 1e-3) / 1.3 if y_logarithmic else 0
    x = Axis(min(xs), max(xs), LEFT + 8, WIDTH - RIGHT - 8, True)
    y = Axis(low, max(highs) * 1.1, HEIGHT - BOTTOM, TOP, y_logarithmic)
    parts = frame(title, x, y, x_name, y_name, x_ticks)
    for number, (name, line) in enumerate(series.items()):
        kind = f"s{number % 4}"
        if not line:
            continue
        path = " ".join(f"{x.at(at):.1f},{y.at(value):.1f}" for at, value, _, _ in line)
        parts.append(f'<polyline points="{path}" class="{kind} line"/>')
        for at, value, lowest, highest in line:
            parts += [segment(x.at(at), y.at(max(lowest, y.low or 0)), x.at(at), y.at(highest), f"{kind} spread"),
                      f'<circle cx="{x.at(at):.1f}" cy="{y.at(value):.1f}" r="2.5" class="{kind}"/>']
        parts.append(text(WIDTH - RIGHT, y.at(line[-1][1]) + 4, name, "start", kind))
    return picture(title, parts)


def bar_plot(title, bars):
    """bars: [(name, value, lowest, highest, ours)], from the highest on, by their logarithms."""
    if not bars:
        return None
    bars = sorted(bars, key=lambda one: -one[1])
    height = TOP + 24 * len(bars) + 16
    x = Axis(10 ** math.floor(math.log10(min(one[1] for one in bars))), max(one[3] for one in bars), 250, WIDTH - 70, True)
    parts = [text(12, 18, title, "start", "title")]
    for number, (name, value, lowest, highest, ours) in enumerate(bars):
        y = TOP + 24 * number
        kind = "s0" if ours else "s1"
        parts += [text(242, y + 14, name, "end"),
                  f'<rect x="250" y="{y + 3}" width="{max(1.0, x.at(value) - 250):.1f}" height="15" class="{kind}" '
                  f'fill-opacity=".75"/>', segment(x.at(max(lowest, x.low)), y + 10.5, x.at(highest), y + 10.5, "axis"),
                  text(x.at(highest) + 6, y + 14, short(value), "start")]
    return picture(title, parts, height)

"""Draws docs/balancing.svg and prints the table of docs/balancing.md from the figures of the simulation.

  bazel run //tools/benchmark:balancing_simulation | python3 -m tools.benchmark.balancing
"""

import json
import math
import pathlib
import sys
from xml.sax.saxutils import escape

from tools.benchmark import chart

PICTURE = pathlib.Path(__file__).parents[2] / "docs" / "balancing.svg"
TITLES = {"even": "ten backends alike",
          "heterogeneous": "five backends three times as slow as the others",
          "one slow": "one backend becomes ten times as slow",
          "one cold": "one joins, five times as slow for five seconds",
          "one failing": "one fails half of its requests at once"}
LABEL_WIDTH = 178
ROW_HEIGHT = 20
# Milliseconds at the ends of the axis, which is logarithmic.
LEAST, MOST = 5, 1100


class Panel:
    """A line for each policy, from the median to the 99.9th percentile, with a dot at the 99th."""

    def __init__(self, title, policies):
        self.title = title
        self.policies = policies

    @property
    def height(self):
        return chart.TITLE_HEIGHT + ROW_HEIGHT * len(self.policies) + chart.NOTE_HEIGHT

    def draw(self, x, y):
        room = chart.PANEL_WIDTH - LABEL_WIDTH - 12
        start = x + LABEL_WIDTH

        def place(ms):
            return start + room * math.log(min(max(ms, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)

        parts = [f'<text class="title" x="{x}" y="{y + 16}">{escape(self.title)}</text>']
        bottom = y + self.height - chart.NOTE_HEIGHT
        for ms in (10, 30, 100, 300, 1000):
            parts.append(f'<line class="grid" x1="{place(ms):.1f}" x2="{place(ms):.1f}" y1="{y + chart.TITLE_HEIGHT - 6}" '
                         f'y2="{bottom}"/>')
            parts.append(f'<text class="note" x="{place(ms):.1f}" y="{bottom + 12}" text-anchor="middle">{ms}</text>')
        for i, (policy, of) in enumerate(self.policies.items()):
            middle = y + chart.TITLE_HEIGHT + ROW_HEIGHT * i + ROW_HEIGHT // 2 - 4
            parts.append(f'<text class="name" x="{start - 8}" y="{middle + 4}" text-anchor="end">{escape(policy)}</text>')
            parts.append(f'<line class="range" x1="{place(of["p50"]):.1f}" x2="{place(of["p999"]):.1f}" y1="{middle}" '
                         f'y2="{middle}"/>')
            parts.append(f'<circle class="own" cx="{place(of["p99"]):.1f}" cy="{middle}" r="5"/>')
        return "\n".join(parts)


def picture(figures):
    panels = [Panel(TITLES[scenario], policies) for scenario, policies in figures.items()]
    return chart.draw(panels, "Milliseconds, logarithmic: from the median to the 99.9th percentile, the dot is the 99th. "
                              "At 1000 clients give up.", "Response times by load-balancing policy")


def table(figures):
    """Median, 99th and 99.9th percentile in milliseconds, and the share of failed requests."""
    lines = ["| | " + " | ".join(figures) + " |", "|---|" + "---|" * len(figures)]
    for policy in next(iter(figures.values())):
        cells = []
        for of in (policies[policy] for policies in figures.values()):
            failed = f", {of['failed']:.1f} % failed" if of["failed"] >= 0.05 else ""
            cells.append(f"{of['p50']:.0f} / {of['p99']:.0f} / {of['p999']:.0f}{failed}")
        lines.append(f"| {policy} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    figures = json.load(sys.stdin)
    PICTURE.write_text(picture(figures), encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()

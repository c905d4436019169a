"""The results as one SVG of bar charts, written by hand: no library, readable on light and dark pages."""

from xml.sax.saxutils import escape

from tools.benchmark import report

COLUMNS = 2
PANEL_WIDTH = 430
LABEL_WIDTH = 104
VALUE_WIDTH = 62
BAR_HEIGHT = 18
BAR_STEP = 26
TITLE_HEIGHT = 34
NOTE_HEIGHT = 16
GAP = 24

_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .note { font-size: 11px; fill: #57606a; }
  .bar { fill: #9aa5b1; } .own { fill: #1f6feb; } .floor { fill: #d0d7de; }
  .least { stroke: #24292f; stroke-width: 2; }
  .name { font-size: 12px; } .grid { stroke: #d0d7de; } .range { stroke: #9aa5b1; stroke-width: 4; stroke-linecap: round; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .note { fill: #9198a1; }
    .bar { fill: #6e7681; } .own { fill: #4493f8; } .floor { fill: #3d444d; } .least { stroke: #e6edf3; }
    .grid { stroke: #3d444d; } .range { stroke: #6e7681; }
  }
"""


class Panel:
    """One chart: a bar per proxy, with a tick where the minimum is."""

    def __init__(self, title, form="{:,.1f}"):
        self.title = title
        self.form = form
        self.note = ""  # a line under the title
        self.bars = []  # (proxy, label, value, minimum or None)

    @property
    def height(self):
        return self._top() + BAR_STEP * len(self.bars)

    def _top(self):
        return TITLE_HEIGHT + (NOTE_HEIGHT if self.note else 0)

    def draw(self, x, y):
        most = max(value for _, _, value, _ in self.bars) or 1
        room = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH
        parts = [f'<text class="title" x="{x}" y="{y + 16}">{escape(self.title)}</text>']
        if self.note:
            parts.append(f'<text class="note" x="{x}" y="{y + 16 + NOTE_HEIGHT}">{escape(self.note)}</text>')
        for i, (proxy, label, value, minimum) in enumerate(self.bars):
            top = y + self._top() + i * BAR_STEP
            start, width = x + LABEL_WIDTH, max(1.0, room * value / most)
            kind = {"convoy": "own", "relay": "floor"}.get(proxy, "bar")
            parts.append(f'<text x="{start - 8}" y="{top + 13}" text-anchor="end">{escape(label)}</text>')
            parts.append(f'<rect class="{kind}" x="{start}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}" rx="2"/>')
            if minimum is not None:
                at = start + room * minimum / most
                parts.append(f'<line class="least" x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{top + BAR_HEIGHT}"/>')
            parts.append(f'<text x="{start + width + 6:.1f}" y="{top + 13}">{self.form.format(value)}</text>')
        return "\n".join(parts)


def panels_of(result):
    labels = report.labels_of(result)
    panels = []
    for row_name, connections in dict.fromkeys((line["row"], line["connections"]) for line in result["summary"]):
        lines = [line for line in result["summary"] if (line["row"], line["connections"]) == (row_name, connections)]
        unit = "handshake" if result["rows"][row_name]["group"] == "handshake" else "request"
        streams = result["rows"][row_name]["streams"]
        each = f" x {streams} streams" if streams > 1 else ""
        panel = Panel(f"CPU us/{unit}, {connections} connections{each}", "{:,.2f}")
        panel.note = result["rows"][row_name]["title"]
        panel.bars = [(line["proxy"], labels[line["proxy"]], line["cpu_us_median"], line["cpu_us_minimum"])
                      for line in lines]
        panels.append(panel)
    for key, heading, value_of, form in report.COUNT_COLUMNS:
        panel = Panel(heading, form)
        panel.bars = [(name, labels[name], value_of(of[key]), None)
                      for name, of in result["counts"].items() if of.get(key) is not None]
        if panel.bars:
            panels.append(panel)
    return panels


def draw(panels, note, label):
    """Panels side by side, with a line of text beneath."""
    parts, y = [], GAP
    for i in range(0, len(panels), COLUMNS):
        row = panels[i:i + COLUMNS]
        parts += [panel.draw(GAP + column * (PANEL_WIDTH + GAP), y) for column, panel in enumerate(row)]
        y += max(panel.height for panel in row) + GAP
    parts.append(f'<text class="note" x="{GAP}" y="{y + 4}">{escape(note)}</text>')
    width, height = GAP + COLUMNS * (PANEL_WIDTH + GAP), y + GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-label="{escape(label)}">\n'
            f"<style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n")


def svg(result):
    """The whole drawing. Lower is better in every panel."""
    note = "Lower is better. One worker on one core."
    if result["summary"]:
        rounds = max(line["rounds"] for line in result["summary"])
        note += f" CPU: median of {rounds} interleaved rounds, the tick is the minimum."
    return draw(panels_of(result), note, "Convoy beside its peers")

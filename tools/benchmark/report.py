"""Tables for people, in plain text and Markdown."""

from tools.benchmark import scenarios, summary

# (heading with the unit of the table, how to write the cell)
_CPU_COLUMNS = [
    ("proxy", lambda row, labels: labels[row["proxy"]]),
    ("CPU us/{unit}", lambda row, _: f"{row['cpu_us_median']:,.2f}"),
    ("minimum", lambda row, _: f"{row['cpu_us_minimum']:,.2f}"),
    ("of it user", lambda row, _: number(row["user_us_median"], "{:,.2f}")),
    ("vs best peer", lambda row, _: times(row["ratio_median"])),
    ("by minimum", lambda row, _: times(row["ratio_minimum"])),
    ("proxy's core", lambda row, _: f"{row['proxy_core_median']:.0%}"),
    ("load's core", lambda row, _: f"{row['load_core_median']:.0%}"),
    ("{unit}s/s", lambda row, _: f"{row['requests_per_second_median']:,.0f}"),
    ("p50 us", lambda row, _: number(row["p50_us_median"], "{:,.0f}")),
    ("p99 us", lambda row, _: number(row["p99_us_median"], "{:,.0f}")),
    ("upstream closed", lambda row, _: f"{row['upstream_closed']}"),
]

# (key in `counts`, heading, how to read the value, how to write it)
COUNT_COLUMNS = [
    ("instructions", "instructions/request", lambda value: value, "{:,.0f}"),
    ("syscalls", "system calls/request", lambda value: value, "{:.2f}"),
    ("idle_bytes", "bytes/idle connection", lambda value: value, "{:,.0f}"),
    ("start_ms", "start to first response, ms", lambda value: value["median"], "{:.1f}"),
    ("empty", "resident, empty config, MiB", lambda value: value["rss"] / 2**20, "{:.1f}"),
]


_WORDS = ("row", "proxy")  # columns that are no figures


def number(value, form):
    return "-" if value is None else form.format(value)


def times(value):
    return number(value, "{:.2f}x")


def groups_of(result):
    """The groups that have a figure: name -> lines of the summary."""
    found = {}
    for line in result["summary"]:
        found.setdefault(result["rows"][line["row"]]["group"], []).append(line)
    return found


def connections_of(result, line):
    """`64`, or `8 x 32` where each connection has so many requests at a time."""
    streams = result["rows"][line["row"]]["streams"]
    return f"{line['connections']} x {streams}" if streams > 1 else f"{line['connections']}"


def cpu_table(result, group):
    """(headings, rows) of text: the rows of one group."""
    labels, lines = labels_of(result), groups_of(result)[group]
    unit = "handshake" if group == "handshake" else "request"
    headings = ["row", "connections"] + [heading.format(unit=unit) for heading, _ in _CPU_COLUMNS]
    rows = [[result["rows"][line["row"]]["title"], connections_of(result, line)] +
            [cell(line, labels) for _, cell in _CPU_COLUMNS] for line in lines]
    return headings, rows


def notes(result, group):
    """Who has no figure in which row of a group, and why: in sentences."""
    labels = labels_of(result)
    found = [f"{labels[name]} takes no part in \"{row['title']}\": {why}."
             for row in result["rows"].values() if row["group"] == group for name, why in row["left_out"].items()]
    found += [f"FAILED: {labels[of['proxy']]} in \"{result['rows'][of['row']]['title']}\": "
              f"{of['message']}" for of in result["failures"] if result["rows"][of["row"]]["group"] == group]
    return found


def counts_table(result):
    """(headings, rows) of text; only the columns that were measured, each with its ratio to the better peer."""
    counts, peers = result["counts"], result["peers"]
    headings, columns = ["proxy"], []
    for key, heading, value_of, form in COUNT_COLUMNS:
        values = {name: value_of(of[key]) for name, of in counts.items() if of.get(key) is not None}
        if values:
            headings += [heading, "vs best peer"]
            best = [value for name, value in values.items() if name in peers]
            columns.append((values, best, form))
    rows = []
    for name in counts:
        row = [labels_of(result)[name]]
        for values, best, form in columns:
            row += [number(values.get(name), form), times(summary.ratio(values.get(name), best))]
        rows.append(row)
    return (headings, rows) if columns else (headings, [])


def labels_of(result):
    return {name: of["label"] for name, of in result["proxies"].items()}


def plain(headings, rows):
    """A table with aligned columns: words left, figures right."""
    widths = [max(len(line[i]) for line in [headings, *rows]) for i in range(len(headings))]
    left = [heading in _WORDS for heading in headings]

    def line(cells):
        return "  ".join(cell.ljust(width) if to_left else cell.rjust(width)
                         for cell, width, to_left in zip(cells, widths, left)).rstrip()

    return "\n".join([line(headings), line(["-" * width for width in widths]), *map(line, rows)])


def markdown_table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |",
             "|" + "|".join("---" if heading in _WORDS else "---:" for heading in headings) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def machine_and_versions(result):
    machine = result["machine"]
    versions = ", ".join(f"{of['label']} {of['version']}" for of in result["proxies"].values() if of.get("version"))
    return (f"{machine['cpu']}, {machine['cores']} {'virtual ' if machine['virtual'] else ''}cores, "
            f"Linux {machine['kernel']}, {machine['distribution']}. {versions}.")


def conditions(result):
    """On what and of what, in one paragraph."""
    text = machine_and_versions(result)
    if result["summary"]:
        amounts = dict.fromkeys(f"{row['rounds']} rounds of {row['duration']:g} s" for row in result["rows"].values())
        text += f" {' and '.join(amounts)}, interleaved; medians unless it says so."
    return text


def sections(result):
    """(title, headings, rows, notes) of every table that has rows."""
    found = []
    measured = groups_of(result)
    for group in dict.fromkeys(row["group"] for row in result["rows"].values()):
        title = f"CPU per {'handshake' if group == 'handshake' else 'request'}: {scenarios.GROUPS[group]}"
        table = cpu_table(result, group) if group in measured else ([], [])
        found.append((title, *table, notes(result, group)))
    if result["counts"]:
        headings, rows = counts_table(result)
        if rows:
            found.append(("Counts", headings, rows, []))
    return found


def text(result):
    parts = [conditions(result)]
    for title, headings, rows, remarks in sections(result):
        parts.append("\n".join([title, *([plain(headings, rows)] if rows else []), *remarks]))
    parts += [f"WARNING: {warning}" for warning in result["warnings"]]
    return "\n\n".join(parts)


def older_runs(result):
    """Where what this run did not measure comes from: a paragraph, or none."""
    titles = {**{name: row["title"] for name, row in result["rows"].items()},
              **{key: heading for key, heading, *_ in COUNT_COLUMNS}}
    now = machine_and_versions(result)
    found = {}
    for part, run in result.get("runs", {}).items():
        if (run["command"], run["date"]) != (result["command"], result["date"]):
            elsewhere = "" if run["conditions"] == now else f" ({run['conditions'].removesuffix('.')})"
            found.setdefault(f"`{run['command']}` on {run['date']}{elsewhere}", []).append(titles[part])
    lines = [f"- {'; '.join(parts)}: {by}" for by, parts in found.items()]
    return ["\n".join(["Measured before:", "", *lines])] if lines else []


def markdown(result, chart):
    """The page that is committed beside the JSON and the chart."""
    parts = ["# Results of tools/bench",
             f"Written by `{result['command']}` on {result['date']}; what is measured and how is in "
             "[README.md](README.md). Lower is better everywhere but in requests/s and handshakes/s.",
             conditions(result), *older_runs(result), f"![The same as a chart]({chart})"]
    for title, headings, rows, remarks in sections(result):
        parts += [f"## {title}", *([markdown_table(headings, rows)] if rows else []), *remarks]
    parts += [f"**Warning:** {warning}." for warning in result["warnings"]]
    return "\n\n".join(parts) + "\n"


def fleet_markdown(result, rows):
    """The page of tools/bench --fleet."""
    machine = result["machine"]
    return "\n\n".join([
        "# Results of tools/bench --fleet",
        f"Written by `{result['command']}` on {result['date']}; what is measured and how is in [README.md](README.md).",
        f"{machine['cpu']}, {machine['cores']} {'virtual ' if machine['virtual'] else ''}cores, Linux "
        f"{machine['kernel']}, {machine['distribution']}. Control plane, two nodes of two workers, backends and load share "
        "these cores.",
        "| figure | |\n|---|---|\n" + "\n".join(f"| {what} | {found} |" for what, found in rows)]) + "\n"

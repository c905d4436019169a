"""What is committed under docs/benchmarks, and how a run that measured a part of it goes into it.

A part is a row of the table "CPU per request" or a kind of count. `runs` in the JSON says of each part when it was
measured, by which command and under which conditions; a part that a later run does not measure stays as it was.
"""

import json
import os

from tools.benchmark import chart, report, scenarios, summary
from tools.benchmark.system import BenchError

FOLDER = "docs/benchmarks"


def read(root):
    """The committed result, or None if there is none."""
    try:
        with open(os.path.join(root, FOLDER, "results.json"), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BenchError(f"{FOLDER}/results.json is no JSON ({error}): measure everything") from None


def parts_of(result):
    """Names of what a result has figures of."""
    counted = [key for key, *_ in report.COUNT_COLUMNS if any(key in of for of in result["counts"].values())]
    return [*result["rows"], *counted]


def runs_of(result):
    """`runs`, made up for a result that is all of one run and does not say so."""
    one = {"command": result["command"], "date": result["date"], "conditions": report.machine_and_versions(result)}
    return {part: result.get("runs", {}).get(part, one) for part in parts_of(result)}


def merge(old, new):
    """The old result with the parts of the new one in place of its own."""
    if old is None:
        return {**new, "runs": runs_of(new)}
    if old["schema"] != new["schema"]:
        raise BenchError(f"{FOLDER}/results.json has schema {old['schema']}, not {new['schema']}: measure everything")
    rows = {**old["rows"], **new["rows"]}
    fresh = set(parts_of(new))
    counts = {}
    for name in dict.fromkeys([*old["counts"], *new["counts"]]):
        # The figures that belong to one kind go together: `syscalls_by_name` to `syscalls`.
        kept = {key: value for key, value in old["counts"].get(name, {}).items() if _kind(key) not in fresh}
        counts[name] = {**kept, **new["counts"].get(name, {})}
    lines = _in_order([*_without(old["summary"], fresh), *new["summary"]])
    return {
        **new,
        "proxies": {**old["proxies"], **new["proxies"]},
        "rows": {row.name: rows[row.name] for row in scenarios.ALL if row.name in rows},
        "samples": _in_order([*_without(old["samples"], fresh), *new["samples"]]),
        "summary": lines,
        "counts": counts,
        "warnings": summary.warnings(lines),
        "runs": {**runs_of(old), **runs_of(new)},
    }


def write(root, result, put):
    """The three files; put(path, text) writes one."""
    folder = os.path.join(root, FOLDER)
    os.makedirs(folder, exist_ok=True)
    put(os.path.join(folder, "results.json"), json.dumps(result, indent=1) + "\n")
    put(os.path.join(folder, "results.svg"), chart.svg(result))
    put(os.path.join(folder, "results.md"), report.markdown(result, "results.svg"))


def _kind(key):
    return key.removesuffix("_by_name")


def _without(lines, rows):
    return [line for line in lines if line["row"] not in rows]


def _in_order(lines):
    """By row, in the order of the table; what a row has stays in its order."""
    order = {row.name: i for i, row in enumerate(scenarios.ALL)}
    return sorted(lines, key=lambda line: order.get(line["row"], len(order)))

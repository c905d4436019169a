"""Prints the tables of docs/balancing.md about what balancing costs, from google-benchmark's JSON.

  bazel run //test/benchmark:balance_benchmark -- --benchmark_format=json | python3 -m tools.benchmark.pick_costs
"""

import json
import sys

# Of the benchmark's functions: what a row of the table is about.
TABLES = {"pick": "a pick, in ns",
          "result": "a result, in ns",
          "adopt": "a worker's new set of hosts and its first pick, in ns",
          "decode": "main's, of reading an assignment, in µs",
          "assign": "main's, of an assignment in which one host is another, in µs",
          "verdict": "main's, of another verdict on one host, in µs",
          "build": "a set of hosts that shares nothing with the one before, in µs"}
PER_UNIT = {"decode": 1000, "assign": 1000, "verdict": 1000, "build": 1000}


def rows_of(benchmarks, function):
    """Name -> hosts -> nanoseconds."""
    rows = {}
    for line in benchmarks:
        of, name, hosts = line["name"].split("/")
        if of == function:
            rows.setdefault(name, {})[int(hosts)] = line["cpu_time"]
    return rows


def table(benchmarks, function):
    rows = rows_of(benchmarks, function)
    sizes = sorted({hosts for of in rows.values() for hosts in of})
    lines = [f"| {TABLES[function]} | " + " | ".join(f"{hosts:,} hosts" for hosts in sizes) + " |",
             "|---|" + "---|" * len(sizes)]
    for name, of in rows.items():
        values = (of[hosts] / PER_UNIT.get(function, 1) for hosts in sizes)
        cells = (f"{value:,.0f}" if value >= 10 else f"{value:.1f}" for value in values)
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    benchmarks = json.load(sys.stdin)["benchmarks"]
    print("\n\n".join(table(benchmarks, function) for function in TABLES))


if __name__ == "__main__":
    main()

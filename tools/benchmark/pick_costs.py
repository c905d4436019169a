"""Prints the tables of docs/balancing.md about what balancing costs, from google-benchmark's JSON.

  bazel run //test/benchmark:balance_benchmark -- --benchmark_format=json | python3 -m tools.benchmark.pick_costs

Of several repetitions (--benchmark_repetitions=5) it takes the medians.
With --check it also names the picks at 100,000 hosts that cost more than they should; the exit status is 1 if there are any.
"""

import argparse
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

# What a pick should cost at most at so many hosts, in ns. (What compares hosts looks at a few of so many.)
BOUND_HOSTS = 100_000
BOUNDS = {"round_robin": 60, "round_robin_weighted": 60, "random": 60, "power_of_two": 60, "maglev": 60, "ring": 60}


def rows_of(benchmarks, function):
    """Name -> hosts -> nanoseconds."""
    rows = {}
    medians = [line for line in benchmarks if line.get("aggregate_name") == "median"]
    for line in medians or benchmarks:
        of, name, hosts = line["name"].removesuffix("_median").split("/")
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


def over_bounds(benchmarks):
    """What is wrong, a line each. A row that was not measured is wrong, too."""
    rows, lines = rows_of(benchmarks, "pick"), []
    for name, bound in BOUNDS.items():
        cost = rows.get(name, {}).get(BOUND_HOSTS)
        if cost is None:
            lines.append(f"{name}: not measured at {BOUND_HOSTS:,} hosts")
        elif cost > bound:
            lines.append(f"{name}: a pick of {BOUND_HOSTS:,} hosts costs {cost:.1f} ns, {bound} at most")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a pick costs more than it should")
    check = parser.parse_args().check
    benchmarks = json.load(sys.stdin)["benchmarks"]
    print("\n\n".join(table(benchmarks, function) for function in TABLES))
    wrong = over_bounds(benchmarks) if check else []
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

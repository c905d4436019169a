#!/usr/bin/env python3
"""The tables and the drawing of docs/balancing.md, from figures of the simulation and the benchmark."""

import json
import os
import subprocess
import sys
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.getcwd())

from tools.benchmark import balancing, pick_costs  # noqa: E402

FIGURES = {
    "even": {"random": {"p50": 7.1, "p99": 60.4, "p999": 99.6, "failed": 0.0},
             "weighted_least_connections": {"p50": 6.9, "p99": 45.2, "p999": 70, "failed": 0.0}},
    "one failing": {"random": {"p50": 6.2, "p99": 59, "p999": 90, "failed": 5.04},
                    "weighted_least_connections": {"p50": 1, "p99": 40, "p999": 60, "failed": 30}},
}


class BalancingTest(unittest.TestCase):
    def test_table(self):
        self.assertEqual(balancing.table(FIGURES).splitlines(), [
            "| | even | one failing |",
            "|---|---|---|",
            "| random | 7 / 60 / 100 | 6 / 59 / 90, 5.0 % failed |",
            "| weighted_least_connections | 7 / 45 / 70 | 1 / 40 / 60, 30.0 % failed |"])

    def test_picture(self):
        drawing = xml.etree.ElementTree.fromstring(balancing.picture(FIGURES))
        by_class = {}
        for element in drawing.iter():
            by_class.setdefault(element.get("class"), []).append(element)
        self.assertEqual([text.text for text in by_class["title"]],
                         ["ten backends alike", "one fails half of its requests at once"])
        self.assertEqual([text.text for text in by_class["name"]], ["random", "weighted_least_connections"] * 2)
        # A longer tail is a longer line, and its dot is farther to the right.
        lengths = [float(line.get("x2")) - float(line.get("x1")) for line in by_class["range"][:2]]
        self.assertGreater(lengths[0], lengths[1])
        dots = [float(dot.get("cx")) for dot in by_class["own"][:2]]
        self.assertGreater(dots[0], dots[1])

    def test_costs(self):
        benchmarks = [{"name": f"{function}/{name}/{hosts}", "cpu_time": ns}
                      for function, name, hosts, ns in [("pick", "power_of_two", 10, 9.87), ("pick", "power_of_two", 1000, 31.4),
                                                        ("build", "maglev", 10, 2345678)]]
        self.assertEqual(pick_costs.table(benchmarks, "pick").splitlines(), [
            "| a pick, in ns | 10 hosts | 1,000 hosts |",
            "|---|---|---|",
            "| power of two | 9.9 | 31 |"])
        self.assertEqual(pick_costs.table(benchmarks, "build").splitlines()[2:], ["| maglev | 2,346 |"])

    def test_costs_of_repetitions_are_their_medians(self):
        benchmarks = [{"name": "pick/ring/10", "cpu_time": ns} for ns in (10, 99, 20)]
        benchmarks += [{"name": f"pick/ring/10_{of}", "aggregate_name": of, "cpu_time": ns} for of, ns in (("mean", 43), ("median", 20))]
        self.assertEqual(pick_costs.rows_of(benchmarks, "pick"), {"ring": {10: 20}})

    def check(self, costs, *flags):
        """Exit status and complaints of the command, for picks at 100,000 hosts."""
        figures = json.dumps({"benchmarks": [{"name": f"pick/{name}/{hosts}", "cpu_time": ns * hosts / 100_000}
                                             for name, ns in costs.items() for hosts in (10, 100_000)]})
        result = subprocess.run([sys.executable, "-m", "tools.benchmark.pick_costs", *flags], input=figures, capture_output=True,
                                text=True, check=False)
        self.assertIn("| maglev | ", result.stdout)
        return result.returncode, result.stderr.splitlines()

    def test_picks_that_cost_too_much_are_named(self):
        bounds = {"round_robin": 60, "round_robin_weighted": 60, "random": 60, "power_of_two": 60, "maglev": 60, "ring": 60}
        # What has no bound may cost what it likes.
        self.assertEqual(self.check({**bounds, "power_of_two_weighted": 1000}, "--check"), (0, []))
        more = {name: bound + 0.1 for name, bound in bounds.items()}
        self.assertEqual(self.check(more, "--check"), (1, [
            f"{name}: a pick of 100,000 hosts costs {bound}.1 ns, {bound} at most" for name, bound in bounds.items()]))
        self.assertEqual(self.check({**bounds, "random": 83}, "--check"), (1, [
            "random: a pick of 100,000 hosts costs 83.0 ns, 60 at most"]))
        self.assertEqual(self.check(more), (0, []), "nobody has asked")

    def test_picks_that_were_not_measured_are_named(self):
        status, complaints = self.check({"maglev": 20}, "--check")
        self.assertEqual((status, len(complaints)), (1, 5))
        self.assertIn("ring: not measured at 100,000 hosts", complaints)


if __name__ == "__main__":
    unittest.main()

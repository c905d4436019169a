#!/usr/bin/env python3
"""Tests of what tools/bench computes and writes: parsing, statistics, ratios, tables, the chart."""

import contextlib
import copy
import io
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml_tree

sys.dont_write_bytecode = True
sys.path.insert(0, os.getcwd())

from tools.benchmark import chart, cli, counts, load, report, results, rounds, scenarios, summary  # noqa: E402
from tools.benchmark.system import BenchError  # noqa: E402


def sample(proxy, connections, cpu_us, **changes):
    made = {
        "row": "h1", "proxy": proxy, "connections": connections, "round": 0, "requests": 1000, "cpu_us": cpu_us,
        "user_us": cpu_us / 4, "proxy_core": 0.9, "load_core": 0.8, "others_on_proxy_core": 0.01, "stolen": 0.0,
        "upstream_closed": 0, "upstream_opened": 0, "requests_per_second": 50_000.0, "p50_us": 700.0, "p99_us": 1500.0,
    }
    made.update(changes)
    return made


SAMPLES = [sample(proxy, connections, cpu * scale)
           for connections, scale in ((64, 1.0), (256, 1.2))
           for proxy, values in (("convoy", (8.0, 9.0, 7.0)), ("nginx", (12.0, 10.0, 11.0)),
                                 ("haproxy", (13.0, 9.5, 15.0)), ("relay", (6.0, 6.1, 5.9)))
           for cpu in values]
HANDSHAKES = [sample(proxy, 16, cpu, row="handshake-full") for proxy, cpu in (("convoy", 200.0), ("nginx", 400.0))]


def row_described(name, **changes):
    row = next(row for row in scenarios.ALL if row.name == name)
    return {**row.describe(), "rounds": 3, "duration": 4, "left_out": {}, **changes}


def result(samples=None):
    rows = summary.summarise(SAMPLES + HANDSHAKES if samples is None else samples, ["nginx", "haproxy"])
    described = {
        "h1": row_described("h1"),
        "handshake-full": row_described("handshake-full", duration=2, left_out={"haproxy": "it has no TLS"}),
    }
    return {
        "schema": 2, "command": "tools/bench", "date": "2026-01-02",
        "machine": {"cpu": "Test CPU", "cores": 2, "virtual": True, "kernel": "6.1", "distribution": "Debian 12"},
        "settings": {}, "rows": {} if samples == [] else described, "failures": [],
        "proxies": {"convoy": {"label": "Convoy", "version": None}, "nginx": {"label": "nginx", "version": "1.22.1"},
                    "haproxy": {"label": "HAProxy", "version": "2.6.12"}, "relay": {"label": "relay", "version": None}},
        "peers": ["nginx", "haproxy"], "samples": [], "summary": rows, "warnings": summary.warnings(rows),
        "counts": {"convoy": {"instructions": 9_000.0, "syscalls": 4.1, "empty": {"rss": 10 << 20, "pss": 1}},
                   "nginx": {"instructions": 36_000.0, "syscalls": 6.0, "empty": {"rss": 20 << 20, "pss": 1}},
                   "haproxy": {"instructions": 60_000.0, "syscalls": 6.1, "empty": None},
                   "relay": {"instructions": 164.0}},
    }


def row_of(rows, connections, proxy):
    return next(row for row in rows if (row["connections"], row["proxy"]) == (connections, proxy))


class SummaryTest(unittest.TestCase):
    def setUp(self):
        self.rows = summary.summarise(SAMPLES, ["nginx", "haproxy"])

    def test_median_and_minimum(self):
        row = row_of(self.rows, 64, "convoy")
        self.assertEqual((row["cpu_us_median"], row["cpu_us_minimum"], row["cpu_us_maximum"]), (8.0, 7.0, 9.0))
        self.assertEqual(row["rounds"], 3)

    def test_the_better_peer_may_differ_between_median_and_minimum(self):
        row = row_of(self.rows, 64, "convoy")
        self.assertAlmostEqual(row["ratio_median"], 8.0 / 11.0)  # nginx
        self.assertAlmostEqual(row["ratio_minimum"], 7.0 / 9.5)  # HAProxy

    def test_ratios_stay_within_one_number_of_connections(self):
        row = row_of(self.rows, 256, "convoy")
        self.assertAlmostEqual(row["cpu_us_median"], 8.0 * 1.2)
        self.assertAlmostEqual(row["ratio_median"], 8.0 / 11.0)

    def test_ratios_stay_within_one_row(self):
        rows = summary.summarise(SAMPLES + [sample("convoy", 64, 90.0, row="h2"), sample("nginx", 64, 100.0, row="h2")],
                                 ["nginx", "haproxy"])
        ratios = {row["row"]: row["ratio_median"] for row in rows if (row["connections"], row["proxy"]) == (64, "convoy")}
        self.assertAlmostEqual(ratios["h1"], 8.0 / 11.0)
        self.assertAlmostEqual(ratios["h2"], 0.9)

    def test_without_peers_there_is_no_ratio(self):
        rows = summary.summarise([sample("convoy", 64, 8.0)], [])
        self.assertIsNone(rows[0]["ratio_median"])
        self.assertIn("-", report.times(rows[0]["ratio_median"]))

    def test_ratio(self):
        for value, others, expected in ((3.0, [6.0, 4.0], 0.75), (None, [6.0], None), (3.0, [], None),
                                        (3.0, [None, 6.0], 0.5)):
            self.assertEqual(summary.ratio(value, others), expected, (value, others))

    def test_values_that_are_missing_do_not_count(self):
        rows = summary.summarise([sample("nginx", 64, 8.0, p99_us=None), sample("nginx", 64, 9.0, p99_us=7.0)], [])
        self.assertEqual(rows[0]["p99_us_median"], 7.0)

    def test_warnings_name_what_disturbed_the_run(self):
        def disturbed(**changes):
            return summary.warnings(summary.summarise([sample("nginx", 64, 8.0, **changes)], []))

        self.assertEqual(disturbed(), [])
        self.assertRegex(disturbed(others_on_proxy_core=0.5)[0], "^h1: up to 50%")
        self.assertRegex(disturbed(stolen=0.1)[0], "10%")


class FakeRunning:
    scenario = scenarios.H1

    class peer:
        name = label = "nginx"


class SampleTest(unittest.TestCase):
    class Snapshot:
        class Part:
            def __init__(self, **values):
                self.__dict__.update(values)

        def __init__(self, time, requests, cpu, closed):
            self.time = time
            self.stats = {"requests": requests, "connections_closed": closed, "connections_accepted": 10 + closed}
            self.cpu = self.Part(total=cpu, user=cpu // 4, system=cpu - cpu // 4)
            self.proxy_core = self.Part(busy=cpu + int(time * 1e8), steal=0)
            self.load_core = self.Part(busy=int(time * 9e8), steal=int(time * 1e7))

    def test_a_window_is_a_difference(self):
        before, after = self.Snapshot(1.0, 500, 1_000_000_000, 2), self.Snapshot(3.0, 100_500, 2_000_000_000, 2)
        made = rounds.sample_of(before, after, {"p50_us": 1.0, "p99_us": 2.0}, 0, 64, FakeRunning)
        self.assertEqual((made["row"], made["proxy"]), ("h1", "nginx"))
        self.assertEqual(made["requests"], 100_000)
        self.assertAlmostEqual(made["cpu_us"], 10.0)
        self.assertAlmostEqual(made["user_us"], 2.5)
        self.assertAlmostEqual(made["proxy_core"], 0.5)
        self.assertAlmostEqual(made["load_core"], 0.9)
        self.assertAlmostEqual(made["others_on_proxy_core"], 0.1)
        self.assertAlmostEqual(made["stolen"], 0.01)
        self.assertAlmostEqual(made["requests_per_second"], 50_000)

    def test_a_window_that_measures_something_else_is_refused(self):
        good = {"requests": 1000, "bytes": 1100 * 1024}
        rounds.check(sample("nginx", 64, 8.0), good, FakeRunning)
        rounds.check(sample("nginx", 64, 8.0), {"requests": 1000, "bytes": None}, FakeRunning)
        with self.assertRaisesRegex(BenchError, "3 connections to the backend were closed"):
            rounds.check(sample("nginx", 64, 8.0, upstream_closed=3), good, FakeRunning)
        with self.assertRaisesRegex(BenchError, "only 5 requests"):
            rounds.check(sample("nginx", 64, 8.0, requests=5), good, FakeRunning)
        with self.assertRaisesRegex(BenchError, "only 512000 bytes"):
            rounds.check(sample("nginx", 64, 8.0), {"requests": 1000, "bytes": 512_000}, FakeRunning)


class RoundsTest(unittest.TestCase):
    """Rounds without processes: who is measured when."""

    class Scripted(rounds.Rounds):
        def __init__(self, script):
            super().__init__(None, None, type("Loads", (), {"scenario": scenarios.H1}), lambda line: None)
            self.script = script
            self.order = []

        def _sample(self, running, connections, seconds, round_number):
            self.order.append((round_number, connections, running.peer.name))
            if (running.peer.name, round_number) in self.script:
                raise BenchError(f"{running.peer.name} failed")
            return sample(running.peer.name, connections, 8.0)

    @staticmethod
    def runnings(*names):
        return [type("Running", (), {"peer": type("Peer", (), {"name": name, "label": name})}) for name in names]

    def test_the_order_moves_by_one(self):
        measure = self.Scripted(set())
        samples, failed = measure.measure(self.runnings("a", "b", "c"), 2, [64], 1)
        self.assertEqual([name for _, _, name in measure.order], ["a", "b", "c", "b", "c", "a"])
        self.assertEqual((len(samples), failed), (6, {}))

    def test_a_proxy_that_fails_once_is_out_and_the_others_go_on(self):
        measure = self.Scripted({("b", 1)})
        samples, failed = measure.measure(self.runnings("a", "b"), 3, [64, 256], 1)
        self.assertEqual(failed, {"b": "b failed"})
        self.assertEqual([made["proxy"] for made in samples], ["a"] * 6)
        self.assertEqual(measure.order.count((1, 256, "b")) + measure.order.count((2, 64, "b")), 0)

    def test_without_proxies_there_is_nothing(self):
        self.assertEqual(self.Scripted(set()).measure([], 3, [64], 1), ([], {}))


WRK = """Running 3s test @ http://127.0.0.1:18082/
  1 threads and 256 connections
  Latency Distribution
     50%    1.41ms
     75%    1.60ms
     90%    1.90ms
     99%  735.00us
  383001 requests in 3.02s, 419.32MB read
Requests/sec: 126754.12
"""

H2LOAD = """finished in 3.01s, 84192.00 req/s, 84.55MB/s
requests: 84192 total, 84448 started, 84192 done, 84192 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 84192 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 84.55MB (88654952) total, 904.98KB (926696) headers (space savings 90.59%), 82.22MB (86212608) data
"""

STRACE = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.020000          10      2000           sendto
 40.00    0.010000           5      2100       100 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.030000           7      4100       100 total
"""


class ParseTest(unittest.TestCase):
    def test_wrk(self):
        self.assertEqual(load.parse_wrk(WRK), {"requests": 383001, "bytes": int(419.32 * 2**20),
                                               "requests_per_second": 126754.12, "p50_us": 1410.0, "p99_us": 735.0})

    def test_failed_requests_are_refused(self):
        for line in ("  Socket errors: connect 0, read 1, write 0, timeout 0\n", "  Non-2xx or 3xx responses: 5\n"):
            with self.assertRaisesRegex(BenchError, "requests failed"):
                load.parse_wrk(WRK + line)
        load.parse_wrk(WRK + "  Socket errors: connect 0, read 0, write 0, timeout 0\n")

    def test_output_that_is_no_result_is_refused(self):
        for parse in (load.parse_wrk, load.parse_h2load, lambda text: load.parse_handshakes(text, True, 4)):
            with self.assertRaisesRegex(BenchError, "cannot read"):
                parse("unable to connect\n")

    def test_h2load(self):
        self.assertEqual(load.parse_h2load(H2LOAD), {"requests": 84192, "bytes": 86212608,
                                                     "requests_per_second": 84192.0, "p50_us": None, "p99_us": None})
        for good, bad in (("84192 succeeded, 0 failed", "84191 succeeded, 1 failed"), ("0 errored", "1 errored"),
                          ("84192 2xx, 0 3xx, 0 4xx, 0 5xx", "84190 2xx, 0 3xx, 0 4xx, 2 5xx")):
            with self.assertRaisesRegex(BenchError, "requests failed"):
                load.parse_h2load(H2LOAD.replace(good, bad))

    def test_handshakes(self):
        def parse(resumed, again, failed=0):
            text = f"connections 100 resumed {again} failed {failed} p50_us 900 p99_us 4000\n"
            return load.parse_handshakes(text, resumed, 16)

        self.assertEqual((parse(False, 0)["requests"], parse(True, 84)["p99_us"]), (100, 4000))
        with self.assertRaisesRegex(BenchError, "83 of 100 handshakes were resumed, not all"):
            parse(True, 83)
        with self.assertRaisesRegex(BenchError, "1 of 100 handshakes were resumed, not none"):
            parse(False, 1)
        with self.assertRaisesRegex(BenchError, "connections failed"):
            parse(False, 0, failed=1)

    def test_strace(self):
        self.assertEqual(counts.parse_strace(STRACE), {"sendto": 2000, "recvfrom": 2100})


class ReportTest(unittest.TestCase):
    def test_plain_table_is_aligned(self):
        lines = report.plain(["proxy", "us"], [["nginx", "1.00"], ["a longer name", "123.45"]]).split("\n")
        self.assertEqual(lines, ["proxy              us", "-------------  ------", "nginx            1.00",
                                 "a longer name  123.45"])

    def test_text_has_every_proxy_and_ratio(self):
        text = report.text(result())
        for expected in ("Convoy", "HAProxy 2.6.12", "0.73x", "0.25x", "9,000", "10.0", "3 rounds of 4 s and 3 rounds of 2 s"):
            self.assertIn(expected, text)
        self.assertNotIn("WARNING", text)

    def test_only_measured_columns_are_shown(self):
        headings, rows = report.counts_table(result())
        self.assertIn("instructions/request", headings)
        self.assertNotIn("bytes/idle connection", headings)
        haproxy = dict(zip(headings, next(row for row in rows if row[0] == "HAProxy")))
        self.assertEqual(haproxy["resident, empty config, MiB"], "-")

    def test_a_run_of_counts_alone_has_no_cpu_table(self):
        text = report.text(result(samples=[]))
        self.assertNotIn("CPU per request", text)
        self.assertIn("Counts", text)

    def test_every_group_has_a_table_in_its_unit(self):
        tables = {title: (headings, rows) for title, headings, rows, _ in report.sections(result())}
        headings, rows = tables["CPU per handshake: TLS handshakes"]
        self.assertIn("CPU us/handshake", headings)
        self.assertIn("handshakes/s", headings)
        self.assertEqual([row[:3] for row in rows], [["full handshake and one request", "16", "Convoy"],
                                                     ["full handshake and one request", "16", "nginx"]])
        self.assertEqual(len(tables["CPU per request: HTTP/1.1 to HTTP/1.1"][1]), 8)

    def test_streams_are_shown(self):
        made = {"rows": {"h2": row_described("h2")}}
        self.assertEqual(report.connections_of(made, {"row": "h2", "connections": 8}), "8 x 32")

    def test_who_is_left_out_or_failed_is_told(self):
        made = result()
        made["failures"] = [{"row": "h1", "proxy": "nginx", "message": "nginx ended at its start"},
                            {"row": "handshake-full", "proxy": "convoy", "message": "no window"}]
        for text in (report.text(made), report.markdown(made, "results.svg")):
            self.assertIn('HAProxy takes no part in "full handshake and one request": it has no TLS.', text)
            self.assertIn('FAILED: nginx in "HTTP/1.1 to HTTP/1.1": nginx ended at its start', text)
            self.assertIn('FAILED: Convoy in "full handshake and one request": no window', text)

    def test_a_row_without_a_figure_is_told_too(self):
        made = result(samples=[])
        made["rows"] = {"h2": row_described("h2")}
        made["failures"] = [{"row": "h2", "proxy": "convoy", "message": "configuration refused"}]
        self.assertIn("HTTP/2 to HTTP/1.1\nFAILED: Convoy", report.text(made))

    def test_markdown(self):
        page = report.markdown(result(), "results.svg")
        self.assertIn("](results.svg)", page)
        self.assertIn("| HTTP/1.1 to HTTP/1.1 | 64 | Convoy | 8.00 |", page)


class ResultsTest(unittest.TestCase):
    """What is under docs/benchmarks after a run of a part."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def run_bench(self, arguments, made):
        """Writes as tools/bench does after it has measured `made`."""
        with contextlib.redirect_stderr(io.StringIO()) as told:
            cli.write(self.root, cli.parse_arguments(arguments), {**made, "command": " ".join(["tools/bench", *arguments])})
        return told.getvalue()

    def page(self, name="results.md"):
        with open(os.path.join(self.root, results.FOLDER, name), encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def of_row(row, cpu_us):
        made = result(samples=[sample("convoy", 64, cpu_us, row=row), sample("nginx", 64, 40.0, row=row)])
        return {**made, "date": "2026-03-04", "rows": {row: row_described(row, rounds=1)}, "counts": {}}

    def test_a_full_run_makes_the_page_anew(self):
        self.run_bench([], self.of_row("h2", 20.0))
        self.run_bench([], result())
        self.assertIn("Written by `tools/bench` on 2026-01-02;", self.page())
        self.assertNotIn("Measured before", self.page())
        self.assertNotIn("HTTP/2", self.page())

    def test_a_row_comes_in_place_of_itself_and_the_rest_stays_as_it_was(self):
        self.run_bench([], result())
        before = self.page()
        self.run_bench(["--rows", "h1", "--write"], self.of_row("h1", 30.0))
        page = self.page()
        self.assertIn("Written by `tools/bench --rows h1 --write` on 2026-03-04;", page)
        self.assertIn("- full handshake and one request; instructions/request; system calls/request; "
                      "resident, empty config, MiB: `tools/bench` on 2026-01-02\n", page)
        self.assertIn("| HTTP/1.1 to HTTP/1.1 | 64 | Convoy | 30.00 |", page)
        self.assertNotIn("| HTTP/1.1 to HTTP/1.1 | 256 |", page)
        for title in ("## CPU per handshake", "## Counts"):
            self.assertEqual(page.split(title)[1].split("## ")[0], before.split(title)[1].split("## ")[0])
        xml_tree.fromstring(self.page("results.svg"))

    def test_a_row_that_was_not_there_is_added_in_its_place(self):
        self.run_bench([], result())
        self.run_bench(["--rows", "h2", "--write"], self.of_row("h2", 20.0))
        self.assertEqual([line for line in self.page().split("\n") if line.startswith("## CPU")],
                         ["## CPU per request: HTTP/1.1 to HTTP/1.1", "## CPU per request: HTTP/2 to HTTP/1.1",
                          "## CPU per handshake: TLS handshakes"])
        # A third run leaves both the others' dates alone.
        made = {**result(samples=[]), "date": "2026-05-06", "counts": {"convoy": {"syscalls": 3.9}, "nginx": {"syscalls": 7.0}}}
        self.run_bench(["--syscalls", "--write"], made)
        page = self.page()
        self.assertIn("- HTTP/2 (h2c) to HTTP/1.1: `tools/bench --rows h2 --write` on 2026-03-04\n", page)
        self.assertIn("| Convoy | 9,000 | 0.25x | 3.90 | 0.56x |", page)
        self.assertIn("| HAProxy | 60,000 | 1.67x | - |", page)

    def test_another_machine_is_told(self):
        elsewhere = result()
        elsewhere["machine"] = {**elsewhere["machine"], "cpu": "Other CPU"}
        self.run_bench([], elsewhere)
        self.run_bench(["--rows", "h1", "--write"], self.of_row("h1", 30.0))
        self.assertIn("`tools/bench` on 2026-01-02 (Other CPU, 2 virtual cores, Linux 6.1,", self.page())

    def test_what_is_no_whole_row_is_not_written(self):
        for flags in (["--only", "nginx"], ["--quick"], ["--browser-headers"], ["--json", "x"], ["--fleet"]):
            with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                cli.parse_arguments(["--write", *flags])
        self.assertIn("nothing is written", self.run_bench(["--rows", "h1"], result()))
        failed = {**result(), "failures": [{"row": "h1", "proxy": "nginx", "message": "x"}]}
        self.assertIn("nothing is written", self.run_bench(["--rows", "h1", "--write"], failed))
        self.assertFalse(os.path.exists(os.path.join(self.root, results.FOLDER)))

    def test_results_of_another_schema_are_left_alone(self):
        self.run_bench([], {**result(), "schema": 1})
        before = self.page()
        with self.assertRaisesRegex(BenchError, "schema 1, not 2"):
            self.run_bench(["--rows", "h1", "--write"], self.of_row("h1", 30.0))
        self.assertEqual(self.page(), before)


class ChartTest(unittest.TestCase):
    def test_is_well_formed_and_complete(self):
        drawn = xml_tree.fromstring(chart.svg(result()))
        texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
        for expected in ("CPU us/request, 64 connections", "CPU us/request, 256 connections",
                         "CPU us/handshake, 16 connections", "full handshake and one request", "instructions/request",
                         "Convoy", "8.00", "36,000"):
            self.assertIn(expected, texts)

    def test_bars_are_in_proportion(self):
        panel = chart.Panel("t")
        panel.bars = [("a", "a", 10.0, None), ("b", "b", 5.0, 2.5)]
        drawn = xml_tree.fromstring(f"<g>{panel.draw(0, 0)}</g>")
        widths = [float(bar.get("width")) for bar in drawn.iter("rect")]
        self.assertAlmostEqual(widths[1], widths[0] / 2)
        ticks = [float(tick.get("x1")) - chart.LABEL_WIDTH for tick in drawn.iter("line")]
        self.assertAlmostEqual(ticks[0], widths[0] / 4, places=1)

    def test_labels_are_escaped(self):
        named = copy.deepcopy(result())
        named["proxies"]["convoy"]["label"] = "<Convoy & co>"
        xml_tree.fromstring(chart.svg(named))


if __name__ == "__main__":
    unittest.main()

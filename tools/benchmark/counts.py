"""Figures that do not depend on the machine's mood: instructions, system calls, bytes, and the start.

Per-request figures are the difference of a short and a long run, divided by the difference in requests, so that the
start, the connecting and the end cancel out.
"""

import glob
import os
import re
import signal
import statistics
import time

from tools.benchmark import workload
from tools.benchmark.processes import output_of
from tools.benchmark.running import Running
from tools.benchmark.system import BenchError, memory, read, wait_for

CALLGRIND_REQUESTS = (1_000, 5_000)  # over one connection, one after the other
STRACE_CONNECTIONS = 64
STRACE_BATCHES = (50, 200)
IDLE_WARM_UP = 256
IDLE_CONNECTIONS = 4_000
STARTS = 9
_SETTLE_SECONDS = 0.5


class Counts:
    def __init__(self, processes, cores, backends, request, progress):
        self.processes = processes
        self.cores = cores
        self.backends = backends
        self.request = request
        self.progress = progress

    def _start(self, peer, prefix=(), empty=False):
        return Running(self.processes, peer, self.cores.proxy, self.backends, prefix, empty)

    def instructions(self, peer):
        """User-space instructions per request, by callgrind."""
        totals = []
        for requests in CALLGRIND_REQUESTS:
            out = self.processes.unique_path("callgrind")
            prefix = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}.%p"]
            with self._start(peer, prefix) as running:
                with workload.Client(running.port, self.request, 60.0) as client:
                    client.batches(1, requests)
                # The figures are written at the end of the process.
                self.processes.stop(running.child, grace=60.0)
            totals.append(_callgrind_total(out, running.child))
        short, long = CALLGRIND_REQUESTS
        result = (totals[1] - totals[0]) / (long - short)
        self.progress(f"{peer.label}: {result:,.0f} instructions/request")
        return result

    def syscalls(self, peer):
        """System calls per request with 64 connections that all have a request, by strace: all, and by name."""
        tables = []
        with self._start(peer) as running, workload.Client(running.port, self.request) as client:
            client.batches(STRACE_CONNECTIONS, 2)
            for batches in STRACE_BATCHES:
                out = self.processes.unique_path("strace")
                tracer = self.processes.start(["strace", "-f", "-c", "-o", out, "-p", str(running.pid)],
                                              self.cores.load)
                wait_for(lambda: _traced(running.pid), 10, "strace to attach")
                client.batches(STRACE_CONNECTIONS, batches)
                tracer.send_signal(signal.SIGINT)
                tracer.wait(timeout=10)
                self.processes.stop(tracer)
                tables.append(parse_strace(read(out)))
        requests = (STRACE_BATCHES[1] - STRACE_BATCHES[0]) * STRACE_CONNECTIONS
        names = {name: (tables[1].get(name, 0) - tables[0].get(name, 0)) / requests
                 for name in sorted(set(tables[0]) | set(tables[1]))}
        total = sum(names.values())
        self.progress(f"{peer.label}: {total:.2f} system calls/request")
        return total, {name: round(value, 4) for name, value in names.items() if round(value, 4) > 0}

    def idle_bytes(self, peer, connections=IDLE_CONNECTIONS):
        """Resident bytes per idle keep-alive connection that has had one request."""
        with self._start(peer) as running, workload.Client(running.port, self.request) as client:
            def open_more(count):
                for _ in range(count):
                    client.exchange(client.connect())
                time.sleep(_SETTLE_SECONDS)
                return memory(running.pid)[1]

            before = open_more(IDLE_WARM_UP)
            result = (open_more(connections) - before) / connections
        self.progress(f"{peer.label}: {result:,.0f} bytes/idle connection")
        return result

    def start_up(self, peer):
        """Milliseconds from the start of the process to its first response: with the workload's configuration."""
        times = []
        for _ in range(STARTS):
            started = time.monotonic()
            with self._start(peer):
                times.append((time.monotonic() - started) * 1e3)
        self.progress(f"{peer.label}: ready {statistics.median(times):.1f} ms after its start")
        return {"median": statistics.median(times), "minimum": min(times)}

    def empty(self, peer):
        """Resident bytes with an empty configuration; None for a proxy that has no such thing."""
        if not peer.has_empty:
            return None
        with self._start(peer, empty=True) as running:
            time.sleep(_SETTLE_SECONDS)
            rss, pss = memory(running.pid)
        self.progress(f"{peer.label}: {rss / 2**20:.1f} MiB resident with an empty configuration")
        return {"rss": rss, "pss": pss}


def _callgrind_total(out, child):
    files = [path for path in glob.glob(f"{out}.*") if os.path.getsize(path)]
    totals = [int(total) for path in files
              for total in re.findall(r"^(?:totals|summary): (\d+)", read(path), re.MULTILINE)[:1]]
    if not totals:
        raise BenchError(f"callgrind left no figures:\n{output_of(child)}")
    return sum(totals)


def _traced(pid):
    return re.search(r"^TracerPid:\s*[1-9]", read(f"/proc/{pid}/status", " "), re.MULTILINE)


def parse_strace(text):
    """Calls by name from the table of `strace -c`."""
    calls = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 5 and re.fullmatch(r"[\d.]+", fields[0]) and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3])
    return calls

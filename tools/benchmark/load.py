"""wrk, run for a time; what it printed, as numbers."""

import re

from tools.benchmark import workload
from tools.benchmark.processes import output_of
from tools.benchmark.system import BenchError, read

_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}


class Wrk:
    """One run in the background; `finish` waits for its end."""

    def __init__(self, processes, core, port, connections, seconds, headers):
        self.processes = processes
        self.seconds = seconds
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
        for name, value in headers:
            command += ["-H", f"{name}: {value}"]
        self.child = processes.start(command + [f"http://127.0.0.1:{port}{workload.PATH}"], core)

    def finish(self):
        try:
            self.child.wait(timeout=self.seconds + 15)
            output = read(self.child.out_path)
            if self.child.returncode != 0:
                raise BenchError(f"wrk failed: {output_of(self.child)}")
        finally:
            self.processes.stop(self.child, grace=0.0)
        return parse(output)


def parse(output):
    """requests, requests_per_second, p50_us, p99_us of one run; raises if a request failed."""
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if bad or (errors and any(int(count) for count in errors.groups())):
        raise BenchError(f"requests failed under load:\n{output}")
    total = re.search(r"(\d+) requests in ", output)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", output)
    if not total or not rate:
        raise BenchError(f"cannot read what wrk printed:\n{output}")
    return {
        "requests": int(total.group(1)),
        "requests_per_second": float(rate.group(1)),
        "p50_us": _percentile(output, 50),
        "p99_us": _percentile(output, 99),
    }


def _percentile(output, percent):
    found = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", output, re.MULTILINE)
    return float(found.group(1)) * _UNITS[found.group(2)] if found else None

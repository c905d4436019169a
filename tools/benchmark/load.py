"""The programs that make the load, run for a time; what they printed, as numbers.

wrk for HTTP/1.1, h2load for HTTP/2, our `handshakes` for new TLS connections. Each is one process on the load's core.
"""

import os
import re

from tools.benchmark import certificate, workload
from tools.benchmark.processes import output_of
from tools.benchmark.system import BenchError, read

HANDSHAKES_TARGET = "//tools/benchmark:handshakes"
_HANDSHAKES = "bazel-bin/tools/benchmark/handshakes"
_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}


class Load:
    """One run in the background; `finish` waits for its end."""

    def __init__(self, processes, core, command, seconds, parse, environment=None):
        self.processes = processes
        self.seconds = seconds
        self.parse = parse
        self.child = processes.start(command, core, environment=environment)

    def finish(self):
        try:
            self.child.wait(timeout=self.seconds + 15)
            output = read(self.child.out_path)
            if self.child.returncode != 0:
                raise BenchError(f"the load failed: {output_of(self.child)}")
        finally:
            self.processes.stop(self.child, grace=0.0)
        return self.parse(output)


class Loads:
    """Starts the load of one row against any port."""

    def __init__(self, processes, core, root, scenario, headers, files):
        """`files` is the certificate of the rows with TLS."""
        self.processes = processes
        self.core = core
        self.scenario = scenario
        self.headers = headers
        self.files = files
        self.handshakes = os.path.join(root, _HANDSHAKES)
        self.request_path = _write(processes, "request", workload.request_bytes(headers))
        self.message_path = _write(processes, "message", workload.GRPC_MESSAGE)

    def start(self, port, connections, seconds):
        command, parse, environment = {"wrk": self._wrk, "h2load": self._h2load,
                                       "handshakes": self._handshakes}[self.scenario.tool](port, connections, seconds)
        return Load(self.processes, self.core, command, seconds, parse, environment)

    def _wrk(self, port, connections, seconds):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
        for name, value in self.headers:
            command += ["-H", f"{name}: {value}"]
        # wrk takes OpenSSL's defaults, so those are set.
        environment = {"OPENSSL_CONF": self.files.client_defaults} if self.scenario.tls else None
        scheme = "https" if self.scenario.tls else "http"
        return [*command, f"{scheme}://127.0.0.1:{port}{workload.PATH}"], parse_wrk, environment

    def _h2load(self, port, connections, seconds):
        # Its windows are 1 GiB by default, so that it never holds a response back.
        command = ["h2load", "-t1", f"-c{connections}", f"-m{self.scenario.streams}", f"-D{seconds}",
                   f"--connect-to=127.0.0.1:{port}"]
        headers = [(name.lower(), value) for name, value in self.headers if name != "Host"]
        if self.scenario.grpc:
            headers += workload.GRPC_HEADERS
            command += ["-d", self.message_path]
        for name, value in headers:
            command += ["-H", f"{name}: {value}"]
        scheme = "http"
        if self.scenario.tls:
            scheme = "https"
            command += [f"--tls13-ciphers={certificate.CIPHER}", f"--groups={certificate.CURVE}", "--npn-list=h2"]
        return [*command, f"{scheme}://{certificate.NAME}{workload.path_of(self.scenario)}"], parse_h2load, None

    def _handshakes(self, port, connections, seconds):
        kind = "resumed" if self.scenario.resumed else "full"

        def parse(output):
            return parse_handshakes(output, self.scenario.resumed, connections)

        return [self.handshakes, str(port), str(seconds), str(connections), kind, self.request_path], parse, None


def _write(processes, name, content):
    path = processes.unique_path(name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def parse_wrk(output):
    """requests, bytes, requests_per_second, p50_us, p99_us of one run; raises if a request failed."""
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if bad or (errors and any(int(count) for count in errors.groups())):
        raise BenchError(f"requests failed under load:\n{output}")
    total = re.search(r"(\d+) requests in [\d.]+\w+, ([\d.]+)([KMGT]?)B read", output)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", output)
    if not total or not rate:
        raise BenchError(f"cannot read what wrk printed:\n{output}")
    return {
        "requests": int(total.group(1)),
        "bytes": _bytes(total.group(2), total.group(3)),
        "requests_per_second": float(rate.group(1)),
        "p50_us": _percentile(output, 50),
        "p99_us": _percentile(output, 99),
    }


def parse_h2load(output):
    """The same of h2load, which knows no percentiles."""
    counted = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, "
                        r"(\d+) timeout", output)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output)
    traffic = re.search(r"\((\d+)\) data", output)
    rate = re.search(r"finished in \S+, ([\d.]+) req/s", output)
    if not (counted and codes and traffic and rate):
        raise BenchError(f"cannot read what h2load printed:\n{output[-2000:]}")
    done, succeeded, *wrong = (int(count) for count in counted.groups())
    others = [int(count) for count in codes.groups()[1:]]
    if done != succeeded or any(wrong) or any(others):
        raise BenchError(f"requests failed under load:\n{output[-2000:]}")
    return {"requests": done, "bytes": int(traffic.group(1)), "requests_per_second": float(rate.group(1)),
            "p50_us": None, "p99_us": None}


def parse_handshakes(output, resumed, connections):
    """The same of `handshakes`; raises unless all of them were of the kind that was asked for."""
    found = re.search(r"connections (\d+) resumed (\d+) failed (\d+) p50_us (\d+) p99_us (\d+)", output)
    if not found:
        raise BenchError(f"cannot read what handshakes printed:\n{output}")
    total, again, failed, p50, p99 = (int(number) for number in found.groups())
    if failed:
        raise BenchError(f"connections failed under load:\n{output}")
    # The first connection of each client has no ticket yet.
    if resumed and again < total - connections or not resumed and again:
        raise BenchError(f"{again} of {total} handshakes were resumed, not {'all' if resumed else 'none'}")
    return {"requests": total, "bytes": None, "requests_per_second": None, "p50_us": p50, "p99_us": p99}


def _bytes(number, unit):
    return int(float(number) * 1024 ** " KMGT".index(unit or " "))


def _percentile(output, percent):
    found = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", output, re.MULTILINE)
    return float(found.group(1)) * _UNITS[found.group(2)] if found else None

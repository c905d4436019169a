"""The backends of a row, two ports of one process, and what they count."""

import os
import struct

from tools.benchmark import system, workload

TARGET = "//tools/sample:backend"
BINARY = "bazel-bin/tools/sample/backend"
H2_TARGET = "//tools/benchmark:h2_backend"
H2_BINARY = "bazel-bin/tools/benchmark/h2_backend"


class StatsFile:
    """What the HTTP/2 backend counts, in the file that it has mapped: nobody is asked, and nothing is disturbed."""

    def __init__(self, path):
        self._path = path

    def __call__(self):
        with open(self._path, "rb") as file:
            accepted, closed, requests = struct.unpack("=3Q", file.read(24))
        return {"connections_accepted": accepted, "connections_closed": closed, "requests": requests}

    def close(self):
        pass


class Backends:
    """Use as a context manager."""

    def __init__(self, processes, core, root, scenario):
        self._processes = processes
        if scenario.upstream_http2:
            path = processes.unique_path("stats")
            self._child, self.ports = start_h2(processes, core, os.path.join(root, H2_BINARY), path, scenario.body_bytes)
            self.stats = StatsFile(path)
        else:
            self._child, self.ports = start(processes, core, os.path.join(root, BINARY), scenario.body_bytes)
            self.stats = workload.BackendStats(self.ports[0])

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stats.close()
        self._processes.stop(self._child, grace=0.0)


def start(processes, core, binary, body_bytes=workload.BODY_BYTES):
    """The sample backend, HTTP/1.1; returns (child, ports)."""
    command = [binary, "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--name", "bench",
               "--body-bytes", str(body_bytes)]
    for header in workload.RESPONSE_HEADERS:
        command += ["--header", header]
    return _listening(processes.start(command, core))


def start_h2(processes, core, binary, stats_path, body_bytes):
    """The backend that speaks cleartext HTTP/2 and answers as the other one does; returns (child, ports)."""
    return _listening(processes.start([binary, stats_path, str(body_bytes), "x-backend: bench",
                                       *workload.RESPONSE_HEADERS], core))


def _listening(child):
    def lines():
        return [line for line in system.read(child.out_path, " ").split("\n") if line.startswith("listening on ")]

    found = system.wait_for(lambda: len(lines()) == 2 and lines(), 10, "the backend")
    return child, [int(line.rpartition(":")[2]) for line in found]

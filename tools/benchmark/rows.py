"""The table "CPU per request", row by row: backends, proxies, load, rounds.

A proxy that does not start in a row, or fails under its load, is told; the others and the rows after it are measured
all the same, and the run does not succeed.
"""

import contextlib

from tools.benchmark import certificate, rounds, scenarios
from tools.benchmark.backends import Backends
from tools.benchmark.load import Loads
from tools.benchmark.running import Running
from tools.benchmark.system import BenchError


class Rows:
    """What all rows of a run share. `amounts` says the rounds, seconds and connections of a row."""

    def __init__(self, processes, cores, root, headers, progress, amounts):
        self.processes = processes
        self.cores = cores
        self.root = root
        self.headers = headers
        self.progress = progress
        self.amounts = amounts
        self._certificate = None

    def measure(self, chosen, rows):
        """(rows as they go into the JSON, samples, failures)"""
        described, samples, failures = {}, [], []
        for row in rows:
            able = [peer for peer in chosen if not peer.cannot(row)]
            amount = self.amounts(row)
            described[row.name] = {
                **row.describe(), **amount,
                "left_out": {peer.name: peer.cannot(row) for peer in chosen if peer.counts_as_peer and peer.cannot(row)},
            }
            if not able:
                continue
            found, failed = self._measure_row(row, able, amount)
            samples += found
            failures += failed
        return described, samples, failures

    def _measure_row(self, row, peers, amount):
        """(samples, failures)"""
        failures = []

        def fail(name, error):
            self.progress(f"FAILED: {row.name}: {error}")
            failures.append({"row": row.name, "proxy": name, "message": str(error).strip()})

        files = self._files() if row.tls else None
        with contextlib.ExitStack() as stack:
            backends = stack.enter_context(Backends(self.processes, self.cores.load, self.root, row))
            loads = Loads(self.processes, self.cores.load, self.root, row, self.headers, files)
            runnings = []
            for peer in peers:
                try:
                    runnings.append(stack.enter_context(Running(
                        self.processes, peer, self.cores.proxy, backends.ports, scenario=row, certificate=files,
                        message_path=loads.message_path)))
                except BenchError as error:
                    fail(peer.name, error)
            measure = rounds.Rounds(self.cores, backends.stats, loads, self.progress)
            samples, failed = measure.measure(runnings, amount["rounds"], amount["clients"], amount["duration"])
            for name, error in failed.items():
                fail(name, error)
            return samples, failures

    def _files(self):
        if self._certificate is None:
            self._certificate = certificate.create(self.processes.folder)
        return self._certificate


def amounts_of(options):
    """How much of a row is measured: its first figure, HTTP/1.1, is measured longer, since it is compared most."""
    def of(row):
        first = row is scenarios.H1
        default = (2, 1) if options.quick and first else (1, 1) if options.quick else (7, 4) if first else (7, 2)
        clients = list(row.clients)
        if first:
            clients = options.connections or (clients[:1] if options.quick else clients)
        return {"rounds": options.rounds or default[0], "duration": options.duration or default[1], "clients": clients}

    return of

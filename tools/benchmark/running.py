"""One proxy that runs: started, ready, with its port, its process id and its access log."""

import os

from tools.benchmark import probe, scenarios, workload
from tools.benchmark.peer import Setup
from tools.benchmark.processes import output_of
from tools.benchmark.system import BenchError, free_port, wait_for

_START_SECONDS = 60.0  # under valgrind a start takes long
_ANSWER_SECONDS = 10.0  # ... but the rows have none
_ATTEMPTS = 3
_LOG_BUFFER = 64 * 1024


class Running:
    """Use as a context manager, or call `stop`."""

    def __init__(self, processes, peer, core, backends, prefix=(), empty=False, scenario=scenarios.H1, certificate=None,
                 message_path=None):
        self.processes = processes
        self.peer = peer
        self.scenario = scenario
        self.message_path = message_path  # the body of a gRPC call
        self.child = None
        # A free port may be taken by somebody else before the proxy has it: then once more with another one.
        for attempt in range(_ATTEMPTS):
            self.setup = Setup(processes.unique_path(peer.name), free_port(), backends, scenario, certificate)
            command = peer.empty_command(self.setup) if empty else peer.command(self.setup)
            stdout = self.setup.access_log if peer.logs_to_stdout else None
            self.child = processes.start([*prefix, *command], core, stdout=stdout)
            try:
                self._wait(peer.ready_path if empty else workload.PATH)
            except BenchError as error:
                output = output_of(self.child)
                processes.stop(self.child)
                raise BenchError(f"{error}\n{output}") from error
            if self.child.poll() is None:
                return
            if attempt + 1 == _ATTEMPTS:
                raise BenchError(f"{peer.label} ended at its start: {' '.join(command)}\n{output_of(self.child)}")
            processes.stop(self.child)

    def _wait(self, path):
        """Until the proxy answers as it should, or has ended."""
        what = f"{self.peer.label}: first response"
        if self.scenario is scenarios.H1:
            wait_for(lambda: self.child.poll() is not None or workload.answers(self.port, path), _START_SECONDS, what)
            return
        last = None

        def answers():
            nonlocal last
            last = probe.complaint(self.scenario, self.port, self.message_path)
            return last is None

        try:
            wait_for(lambda: self.child.poll() is not None or answers(), _ANSWER_SECONDS, what, interval=0.05)
        except BenchError as error:
            raise BenchError(f"{error}: {last}") from error

    @property
    def port(self):
        return self.setup.port

    @property
    def pid(self):
        return self.child.pid

    def forget_log(self):
        """Empties the access log: the proxies append to it."""
        if os.path.exists(self.setup.access_log):
            os.truncate(self.setup.access_log, 0)

    def check_log(self, requests):
        """Asserts that the access log was really on: about a line for every request since it was emptied.

        What a proxy may keep in its buffer is not asked for.
        """
        if self.peer.name == "relay":
            return
        size = os.path.getsize(self.setup.access_log) if os.path.exists(self.setup.access_log) else 0
        if size < requests * 0.9 * 80 - _LOG_BUFFER:
            raise BenchError(f"{self.peer.label} wrote {size} bytes of access log for {requests} requests: "
                             "it does not do the work of the others")

    def stop(self):
        self.processes.stop(self.child)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

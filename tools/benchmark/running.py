"""One proxy that runs: started, ready, with its port, its process id and its access log."""

import os

from tools.benchmark import peers, workload
from tools.benchmark.processes import output_of
from tools.benchmark.system import BenchError, free_port, wait_for

_START_SECONDS = 60.0  # under valgrind a start takes long
_ATTEMPTS = 3


class Running:
    """Use as a context manager, or call `stop`."""

    def __init__(self, processes, peer, core, backends, prefix=(), empty=False):
        self.processes = processes
        self.peer = peer
        self.child = None
        # A free port may be taken by somebody else before the proxy has it: then once more with another one.
        for attempt in range(_ATTEMPTS):
            self.setup = peers.Setup(processes.unique_path(peer.name), free_port(), backends)
            command = peer.empty_command(self.setup) if empty else peer.command(self.setup)
            stdout = self.setup.access_log if peer.logs_to_stdout else None
            self.child = processes.start([*prefix, *command], core, stdout=stdout)
            path = peer.ready_path if empty else workload.PATH
            try:
                wait_for(lambda p=path: self.child.poll() is not None or workload.answers(self.setup.port, p),
                         _START_SECONDS, f"{peer.label}: first response")
            except BenchError as error:
                raise BenchError(f"{error}\n{output_of(self.child)}") from error
            if self.child.poll() is None:
                return
            if attempt + 1 == _ATTEMPTS:
                raise BenchError(f"{peer.label} ended at its start: {' '.join(command)}\n{output_of(self.child)}")
            processes.stop(self.child)

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
        """Asserts that the access log was really on: about a line for every request since it was emptied."""
        if self.peer.name == "relay":
            return
        size = os.path.getsize(self.setup.access_log) if os.path.exists(self.setup.access_log) else 0
        if size < requests * 0.9 * 80:
            raise BenchError(f"{self.peer.label} wrote {size} bytes of access log for {requests} requests: "
                             "it does not do the work of the others")

    def stop(self):
        self.processes.stop(self.child)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

"""What every proxy that is compared has: where it runs, and what it can take part in.

A peer writes its configuration into a folder and says with which command it runs in the foreground, as one process
with one worker. The settings that only make it faster have their reason beside them.
"""

import os
import re
import subprocess

from tools.benchmark import scenarios

LONG = 86_400  # seconds; no idle timeout may fall into a measurement
CONNECTIONS = 8_192  # client connections that each proxy is prepared for
UPSTREAM_IDLE = 2_048  # connections to the backends that each proxy may keep


class Setup:
    """Where one run of a proxy listens, whom it forwards to, for which row, and where its files go."""

    def __init__(self, folder, port, backends, scenario=scenarios.H1, certificate=None):
        self.folder = folder
        self.port = port
        self.backends = backends
        self.scenario = scenario
        self.certificate = certificate  # of the rows with TLS
        self.access_log = os.path.join(folder, "access.log")
        os.makedirs(folder, exist_ok=True)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Peer:
    name = ""
    label = ""
    reuses_upstream = True  # keeps its connections to the backends when a client goes
    logs_to_stdout = False
    counts_as_peer = False  # one of those that Convoy is measured against
    has_empty = True  # there is a configuration without any forwarding
    ready_path = "/"  # what answers 200 on `setup.port` with the empty configuration

    def __init__(self, binary):
        self.binary = binary

    def missing(self):
        """Why this proxy cannot take part, or nothing."""
        return None if self.binary and os.access(self.binary, os.X_OK) else f"{self.binary or self.name} is not there"

    def cannot(self, scenario):
        """Why this proxy has no figure in a row, or nothing."""
        del scenario
        return None

    def version(self):
        return None

    def command(self, setup):
        """Writes the configuration of the workload; returns the command."""
        raise NotImplementedError

    def empty_command(self, setup):
        """The same with as little configuration as it starts with; `setup.port` answers."""
        raise NotImplementedError

    def _version_from(self, flag, pattern):
        done = subprocess.run([self.binary, flag], capture_output=True, text=True, timeout=10, check=False)
        found = re.search(pattern, done.stdout + done.stderr)
        return found.group(1) if found else "unknown"

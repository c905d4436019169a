"""Real processes for end-to-end tests: convoy-control, convoy-proxy, sample backends, convoyctl, traffic.

Every port is 0; every wait is bounded; what was started is ended, whatever happens.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

SECONDS = 30


def wait_until(condition, what):
    """Polls until the condition gives something true, and returns that."""
    end = time.monotonic() + SECONDS
    pause = 0.005
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    raise AssertionError(f"not within {SECONDS} s: {what}")


def free_port():
    """A port that nobody has, over UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return udp.getsockname()[1]


class Process:
    """A child with its output in a file. `env`: its environment; None: ours."""

    def __init__(self, folder, name, *command, env=None, pass_fds=()):
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                            pass_fds=pass_fds)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def found(self, pattern):
        """Waits for the pattern in the output and returns its groups."""
        def look():
            match = re.search(pattern, self.text(), re.MULTILINE)
            if match is None and self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.text()}")
            return match
        return wait_until(look, f"{pattern} in the output of {self.name}").groups()

    def end(self, number=signal.SIGTERM):
        """Ends it and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended()

    def ended(self):
        """Waits for an end that has begun and returns its exit code."""
        try:
            self.process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=SECONDS)
            raise AssertionError(f"{self.name} did not end") from None
        return self.process.returncode


class Fleet:
    """A control plane and what belongs to it, in a folder of its own."""

    def __init__(self, control_flags=(), ctl_flags=(), node_flags=()):
        """The flags: of convoy-control; of each convoyctl that talks to it; of `convoyctl node bootstrap`."""
        self.control_flags, self.ctl_flags, self.node_flags = control_flags, ctl_flags, node_flags
        self._folder = tempfile.TemporaryDirectory(prefix="convoy-e2e")
        self.folder = self._folder.name
        self.processes = []
        self.management = "127.0.0.1:0"
        self.xds = "127.0.0.1:0"
        self.start_control()

    def close(self):
        for process in reversed(self.processes):
            if process.process.poll() is None:
                process.process.kill()
            process.process.wait(timeout=SECONDS)
        self._folder.cleanup()

    def start(self, name, *command):
        process = Process(self.folder, name, *command)
        self.processes.append(process)
        return process

    def start_control(self):
        """Starts the control plane; a second time: on the same store and addresses."""
        runs = sum(p.name.startswith("control") for p in self.processes)
        self.control = self.start(f"control-{runs}", "controlplane/convoy-control", "--store",
                                  os.path.join(self.folder, "convoy.db"), "--listen", self.management,
                                  "--xds-listen", self.xds, *self.control_flags)
        self.management, self.xds = self.control.found(r"^ready management=(\S+) xds=(\S+) ")

    def start_node(self, name, *labels, zone=None, flags=()):
        placed = [a for label in labels for a in ("--label", label)] + (["--zone", zone] if zone else [])
        node = self.launch_node(name, "127.0.0.1:0", [*self.node_flags, *placed], flags)
        node.admin, = node.found(r"convoy-proxy is live admin=(\S+)")
        return node

    def launch_node(self, name, admin, bootstrap_flags, flags=()):
        """Starts it and does not wait."""
        result = self.call_ctl("node", "bootstrap", "--id", name, "--control-plane", self.xds, "--admin", admin, *bootstrap_flags)
        if result.returncode != 0:
            raise AssertionError(f"no bootstrap for {name}: {result.stderr}")
        path = os.path.join(self.folder, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(result.stdout)
        return self.start(name, "proxy/convoy-proxy", "-c", path, "--concurrency", "2", *flags)

    def start_backend(self, name, *flags):
        """Returns its address."""
        return self.start(name, "tools/sample/backend", "--name", name, *flags).found(r"^listening on (\S+)$")[0]

    def start_session_backend(self, name):
        """A backend each of whose answers begins the session `session-of-NAME`."""
        return self.start_backend(name, "--header", f"Set-Cookie: JSESSIONID=session-of-{name}; Path=/; HttpOnly")

    def run_ctl(self, *arguments, stdin=""):
        return self.call_ctl("--server", self.management, *self.ctl_flags, *arguments, stdin=stdin)

    def call_ctl(self, *arguments, stdin=""):
        """As it is called, with the test's folder as home."""
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "USER": "test"}
        return subprocess.run(["tools/convoyctl", *arguments], input=stdin, text=True, capture_output=True, timeout=SECONDS * 2,
                              env=environment, check=False)

    def ctl(self, *arguments, stdin=""):
        result = self.run_ctl(*arguments, stdin=stdin)
        if result.returncode != 0:
            logs = "\n".join(f"-- {p.name}\n{p.text()[-1500:]}" for p in self.processes)
            raise AssertionError(f"convoyctl {arguments} ended with {result.returncode}: {result.stderr}\n{logs}")
        return result.stdout

    def apply(self, yaml, *arguments):
        """Applies and waits until every node has it."""
        return self.ctl("apply", "-f", "-", "--wait", "20s", *arguments, stdin=yaml)

    def revision(self):
        """The head's."""
        return int(json.loads(self.ctl("status", "-o", "json")).get("revision", 0))

    def nodes(self):
        return {node["id"]: node for node in json.loads(self.ctl("status", "-o", "json")).get("nodes", [])}

    def start_traffic(self, *urls):
        traffic = self.start(f"traffic-{len(self.processes)}", "python3", "tools/lib/traffic.py", "--connections", "8", *urls)
        traffic.found(r"^(running)$")
        return traffic


def traffic_result(traffic):
    traffic.end()
    return json.loads(traffic.text().splitlines()[-1])


def url_of(node, listener):
    """URL of a listener with port 0, as the node's admin endpoint says; None: it does not listen."""
    found = re.search(rf"^{listener}::(\S+)$", get(f"http://{node.admin}/listeners")[1], re.MULTILINE)
    return "http://" + found[1] if found else None


def listener_url(node, listener):
    """As url_of(), of one that listens."""
    url = url_of(node, listener)
    if url is None:
        raise AssertionError(f"{node.name} does not listen for {listener}")
    return url


def stat(node, name):
    """The value of a metric of the node, by its whole name; None: there is none of that name."""
    text = get(f"http://{node.admin}/stats?filter={urllib.parse.quote(name)}")[1]
    found = re.search(rf"^{re.escape(name)}: (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else None


def get(url, headers=None, source=None):
    """(status, body, headers) of a request on a connection of its own, from the address `source` if one is given."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS,
                                            source_address=(source, 0) if source else None)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers
    finally:
        connection.close()

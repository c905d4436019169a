"""tools/bench --fleet: a real control plane and two nodes of two workers each, and what a change costs them.

Nothing is pinned: control plane, nodes, backends and load share the machine, as one would try it out.
"""

import itertools
import json
import os
import re
import select
import signal
import socket
import statistics
import subprocess
import time
import urllib.request

from tools.benchmark import counts, peers, workload
from tools.benchmark.processes import output_of
from tools.benchmark.system import BenchError, memory, read, wait_for

TARGETS = ["//controlplane:convoy-control", "//proxy:convoy-proxy", "//tools:convoyctl", "//tools/sample:backend"]
NODES = 2
WORKERS = 2
# Connections that watch a node: that the kernel gives all of them to one of two workers has odds of 2 in 2^20.
WATCHERS = 20
_SECONDS = 30.0
_WRK_CONNECTIONS = 32


class Connection:
    """A kept-alive connection to a node that asks, without waiting, whether a response shows a text by now."""

    def __init__(self, port):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def fileno(self):
        return self.socket.fileno()

    def ask(self):
        self.received = b""
        self.socket.sendall(b"GET / HTTP/1.1\r\nHost: fleet\r\n\r\n")

    def answer(self):
        """The response's head once it is here whole, else None. Responses have Content-Length."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise BenchError("a node closed a connection")
        self.received += chunk
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        return head if length and len(body) >= int(length.group(1)) else None


class Fleet:
    """A control plane, its nodes and three backends."""

    def __init__(self, processes, root, progress):
        self.processes = processes
        self.root = root
        self.progress = progress
        self.nodes = []
        self.admins = []
        self.control = None
        self.management = self.xds = None
        self.backends = []

    def binary(self, path):
        return os.path.join(self.root, "bazel-bin", path)

    def start(self, command, pattern):
        """(child, groups of the pattern in what it printed)"""
        child = self.processes.start(command, None)

        def look():
            if child.poll() is not None:
                raise BenchError(f"{command[0]} ended at its start:\n{output_of(child)}")
            return re.search(pattern, read(child.out_path, " ") + read(child.err_path, " "), re.MULTILINE)

        return child, wait_for(look, _SECONDS, f"{pattern} of {command[0]}").groups()

    def start_control(self):
        self.control, (self.management, self.xds) = self.start(
            [self.binary("controlplane/convoy-control"), "--store", self.processes.unique_path("convoy.db"), "--listen",
             "127.0.0.1:0", "--xds-listen", "127.0.0.1:0"], r"^ready management=(\S+) xds=(\S+) ")

    def start_nodes(self):
        for i in range(NODES):
            path = self.processes.unique_path("node.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.ctl("node", "bootstrap", "--id", f"node-{i}", "--control-plane", self.xds, "--admin",
                                    "127.0.0.1:0"))
            child, (admin,) = self.start([self.binary("proxy/convoy-proxy"), "-c", path, "--concurrency", str(WORKERS)],
                                         r"convoy-proxy is live admin=(\S+)")
            self.nodes.append(child)
            self.admins.append(admin)

    def start_backends(self):
        for name in ("blue", "green", "red"):
            _, (address,) = self.start([self.binary("tools/sample/backend"), "--name", name], r"^listening on (\S+)$")
            self.backends.append(address)

    def command(self, *arguments):
        return [self.binary("tools/convoyctl"), "--server", self.management, *arguments]

    def ctl(self, *arguments, stdin=""):
        done = subprocess.run(self.command(*arguments), input=stdin, capture_output=True, text=True, check=False,
                              timeout=120, env={**os.environ, "HOME": self.processes.folder})
        if done.returncode != 0:
            raise BenchError(f"convoyctl {' '.join(arguments[:3])} failed: {done.stderr[-1500:]}")
        return done.stdout

    def apply(self, config, *arguments):
        """Applies and waits until every node has it."""
        return self.ctl("apply", "-f", "-", "--wait", "60s", *arguments, stdin=json.dumps(config))

    def revision(self):
        """The head's."""
        return int(json.loads(self.ctl("status", "-o", "json")).get("revision", 0))

    def admin(self, node, path):
        with urllib.request.urlopen(f"http://{self.admins[node]}{path}", timeout=_SECONDS) as response:
            return response.read().decode()

    def stats(self, node):
        """name -> value of a node's counters and gauges."""
        lines = self.admin(node, "/stats").splitlines()
        pairs = (line.rpartition(": ")[::2] for line in lines)
        return {name: int(value) for name, value in pairs if value.lstrip("-").isdigit()}

    def port(self, node, listener="public"):
        found = re.search(rf"^{listener}::\S+:(\d+)$", self.admin(node, "/listeners"), re.MULTILINE)
        if not found:
            raise BenchError(f"node {node} does not listen for {listener}")
        return int(found.group(1))


def base_config(fleet):
    return {
        "listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": [{"name": "all", "pool": "web"}]}],
        "pools": [{"name": "web", "backends": [{"address": address} for address in fleet.backends[:2]]}],
    }


def changes(fleet):
    """Endless changes, each different: (kind, config, what a response's head shows from then on or None)."""
    weights = itertools.cycle([2, 3, 4, 5, 6, 7])
    for i in itertools.count(1):
        backends = [{"address": fleet.backends[0], "weight": next(weights)}, {"address": fleet.backends[1]}]
        yield "weight", {"pools": [{"name": "web", "backends": backends}]}, None
        one = fleet.backends[i % 2 * 2]  # blue and red in turn
        name = ("blue", "red")[i % 2]
        yield "backend", {"pools": [{"name": "web", "backends": [{"address": one}]}]}, f"x-backend: {name}"
        routes = [{"name": f"extra-{i}", "match": {"path_prefix": f"/extra/{i}"}, "pool": "web"},
                  {"name": "all", "pool": "web", "headers": {"response": {"set": {"x-route": f"r{i}"}}}}]
        listener = {"name": "public", "address": "127.0.0.1:0", "routes": routes}
        yield "route", {"listeners": [listener]}, f"x-route: r{i}"
        listener = {**listener, "headers": {"response": {"set": {"x-filter": f"f{i}"}}}}
        yield "filter", {"listeners": [listener]}, f"x-filter: f{i}"


def measure_apply(fleet, rounds):
    """Milliseconds from the start of `convoyctl apply` until every watching connection of every node shows the change."""
    watchers = [Connection(fleet.port(node)) for node in range(NODES) for _ in range(WATCHERS)]
    taken, tool = {}, []
    visible = (change for change in changes(fleet) if change[2] is not None)
    for _, (kind, config, sign) in zip(range(rounds), visible):
        path = fleet.processes.unique_path("change.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        started = time.monotonic()
        with subprocess.Popen(fleet.command("apply", "-f", path), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as child:
            shown = _until_all_show(watchers, sign.lower().encode())
            if child.wait(timeout=_SECONDS) != 0:
                raise BenchError(f"apply failed: {child.stderr.read().decode()}")
        taken.setdefault(kind, []).append((shown - started) * 1000)
        tool.append((time.monotonic() - started) * 1000)
        time.sleep(0.05)
    for watcher in watchers:
        watcher.socket.close()
    every = [value for values in taken.values() for value in values]
    result = {**_spread(every), "kinds": {kind: _spread(values) for kind, values in taken.items()},
              "convoyctl_exit_ms": _spread(tool)}
    fleet.progress(f"apply until every worker shows it: median {result['median']:.1f} ms, p99 {result['p99']:.1f} ms, "
                   f"max {result['max']:.1f} ms of {len(every)}")
    return result


def _until_all_show(watchers, sign):
    end = time.monotonic() + _SECONDS
    waiting = set(watchers)
    for watcher in waiting:
        watcher.ask()
    while waiting:
        if time.monotonic() > end:
            raise BenchError(f"{sign.decode()} was not shown by {len(waiting)} connections within {_SECONDS:g} s")
        ready, _, _ = select.select(list(waiting), [], [], 1.0)
        for watcher in ready:
            head = watcher.answer()
            if head is None:
                continue
            if sign in head.lower() + b"\r\n":
                waiting.remove(watcher)
            else:
                watcher.ask()
        time.sleep(0.001)
    return time.monotonic()


def _spread(values):
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {"count": len(ordered), "median": statistics.median(ordered), "p99": p99, "max": ordered[-1]}


def measure_under_load(fleet, applies):
    """Applies in a row under wrk on every node. Raises if a request failed or a connection was closed."""
    fleet.apply(base_config(fleet))
    loads = [fleet.processes.start(["wrk", "-t1", f"-c{_WRK_CONNECTIONS}", "-d600s", "--timeout", "10s",
                                    f"http://127.0.0.1:{fleet.port(node)}/"], None) for node in range(NODES)]

    def counters(node):
        stats = fleet.stats(node)
        return {key: stats[f"http.public.downstream_cx_{key}"] for key in ("total", "active", "destroy")
                if f"http.public.downstream_cx_{key}" in stats}

    before = []
    for node in range(NODES):
        wait_for(lambda n=node: counters(n).get("active") == _WRK_CONNECTIONS, _SECONDS, "wrk's connections")
        before.append(counters(node))
    head = fleet.revision()
    started = time.monotonic()
    taken = []
    for _, (_, config, _) in zip(range(applies), changes(fleet)):
        once = time.monotonic()
        fleet.ctl("apply", "-f", "-", stdin=json.dumps(config))
        taken.append((time.monotonic() - once) * 1000)
    if fleet.revision() != head + applies:
        raise BenchError(f"{applies} applies, each different, made {fleet.revision() - head} revisions")
    fleet.apply(base_config(fleet), "--prune")
    seconds = time.monotonic() - started
    after = [counters(node) for node in range(NODES)]
    outputs = []
    for load in loads:
        load.send_signal(signal.SIGINT)
        load.wait(timeout=_SECONDS)
        outputs.append(read(load.out_path))
    requests = sum(int(re.search(r"(\d+) requests in ", output).group(1)) for output in outputs)
    failed = sum(int(n) for output in outputs for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", output))
    broken = sum(int(n) for output in outputs for line in re.findall(r"Socket errors: .*", output)
                 for n in re.findall(r"\d+", line))
    result = {"applies": applies, "seconds": seconds, "requests": requests, "failed_responses": failed,
              "socket_errors": broken, "connections": _WRK_CONNECTIONS * NODES, "before": before, "after": after,
              "connections_closed": sum(a["total"] - b["total"] for a, b in zip(after, before)),
              "apply_ms": _spread(taken)}
    if failed or broken or before != after:
        raise BenchError(f"something failed under load: {json.dumps(result)}\n" + "\n".join(outputs))
    fleet.progress(f"{applies} applies in {seconds:.1f} s under load: {requests:,} requests, none failed, "
                   "no connection closed")
    return result


_TYPES = {"clusters": "cluster_manager.cds", "assignments": "cluster_manager.eds", "listeners": "listener_manager.lds",
          "routes": "http.rds"}


def measure_one_backend(fleet, pools):
    """What one changed backend of one of many pools sends to each node."""
    names = [f"pool-{i}" for i in range(pools)]
    routes = [{"match": {"path_prefix": f"/{name}/"}, "pool": name} for name in names]
    config = {"listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": routes}],
              "pools": [{"name": name, "backends": [{"address": f"127.0.{1 + i // 200}.{1 + i % 200}:{9000 + k}"}
                                                    for k in range(10)]} for i, name in enumerate(names)]}
    started = time.monotonic()
    fleet.apply(config, "--prune")
    fleet.progress(f"{pools} pools of 10 backends are in force on {NODES} nodes after "
                   f"{time.monotonic() - started:.1f} s")
    before = [fleet.stats(node) for node in range(NODES)]
    fleet.apply({"backends": [{"pool": names[pools // 2], "address": "127.0.250.1:9100"}]})
    result = []
    for node in range(NODES):
        after = fleet.stats(node)
        of = {}
        for kind, prefix in _TYPES.items():
            of[kind] = {key: after[f"{prefix}.{key}"] - before[node][f"{prefix}.{key}"]
                        for key in ("resource_received", "resource_removed", "received_bytes")}
        result.append(of)
        sent = {kind: counted["resource_received"] for kind, counted in of.items()}
        if sent != {"clusters": 0, "assignments": 1, "listeners": 0, "routes": 0}:
            raise BenchError(f"one backend of one of {pools} pools changed, and node {node} got {sent}")
    fleet.progress(f"one backend changed: each node got one assignment of {result[0]['assignments']['received_bytes']} "
                   "bytes, and nothing else")
    return {"pools": pools, "nodes": result}


def _workers_ns(pid):
    """CPU time of every thread but main: workers, and the log's writer, which has nothing to do here."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        if int(task) != pid:
            total += int(read(f"/proc/{pid}/task/{task}/schedstat", "0").split()[0])
    return total


def measure_work_per_host(fleet, sizes, updates):
    """Microseconds of CPU on all workers of a node for one changed host of a pool of so many."""
    result = {}
    for size in sizes:
        backends = [{"address": f"127.1.{1 + i // 250}.{1 + i % 250}:9000"} for i in range(size)]
        fleet.apply({"listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": [{"pool": "big"}]}],
                     "pools": [{"name": "big", "backends": backends}]}, "--prune")
        time.sleep(0.5)
        before = [_workers_ns(node.pid) for node in fleet.nodes]
        idle_from = time.monotonic()
        time.sleep(1.0)
        idle = [_workers_ns(node.pid) - b for node, b in zip(fleet.nodes, before)]
        idle_rate = sum(idle) / (time.monotonic() - idle_from)
        before = [_workers_ns(node.pid) for node in fleet.nodes]
        started = time.monotonic()
        for i in range(updates):
            fleet.apply({"backends": [{"pool": "big", "address": backends[0]["address"], "weight": 2 + i % 100}]})
        spent = sum(_workers_ns(node.pid) - b for node, b in zip(fleet.nodes, before))
        spent -= idle_rate * (time.monotonic() - started)
        result[str(size)] = spent / updates / NODES / 1000
        fleet.progress(f"a host changed in a pool of {size:,}: {result[str(size)]:.0f} us on the workers of a node")
    return {"updates": updates, "worker_us_per_update": result}


def measure_start(fleet, rounds):
    """Milliseconds from exec to "live" with the admin listener alone, and resident memory then."""
    path = fleet.processes.unique_path("empty.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\n")
    taken = []
    resident = 0
    for _ in range(rounds):
        started = time.monotonic()
        with subprocess.Popen([fleet.binary("proxy/convoy-proxy"), "-c", path, "--concurrency", str(WORKERS)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
            for line in child.stdout:
                if "convoy-proxy is live" in line:
                    break
            else:
                raise BenchError("convoy-proxy ended at its start")
            taken.append((time.monotonic() - started) * 1000)
            time.sleep(0.1)
            found = re.search(r"^VmRSS:\s*(\d+) kB", read(f"/proc/{child.pid}/status"), re.MULTILINE)
            resident = max(resident, int(found.group(1)) * 1024)
            pss = memory(child.pid)[1]
            child.terminate()
            child.stdout.read()
            child.wait(timeout=_SECONDS)
    result = {"ready_ms": _spread(taken), "vm_rss": resident, "pss": pss, "workers": WORKERS}
    fleet.progress(f"start to live: median {result['ready_ms']['median']:.1f} ms of {rounds}; "
                   f"{resident / 2**20:.1f} MiB resident (VmRSS) with nothing configured")
    return result


def measure(processes, root, cores, backends, progress, quick):
    """All of it: what goes into the JSON under "fleet"."""
    result = {"nodes": NODES, "workers": WORKERS}
    fleet = Fleet(processes, root, progress)
    result["start"] = measure_start(fleet, 5 if quick else 20)
    convoy = [peer for peer in peers.find(root, {"convoy": None, "envoy": None}) if peer.name == "convoy"]
    result["idle_connection_bytes"] = counts.Counts(processes, cores, backends, workload.request_bytes(),
                                                    progress).idle_bytes(convoy[0])
    fleet.start_control()
    fleet.start_backends()
    fleet.start_nodes()
    fleet.apply(base_config(fleet))
    result["apply_ms"] = measure_apply(fleet, 10 if quick else 50)
    result["under_load"] = measure_under_load(fleet, 20 if quick else 200)
    result["one_backend"] = measure_one_backend(fleet, 100 if quick else 1000)
    result["work_per_host"] = measure_work_per_host(fleet, (10, 1000) if quick else (10, 10_000), 20 if quick else 50)
    return result


def text(result):
    """Lines for people; the page that is committed has the same ones."""
    apply_ms, load, start = result["apply_ms"], result["under_load"], result["start"]
    sent = [of["assignments"]["received_bytes"] for of in result["one_backend"]["nodes"]]
    hosts = result["work_per_host"]["worker_us_per_update"]
    rows = [
        ("`convoyctl apply` until every worker of both nodes answers by it",
         f"median {apply_ms['median']:.1f} ms, p99 {apply_ms['p99']:.1f} ms, longest {apply_ms['max']:.1f} ms "
         f"of {apply_ms['count']}"),
        (f"{load['applies']} applies in a row under load",
         f"{load['requests']:,} requests: {load['failed_responses']} failed, {load['socket_errors']} socket errors; "
         f"{load['connections_closed']} of {load['connections']} connections replaced; {load['seconds']:.1f} s"),
        (f"one backend of one of {result['one_backend']['pools']:,} pools changed: sent to a node",
         f"1 assignment, {max(sent):,} bytes; no cluster, listener or route table"),
        ("CPU on the workers of a node for one changed host, by the pool's size",
         ", ".join(f"{int(size):,} hosts: {us:.0f} us" for size, us in hosts.items())),
        ("start to ready, two workers, nothing configured",
         f"median {start['ready_ms']['median']:.1f} ms, longest {start['ready_ms']['max']:.1f} ms of "
         f"{start['ready_ms']['count']}"),
        ("resident with nothing configured (VmRSS)", f"{start['vm_rss'] / 2**20:.1f} MiB"),
        ("idle client connection", f"{result['idle_connection_bytes']:,.0f} bytes"),
    ]
    return rows

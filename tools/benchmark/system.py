"""What the kernel says about the machine and about processes. Units: nanoseconds of CPU time, bytes."""

import os
import platform
import re
import socket
import time

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something that makes the figures wrong or impossible; the message is for people."""


def read(path, default=None):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        if default is None:
            raise
        return default


def pick_cores():
    """(core of the proxy, core of load and backends): two cores that do not share one physical core, if there are."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise BenchError("needs two cores: one for the proxy, one for the load and the backends; "
                         f"this process may use only {len(allowed)}")
    load = allowed[0]
    siblings = _cpu_list(read(f"/sys/devices/system/cpu/cpu{load}/topology/thread_siblings_list", str(load)))
    apart = [core for core in allowed[1:] if core not in siblings]
    return (apart or allowed[1:])[-1], load


def _cpu_list(text):
    cores = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        cores.update(range(int(first), int(last or first) + 1))
    return cores


def machine():
    """What a reader of the figures needs to know; nothing that names the machine."""
    model = re.search(r"model name\s*:\s*(.*)", read("/proc/cpuinfo", ""))
    distribution = re.search(r'PRETTY_NAME="(.*)"', read("/etc/os-release", ""))
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "virtual": " hypervisor " in read("/proc/cpuinfo", ""),
        "memory_gib": round(int(re.search(r"MemTotal:\s*(\d+)", read("/proc/meminfo")).group(1)) / 2**20, 1),
        "kernel": platform.release(),
        "distribution": distribution.group(1) if distribution else "unknown",
    }


def process_tree(pid):
    """The process and its descendants."""
    pids, todo = [], [pid]
    while todo:
        current = todo.pop()
        pids.append(current)
        try:
            tasks = os.listdir(f"/proc/{current}/task")
        except OSError:
            continue
        for task in tasks:
            todo += [int(child) for child in read(f"/proc/{current}/task/{task}/children", " ").split()]
    return pids


class Cpu:
    """CPU time of a process tree so far: all of it in nanoseconds, and the split that the kernel's ticks give."""

    def __init__(self, pid):
        self.total = 0
        self.user = 0
        self.system = 0
        for member in process_tree(pid):
            fields = read(f"/proc/{member}/stat", ") 0").rpartition(")")[2].split()
            if len(fields) < 13:
                continue
            user, system = int(fields[11]) * TICK_NS, int(fields[12]) * TICK_NS
            self.user += user
            self.system += system
            self.total += _scheduled(member) or user + system


def _scheduled(pid):
    """CPU time of a process by the scheduler's own account, or 0 where the kernel keeps none."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            total += int(read(f"/proc/{pid}/task/{task}/schedstat", "0 0 0").split()[0])
    except OSError:
        return 0
    return total


class CoreTime:
    """What one core has done so far: busy and stolen time."""

    def __init__(self, core):
        line = re.search(rf"^cpu{core} (.*)$", read("/proc/stat"), re.MULTILINE)
        user, nice, system, idle, iowait, irq, softirq, steal = (int(n) for n in line.group(1).split()[:8])
        self.busy = (user + nice + system + irq + softirq) * TICK_NS
        self.steal = steal * TICK_NS
        self.idle = (idle + iowait) * TICK_NS


def memory(pid):
    """Resident memory of a process tree, shared pages counted in proportion: (rss, pss)."""
    rss = pss = 0
    for member in process_tree(pid):
        text = read(f"/proc/{member}/smaps_rollup", "")
        for name, kib in re.findall(r"^(Rss|Pss):\s*(\d+) kB", text, re.MULTILINE):
            if name == "Rss":
                rss += int(kib) * 1024
            else:
                pss += int(kib) * 1024
    return rss, pss


def free_port():
    """A port of 127.0.0.1 that nobody had a moment ago: for servers that cannot take port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds, what, interval=0.001):
    """Calls `condition` until it gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise BenchError(f"{what}: not within {seconds:g} s")
        time.sleep(interval)

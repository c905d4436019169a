"""CPU per request: all proxies of a row side by side, in interleaved rounds.

Every proxy runs all the time; a round puts each of them in turn under load, in an order that moves by one from
round to round. What counts is a window inside the load: the connections stand by then, and the load has not yet begun
to tear them down. CPU is the scheduler's account of the proxy's processes, requests are those that the backend counted.
"""

import time

from tools.benchmark.system import BenchError, CoreTime, Cpu

LEAD_SECONDS = 0.5  # from the start of the load to the start of the window
TAIL_SECONDS = 0.5
_ATTEMPTS = 3  # a window that ended after its load, on a very busy machine, is measured again


class Snapshot:
    """Everything that a window is the difference of."""

    def __init__(self, running, cores, stats):
        self.stats = stats()
        self.time = time.monotonic()
        self.cpu = Cpu(running.pid)
        self.proxy_core = CoreTime(cores.proxy)
        self.load_core = CoreTime(cores.load)


def sample_of(before, after, loaded, round_number, connections, running):
    """One sample as it goes into the JSON."""
    wall = (after.time - before.time) * 1e9
    requests = after.stats["requests"] - before.stats["requests"]
    cpu = after.cpu.total - before.cpu.total
    ticks = (after.cpu.user - before.cpu.user) + (after.cpu.system - before.cpu.system)
    user_share = (after.cpu.user - before.cpu.user) / ticks if ticks else 0.0
    core_busy = (after.proxy_core.busy - before.proxy_core.busy) / wall
    return {
        "row": running.scenario.name,
        "proxy": running.peer.name,
        "connections": connections,
        "round": round_number,
        "requests": requests,
        "cpu_us": cpu / 1e3 / requests if requests else None,
        "user_us": cpu * user_share / 1e3 / requests if requests else None,
        "proxy_core": cpu / wall,
        "load_core": (after.load_core.busy - before.load_core.busy) / wall,
        # What others took of the proxy's core: it makes the figures worse, for everybody.
        "others_on_proxy_core": max(0.0, core_busy - cpu / wall),
        "stolen": max(after.proxy_core.steal - before.proxy_core.steal,
                      after.load_core.steal - before.load_core.steal) / wall,
        "upstream_closed": after.stats["connections_closed"] - before.stats["connections_closed"],
        "upstream_opened": after.stats["connections_accepted"] - before.stats["connections_accepted"],
        "requests_per_second": requests / (wall / 1e9),
        "p50_us": loaded["p50_us"],
        "p99_us": loaded["p99_us"],
    }


def check(sample, loaded, running):
    """Raises if the sample does not measure what it should."""
    where = f"{running.peer.label} at {sample['connections']} connections ({running.scenario.title})"
    if sample["requests"] < running.scenario.least_requests:
        raise BenchError(f"{where}: only {sample['requests']} requests reached the backend")
    if sample["upstream_closed"]:
        raise BenchError(f"{where}: {sample['upstream_closed']} connections to the backend were closed under load; a proxy "
                         "at its best keeps them all")
    if loaded["bytes"] is not None and loaded["bytes"] < 0.95 * loaded["requests"] * running.scenario.body_bytes:
        raise BenchError(f"{where}: {loaded['requests']} responses had only {loaded['bytes']} bytes")


class Rounds:
    """Measures the proxies that `runnings` holds, under the load that `loads` starts."""

    def __init__(self, cores, stats, loads, progress):
        self.cores = cores
        self.stats = stats
        self.loads = loads
        self.progress = progress

    def measure(self, runnings, rounds, connections, seconds):
        """(samples, what went wrong by proxy): a proxy that fails once has no samples and no further turns."""
        samples, failed = [], {}
        row = self.loads.scenario
        turns = rounds * len(connections) * len(runnings)
        for round_number in range(rounds):
            shift = round_number % max(1, len(runnings))
            for count in connections:
                for running in runnings[shift:] + runnings[:shift]:
                    if running.peer.name in failed:
                        continue
                    try:
                        sample = self._sample(running, count, seconds, round_number)
                    except BenchError as error:
                        failed[running.peer.name] = str(error)
                        continue
                    samples.append(sample)
                    self.progress(f"{row.name}, round {round_number + 1}/{rounds}, {count} connections, "
                                  f"{running.peer.label}: {sample['cpu_us']:.2f} us/{row.unit} ({len(samples)}/{turns})")
        return [sample for sample in samples if sample["proxy"] not in failed], failed

    def _sample(self, running, connections, seconds, round_number):
        for _ in range(_ATTEMPTS):
            running.forget_log()
            started = time.monotonic()
            load = self.loads.start(running.port, connections, max(1, round(LEAD_SECONDS + seconds + TAIL_SECONDS)))
            try:
                time.sleep(LEAD_SECONDS)
                before = Snapshot(running, self.cores, self.stats)
                time.sleep(seconds)
                after = Snapshot(running, self.cores, self.stats)
                late = time.monotonic() - started >= load.seconds
            finally:
                loaded = load.finish()
            if not late:
                break
        else:
            raise BenchError("the machine is too busy: no window of the load could be measured")
        sample = sample_of(before, after, loaded, round_number, connections, running)
        check(sample, loaded, running)
        running.check_log(loaded["requests"])
        return sample

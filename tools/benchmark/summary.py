"""From samples to what people compare: median and minimum per proxy, and ratios to the best peer."""

import statistics


def summarise(samples, peer_names):
    """One line per (row, connections, proxy), in the order of the samples.

    A ratio compares a proxy's CPU per request with the best of the peers in the same row at the same number of
    connections: median with the lowest median, minimum with the lowest minimum. Without a peer there is no ratio.
    """
    rows = []
    for row_name, connections in _distinct((sample["row"], sample["connections"]) for sample in samples):
        at = [sample for sample in samples if (sample["row"], sample["connections"]) == (row_name, connections)]
        group = [_row(row_name, connections, name, [s for s in at if s["proxy"] == name])
                 for name in _distinct(sample["proxy"] for sample in at)]
        peers = [row for row in group if row["proxy"] in peer_names]
        for row in group:
            row["ratio_median"] = ratio(row["cpu_us_median"], [peer["cpu_us_median"] for peer in peers])
            row["ratio_minimum"] = ratio(row["cpu_us_minimum"], [peer["cpu_us_minimum"] for peer in peers])
        rows += group
    return rows


def ratio(value, others):
    """`value` over the lowest of `others`; None if either is missing."""
    known = [other for other in others if other]
    return value / min(known) if known and value is not None else None


def _row(row_name, connections, name, samples):
    def median(key):
        values = [sample[key] for sample in samples if sample[key] is not None]
        return statistics.median(values) if values else None

    cpu = [sample["cpu_us"] for sample in samples]
    return {
        "row": row_name,
        "connections": connections,
        "proxy": name,
        "rounds": len(samples),
        "cpu_us_median": statistics.median(cpu),
        "cpu_us_minimum": min(cpu),
        "cpu_us_maximum": max(cpu),
        "user_us_median": median("user_us"),
        "proxy_core_median": median("proxy_core"),
        "load_core_median": median("load_core"),
        "others_on_proxy_core_maximum": max(sample["others_on_proxy_core"] for sample in samples),
        "stolen_maximum": max(sample["stolen"] for sample in samples),
        "requests_per_second_median": median("requests_per_second"),
        "p50_us_median": median("p50_us"),
        "p99_us_median": median("p99_us"),
        "upstream_closed": sum(sample["upstream_closed"] for sample in samples),
        "upstream_opened": sum(sample["upstream_opened"] for sample in samples),
    }


def warnings(rows):
    """What a reader must know about the figures, in sentences."""
    found = []
    others = [(row["others_on_proxy_core_maximum"], row["row"]) for row in rows]
    names = ", ".join(_distinct(name for share, name in others if share > 0.05))
    if names:
        found.append(f"{names}: up to {max(others)[0]:.0%} of the proxy's core went to other processes, or to the "
                     "kernel's own threads (ksoftirqd), and no proxy's figure holds it: see others_on_proxy_core in "
                     "results.json")
    stolen = max((row["stolen_maximum"] for row in rows), default=0.0)
    if stolen > 0.02:
        found.append(f"the host took up to {stolen:.0%} of a core away from this virtual machine")
    return found


def _distinct(values):
    return list(dict.fromkeys(values))

"""Which plots docs/PERFORMANCE.md shows."""

import os

import plots
import rows

BARS = (("Anel, batches of 256", "anel-100"), ("Anel, a message a push", "anel-unbatched"),
        ("plain pipeline, batches of 256", "pipeline-100"), ("plain pipeline, a message a push", "pipeline-unbatched"),
        ("Redis, 512 in flight", "redis-512-100"), ("Redis, 1 in flight", "redis-1-100"),
        ("etcd, 100 puts a transaction", "etcd-transaction-100"), ("etcd", "etcd-100"),
        ("NATS JetStream, synchronous", "nats-100"), ("flock, 1 line a lock", "flock-1-100"),
        ("flock, 1,024 lines a lock", "flock-1024-100"))
DISTRIBUTIONS = (("at the holder", "anel-latency", ("client_at_node_0",)),
                 ("where the token never rests", "anel-latency", ("client_where_the_token_never_rests",)),
                 ("half of the peak", "anel-half-peak", ("latency",)),
                 ("plain pipeline", "pipeline-latency", ("client_at_node_0",)))


def points(results, prefix, values, key):
    line = []
    for value in values:
        measured = results.values(f"{prefix}-{value}", key)
        if measured:
            line.append((value, results.median(f"{prefix}-{value}", key), min(measured), max(measured)))
    return line


def named(values):
    def name(value):
        for unit, letters in ((1024 * 1024, " Mi"), (1024, " Ki")):
            if value % unit == 0:
                return f"{value // unit}{letters}"
        return str(value)
    return [(value, name(value)) for value in values]


def distribution(results, name, path):
    """(share that took longer, time): from the fastest to the slowest, so that the tail has room."""
    runs = results.values(name, *path, "distribution")
    line = []
    for row in range(len(runs[0]) if runs else 0):
        share = runs[0][row][0]
        times = sorted(max(run[row][1], 1) for run in runs)
        if share < 1:
            line.append((1 / (1 - share), times[len(times) // 2], times[0], times[-1]))
    return line


def all_pictures(results):
    """File name and SVG; None where nothing was measured yet."""
    rate = "messages_per_second"
    bars = [(title, results.median(name, rate), min(results.values(name, rate)), max(results.values(name, rate)),
             name.startswith("anel")) for title, name in BARS if results.values(name, rate)]
    return {
        "systems": plots.bar_plot("Durable messages of 100 B a second, 5 clients, one machine", bars),
        "size": plots.line_plot("Throughput against message size", "bytes of a message", "messages a second",
                                {"Anel, 5 nodes": points(results, "size", rows.SIZES, rate)}, named(rows.SIZES)),
        "bytes": plots.line_plot("Bytes a second against message size", "bytes of a message", "MB a second",
                                 {"payload": points(results, "size", rows.SIZES, "megabytes_per_second")},
                                 named(rows.SIZES)),
        "nodes": plots.line_plot("Throughput against nodes, 100 B", "nodes", "messages a second",
                                 {"Anel": points(results, "nodes", rows.NODES, rate)}, named(rows.NODES),
                                 y_logarithmic=False),
        "clients": plots.line_plot("Throughput against clients, 100 B", "clients", "messages a second",
                                   {"Anel, 5 nodes": points(results, "clients", rows.CLIENTS, rate)},
                                   named(rows.CLIENTS), y_logarithmic=False),
        "latency": plots.line_plot(
            "Latency of an ack", "percentile", "us",
            {title: distribution(results, name, path) for title, name, path in DISTRIBUTIONS},
            [(2, "50"), (10, "90"), (20, "95"), (100, "99"), (1000, "99.9")]),
    }


def write(results, folder):
    os.makedirs(folder, exist_ok=True)
    for name, svg in all_pictures(results).items():
        if svg:
            with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as file:
                file.write(svg)

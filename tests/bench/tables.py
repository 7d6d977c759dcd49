"""The tables of docs/PERFORMANCE.md and of the terminal: the same text."""

import musts
import rows


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(results, name, *path):
    """median (lowest to highest), or why there is none."""
    values = results.values(name, *path)
    if not values:
        return results.all.get(name, {}).get("absent") and "not here" or "-"
    median = results.median(name, *path)
    return number(median) if len(values) == 1 else f"{number(median)} ({number(min(values))}-{number(max(values))})"


def percentiles(results, name, *path):
    if not results.values(name, *path):
        return "-"
    return " / ".join(number(results.median(name, *path, key)) for key in ("p50_us", "p99_us"))


def markdown(head, body):
    """A table whose columns line up in a terminal as well."""
    widths = [max(len(str(row[column])) for row in [head, *body]) for column in range(len(head))]
    def line(cells):
        return "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(cells, widths)) + " |"
    return "\n".join([line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, body)])


def must_table(results):
    body = []
    for must in musts.all_musts(results):
        measured = number(must.is_)
        if must.low is not None and must.low != must.high:
            measured += f" ({number(must.low)}-{number(must.high)})"
        sign = "at least" if must.at_least else "at most"
        body.append((must.what, f"{sign} {number(must.limit)} {must.unit}", measured, must.verdict))
    return markdown(("what", "must", "measured: median (lowest-highest)", ""), body)


def peer_table(results):
    rate = "messages_per_second"
    ours = results.median("anel-100", rate)
    head = ("system", "durable copies", "in flight a client", "msgs/s, 100 B", "msgs/s, 1 KiB",
            "one in flight, p50 / p99 us", "Anel is")
    body = []
    def add(system, copies, flight, name, name_1024=None, latency=None):
        theirs = results.median(name, rate)
        times = f"{ours / theirs:.3g} x" if ours and theirs and not name.startswith("anel") else ""
        body.append((system, copies, flight, spread(results, name, rate),
                     spread(results, name_1024, rate) if name_1024 else "", latency or "", times))
    add("**Anel**, 5 nodes, batches of 256", "1, shared", "65,536", "anel-100", "anel-1024",
        percentiles(results, "anel-latency", "client_at_node_0"))
    add("**Anel**, 5 nodes, a message a push", "1, shared", "1,024", "anel-unbatched")
    add("plain pipeline, batches of 256", 1, "65,536", "pipeline-100", "pipeline-1024",
        percentiles(results, "pipeline-latency", "client_at_node_0"))
    add("plain pipeline, a message a push", 1, "1,024", "pipeline-unbatched")
    for window in (1, 64, 512):
        add("Redis XADD, appendfsync always", 1, window, f"redis-{window}-100", f"redis-{window}-1024",
            percentiles(results, "redis-latency", "latency") if window == 1 else None)
    add("etcd, 5 nodes", 5, 64, "etcd-100", "etcd-1024", percentiles(results, "etcd-latency", "latency"))
    add("etcd, 5 nodes, 100 puts a transaction", 5, "16 x 100", "etcd-transaction-100")
    add("NATS JetStream, 5 of 5, synchronous", 5, 64, "nats-100", "nats-1024",
        percentiles(results, "nats-latency", "latency"))
    for batch in (1, 64, 1024):
        add(f"5 processes, flock, {batch:,} lines a lock", 1, batch, f"flock-{batch}-100", f"flock-{batch}-1024")
    return markdown(head, body)


def bare_table(results):
    laps = results.median("pair", "messages_per_second")
    disk = results.median("disk", "messages_per_second")
    hop = None if not laps else 1e6 / laps / 5
    return markdown(("what", "measured"), [
        ("a lap of a 64 B token, 5 processes, ZeroMQ PAIR over TCP",
         f"{spread(results, 'pair', 'messages_per_second')} laps/s, {number(hop)} us a hop"),
        ("append 1 MiB and fdatasync, one process",
         f"{number(disk and disk * rows.DISK_SIZE / 1e6)} MB/s"),
    ])


def latency_table(results):
    body = []
    for what, name, path in (("at the node where the token rests", "anel-latency", ("client_at_node_0",)),
                             ("at another node, to which the token follows", "anel-latency",
                              ("client_at_another_node",)),
                             ("at another node, in turn with a client where the token rests", "anel-latency",
                              ("client_where_the_token_never_rests",)),
                             ("under half of the peak load", "anel-half-peak", ("latency",)),
                             ("plain pipeline", "pipeline-latency", ("client_at_node_0",))):
        body.append((what, *(spread(results, name, *path, key) for key in ("p50_us", "p99_us", "max_us"))))
    return markdown(("ack of a message, us", "p50", "p99", "longest"), body)


def idle_table(results):
    return markdown(("idle ring of 5", "measured"), [
        ("processor, all nodes, % of one core", spread(results, "anel-idle", "percent_of_a_core")),
        ("switches a second, all nodes", spread(results, "anel-idle", "switches_per_second")),
        ("bytes written to disk", spread(results, "anel-idle", "written_bytes")),
        ("largest node, MiB", spread(results, "anel-idle", "largest_node_mib")),
    ])


def sweep_table(results, prefix, values, what):
    body = [(f"{value:,}", spread(results, f"{prefix}-{value}", "messages_per_second"),
             spread(results, f"{prefix}-{value}", "megabytes_per_second")) for value in values]
    return markdown((what, "msgs/s", "MB/s"), body)


def machine_table(about):
    return markdown(("", ""), list(about.items()))


def long_table(results):
    return markdown(("long runs", "measured"),
                    [(run["what"], run["measured"]) for name in sorted(results.all) if name.startswith("long-")
                     for run in results.all[name]["runs"]] or [("not measured yet", "-")])


def all_tables(results):
    """By the names that stand in the page's markers."""
    return {
        "machine": machine_table(results.all.get("machine", {}).get("about", {})),
        "musts": must_table(results),
        "peers": peer_table(results),
        "bare": bare_table(results),
        "latency": latency_table(results),
        "idle": idle_table(results),
        "size": sweep_table(results, "size", rows.SIZES, "bytes of a message"),
        "nodes": sweep_table(results, "nodes", rows.NODES, "nodes"),
        "clients": sweep_table(results, "clients", rows.CLIENTS, "clients"),
        "long": long_table(results),
    }

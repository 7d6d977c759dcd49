"""The rows of the bench: what is measured, with which settings, and what of it is asked."""

import dataclasses
from typing import Callable

import measure
import servers
from common import Ring

KIB = 1024
SIZES = (16, 100, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, KIB * KIB)
NODES = (3, 5, 9, 17, 33)
CLIENTS = (1, 5, 25, 100, 1000)
IN_FLIGHT = 400_000  # of all clients together: a node takes no more than `pending_bytes` in any case
DISK_SIZE = KIB * KIB

# What `anel bench` is told where the client library is to be used as it comes: its own window.
AS_IT_COMES = {"batch": 256, "window": 65536}
UNBATCHED = {"batch": 1, "window": 1024}


@dataclasses.dataclass
class Row:
    """`runs(bench, count, seconds)` gives back one dict of figures for each run."""

    name: str
    group: str  # anel, peer or sweep: how often and how long it is measured
    title: str
    runs: Callable


def repeated(once):
    """Runs that need nothing in common."""
    return lambda bench, count, seconds: [once(bench, seconds) for _ in range(count)]


def ring(name, title, kind="throughput", group="anel", **options):
    return Row(name, group, title, repeated(lambda bench, seconds: measure.anel(bench.place, kind, seconds, **options)))


def plain(name, title, kind="throughput", **options):
    return Row(name, "anel", title,
               repeated(lambda bench, seconds: measure.pipeline(bench.place, kind, seconds, **options)))


def half_peak(bench, seconds):
    """Half of what the same ring has just carried: a disk has long to do with the gigabytes of a ring that was removed, and
    the machine's speed changes from one minute to the next."""
    with bench.place.folder() as folder, Ring(bench.place.binaries, folder=folder) as ring:
        ring.wait_healthy()
        peak = measure.on_ring(bench.place, ring, seconds, **AS_IT_COMES)["messages_per_second"]
        half = measure.on_ring(bench.place, ring, seconds, rate=int(peak) // 2, **AS_IT_COMES)
        ring.stop(60)
        measure.verify(bench.place, ring, 10 * seconds + 60)
        return half


def peer(name, title, system, **options):
    """Fresh servers for each row; its runs follow each other on them."""
    def runs(bench, count, seconds):
        with system(bench.place.work, bench.unpacked) as started:
            return [measure.load(bench.place, system.__name__.lower(), seconds, started.ports, **options)
                    for _ in range(count)]
    return Row(name, "peer", title, runs)


def file_row(name, title, kind, **options):
    return Row(name, "peer", title,
               repeated(lambda bench, seconds: measure.on_file(bench.place, kind, seconds, **options)))


def anel_rows():
    """A ring and the plain pipeline take turns, so that a slow minute of the machine meets both."""
    return [
        ring("anel-100", "100 B, the client library as it comes", **AS_IT_COMES),
        plain("pipeline-100", "plain pipeline, 100 B", **AS_IT_COMES),
        ring("anel-1024", "1 KiB, the client library as it comes", size=KIB, **AS_IT_COMES),
        plain("pipeline-1024", "plain pipeline, 1 KiB", size=KIB, **AS_IT_COMES),
        ring("anel-unbatched", "100 B, one message a ZeroMQ message, 1,024 in flight", **UNBATCHED),
        plain("pipeline-unbatched", "plain pipeline, one message a ZeroMQ message", **UNBATCHED),
        ring("anel-latency", "one message in flight, nothing else", kind="latency"),
        plain("pipeline-latency", "plain pipeline, one message in flight", kind="latency"),
        Row("anel-half-peak", "anel", "half of the peak load", repeated(half_peak)),
        ring("anel-idle", "an idle ring", kind="idle"),
        ring("anel-nodes-3", "3 nodes", nodes=3, **AS_IT_COMES),
        ring("anel-nodes-33", "33 nodes", nodes=33, **AS_IT_COMES),
    ]


def peer_rows():
    rows = []
    for size in (100, KIB):
        for window in (1, 64, 512):
            rows.append(peer(f"redis-{window}-{size}", f"Redis, {window} in flight", servers.Redis, size=size,
                             window=window))
        rows.append(peer(f"etcd-{size}", "etcd, 5 nodes, 64 puts in flight", servers.Etcd, size=size, window=64))
        rows.append(peer(f"nats-{size}", "NATS JetStream, 5 of 5, 64 in flight", servers.Nats, size=size, window=64))
        for batch in (1, 64, 1024):
            rows.append(file_row(f"flock-{batch}-{size}", f"5 processes, flock, {batch} lines a lock", "flock",
                                 size=size, batch=batch))
    rows.append(peer("etcd-transaction-100", "etcd, 100 puts a transaction, 16 in flight", servers.Etcd, size=100,
                     batch=100, window=16))
    for system in (servers.Redis, servers.Etcd, servers.Nats):
        name = system.__name__.lower()
        rows.append(peer(f"{name}-latency", f"{name}, one in flight", system, clients=1, window=1))
    rows.append(Row("pair", "peer", "bare token lap, 5 processes",
                    repeated(lambda bench, seconds: measure.load(bench.place, "pair", seconds))))
    rows.append(file_row("disk", "the disk alone: append 1 MiB, fdatasync", "disk", clients=1, size=DISK_SIZE))
    return rows


def sweep_rows(quick):
    def few(values):
        return values[::3] if quick else values
    rows = [ring(f"size-{size}", f"{size} B", group="sweep", size=size, **AS_IT_COMES) for size in few(SIZES)]
    rows += [ring(f"nodes-{nodes}", f"{nodes} nodes", group="sweep", nodes=nodes, **AS_IT_COMES)
             for nodes in few(NODES)]
    rows += [ring(f"clients-{clients}", f"{clients} clients", group="sweep", clients=clients, batch=256,
                  window=min(4096, IN_FLIGHT // clients)) for clients in few(CLIENTS)]
    return rows

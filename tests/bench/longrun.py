"""`./dev bench --long`: what grows, and what lasts. A ledger of many gigabytes, a million sessions, ten thousand clients, and
an hour of full load."""

import os
import statistics
import time

import measure
from common import Dealer, Ring, wait_until
from rows import AS_IT_COMES, Row

CHUNK_SECONDS = 20
TURNS = 3
HELLOS_IN_FLIGHT = 500
PATIENCE = 600


def said(what, measured):
    return {"what": what, "measured": measured}


def seconds_to_serve(ring):
    """From the start of five processes to a ring in which every node takes pushes."""
    begun = time.monotonic()
    ring.start()
    ring.wait_healthy(seconds=PATIENCE)
    return time.monotonic() - begun


def verify_seconds(place, ring):
    begun = time.monotonic()
    measure.verify(place, ring, PATIENCE)
    return time.monotonic() - begun


def push(place, ring):
    """@return messages a second of one stretch of full load on this ring."""
    return measure.on_ring(place, ring, CHUNK_SECONDS, **AS_IT_COMES)["messages_per_second"]


def large_ledger(bench, gigabytes):
    """Its speed is that of a new one in the same minutes: what the disk gives changes from one minute to the next."""
    with bench.place.folder() as folder, Ring(bench.place.binaries, folder=folder) as ring:
        ring.wait_healthy()
        while os.path.getsize(os.path.join(ring.data, "output.txt")) < gigabytes * 1e9:
            push(bench.place, ring)
        large, fresh = [], []
        for _ in range(TURNS):
            fresh.append(measure.anel(bench.place, "throughput", CHUNK_SECONDS, **AS_IT_COMES)["messages_per_second"])
            large.append(push(bench.place, ring))
        ring.stop(60)
        size = os.path.getsize(os.path.join(ring.data, "output.txt")) / 1e9
        name = f"output.txt of {size:.1f} GB"
        return [said(f"{name}: 100 B messages a second; a new ring in turn with it, {TURNS} times {CHUNK_SECONDS} s each",
                     f"{statistics.median(large):,.0f}; {statistics.median(fresh):,.0f}"),
                said(f"{name}: five nodes start and take pushes", f"{seconds_to_serve(ring):.2f} s"),
                said(f"{name}: anel verify", f"{verify_seconds(bench.place, ring):.1f} s")]


def say_hellos(ring, count):
    """Makes `count` sessions, some hundreds of hellos under way at each node."""
    share = [count * node // len(ring.nodes) for node in range(len(ring.nodes) + 1)]
    for node in range(len(ring.nodes)):
        with Dealer(ring, node, "unused", 1) as client:
            waiting, left = set(), iter(range(share[node], share[node + 1]))
            while True:
                while len(waiting) < HELLOS_IN_FLIGHT:
                    number = next(left, None)
                    if number is None:
                        break
                    waiting.add(f"session-{number}")
                    client.send("hello", f"session-{number}", number + 1, 0)
                if not waiting:
                    break
                kind, name, *_ = client.receive(PATIENCE)
                if kind != "welcome":
                    raise measure.Failed(f"hello of {name}: {kind}")
                waiting.discard(name)


def many_sessions(bench, count):
    with bench.place.folder() as folder, \
            Ring(bench.place.binaries, folder=folder, settings={"ANEL_SESSIONS": str(count)}) as ring:
        ring.wait_healthy()
        begun = time.monotonic()
        say_hellos(ring, count)
        took = time.monotonic() - begun
        ring.stop(60)
        start = seconds_to_serve(ring)
        resident = max(int(line.split()[1]) for node in ring.nodes
                       for line in open(f"/proc/{node.process.pid}/status", encoding="ascii")
                       if line.startswith("VmRSS:"))
        return [said(f"{count:,} sessions are made", f"{took:.0f} s, {count / took:,.0f} a second"),
                said(f"{count:,} sessions: five nodes start and take pushes", f"{start:.2f} s"),
                said(f"{count:,} sessions: largest node", f"{resident / 1024:.0f} MiB")]


def many_clients(bench, count):
    with bench.place.folder() as folder, Ring(bench.place.binaries, folder=folder) as ring:
        ring.wait_healthy()
        ports = [node.port for node in ring.nodes]
        result = measure.load(bench.place, "anel", 20, ports, clients=count, window=1, batch=10, size=100, warm_up=10)
        wait_until(ring.is_healthy, 60, "the ring is whole when all clients have left")
        ring.stop(60)
        measure.verify(bench.place, ring, PATIENCE)
        latency = result["latency"]
        return [said(f"{count:,} clients, 10 messages of 100 B in a batch, one batch in flight each",
                     f"{result['messages_per_second']:,.0f} msgs/s, ack p50 {latency['p50_us'] / 1000:,.0f} ms, "
                     f"p99 {latency['p99_us'] / 1000:,.0f} ms")]


def full_load(bench, minutes):
    """Fails when the view changes: nobody dies, so each change would be a needless one."""
    result = measure.anel(bench.place, "flapping", round(minutes * 60))
    return [said(f"full load for {minutes:g} minutes: 100 B messages a second",
                 f"{result['messages'] / result['seconds']:,.0f}"),
            said(f"full load for {minutes:g} minutes: view changes, longest time without an ack",
                 f"{result['view_changes']}, {result['longest_gap_ms']} ms")]


def rows(options):
    return [
        Row("long-ledger", "anel", "a large ledger", lambda bench, *_: large_ledger(bench, options.gigabytes)),
        Row("long-sessions", "anel", "many sessions", lambda bench, *_: many_sessions(bench, options.sessions)),
        Row("long-load", "anel", "full load for an hour", lambda bench, *_: full_load(bench, options.minutes)),
        Row("long-clients", "anel", "many clients", lambda bench, *_: many_clients(bench, options.clients)),
    ]

"""What Anel has to reach on the bench's machine, beside what it reached. A table to read, not a test."""

import dataclasses

import rows

BYTES_WRITTEN_TWICE = 2  # the journal and output.txt
WHOLE_ROUNDS_FROM = 4 * rows.KIB


@dataclasses.dataclass
class Must:
    what: str
    is_: float | None
    low: float | None
    high: float | None
    limit: float
    at_least: bool
    unit: str

    @property
    def verdict(self):
        if self.is_ is None:
            return "not measured"
        return "PASS" if (self.is_ >= self.limit if self.at_least else self.is_ <= self.limit) else "FAIL"


def figure(results, what, limit, unit, name, *path, at_least=True, scale=1.0):
    values = [value * scale for value in results.values(name, *path)]
    median = results.median(name, *path)
    return Must(what, None if median is None else median * scale, min(values, default=None),
                max(values, default=None), limit, at_least, unit)


def ratio(results, what, limit, above, below):
    """Of two medians; the runs of one do not belong to runs of the other, so there is no spread."""
    a, b = (results.median(name, "messages_per_second") for name in (above, below))
    return Must(what, None if not a or not b else 100 * a / b, None, None, limit, True, "%")


def disk_share(results, size):
    """Share of the disk's own bandwidth, counting what is written twice."""
    rate = results.median(f"size-{size}", "messages_per_second")
    disk = results.median("disk", "messages_per_second")
    share = None if not rate or not disk else 100 * rate * size * BYTES_WRITTEN_TWICE / (disk * rows.DISK_SIZE)
    return Must(f"{size // rows.KIB} KiB: share of the disk's append bandwidth", share, None, None, 50, True, "%")


def all_musts(results):
    rate = "messages_per_second"
    latency = ("anel-latency", "client_at_node_0"), ("anel-latency", "client_where_the_token_never_rests")
    musts = [
        figure(results, "100 B messages", 1_000_000, "msgs/s", "anel-100", rate),
        figure(results, "1 KiB messages", 150_000, "msgs/s", "anel-1024", rate),
        figure(results, "100 B, unbatched", 300_000, "msgs/s", "anel-unbatched", rate),
        ratio(results, "100 B against the plain pipeline", 25, "anel-100", "pipeline-100"),
        ratio(results, "unbatched against the plain pipeline", 40, "anel-unbatched", "pipeline-unbatched"),
        figure(results, "idle ack at the holder, p50", 450, "us", *latency[0], "p50_us", at_least=False),
        figure(results, "idle ack at the holder, p99", 1_000, "us", *latency[0], "p99_us", at_least=False),
        figure(results, "idle ack at another node, p50", 700, "us", *latency[1], "p50_us", at_least=False),
        figure(results, "idle ack at another node, p99", 1_500, "us", *latency[1], "p99_us", at_least=False),
        figure(results, "ack under half of the peak load, p99", 20, "ms", "anel-half-peak", "latency", "p99_us",
               at_least=False, scale=0.001),
        figure(results, "idle ring, all nodes", 1, "% of a core", "anel-idle", "percent_of_a_core", at_least=False),
        figure(results, "idle ring, written to disk in the run", 0, "bytes", "anel-idle", "written_bytes",
               at_least=False),
        figure(results, "idle ring, largest node", 32, "MiB", "anel-idle", "largest_node_mib", at_least=False),
        ratio(results, "33 nodes against 3", 50, "anel-nodes-33", "anel-nodes-3"),
    ]
    return musts + [disk_share(results, size) for size in rows.SIZES if size >= WHOLE_ROUNDS_FROM]

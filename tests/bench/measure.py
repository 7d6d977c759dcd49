"""One measured run of each kind: a peer under the load generator, a ring under `anel bench`, the plain pipeline."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

from common import free_ports


class Failed(Exception):
    """A run did not come to a figure; the text is what the program said."""


def settle(path, patience=30):
    """Waits until the disk is done with what was removed: it goes on discarding the blocks of gigabytes for seconds, and
    syncs beside that take several times as long. Where the kernel does not say, or others keep it busy, for no longer."""
    os.sync()
    device = os.stat(path).st_dev
    account = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat"
    until = time.monotonic() + patience
    before = None
    while os.path.exists(account) and time.monotonic() < until:
        with open(account, encoding="ascii") as file:
            fields = file.read().split()
        in_flight, discards = fields[8], fields[11:12]  # Documentation/block/stat.rst
        if in_flight == "0" and discards == before:
            return
        before = discards
        time.sleep(1)


class Place:
    """Where the programs lie and where the files of a run may grow.

    `settles`: a run begins when the disk is done with the one before.
    """

    def __init__(self, binaries, work, settles):
        self.settles = settles
        self.binaries = os.path.abspath(binaries)
        self.work = os.path.abspath(work)
        os.makedirs(self.work, exist_ok=True)

    def program(self, name):
        return os.path.join(self.binaries, name)

    @contextlib.contextmanager
    def folder(self):
        path = tempfile.mkdtemp(prefix="run-", dir=self.work)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            if self.settles:
                settle(self.work)


def run(arguments, patience):
    """What a program prints; it is ended when it takes longer than `patience` seconds."""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=patience)
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(arguments)}: not within {patience:.0f} s") from None
    if done.returncode != 0:
        raise Failed(f"{' '.join(arguments)}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def output_of(arguments, patience):
    """The JSON that a program prints."""
    return json.loads(run(arguments, patience))


def flags(options):
    return [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]


def load(place, kind, seconds, ports=(), **options):
    """One run of the load generator against servers that run."""
    if ports:
        options["ports"] = ",".join(str(port) for port in ports)
    result = output_of([place.program("bench_load"), kind, *flags({"seconds": seconds, **options})], seconds + 60)
    if result["messages"] == 0:
        raise Failed(f"{kind}: nothing became durable in {seconds} s")
    return result


def on_file(place, kind, seconds, **options):
    """flock and disk: a fresh file each time."""
    with place.folder() as folder:
        return load(place, kind, seconds, path=os.path.join(folder, "log"), **options)


def verify(place, ring, patience):
    """Of a ring that was stopped."""
    run([place.program("anel"), "verify", ring.data], patience)


def anel_bench(place, kind, seconds, patience, **options):
    arguments = [place.program("anel"), "bench", kind, "--json", *flags({"seconds": seconds, **options})]
    return output_of(arguments, patience)["result"]


def anel(place, kind, seconds, **options):
    """One `anel bench`, with a fresh ring. It verifies the file and fails if it is wrong."""
    nodes = options.get("nodes", 5)
    with place.folder() as folder:
        base = free_ports(2 * nodes)[0]
        return anel_bench(place, kind, seconds, 10 * seconds + 300, data=folder, base_port=base,
                          cluster_base_port=base + nodes, **options)


def on_ring(place, ring, seconds, **options):
    """The load of `anel bench throughput` on a ring that runs; its file is verified by whoever ends it."""
    return anel_bench(place, "throughput", seconds, 10 * seconds + 60, to=ring.addresses(), **options)


def pipeline(place, kind, seconds, **options):
    """The same load as anel(), on the plain pipeline. What it wrote is counted, as there is no ledger to verify."""
    with place.folder() as folder:
        with subprocess.Popen([place.program("bench_pipeline"), "--data", folder], stdout=subprocess.PIPE,
                              text=True) as server:
            try:
                port = int(server.stdout.readline() or 0)
                return anel_bench(place, kind, seconds, 10 * seconds + 60, to=f"127.0.0.1:{port}", **options)
            finally:
                server.kill()

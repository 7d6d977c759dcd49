"""Where the time of one message and of one round goes: processor time of each kind of thread and of each stage, switches,
how long a lap and a sync take, perf's top.

Loads a ring of five for some seconds and takes the difference of what the kernel accounts for each thread, between two
moments in the middle of the load; what the nodes' own histograms say of the same time; and samples of perf, each put down
to the stage whose function stands in its stack. Usage: budget.py [--binaries DIR] [arguments of `anel bench throughput`]
"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import tables
from common import HttpRing, wait_until

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PERF_LINES = 25
RATHER_MUCH = 2000  # messages, before the ring counts as loaded
SAMPLE_SECONDS = 5
SAMPLES_A_SECOND = 299

# A sample belongs to the first whose function is in its stack.
STAGES = [
    ("checkpoints, freeing", r"anel::CheckpointThread::|anel::Freeing::"),
    ("journal made durable", r"anel::SyncThread::"),
    ("a client's frame received", r"anel::ClientPort::next"),
    ("a client's frame read and checked", r"anel::Clients::arrived|anel::decode_request"),
    ("bids put on the volume", r"anel::place_bid|anel::BidFiles::put"),
    ("bids fetched from the volume", r"anel::fetch_bids|anel::BidFiles::get"),
    ("round built: order, sessions, text", r"anel::build_round"),
    ("record written", r"anel::FileLedger::write_record"),
    ("output written", r"anel::FileLedger::write_output"),
    ("acks, token and notices sent", r"anel::Transport::perform"),
    ("rest of the loop: sleeping and waking, token, steps of the core", r"anel::Daemon::"),
]
HISTOGRAMS = [
    ("a push taken until its ack is sent, at the node", "ack_latency_seconds"),
    ("a lap", "lap_seconds"),
    ("a sync of the journal", "fsync_seconds"),
]


def kind_of(program, pid, task, name):
    if name.startswith("ZMQbg"):
        return f"{program}: ZeroMQ {name.split('/')[1]}"
    if program == "node":
        return "node: loop" if task == pid else "node: other threads (sync, checkpoint)"
    return "clients: own threads"


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def usage(programs):
    """{kind of thread: (processor ns, switches)}; programs: [(name, pid)]."""
    sums = collections.defaultdict(lambda: [0, 0])
    for program, pid in programs:
        for task in os.listdir(f"/proc/{pid}/task"):
            folder = f"/proc/{pid}/task/{task}"
            kind = sums[kind_of(program, str(pid), task, read(f"{folder}/comm").strip())]
            kind[0] += int(read(f"{folder}/schedstat").split()[0])
            kind[1] += sum(map(int, re.findall(r"ctxt_switches:\s*(\d+)", read(f"{folder}/status"))))
    return sums


def idle_ns():
    """Of all processors together."""
    return int(read("/proc/stat").split("\n")[0].split()[4]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def histograms(ring):
    """{name: (count, sum)} of all nodes together."""
    every = [ring.metrics(node.id) for node in ring.nodes]
    return {name: tuple(sum(metrics[f"anel_{name}_{part}"] for metrics in every) for part in ("count", "sum"))
            for _, name in HISTOGRAMS}


def stage_of(stack, is_node, thread):
    if not is_node:
        return "clients"
    if thread.startswith("ZMQbg"):
        return "nodes: ZeroMQ's threads"
    return next((name for name, function in STAGES if re.search(function, stack)), "nodes: anything else")


def stages(data, nodes):
    """{stage: how many of perf's samples}."""
    text = subprocess.run(["perf", "script", "-i", data, "--no-inline", "-F", "comm,pid,tid,ip,sym"],
                          capture_output=True, text=True, check=True).stdout
    sums = collections.Counter()
    for sample in text.split("\n\n"):
        head, _, stack = sample.strip().partition("\n")
        found = re.match(r"(.+?)\s+(\d+)/\d+\s*$", head)
        if found:
            sums[stage_of(stack, int(found[2]) in nodes, found[1])] += 1
    return sums


def top(data):
    """The functions that take the most."""
    report = subprocess.run(["perf", "report", "-i", data, "--no-children", "-g", "none", "--sort", "comm,symbol",
                             "--stdio"], capture_output=True, text=True, check=False).stdout
    # It pads to the longest symbol of all, and ends with columns of its own.
    lines = [re.sub(r"\s+-\s+-\s*$", "", line.strip()) for line in report.split("\n") if not line.startswith("#")]
    return "\n".join([line for line in lines if line][:PERF_LINES])


def perf(programs, ns_a_message, messages_a_round, folder):
    """Prints stages and top, where perf is installed and allowed."""
    if not shutil.which("perf"):
        print("\nperf is not installed")
        return
    data = os.path.join(folder, "perf.data")
    pids = ",".join(str(pid) for _, pid in programs)
    recorded = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "--call-graph", "dwarf,16384", "-F",
                               str(SAMPLES_A_SECOND), "-o", data, "-p", pids, "--", "sleep", str(SAMPLE_SECONDS)],
                              capture_output=True, text=True, check=False)
    if recorded.returncode != 0:
        print("\n" + recorded.stderr.strip())
        return
    found = stages(data, {pid for program, pid in programs if program == "node"})
    body = []
    for name, samples in found.most_common():
        share = samples / found.total()
        body.append((name, f"{share * 100:.1f}", f"{share * ns_a_message:,.0f}",
                     f"{share * ns_a_message * messages_a_round / 1000:,.0f}"))
    print("\n" + tables.markdown(("stage", "% of the processor time", "ns a message", "us a round"), body))
    print("\n" + top(data))


def place(ring):
    status = wait_until(lambda: ring.status(0), 10, "node 0 says how it is")
    return status["sequence"], status["round"]


def measure(ring, load, seconds, folder):
    programs = [("node", node.process.pid) for node in ring.nodes] + [("clients", load.pid)]
    wait_until(lambda: place(ring)[0] > RATHER_MUCH, 20, "the load has begun")
    begun, used, idle, (sequence, round_) = time.monotonic(), usage(programs), idle_ns(), place(ring)
    told = histograms(ring)
    time.sleep(seconds)
    took = time.monotonic() - begun
    now, idle, (last, last_round) = usage(programs), idle_ns() - idle, place(ring)
    told_now = histograms(ring)
    messages, rounds = last - sequence, last_round - round_
    body = []
    for kind in sorted(now):
        ns, switches = now[kind][0] - used[kind][0], now[kind][1] - used[kind][1]
        body.append((kind, f"{ns / messages:,.0f}", f"{ns / rounds / 1000:,.1f}", f"{switches / rounds:,.1f}",
                     f"{ns / took / 1e9:.2f}"))
    body.append(("idle processors", "", f"{idle / rounds / 1000:,.1f}", "", f"{idle / took / 1e9:.2f}"))
    print(f"{messages / took:,.0f} messages/s, {rounds / took:,.0f} rounds/s, {messages / rounds:,.1f} messages a round\n")
    print(tables.markdown(("threads", "ns a message", "us a round", "switches a round", "cores used"), body))
    body = [("a round", f"{took / rounds * 1e6:,.0f}")]
    for what, name in HISTOGRAMS:
        count, total = (after - before for after, before in zip(told_now[name], told[name]))
        body.append((what, f"{total / count * 1e6:,.0f}" if count else ""))
    print("\n" + tables.markdown(("how long it takes", "us"), body))
    perf(programs, sum(now[kind][0] - used[kind][0] for kind in now) / messages, messages / rounds, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binaries", default=os.path.join(ROOT, "build/release/bin"))
    parser.add_argument("--results", default=os.path.join(ROOT, "build/bench"))
    parser.add_argument("--seconds", type=float, default=5)
    options, of_bench = parser.parse_known_args()
    os.makedirs(options.results, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.results) as folder, HttpRing(options.binaries, folder=folder) as ring:
        ring.wait_healthy()
        arguments = [os.path.join(options.binaries, "anel"), "bench", "throughput", "--json", "--to", ring.addresses(),
                     "--seconds", str(options.seconds + SAMPLE_SECONDS + 6), *of_bench]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as load:
            try:
                measure(ring, load, options.seconds, folder)
            finally:
                load.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())


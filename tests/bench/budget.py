"""Where the time of one message and of one round goes: processor time of each kind of thread, switches, perf's top.

Loads a ring of five for some seconds and takes the difference of what the kernel accounts for each thread, between two
moments in the middle of the load. Usage: budget.py [--binaries DIR] [arguments of `anel bench throughput`]
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
from common import Ring, wait_until

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PERF_LINES = 25
RATHER_MUCH = 50_000  # messages, before the ring counts as loaded


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


def perf(programs, seconds, folder):
    """The functions that take the most, where perf is installed and allowed."""
    if not shutil.which("perf"):
        return "perf is not installed"
    data = os.path.join(folder, "perf.data")
    pids = ",".join(str(pid) for _, pid in programs)
    recorded = subprocess.run(["perf", "record", "-q", "-g", "-F", "499", "-o", data, "-p", pids, "--", "sleep", str(seconds)],
                              capture_output=True, text=True, check=False)
    if recorded.returncode != 0:
        return recorded.stderr.strip()
    report = subprocess.run(["perf", "report", "-i", data, "--no-children", "-g", "none", "--sort", "comm,symbol",
                             "--stdio"], capture_output=True, text=True, check=False).stdout
    return "\n".join([line for line in report.split("\n") if line.strip() and not line.startswith("#")][:PERF_LINES])


def place(ring):
    status = wait_until(lambda: ring.status(0), 10, "node 0 says how it is")
    return status["sequence"], status["round"]


def measure(ring, load, seconds, folder):
    programs = [("node", node.process.pid) for node in ring.nodes] + [("clients", load.pid)]
    wait_until(lambda: place(ring)[0] > RATHER_MUCH, 20, "the load has begun")
    begun, used, idle, (sequence, round_) = time.monotonic(), usage(programs), idle_ns(), place(ring)
    time.sleep(seconds)
    took = time.monotonic() - begun
    now, idle, (last, last_round) = usage(programs), idle_ns() - idle, place(ring)
    messages, rounds = last - sequence, last_round - round_
    body = []
    for kind in sorted(now):
        ns, switches = now[kind][0] - used[kind][0], now[kind][1] - used[kind][1]
        body.append((kind, f"{ns / messages:,.0f}", f"{ns / rounds / 1000:,.1f}", f"{switches / rounds:,.1f}",
                     f"{ns / took / 1e9:.2f}"))
    body.append(("idle processors", "", f"{idle / rounds / 1000:,.1f}", "", f"{idle / took / 1e9:.2f}"))
    print(f"{messages / took:,.0f} messages/s, {rounds / took:,.0f} rounds/s, {messages / rounds:,.1f} messages a round\n")
    print(tables.markdown(("threads", "ns a message", "us a round", "switches a round", "cores used"), body))
    print("\n" + perf(programs, 3, folder))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binaries", default=os.path.join(ROOT, "build/release/bin"))
    parser.add_argument("--results", default=os.path.join(ROOT, "build/bench"))
    parser.add_argument("--seconds", type=float, default=5)
    options, of_bench = parser.parse_known_args()
    os.makedirs(options.results, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.results) as folder, Ring(options.binaries, folder=folder) as ring:
        ring.wait_healthy()
        arguments = [os.path.join(options.binaries, "anel"), "bench", "throughput", "--json", "--to", ring.addresses(),
                     "--seconds", str(options.seconds + 8), *of_bench]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as load:
            try:
                measure(ring, load, options.seconds, folder)
            finally:
                load.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())

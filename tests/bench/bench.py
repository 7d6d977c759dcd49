"""`./dev bench`: Anel and its peers side by side on this machine, in one go.

Every row does the same work: clients on loopback give messages to one ordered log and count those that are durable.
Figures go to build/bench/results.json row by row; from there come the tables and plots of docs/PERFORMANCE.md.
"""

import argparse
import fnmatch
import os
import sys
import time

import longrun
import machine
import measure
import page
import pictures
import rows
import tables
from common import TimedOut
from results import Results
from servers import NotHere

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# (runs, seconds) by group.
FULL = {"anel": (3, 10), "peer": (3, 3), "sweep": (3, 3)}
QUICK = {"anel": (1, 1), "peer": (1, 0.5), "sweep": (1, 0.5)}


class Bench:
    def __init__(self, options):
        # Figures of a moment are nobody's, and other tests keep the disk busy beside them.
        self.place = measure.Place(options.binaries, os.path.join(options.results, "work"), settles=not options.quick)
        self.unpacked = os.path.abspath(options.peers)
        self.results = Results(os.path.join(options.results, "quick.json" if options.quick else "results.json"))
        self.times = QUICK if options.quick else FULL
        self.failed = []

    def take(self, row):
        count, seconds = self.times[row.group]
        begun = time.monotonic()
        try:
            runs = row.runs(self, count, seconds)
        except NotHere as why:
            self.results.put_absent(row.name, str(why))
            print(f"{row.name:24} not here: {why}", flush=True)
            return
        except (measure.Failed, TimedOut) as why:
            self.failed.append(row.name)
            print(f"{row.name:24} FAILED: {why}", flush=True)
            return
        self.results.put(row.name, runs, seconds=seconds)
        rate = self.results.median(row.name, "messages_per_second") if "messages_per_second" in runs[0] else None
        shown = f"{rate:>12,.0f} a second" if rate else ""
        print(f"{row.name:24} {time.monotonic() - begun:5.1f} s {shown:24} {row.title}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measures Anel and its peers on this machine; "
                                     "`./dev bench KIND` (throughput, latency, ...) runs `anel bench KIND` alone.")
    parser.add_argument("--quick", action="store_true", help="every row for a moment, in about two minutes; "
                        "the figures mean nothing and the page stays as it is")
    parser.add_argument("--long", action="store_true", help="a ledger of 10 GB, a million sessions, 10,000 clients, "
                        "and full load for an hour")
    parser.add_argument("--gigabytes", type=float, default=10, help="--long: size of the ledger (%(default)s)")
    parser.add_argument("--sessions", type=int, default=1_000_000, help="--long: how many (%(default)s)")
    parser.add_argument("--clients", type=int, default=10_000, help="--long: how many (%(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="--long: of full load (%(default)s)")
    parser.add_argument("--only", metavar="NAMES", help="rows whose names match, with commas between: 'anel-*,redis-*'")
    parser.add_argument("--tables", action="store_true", help="measures nothing: tables and plots of what is there")
    parser.add_argument("--list", action="store_true", help="names of all rows")
    for name, default in (("binaries", "build/release/bin"), ("results", "build/bench"), ("peers", "build/peers/root"),
                          ("page", "docs/PERFORMANCE.md"), ("plots", "docs/plots")):
        parser.add_argument(f"--{name}", default=os.path.join(ROOT, default), help=argparse.SUPPRESS)
    return parser.parse_args()


def chosen(options):
    every = longrun.rows(options) if options.long else \
        rows.anel_rows() + rows.peer_rows() + rows.sweep_rows(options.quick)
    if not options.only:
        return every
    patterns = options.only.split(",")
    picked = [row for row in every if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns)]
    if not picked:
        sys.exit(f"dev bench: no row matches '{options.only}'; --list names them")
    return picked


def main():
    options = arguments()
    picked = chosen(options)
    if options.list:
        for row in picked:
            print(f"{row.name:24} {row.title}")
        return 0
    bench = Bench(options)
    if not options.tables:
        bench.results.all["machine"] = {"about": machine.described(bench.place, bench.unpacked)}
        begun = time.monotonic()
        for row in picked:
            bench.take(row)
        print(f"{len(picked)} rows in {(time.monotonic() - begun) / 60:.1f} minutes")
    made = tables.all_tables(bench.results)
    for name in ("musts", "peers", "long" if options.long else "latency"):
        print(f"\n{made[name]}")
    if not options.quick:
        page.rewrite(options.page, made)
        pictures.write(bench.results, options.plots)
        print("\ndocs/PERFORMANCE.md and docs/plots are rewritten")
    if bench.failed:
        print(f"FAILED: {', '.join(bench.failed)}")
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())

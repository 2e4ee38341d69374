#!/usr/bin/env python3
"""Compare dsync with sqlite3 (.import) and the csv-diff crate on a large table.

usage: table.py [--dsync PATH] [--csv-diff PATH] [--rows N] [--runs N] [--work DIR]

csv-diff is built by `cargo build --release` in benches/csv-diff. Prints CPU seconds, peak memory and the ratio to the peer.
"""
import argparse
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from contacts import ROOT, median, run


def size(folder):
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)


def say(what, cost, peer=None):
    ratio = f"  {cost.cpu / peer.cpu:.2f} x" if peer else ""
    print(f"{what:34} {cost}{ratio}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsync", default=os.path.join(ROOT, "target", "release", "dsync"))
    parser.add_argument("--csv-diff", default=os.path.join(ROOT, "benches", "csv-diff", "target", "release", "csv-diff-peer"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", default=tempfile.gettempdir())
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="dsync-table-", dir=options.work)
    try:
        paths = {name: os.path.join(folder, name + ".csv") for name in ("before", "edited", "reordered")}
        # In processes of their own: the kernel counts what this one holds as its children's peak.
        script = os.path.join(ROOT, "benches", "generate_table.py")
        for name, more in (("before", []), ("edited", ["--edit", "10", "5"]), ("reordered", ["--edit", "10", "5", "--shuffle"])):
            run([sys.executable, script, str(options.rows), "1", paths[name], *more], folder)
        print(f"{options.rows} rows, {os.path.getsize(paths['before']) / 1e6:.0f} MB, median of {options.runs}")

        def imported():
            database = os.path.join(folder, "peer.db")
            if os.path.exists(database):
                os.remove(database)
            return run(["sqlite3", database, ".mode csv", f".import {paths['before']} t"], folder)[0]

        def differed(name):
            return run([options.csv_diff, paths["before"], paths[name]], folder)[0]

        def rounds():
            costs = {}
            system = os.path.join(folder, "system")
            shutil.rmtree(system, ignore_errors=True)
            os.mkdir(system)
            table, remote = os.path.join(system, "t.csv"), os.path.join(folder, "remote")
            shutil.rmtree(remote, ignore_errors=True)
            shutil.copy(paths["before"], table)

            def step(name, *words):
                costs[name] = run([options.dsync, "-q", *words], system)[0]

            step("init", "init")
            step("bind", "add-source", "t.csv", "--key", "id", "--collection", "t")
            step("first", "snapshot")
            # A file that was written within the last two seconds is always read again.
            time.sleep(2.1)
            step("noop", "snapshot")
            packs = os.path.join(system, ".dsync", "packs")
            before = size(packs)
            shutil.copy(paths["edited"], table)
            step("edited", "snapshot")
            costs["growth"] = size(packs) - before
            step("diff", "diff", "@-", "@")
            step("nothing", "diff", "@", "@")
            step("pack", "pack", "changes.pack", "--since", "@-")
            costs["pack bytes"] = os.path.getsize(os.path.join(system, "changes.pack"))
            step("undo", "undo")
            shutil.copy(paths["before"], table)
            step("back", "snapshot")
            shutil.copy(paths["reordered"], table)
            step("reordered", "snapshot")
            return costs

        imports = median([imported() for _ in range(options.runs)])
        edited = median([differed("edited") for _ in range(options.runs)])
        reordered = median([differed("reordered") for _ in range(options.runs)])
        every = [rounds() for _ in range(options.runs)]
        of = {name: median([costs[name] for costs in every]) for name in every[0] if "bytes" not in name and name != "growth"}
        say("sqlite3 .import", imports)
        say("dsync first snapshot", of["first"], imports)
        say("csv-diff, 30 changes", edited)
        say("dsync rescan, 30 changes", of["edited"], edited)
        say("csv-diff, reordered", reordered)
        say("dsync rescan, reordered", of["reordered"], reordered)
        say("dsync, nothing changed", of["noop"])
        say("dsync diff @- @", of["diff"])
        say("dsync diff @ @ (process start)", of["nothing"])
        print(f"{'store grew by (30 changes)':34} {every[0]['growth']} bytes")
        print(f"{'pack of 30 changes, not sealed':34} {every[0]['pack bytes']} bytes")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measure a large table on two systems: what travels, what is written, what history costs, how costs grow.

usage: table_systems.py [--dsync PATH] [--rows N] [--work DIR] [--only changes|history|many|scale]

`first` holds the table as CSV, `second` as a table of SQLite; a sealed remote is between them. Prints CPU seconds, peak memory
and bytes, each with what it should reach.
"""
import argparse
import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from contacts import ROOT, newest_log_object, run

GENERATE = os.path.join(ROOT, "benches", "generate_table.py")


def line(what, value, target=""):
    print(f"{what:46} {value}{'   target: ' + target if target else ''}", flush=True)


def size(folder):
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)


class World:
    """A table of some size on two systems."""

    def __init__(self, dsync, work, rows):
        self.dsync, self.rows = dsync, rows
        self.base = tempfile.mkdtemp(prefix="dsync-systems-", dir=work)
        self.first, self.second, self.remote = (os.path.join(self.base, name) for name in ("first", "second", "remote"))
        self.table = os.path.join(self.first, "t.csv")
        self.database = os.path.join(self.second, "t.db")

    def step(self, folder, *words):
        return run([self.dsync, "-q", *words], folder)[0]

    def generate(self, name, *more):
        """Writes the table, edited as `more` says, to a file beside the systems."""
        path = os.path.join(self.base, name)
        if not os.path.exists(path):
            run([sys.executable, GENERATE, str(self.rows), "1", path, *more], self.base)
        return path

    def put(self, path):
        shutil.copy(path, self.table)

    def start(self):
        """Joins the first system to a new remote and records the table."""
        os.mkdir(self.first)
        self.put(self.generate("before.csv"))
        self.step(self.first, "init")
        self.step(self.first, "add-source", "t.csv", "--key", "id", "--collection", "t")
        self.step(self.first, "remote", "add", "origin", self.remote)
        line("first sync and push", self.step(self.first, "sync"))
        line("its objects on the remote", f"{size(self.remote)} bytes")
        self.key = os.path.join(self.first, ".dsync", "keys", "origin")

    def join(self, name="second"):
        folder = os.path.join(self.base, name)
        cost = run([self.dsync, "-q", "clone", self.remote, folder, "--name", name, "--key-file", self.key], self.base)[0]
        return folder, cost

    def pushed(self):
        """Records and pushes what the first system's table shows; returns the costs and the size of the sealed object."""
        rescan = self.step(self.first, "snapshot")
        push = self.step(self.first, "push")
        return rescan, push, os.path.getsize(newest_log_object(self.remote))

    def differences(self, folder):
        """What the newest snapshot changed, without what tells one snapshot from another."""
        found = subprocess.run([self.dsync, "-C", folder, "diff", "@-", "@", "--json"], capture_output=True, check=True)
        return found.stdout

    def remove(self):
        shutil.rmtree(self.base)


def values(path):
    """The rows of a CSV file as Python reads them, in any order."""
    with open(path, newline="", encoding="utf-8") as file:
        return sorted(map(tuple, csv.reader(file)))


def watched(database):
    """Counts every row that is written from now on."""
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE written (what TEXT)")
        for what in ("INSERT", "UPDATE", "DELETE"):
            connection.execute(f"CREATE TRIGGER on_{what} AFTER {what} ON t BEGIN INSERT INTO written VALUES ('{what}'); END")


def written(database):
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT what, count(*) FROM written GROUP BY what ORDER BY what").fetchall()
        connection.execute("DELETE FROM written")
    return ", ".join(f"{count} {what}" for what, count in found)


def changes(world):
    world.start()
    folder, cost = world.join()
    line("clone", cost)
    world.step(folder, "add-source", "t.db#t", "--collection", "t", "--create")
    line("second system fills its database", world.step(folder, "sync"))
    watched(world.database)
    # The counting changed the file: it is looked at again.
    world.step(folder, "snapshot")
    world.put(world.generate("edited.csv", "--edit", "10", "5"))
    rescan, push, sealed = world.pushed()
    line("rescan, 30 changes", rescan)
    line("push of them", push)
    line("their log object, sealed", f"{sealed} bytes", "2000")
    ordered = world.differences(world.first)
    line("fetch of them", world.step(folder, "fetch"))
    line("apply to the database", world.step(folder, "apply"))
    line("rows written there", written(world.database), "10 of each")
    # The same changes again, from a table whose rows stand in another order.
    world.put(world.generate("before.csv"))
    world.pushed()
    world.put(world.generate("reordered.csv", "--edit", "10", "5", "--shuffle"))
    _, _, again = world.pushed()
    same = "equal" if world.differences(world.first) == ordered else "DIFFERENT"
    line("their log object, rows in another order", f"{again} bytes, changes {same}", "2000, equal")
    world.put(world.generate("one-more.csv", "--edit", "10", "5", "--every", str(world.rows)))
    world.pushed()
    world.put(world.generate("edited.csv"))
    _, _, one = world.pushed()
    count = len(world.differences(world.first).splitlines())
    line("log object of one changed field, sealed", f"{one} bytes, {count} record", "400")


def history(world):
    os.mkdir(world.first)
    world.put(world.generate("before.csv"))
    world.step(world.first, "init")
    world.step(world.first, "add-source", "t.csv", "--key", "id", "--collection", "t")
    world.step(world.first, "snapshot")
    world.step(world.first, "gc")
    packs = os.path.join(world.first, ".dsync", "packs")
    start, rounds = size(packs), 10
    for at in range(rounds):
        world.put(world.generate(f"round{at}.csv", "--edit", "10", str(at)))
        world.step(world.first, "snapshot")
    grown = size(packs)
    line("gc", world.step(world.first, "gc"))
    after = size(packs)
    line(f"growth by {rounds} snapshots of 60 changes", f"{grown - start} bytes, {after - start} after gc")
    # The newest state keeps its tree; what the others cost is what their number adds.
    for at in range(rounds, 2 * rounds):
        world.put(world.generate(f"round{at}.csv", "--edit", "10", str(at)))
        world.step(world.first, "snapshot")
    world.step(world.first, "gc")
    line(f"growth by {rounds} more, after gc", f"{size(packs) - after} bytes", "about their difference sets")
    log = subprocess.run([world.dsync, "-C", world.first, "log", "--json"], capture_output=True, check=True).stdout
    snapshots = [json.loads(entry)["snapshot"] for entry in log.splitlines()]
    line("diff with a state whose tree went", world.step(world.first, "diff", snapshots[-6], "@"))
    line("restore of it", world.step(world.first, "restore", snapshots[-6]))
    # A row that comes back may quote other cells than it did.
    same = values(world.table) == values(world.generate("round4.csv"))
    line("the restored table", "has the values it had" if same else "IS ANOTHER")


def many(world):
    world.start()
    folder, _ = world.join("third")
    os.makedirs(folder, exist_ok=True)
    other = os.path.join(folder, "t.csv")
    shutil.copy(world.table, other)
    world.step(folder, "add-source", "t.csv", "--collection", "t")
    world.step(folder, "sync")
    run([sys.executable, GENERATE, str(world.rows), "1", world.table, "--every", "10", "--edit", "0", "0"], world.base)
    run([sys.executable, GENERATE, str(world.rows), "1", other, "--every", "10", "--edit", "0", "5"], world.base)
    rescan, push, sealed = world.pushed()
    count = world.rows // 10
    line(f"rescan, {count} changed rows", rescan)
    line("push of them", push)
    line("their log object", f"{sealed} bytes")
    own = world.step(folder, "snapshot")
    line("rescan on the other system", own)
    merge = world.step(folder, "fetch")
    line("fetch and merge", merge)
    line("merge over rescan", f"{merge.cpu / own.cpu:.2f}; peak {merge.peak_mib:.0f} MiB", "1.5; 286 MiB")
    line("apply", world.step(folder, "apply"))


def scale(dsync, work, rows):
    figures = []
    for count in (rows // 10, rows):
        world = World(dsync, work, count)
        world.start()
        folder, _ = world.join("third")
        shutil.copy(world.table, os.path.join(folder, "t.csv"))
        world.step(folder, "add-source", "t.csv", "--collection", "t")
        world.step(folder, "sync")
        world.put(world.generate("edited.csv", "--edit", "10", "5"))
        world.step(world.first, "snapshot")
        world.step(world.first, "push")
        other = world.generate("other.csv", "--every", str(count // 10), "--edit", "0", "7")
        shutil.copy(other, os.path.join(folder, "t.csv"))
        world.step(folder, "snapshot")

        def best(folder, *words):
            return min(world.step(folder, *words).cpu for _ in range(9))

        figures.append({
            "diff": best(world.first, "diff", "@-", "@"),
            "pack": best(world.first, "pack", "changes.pack", "--since", "@-"),
            "pull and merge": world.step(folder, "fetch").cpu,
        })
        world.remove()
    for name in figures[0]:
        small, large = (figure[name] for figure in figures)
        line(f"{name}, 10 x the rows", f"{small * 1000:.1f} ms, {large * 1000:.1f} ms: {large / small:.2f} x", "1.3")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsync", default=os.path.join(ROOT, "target", "release", "dsync"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--work", default=tempfile.gettempdir())
    parser.add_argument("--only", choices=["changes", "history", "many", "scale"])
    options = parser.parse_args()
    for name, measure in (("changes", changes), ("history", history), ("many", many)):
        if options.only in (None, name):
            world = World(options.dsync, options.work, options.rows)
            try:
                print(f"== {name}: {options.rows} rows")
                measure(world)
            finally:
                world.remove()
    if options.only in (None, "scale"):
        print(f"== scale: {options.rows // 10} and {options.rows} rows")
        scale(options.dsync, options.work, options.rows)


if __name__ == "__main__":
    main()

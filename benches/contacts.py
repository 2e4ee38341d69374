#!/usr/bin/env python3
"""Compare dsync with vdirsyncer, and measure one change among many contacts.

usage: contacts.py [--dsync PATH] [--small N] [--large N] [--runs N] [--work DIR] [--only folder|file|scale|join]

Prints CPU seconds (user and system), wall time and peak memory of each step; see benches/README.md.
"""
import argparse
import csv
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Cost:
    """What a process took."""

    def __init__(self, wall, usage):
        self.wall = wall
        self.user = usage.ru_utime
        self.system = usage.ru_stime
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_mib = usage.ru_maxrss / 1024

    def __str__(self):
        return (f"CPU {self.cpu:8.3f} s ({self.user:.3f} user + {self.system:.3f} system)  "
                f"wall {self.wall:8.3f} s  peak {self.peak_mib:6.1f} MiB")


def run(command, cwd, quiet=True, env=None):
    """Runs a command to its end and returns its cost and what it printed; any failure ends the benchmark."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, cwd=cwd, stdout=out, stderr=subprocess.STDOUT, env=env)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        out.seek(0)
        text = out.read().decode(errors="replace")
    if child.returncode != 0:
        sys.exit(f"failed with {child.returncode}: {' '.join(command)}\n{text[-2000:]}")
    return Cost(wall, usage), text


def median(costs):
    return sorted(costs, key=lambda cost: cost.cpu)[len(costs) // 2]


def vdirsyncer_program(folder):
    """Installs vdirsyncer into a virtual environment of its own; None where that cannot be done."""
    venv = os.path.join(folder, "venv")
    program = os.path.join(venv, "bin", "vdirsyncer")
    if os.path.exists(program):
        return program
    try:
        subprocess.run([sys.executable, "-m", "venv", venv], check=True, capture_output=True)
        subprocess.run([os.path.join(venv, "bin", "pip"), "-q", "install", "vdirsyncer>=0.19"], check=True, capture_output=True)
    except (subprocess.CalledProcessError, OSError) as error:
        detail = (getattr(error, "stderr", b"") or str(error).encode()).decode(errors="replace").strip().splitlines()
        print(f"SKIPPED vdirsyncer: it cannot be installed here ({detail[-1] if detail else error})")
        return None
    return program


def run_vdirsyncer(program, work, cards, runs):
    """Returns the cost of the first sync and the median of those with nothing changed."""
    base = os.path.join(work, "vdirsyncer")
    shutil.rmtree(base, ignore_errors=True)
    os.makedirs(os.path.join(base, "left"))
    shutil.copytree(cards, os.path.join(base, "left", "book"))
    os.makedirs(os.path.join(base, "right", "book"))
    config = os.path.join(base, "config")
    storage = "[storage {0}]\ntype = \"filesystem\"\npath = \"{1}/{0}\"\nfileext = \".vcf\"\n\n"
    with open(config, "w") as file:
        file.write(f"[general]\nstatus_path = \"{base}/status\"\n\n"
                   f"[pair contacts]\na = \"left\"\nb = \"right\"\ncollections = [\"book\"]\n\n"
                   + storage.format("left", base) + storage.format("right", base))
    command = [program, "-c", config]
    run(command + ["discover", "contacts"], base)
    first, _ = run(command + ["sync"], base)
    written = len(os.listdir(os.path.join(base, "right", "book")))
    assert written == len(os.listdir(cards)), f"vdirsyncer wrote {written} files"
    return first, median([run(command + ["sync"], base)[0] for _ in range(runs)])


def run_dsync_folders(dsync, work, cards, runs):
    """Returns the cost of the first sync from folder to folder and the median of those with nothing changed."""
    base = os.path.join(work, "folders")
    shutil.rmtree(base, ignore_errors=True)
    os.makedirs(base)
    shutil.copytree(cards, os.path.join(base, "left"))
    os.makedirs(os.path.join(base, "right"))
    run([dsync, "init", "--name", "bench"], base)
    run([dsync, "add-source", "left", "--collection", "contacts", "--format", "vcard"], base)
    run([dsync, "add-source", "right", "--collection", "contacts", "--format", "vcard"], base)
    # What was written this very moment is read again for safety; two seconds later it is settled for both programs.
    time.sleep(2.1)
    first, _ = run([dsync, "sync"], base)
    written = len([name for name in os.listdir(os.path.join(base, "right")) if name.endswith(".vcf")])
    assert written == len(os.listdir(cards)), f"dsync wrote {written} files"
    time.sleep(2.1)
    run([dsync, "sync"], base)
    return first, median([run([dsync, "sync"], base)[0] for _ in range(runs)])


def compare_folders(dsync, work, count, runs):
    print(f"== {count} contacts, folder of vCards to folder of vCards")
    cards = os.path.join(work, f"cards{count}/")
    if not os.path.isdir(cards):
        generate.write(count, 7, cards)
    first, again = run_dsync_folders(dsync, work, cards, runs)
    print(f"dsync      first     {first}\ndsync      unchanged {again}")
    program = vdirsyncer_program(work)
    if program:
        theirs_first, theirs_again = run_vdirsyncer(program, work, cards, runs)
        print(f"vdirsyncer first     {theirs_first}\nvdirsyncer unchanged {theirs_again}")
        print(f"ratio of CPU: first 1/{theirs_first.cpu / first.cpu:.1f}, unchanged 1/{theirs_again.cpu / again.cpu:.1f}")


def change_one(path, count):
    """Changes one field of the card in the middle of the file, and waits until the file is settled.

    Piece by piece: what this process holds at its largest counts as peak of the processes that it starts.
    """
    with open(path, "rb") as old, open(path + ".new", "wb") as new:
        left = os.stat(path).st_size // 2
        while left > 0:
            left -= new.write(old.read(min(left, 1 << 16)))
        for line in old:
            new.write(b"FN:Somebody Else %d\r\n" % count if line.startswith(b"FN:") else line)
            if line.startswith(b"FN:"):
                break
        shutil.copyfileobj(old, new)
    os.replace(path + ".new", path)
    time.sleep(2.1)


def pack_reads(dsync, command, base):
    """Returns how often a command read in the packs of the store."""
    if not shutil.which("strace"):
        return "unknown (strace is not installed)"
    log = os.path.join(base, "strace.log")
    run(["strace", "-f", "-y", "-e", "trace=pread64", "-o", log, dsync, *command], base)
    with open(log) as file:
        count = sum("/packs/" in line for line in file)
    os.remove(log)
    return count


def newest_log_object(remote):
    files = [path for path in glob.glob(os.path.join(remote, "**", "*"), recursive=True) if os.path.isfile(path)]
    return max(files, key=lambda path: os.stat(path).st_mtime_ns)


def one_change(dsync, work, count, runs):
    """One contact changed among many; returns the medians that are compared across sizes."""
    print(f"== one changed contact among {count} in one vCard file")
    base = os.path.join(work, f"file{count}")
    shutil.rmtree(base, ignore_errors=True)
    first, second, remote = (os.path.join(base, name) for name in ("first", "second", "remote"))
    for folder in (first, second):
        os.makedirs(folder)
    book = os.path.join(first, "book.vcf")
    generate.write(count, 7, book)
    print(f"file: {os.stat(book).st_size / 1e6:.1f} MB")
    run([dsync, "init", "--name", "first"], first)
    run([dsync, "remote", "add", "origin", remote], first)
    run([dsync, "add-source", "book.vcf", "--collection", "contacts", "--format", "vcard"], first)
    time.sleep(2.1)

    def step(name, command, folder, times=1):
        costs = [run([dsync, *command], folder)[0] for _ in range(times)]
        cost = median(costs)
        print(f"{name:34} {cost}")
        return cost

    step("first sync and push", ["sync"], first)
    key = os.path.join(first, ".dsync", "keys", "origin")
    run([dsync, "clone", remote, second, "--name", "second", "--key-file", key], base)
    shutil.rmtree(second)
    clone, _ = run([dsync, "clone", remote, second, "--name", "second", "--key-file", key], base)
    print(f"{'clone':34} {clone}")
    run([dsync, "add-source", "book.vcf", "--collection", "contacts", "--format", "vcard", "--create"], second)
    step("second system writes its file", ["sync"], second)
    time.sleep(2.1)
    for folder in (first, second):
        run([dsync, "sync"], folder)
    step("sync, nothing changed", ["sync"], first, runs)
    print(f"reads in packs by it: {pack_reads(dsync, ['sync'], first)}")
    change_one(book, 1)
    step("snapshot of one change (rescan)", ["snapshot"], first)
    figures = {}
    figures["push"] = step("push of it", ["push"], first)
    sealed = newest_log_object(remote)
    print(f"log object of it: {os.stat(sealed).st_size} B sealed")
    version = step("dsync --version", ["--version"], first, 4 * runs)
    figures["diff"] = step("diff @- @", ["diff", "@-", "@"], first, 4 * runs)
    wall = sorted(run([dsync, "diff", "@-", "@"], first)[0].wall for _ in range(20))[10]
    start = sorted(run([dsync, "--version"], first)[0].wall for _ in range(20))[10]
    print(f"diff over process start: {(wall - start) * 1000:.1f} ms wall, "
          f"{(figures['diff'].cpu - version.cpu) * 1000:.1f} ms CPU; reads in packs: {pack_reads(dsync, ['diff', '@-', '@'], first)}")
    figures["fetch"] = step("fetch of it on the second", ["fetch"], second)
    step("apply of it on the second", ["apply"], second)
    # Both sides change something else: the second merges.
    change_one(book, 2)
    run([dsync, "sync"], first)
    with open(os.path.join(second, "book.vcf"), "ab") as file:
        file.write(b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bench-added\r\nN:New;Somebody;;;\r\nFN:Somebody New\r\nEND:VCARD\r\n")
    run([dsync, "snapshot"], second)
    figures["merge"] = step("fetch and merge", ["fetch"], second)
    step("sync that writes the merge", ["sync"], second)
    return figures


def filled_system(dsync, folder, remote, key, name, source, format_name, alone_first=False):
    """Makes a system with a remote and a source that has its items already; returns the cost of its first sync.

    With `alone_first` the system records its source before it learns of the remote, so that two histories meet.
    """
    run([dsync, "init", "--name", name], folder)
    add_remote = [dsync, "remote", "add", "origin", remote, *(["--key-file", key] if key else [])]
    if not alone_first:
        run(add_remote, folder)
    run([dsync, "add-source", source, "--collection", "contacts", "--format", format_name], folder)
    time.sleep(2.1)
    if alone_first:
        run([dsync, "sync"], folder)
        run(add_remote, folder)
    return run([dsync, "sync"], folder)


def change_most(old, new, column, text):
    """Copies a CSV and writes another value into a column of four rows out of five, row by row."""
    with open(old, newline="", encoding="utf-8") as rows, open(new, "w", newline="", encoding="utf-8") as out:
        rows = csv.reader(rows)
        writer = csv.writer(out, lineterminator="\r\n")
        header = next(rows)
        at = header.index(column)
        writer.writerow(header)
        for number, row in enumerate(rows):
            if number % 5:
                row[at] = f"{text} {number}"
            writer.writerow(row)


def join(dsync, work, count):
    """Filled sources that meet a filled remote for the first time, and conversions of the same people."""
    print(f"== {count} contacts, known to a remote already, in another system's source")
    base = os.path.join(work, f"join{count}")
    shutil.rmtree(base, ignore_errors=True)
    first, remote = os.path.join(base, "first"), os.path.join(base, "remote")
    os.makedirs(first)
    book = os.path.join(first, "book.vcf")
    generate.write(count, 7, book)
    imported, _ = filled_system(dsync, first, remote, None, "first", "book.vcf", "vcard")
    print(f"{'first import and push':34} {imported}")
    table = os.path.join(base, "book.csv")
    for name, arguments in [
        ("convert vCard to JSContact", [book, os.path.join(base, "book.json"), "--to", "jscontact"]),
        ("convert vCard to Google CSV", [book, table, "--to", "google-csv"]),
        ("convert Google CSV to vCard", [table, os.path.join(base, "again.vcf"), "--to", "vcard"]),
    ]:
        print(f"{name:34} {run([dsync, 'convert', *arguments], base)[0]}")
    alone = os.path.join(base, "alone")
    os.makedirs(alone)
    shutil.copyfile(table, os.path.join(alone, "book.csv"))
    rows, _ = filled_system(dsync, alone, os.path.join(base, "other"), None, "alone", "book.csv", "google-csv")
    print(f"{'first import of the CSV alone':34} {rows}")
    key = os.path.join(first, ".dsync", "keys", "origin")
    few = count // 10
    start, few_remote = os.path.join(base, "few"), os.path.join(base, "few-remote")
    os.makedirs(start)
    generate.write(few, 7, os.path.join(start, "book.vcf"))
    few_imported, _ = filled_system(dsync, start, few_remote, None, "few", "book.vcf", "vcard")
    few_key = os.path.join(start, ".dsync", "keys", "origin")
    other_table = os.path.join(base, "other.csv")
    change_most(table, other_table, "Notes", "seen elsewhere")
    files = {"book.vcf": book, "book.csv": table, "other.csv": other_table}
    for name, source, format_name, known, alone in [
        ("the same vCard file", "book.vcf", "vcard", (remote, key), imported),
        ("its own history of that file", "book.vcf", "vcard", (remote, key), imported),
        ("the same people in Google CSV", "book.csv", "google-csv", (remote, key), rows),
        ("its own history of the CSV", "book.csv", "google-csv", (remote, key), rows),
        ("a CSV with most notes otherwise", "other.csv", "google-csv", (remote, key), rows),
        (f"folder of {few} vCards", "book", "vcard", (few_remote, few_key), few_imported),
        (f"folder of {few}, remote of {count}", "book", "vcard", (remote, key), imported),
    ]:
        # What joins sends, too: each one meets the remote as it was.
        own_remote = os.path.join(base, "joined")
        shutil.rmtree(own_remote, ignore_errors=True)
        shutil.copytree(known[0], own_remote)
        name_of_it = name.replace(" ", "-").replace(",", "")
        folder = os.path.join(base, name_of_it)
        os.makedirs(folder)
        if source == "book":
            generate.write(few, 7, os.path.join(folder, "book/"))
        else:
            shutil.copyfile(files[source], os.path.join(folder, source))
        cost, text = filled_system(dsync, folder, own_remote, known[1], name_of_it, source, format_name,
                                   alone_first=name.startswith("its own"))
        recognised = [line for line in text.splitlines() if line.startswith("recognised")]
        print(f"{name:34} {cost}  {cost.cpu / alone.cpu:.1f} times the import alone\n{'':34} "
              f"{recognised[0] if recognised else 'nothing was recognised'}")
        if source == "other.csv":
            change_most(os.path.join(folder, source), os.path.join(base, "again.csv"), "Notes", "another note")
            shutil.move(os.path.join(base, "again.csv"), os.path.join(folder, source))
            time.sleep(2.1)
            edited, _ = run([dsync, "sync", "--allow-changes"], folder)
            print(f"{'then most notes are edited there':34} {edited}")
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsync", default=os.path.join(ROOT, "target", "release", "dsync"))
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work")
    parser.add_argument("--only", choices=["folder", "file", "scale", "join"])
    arguments = parser.parse_args()
    dsync = os.path.abspath(arguments.dsync)
    if not os.path.exists(dsync):
        sys.exit(f"{dsync} is missing; build it with `cargo build --release` or name another with --dsync")
    work = arguments.work or tempfile.mkdtemp(prefix="dsync-bench-")
    os.makedirs(work, exist_ok=True)
    try:
        if arguments.only in (None, "folder"):
            compare_folders(dsync, work, arguments.small, arguments.runs)
        if arguments.only in (None, "file", "scale"):
            large = one_change(dsync, work, arguments.large, arguments.runs)
        if arguments.only in (None, "join"):
            join(dsync, work, arguments.large)
        if arguments.only in (None, "scale"):
            small = one_change(dsync, work, arguments.large // 10, arguments.runs)
            print(f"== {arguments.large} against {arguments.large // 10} contacts, CPU")
            for name, cost in large.items():
                print(f"{name}: {cost.cpu / max(small[name].cpu, 0.001):.2f} times")
    finally:
        if not arguments.work:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Write a price-list-like table as CSV; the same arguments give the same bytes everywhere.

usage: generate_table.py ROWS SEED OUT [--edit N EDIT_SEED] [--shuffle] [--every K]

Eight columns: an ascending id, names in several scripts, an e-mail address, a city, a decimal amount, a count, a time and
a note with commas, quotes and line ends here and there; some cells are empty. About 110 bytes a row.
--edit changes N rows, adds N and removes N (scattered); --every K changes one field in every K-th row, starting at
EDIT_SEED modulo K; --shuffle writes the rows in another order.
"""
import random
import sys

NAMES = "Smith O'Brien Müller Groß Lefèvre Núñez Wiśniewski Dvořák Öztürk Шевченко Λάσκαρης 欧阳 渡邊 김 Trần".split()
CITIES = ["Berlin", "São Paulo", "Springfield, IL", "京都市", "S:t Olof; Skåne", "Kraków", "Αθήνα", "Reykjavík"]
WORDS = "ordered again after the fair delivery on Tuesday only in the morning pallet damaged see invoice from last year discount agreed with sales".split()
HEADER = "id,name,email,city,amount,count,updated,note"
POOL = 4096


def quoted(text):
    if any(mark in text for mark in ',"\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def pools(rng):
    """Cells that rows are made of, per column."""
    def pick(make, empty=0.04):
        return [quoted(make()) if rng.random() > empty else "" for _ in range(POOL)]

    def note():
        text = " ".join(rng.choice(WORDS) for _ in range(1 + rng.randrange(13)))
        kind = rng.random()
        if kind < 0.02:
            return text + "\nsecond line, with a comma"
        if kind < 0.04:
            return f'they said "{text}", then left'
        return text

    return [
        pick(lambda: f"{rng.choice(NAMES)} {rng.choice(NAMES)}", 0),
        pick(lambda: f"user{rng.randrange(10**6)}@example{rng.randrange(50)}.org"),
        pick(lambda: rng.choice(CITIES)),
        pick(lambda: f"{rng.randrange(10**rng.randrange(1, 6))}.{rng.randrange(100):02d}"),
        pick(lambda: str(rng.randrange(10**rng.randrange(1, 6)))),
        pick(lambda: f"20{rng.randrange(10, 27)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}T"
                     f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}Z"),
        pick(note),
    ]


def rows(count, seed, edits=0, edit_seed=0, every=0):
    rng = random.Random(seed)
    cells = pools(rng)
    change = random.Random(edit_seed * 7919 + 13)
    chosen = change.sample(range(count), 2 * edits) if edits else []
    changed, removed = set(chosen[:edits]), set(chosen[edits:])
    bits = rng.getrandbits
    for number in range(count):
        word = bits(84)
        line = [str(number + 1)] + [cells[at][word >> (12 * at) & 4095] for at in range(7)]
        if number in removed:
            continue
        if number in changed or every and number % every == edit_seed % every:
            line[5] = str(10**7 + number)
        yield ",".join(line)
    for number in range(edits):
        yield ",".join([str(10**9 + number)] + [cells[at][change.randrange(POOL)] for at in range(7)])


def write(path, count, seed, edits=0, edit_seed=0, every=0, shuffle=False):
    lines = rows(count, seed, edits, edit_seed, every)
    if shuffle:
        lines = list(lines)
        random.Random(seed + 9).shuffle(lines)
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(HEADER + "\n")
        batch = []
        for line in lines:
            batch.append(line)
            if len(batch) == 8192:
                out.write("\n".join(batch) + "\n")
                batch.clear()
        if batch:
            out.write("\n".join(batch) + "\n")


if __name__ == "__main__":
    words = sys.argv[1:]
    option = {"edits": 0, "edit_seed": 0, "every": 0, "shuffle": False}
    if "--shuffle" in words:
        words.remove("--shuffle")
        option["shuffle"] = True
    if "--every" in words:
        at = words.index("--every")
        option["every"] = int(words[at + 1])
        del words[at:at + 2]
    if "--edit" in words:
        at = words.index("--edit")
        option["edits"], option["edit_seed"] = int(words[at + 1]), int(words[at + 2])
        del words[at:at + 3]
    if len(words) != 3:
        sys.exit(__doc__)
    write(words[2], int(words[0]), int(words[1]), **option)

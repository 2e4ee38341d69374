#!/usr/bin/env python3
"""Write an address book as vCard 3.0; the same arguments give the same bytes everywhere.

usage: generate.py COUNT SEED OUT     OUT that ends in "/" becomes a folder with a card per file

Names in several scripts, 0-4 phones, 0-3 e-mail addresses, postal addresses, organisations, notes, categories, birthdays
and a photo on one card in fifty: the mix of fields that address books of persons show.
"""
import base64
import os
import random
import sys

GIVEN = "James Mary Aoife Zoë Jürgen Bärbel Françoise José Łukasz Žofie Ayşe Ольга Дмитрий Γιώργος فاطمة נועם 秀英 太郎 민준 प्रिया Đức".split()
FAMILY = "Smith O'Brien Smith-Jones Müller Groß Lefèvre Núñez Wiśniewski Dvořák Öztürk Шевченко Щербаков Βλάχος حسين כהן 欧阳 渡邊 김 शर्मा Trần".split()
STREETS = ["Main Street", "Hauptstraße", "Rue de l'Église", "ul. Długa", "Невский проспект", "Elm Ave, Apt. #"]
CITIES = [("Berlin", "", "10115", "Germany"), ("Springfield", "IL", "62701", "USA"), ("京都市", "京都府", "600-8001", "日本"),
          ("S:t Olof; Skåne", "", "277 65", "Sverige")]
ORGANISATIONS = ["Acme, Inc.", "Müller & Söhne GmbH", "Глобус ООО", "株式会社例", "O'Reilly; Media"]
WORDS = "met at the conference in spring call back after Tuesday prefers email likes tea two kids moved last year about invoice".split()


def escape(text):
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\n", "\\n")


def fold(line):
    """Folds at 75 octets without splitting a character (RFC 6350, section 3.2)."""
    data = line.encode()
    if len(data) <= 75:
        return line
    pieces, at, limit = [], 0, 75
    while len(data) - at > limit:
        end = at + limit
        while data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[at:end])
        at, limit = end, 74
    pieces.append(data[at:])
    return b"\r\n ".join(pieces).decode()


def card(rnd, number, photos):
    """Returns the UID and the text of one card; draws only from rnd.random(), whose sequence Python guarantees."""
    pick = lambda items: items[int(rnd() * len(items))]
    digits = lambda: "%07d" % int(rnd() * 1e7)
    uid = "%08x-%04x-4%03x-9%03x-%012x" % (int(rnd() * 2**32), int(rnd() * 2**16), number % 4096, number // 4096 % 4096, number)
    given, family = pick(GIVEN), pick(FAMILY)
    lines = ["BEGIN:VCARD", "VERSION:3.0", "UID:" + uid, f"N:{family};{given};;;", f"FN:{given} {family} {number}"]
    for _ in range(int(rnd() ** 2 * 5)):
        lines.append("TEL;TYPE=%s:%s" % (pick(["CELL", "HOME", "WORK"]), pick(["+1 555 ", "+49 30 ", "(030) "]) + digits()))
    for _ in range(int(rnd() ** 1.5 * 4)):
        lines.append("EMAIL;TYPE=INTERNET,%s:u%d.%s@%s" % (pick(["HOME", "WORK"]), number, digits(), pick(["example.com", "mail.example"])))
    for _ in range(int(rnd() ** 1.5 * 3)):
        city, region, code, country = pick(CITIES)
        parts = ["", "", "%s %d" % (pick(STREETS), rnd() * 200), city, region, code, country]
        lines.append("ADR;TYPE=HOME:" + ";".join(map(escape, parts)))
    if rnd() < 0.4:
        lines.append("ORG:" + escape(pick(ORGANISATIONS)))
    if rnd() < 0.35:
        lines.append("BDAY:%04d-%02d-%02d" % (1930 + rnd() * 80, 1 + rnd() * 12, 1 + rnd() * 28))
    if rnd() < 0.3:
        lines.append("CATEGORIES:" + pick(["Friends", "Family", "Work"]))
    if rnd() < 0.4:
        lines.append("NOTE:" + escape(" ".join(pick(WORDS) for _ in range(3 + int(rnd() * rnd() * 40)))) + pick([".", " 😀", "\\nnew line"]))
    if rnd() < 0.02:
        lines.append("PHOTO;ENCODING=b;TYPE=PNG:" + pick(photos))
    lines += ["REV:2024-01-%02dT%02d:00:00Z" % (1 + rnd() * 28, rnd() * 24), "END:VCARD"]
    return uid, "".join(fold(line) + "\r\n" for line in lines)


def cards(count, seed):
    """Yields UID and text of each card."""
    rnd = random.Random(seed).random
    photos = [base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(int(rnd() * 256) for _ in range(400 + 150 * n))).decode() for n in range(16)]
    for number in range(count):
        yield card(rnd, number, photos)


def write(count, seed, out):
    """Writes one file, or a folder with a file per card when `out` ends in "/"."""
    if out.endswith("/"):
        os.makedirs(out, exist_ok=True)
        for uid, text in cards(count, seed):
            with open(os.path.join(out, uid + ".vcf"), "w", encoding="utf-8", newline="") as file:
                file.write(text)
        return
    with open(out, "w", encoding="utf-8", newline="", buffering=1 << 20) as file:
        file.writelines(text for _, text in cards(count, seed))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    write(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

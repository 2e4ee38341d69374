#!/usr/bin/env bash
# Exchanges Parquet files with pyarrow: what it writes must arrive, what dsync writes must be what it reads.
#
# usage: tests/servers/parquet.sh [DSYNC]
# Needs python3 with venv and a package index; says so and ends well where there is none.
set -euo pipefail
cd "$(dirname "$0")/../.."
dsync=$(realpath "${1:-target/debug/dsync}")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dsync-pyarrow
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! "$dsync" formats --json | grep -q '"parquet"'; then
  echo "parquet: skipped, this dsync is built without it"
  exit 0
fi
if ! "$cache/bin/python" -c 'import pyarrow' 2>/dev/null; then
  mkdir -p "$cache"
  if ! { python3 -m venv "$cache" && "$cache/bin/pip" install -q pyarrow; } >"$work/pip.log" 2>&1; then
    rm -rf "$cache"
    echo "parquet: skipped, pyarrow cannot be installed here"
    exit 0
  fi
fi
cat >"$work/check.py" <<'PYTHON'
import csv, datetime, decimal, json, subprocess, sys
import pyarrow as pa, pyarrow.parquet as pq

dsync, work = sys.argv[1:]
utc = datetime.timezone.utc

def run(*words):
    done = subprocess.run([dsync, "-C", work + "/store", *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{words}: {done.returncode} {done.stdout} {done.stderr}")
    return done.stdout

def rows(n):
    when = datetime.datetime(2026, 11, 22, 14, 30, 5, 123456, utc) + datetime.timedelta(days=37 * n)
    return {
        "id": n, "small": n % 100 - 50, "big": n * 10**15, "money": decimal.Decimal(n) / 4, "wide": decimal.Decimal(-n) * 10**20,
        "real": n / 8, "single": n / 4, "yes": n % 3 == 0, "day": when.date(), "clock": when.time(), "stamp": when,
        "local": when.replace(tzinfo=None), "milli": when.replace(microsecond=123000), "text": f"é\n\"{n}\"" if n % 5 else "", "raw": bytes([n % 256, 0]),
        "list": [n, None], "tree": {"a": n, "b": str(n)},
    }

schema = pa.schema([
    ("id", pa.int64()), ("small", pa.int8()), ("big", pa.uint64()), ("money", pa.decimal128(12, 3)), ("wide", pa.decimal128(38, 2)), ("real", pa.float64()),
    ("single", pa.float32()), ("yes", pa.bool_()), ("day", pa.date32()), ("clock", pa.time64("us")), ("stamp", pa.timestamp("us", "UTC")),
    ("local", pa.timestamp("ns")), ("milli", pa.timestamp("ms", "UTC")), ("text", pa.string()), ("raw", pa.binary()), ("list", pa.list_(pa.int32())),
    ("tree", pa.struct([("a", pa.int64()), ("b", pa.string())])),
])
passed = 0
for codec in ["none", "snappy", "gzip", "zstd", "lz4"]:
    for version in ["1.0", "2.0"]:
        store = work + "/store"
        subprocess.run(["rm", "-rf", store], check=True)
        subprocess.run([dsync, "init", store], check=True, capture_output=True)
        table = [rows(n) for n in range(1, 2001)]
        table[7] = {"id": 8}
        file = store + "/t.parquet"
        pq.write_table(pa.Table.from_pylist(table, schema=schema), file, compression=codec, data_page_version=version, row_group_size=700)
        run("add-source", "t.parquet", "--collection", "t", "--key", "id")
        run("add-source", "copy.parquet", "--collection", "t", "--create")
        run("add-source", "t.jsonl", "--collection", "t", "--create")
        run("sync")
        run("sync")
        same = pq.read_table(store + "/copy.parquet")
        assert same.num_rows == 2000
        plain = [name for name in schema.names if name not in ("list", "tree")]
        for old, new in zip(table, sorted(same.to_pylist(), key=lambda row: row["id"])):
            for name in plain:
                was, now = old.get(name), new[name]
                if name == "local" and was is not None:
                    was = was.replace(tzinfo=utc)
                assert was == now, (codec, version, name, was, now)
            for name in ("list", "tree"):
                assert old.get(name) == (new[name] and json.loads(new[name])), (name, old.get(name), new[name])
        # An edit elsewhere changes one cell of the file, and nothing else.
        before = pq.read_table(file)
        text = open(store + "/t.jsonl", encoding="utf-8").read()
        lines = text.splitlines()
        at = next(i for i, line in enumerate(lines) if json.loads(line)["id"] == 3)
        lines[at] = lines[at].replace('"money":0.750', '"money":12.5', 1)
        gone = next(i for i, line in enumerate(lines) if json.loads(line)["id"] == 1000)
        del lines[gone]
        open(store + "/t.jsonl", "w", encoding="utf-8").write("\n".join(lines) + "\n")
        run("sync")
        run("sync")
        after = pq.read_table(file)
        wanted = [row for row in before.to_pylist() if row["id"] != 1000]
        wanted[2]["money"] = decimal.Decimal("12.500")
        assert after.to_pylist() == wanted, (codec, version)
        assert after.schema.equals(before.schema, check_metadata=True)
        made = pq.ParquetFile(file).metadata
        assert [made.row_group(i).num_rows for i in range(made.num_row_groups)] == [700, 699, 600]
        assert {made.row_group(0).column(i).compression for i in range(made.num_columns)} == {
            {"none": "UNCOMPRESSED", "lz4": "LZ4"}.get(codec, codec.upper())}
        passed += 1
print(f"{passed} passed, 0 failed")
PYTHON
"$cache/bin/python" "$work/check.py" "$dsync" "$work"

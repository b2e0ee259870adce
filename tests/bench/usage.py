#!/usr/bin/env python3
"""How fast `bedrock-worker usage` reads, in how much memory, and whether its sums are those of an independent program.

  tests/bench/usage.py [--records N] [--partitions N] [--days N] [--rounds N] [--report-gib N]

Fills a topic of a broker of its own (build/kafka/usage-bench, removed at the end) with N records (10,000,000), each with
an id, a time and a cost of its own, and sums them by Python's decimals. Then reads it by turns with bare_reader, which only
adds up bytes, and with the command, and compares the sums; then with a report of AWS beside it, of 2 GiB if not said
otherwise. Programs: $BEDROCK_PROGRAMS, else build/release; bare_reader
from build/dev/tests.
"""
import argparse
import json
import os
import sys
import time
from decimal import Decimal, localcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kafka"))
VENV = ROOT / "build" / "venv" / "bin" / "python"
if VENV.exists() and sys.prefix == sys.base_prefix:
    os.execv(VENV, [str(VENV), *sys.argv])

from confluent_kafka import Producer                                        # noqa: E402

from kit import records, usage                                              # noqa: E402
from kit.broker import Broker, fetch_jars                                   # noqa: E402
from kit.processes import WORK                                              # noqa: E402
from kit.services import PROGRAMS                                           # noqa: E402

BARE = ROOT / "build" / "dev" / "tests" / "bare_reader"
KINDS = 2000            # records that differ in more than id, time and place
MIB = 2 ** 20
COLUMNS = ("tenant", "model", "day")


def kinds():
    """Records cut at what is filled in: id (twice), time (three times)."""
    for number in range(KINDS):
        value = usage.record(number, usage.BEGIN_MS, call="@id", started_at="@time")
        value["id"], value["time"] = "@id", "@time"
        text = usage.encoded(value).decode().replace("@id", "\0i").replace("@time", "\0t")
        yield value, text.split("\0")


def refuse(error, _):
    sys.exit(f"the broker rejected a record: {error}")


def fill(bootstrap, topic, count, days):
    """Produces, and returns the independent sums."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 100, "batch.size": 1_000_000,
                         "compression.type": "lz4", "partitioner": "murmur2_random",
                         "delivery.report.only.error": True, "queue.buffering.max.messages": 1_000_000, "queue.buffering.max.kbytes": 1_000_000})
    made, tally, step = list(kinds()), {}, days * usage.DAY_MS / count
    for number in range(count):
        ms = usage.BEGIN_MS + int(number * step)
        kind = number * 7919 % KINDS
        value, pieces = made[kind]
        fields = {"i": usage.call_id(ms, number * 2654435761), "t": usage.instant(ms)}
        text = pieces[0] + "".join(fields[piece[0]] + piece[1:] for piece in pieces[1:])
        while True:
            try:
                producer.produce(topic, text, value["subject"], timestamp=ms, on_delivery=refuse)
                break
            except BufferError:
                producer.poll(0.05)
        if number % 1000 == 0:
            producer.poll(0)
        key = kind, fields["t"][:10]
        tally[key] = tally.get(key, 0) + 1
    assert producer.flush(600) == 0
    return sums(made, tally)


def sums(made, tally):
    rows = {}
    with localcontext() as context:
        context.prec = 60
        for (kind, day), times in tally.items():
            data = made[kind][0]["data"]
            row = rows.setdefault((data["tenant"], data["model"], day), [0] * 5 + [Decimal(0)])
            row[0] += times
            for place, name in enumerate(usage.COUNTS, 1):
                row[place] += times * data["usage"][name]
            row[-1] += times * Decimal(data["cost"]["amount"])
    return {key: [*row[:-1], usage.text_of(row[-1])] for key, row in rows.items()}


def timed(command, output):
    """Seconds on the clock and of CPU, and resident bytes at the most, of a process."""
    began = time.monotonic()
    pid = os.posix_spawn(command[0], command, {**os.environ, "AWS_REGION": "us-east-1"}, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)])
    _, status, used = os.wait4(pid, 0)
    assert status == 0, command
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--report-gib", type=int, default=2)
    options = parser.parse_args()
    missing = fetch_jars()
    if missing:
        sys.exit(missing)
    broker = Broker(WORK / "usage-bench")
    broker.format()
    broker.start()
    try:
        measure(broker, options)
    finally:
        broker.stop()
        broker.wipe()


def measure(broker, options):
    topic, output = "usage.bench", str(WORK / "usage-bench.json")
    records.create_topic(broker.bootstrap, topic, options.partitions, {"retention.ms": "-1"})
    expected = fill(broker.bootstrap, topic, options.records, options.days)
    print(f"{options.records:,} records in {options.partitions} partitions over {options.days} days", flush=True)
    bare = [str(BARE), broker.bootstrap, topic]
    ours = [str(PROGRAMS / "bedrock-worker"), "usage", "--by", ",".join(COLUMNS), "--format", "json", "--set",
            f"kafka.bootstrap_servers={broker.bootstrap}", "--set", f"topics.usage={topic}"]
    for _ in range(options.rounds):
        for name, command in (("bare reader", bare), ("usage", ours)):
            seconds, cpu, resident = timed(command, output)
            print(f"{name:12} {options.records / seconds:12,.0f} records/s  {seconds:7.2f} s  CPU {cpu:7.2f} s  "
                  f"{resident / MIB:6.0f} MiB", flush=True)
    with open(output, encoding="utf-8") as lines:
        printed = usage.printed(lines, COLUMNS)
    Path(output).unlink()
    print("sums", "equal" if printed == expected else "DIFFER")
    for key in [key for key in {**expected, **printed} if expected.get(key) != printed.get(key)][:3]:
        print(key, "expected", expected.get(key), "printed", printed.get(key))
    is_right = printed == expected and (options.report_gib == 0 or compare_report(ours, options.report_gib))
    sys.exit(not is_right)


def compare_report(ours, gib):
    began = time.monotonic()
    rows, printed, resident = usage.stream_report([*ours[:2], *ours[4:], "--since", "2026-11-02", "--until", "2026-11-03",
                                                   "--reconcile", "-"], gib << 30)
    tokens = sum(row["aws_tokens"] for row in map(json.loads, printed.splitlines()) if row["side"] == "only_aws")
    print(f"a report of {gib} GiB, {rows:,} rows: {time.monotonic() - began:.0f} s, {resident / MIB:.0f} MiB, tokens "
          f"{'equal' if tokens == 7 * rows else 'DIFFER'}")
    return tokens == 7 * rows


if __name__ == "__main__":
    main()

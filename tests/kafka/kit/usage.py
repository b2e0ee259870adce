"""Usage records by the number, and their sums by Python's decimals: the independent program beside `bedrock-worker usage`.

    tests/kafka/kit/usage.py fill BOOTSTRAP TOPIC COUNT [DAYS]    produces COUNT records over DAYS days
    tests/kafka/kit/usage.py sums COUNT [DAYS]                    prints the sums of those records by tenant, model and day
"""
import json
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from decimal import Decimal, localcontext
from pathlib import Path

BEGIN_MS = 1_793_491_200_000        # 2026-11-01T00:00:00Z
DAY_MS = 86_400_000
MODELS = {"anthropic.claude-3-sonnet-20240229-v1:0": ("0.000003", "0.000015"),
          "amazon.nova-lite-v1:0": ("0.00000006", "0.00000024"),
          "meta.llama3-1-70b-instruct-v1:0": ("0.00000099", "0.00000099")}
TENANTS = ["acme", "globex", "default", "initech"]
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith(("AWS_", "KAFKA_", "BEDROCK_WORKER_"))} | {"AWS_REGION": "us-east-1"}
COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


def instant(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def call_id(ms, number):
    return f"{ms >> 16:08x}-{ms & 0xffff:04x}-7{number >> 62 & 0xfff:03x}-{0x8000 | number >> 48 & 0x3fff:04x}-" \
           f"{number & 0xffffffffffff:012x}"


def record(number, ms, **data):
    """A record as the worker writes it; `data` replaces members of `data`."""
    rng = random.Random(number)
    tenant, model = rng.choice(TENANTS), rng.choice(list(MODELS))
    read, written = rng.choice([0, 0, 900]), rng.choice([0, 0, 0, 300])
    tokens = {"input_tokens": rng.randrange(1, 5000) + read + written, "output_tokens": rng.randrange(1, 2000),
              "total_tokens": 0, "cache_read_tokens": read, "cache_write_tokens": written}
    tokens["total_tokens"] = tokens["input_tokens"] + tokens["output_tokens"]
    inward, outward = (Decimal(price) for price in MODELS[model])
    parts = {"input": inward * (tokens["input_tokens"] - read - written), "output": outward * tokens["output_tokens"],
             "cache_read": inward / 10 * read, "cache_write": inward * Decimal("1.25") * written}
    cost = {"amount": text_of(sum(parts.values())), "currency": "USD", "prices": "2026-11-01.0a1b2c3d",
            "parts": {name: text_of(value) for name, value in parts.items()}}
    name = call_id(ms, number)
    raw = {"inputTokens": tokens["input_tokens"] - read - written, "outputTokens": tokens["output_tokens"],
           "totalTokens": tokens["total_tokens"], "cacheReadInputTokens": read, "cacheWriteInputTokens": written}
    body = {"request_id": f"order-{number}", "call": name, "attempt": 1, "final": number % 50 != 0,
            "estimated": False, "tenant": tenant, "labels": {"project": f"p{number % 7}"}, "model": model,
            "model_requested": "claude", "region": "us-east-1", "api": "converse", "stream": False,
            "stop_reason": "end_turn", "bedrock_request_id": f"5c017cf0-d6fa-4f3b-aec4-{number:012x}",
            "started_at": instant(ms), "duration_ms": 303,
            "usage": {**tokens, "convention": "langchain", "raw": raw}, "cost": cost,
            "source": {"topic": "bedrock.requests", "partition": 0, "offset": number, "timestamp": instant(ms)}}
    body.update(data)
    body = {name: value for name, value in body.items() if value is not None}
    return {"specversion": "1.0", "id": body["call"], "source": "/bedrock-worker/bedrock-worker",
            "type": "bedrock.chat.usage.v1", "subject": body["tenant"], "time": instant(ms + 303),
            "datacontenttype": "application/json", "data": body}


def text_of(value):
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def records(count, days=3):
    for number in range(count):
        yield record(number, BEGIN_MS + number * days * DAY_MS // count)


def sums(taken, key):
    """Calls, counts and costs of records by key(data)."""
    rows = defaultdict(lambda: [0] * (1 + len(COUNTS)) + [Decimal(0)])
    with localcontext() as context:
        context.prec = 60
        for value in taken:
            data = value["data"]
            row = rows[key(data)]
            row[0] += 1
            for place, name in enumerate(COUNTS, 1):
                row[place] += data["usage"][name]
            if "cost" in data:
                row[-1] += Decimal(data["cost"]["amount"])
    return {key: [*row[:-1], text_of(row[-1])] for key, row in rows.items()}


def by_tenant_model_day(data):
    return data["tenant"], data["model"], data["started_at"][:10]


def printed(lines, columns):
    """The rows of `usage --format json` in the form of sums()."""
    rows = {}
    for line in lines:
        row = json.loads(line)
        cost = row.get("cost", {}).get("amount", "0")
        rows[tuple(row[name] for name in columns)] = [row["calls"], *(row[name] for name in COUNTS), cost]
    return rows


def command(broker, topic, *arguments):
    from kit.services import PROGRAMS
    return [PROGRAMS / "bedrock-worker", "usage", "--set", f"kafka.bootstrap_servers={broker.bootstrap}", "--set",
            f"topics.usage={topic}", *arguments]


def call(broker, topic, *arguments, **environment):
    from kit.processes import PATIENCE
    return subprocess.run(command(broker, topic, *arguments), capture_output=True, text=True, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL, env={**ENVIRONMENT, **environment}, check=False)


REPORT_ROW = "2026-11-02T{:02}:00:00Z,Usage,USE1-Claude9Opus-input-tokens,0.007,1K tokens,{}\n"
REPORT_HEADING = "lineItem/UsageStartDate,lineItem/LineItemType,lineItem/UsageType,lineItem/UsageAmount,pricing/unit,more\n"


def most_resident(pid):
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def stream_report(words, size):
    """Runs `usage --reconcile -` with a report of this size on its standard input; its rows are 7 tokens each. Returns
    the number of rows, what was printed, and the most resident bytes."""
    block = "".join(REPORT_ROW.format(number % 24, "x" * (number % 200)) for number in range(20_000)).encode()
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        process.stdin.write(REPORT_HEADING.encode())
        blocks = -(-size // len(block))
        for _ in range(blocks):
            process.stdin.write(block)
        process.stdin.flush()
        resident = most_resident(process.pid)       # wait4 would count this program before it becomes the command, too
        process.stdin.close()
        printed = process.stdout.read().decode()
    assert process.returncode == 0
    return blocks * 20_000, printed, resident


def encoded(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def fill(bootstrap, topic, taken):
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 50, "batch.size": 1_000_000,
                         "partitioner": "murmur2_random", "queue.buffering.max.kbytes": 200_000})
    for value in taken:
        ms = int(value["id"].replace("-", "")[:12], 16)
        while True:
            try:
                producer.produce(topic, encoded(value), value["subject"].encode(), timestamp=ms + 303)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(600) == 0


def main():
    what, *rest = sys.argv[1:]
    if what == "fill":
        fill(rest[0], rest[1], records(int(rest[2]), *map(int, rest[3:])))
    else:
        for key, row in sorted(sums(records(*map(int, rest)), by_tenant_model_day).items()):
            print(json.dumps([*key, *row]))


if __name__ == "__main__":
    main()

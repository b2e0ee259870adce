#!/usr/bin/env python3
"""Quotas with a real Kafka and the local Bedrock, which counts as Bedrock does: goodput and waste.

  tests/bench/quota.py [NAME ...] [--seconds N] [--known | --unknown]

  requests   2,400 requests a minute, offered 1.5 times
  tokens     max_tokens far above the output, an output token counts five
  steps      the quota halves for a third of the time
  rise       the quota doubles without notice
  competitor somebody else gets half of the quota for a third of the time
  low        60 requests a minute
  windows    2,400 a minute, new with each minute
  workers    four workers on the quota of `requests`; Jain's index of their calls

Goodput is what was granted, as a part of what the quota allows in the same time; waste is refused calls for 100 granted.
The first 30 s of an unknown quota do not count. Programs: $BEDROCK_PROGRAMS, else build/release.
"""
import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kafka"))
VENV = ROOT / "build" / "venv" / "bin" / "python"
if VENV.exists() and sys.prefix == sys.base_prefix:
    os.execv(VENV, [str(VENV), *sys.argv])

from kit import records                                          # noqa: E402
from kit.broker import Broker, fetch_jars                        # noqa: E402
from kit.processes import WORK                                   # noqa: E402
from kit.services import MODEL, Simulator, Worker, merged        # noqa: E402

FOLDER = WORK / "quota"
RPM, TPM, LOW = 2400, 500_000, 60
SKIPPED_S = 30


class Scenario:
    def __init__(self, name, quota, seconds, workers=1, steps=(), competitors=(), max_tokens=200, rate=None, allows=None):
        self.name, self.quota, self.seconds, self.workers, self.steps = name, quota, seconds, workers, list(steps)
        self.competitors, self.max_tokens, self.rate = list(competitors), max_tokens, rate
        self.allows = allows or (lambda at: 1.0)        # part of the quota, by seconds since the first call


def scenarios(seconds):
    def halved(at):
        return 0.5 if seconds / 3 <= at < 2 * seconds / 3 else 1.0
    requests = {"requests": RPM, "burst": "6s"}
    return {
        "requests": Scenario("requests", requests, seconds),
        "tokens": Scenario("tokens", {"tokens": TPM, "burndown": 5, "burst": "60s"}, seconds, max_tokens=4000),
        "steps": Scenario("steps", requests, seconds, allows=halved, steps=[
            {"at": f"{seconds // 3}s", "factor": 0.5}, {"at": f"{2 * seconds // 3}s", "factor": 1}]),
        "competitor": Scenario("competitor", requests, seconds, allows=halved, competitors=[
            {"from": f"{seconds // 3}s", "to": f"{2 * seconds // 3}s", "share": 0.5}]),
        "rise": Scenario("rise", requests, seconds, allows=lambda at: 0.5 if at < seconds / 2 else 1.0, steps=[
            {"at": "0s", "factor": 0.5}, {"at": f"{seconds // 2}s", "factor": 1}]),
        "low": Scenario("low", {"requests": LOW, "burst": "6s"}, seconds, rate=2),
        "windows": Scenario("windows", {"requests": RPM, "burst": "60s", "windows": True}, max(seconds, 180)),
        "workers": Scenario("workers", requests, seconds, workers=4),
    }


def settings_of(broker, topics, simulator, scenario, is_known):
    rules = {"model": "*", "requests_per_minute": scenario.quota.get("requests", 0),
             "tokens_per_minute": scenario.quota.get("tokens", 0), "burndown": scenario.quota.get("burndown", 1)}
    return {
        "kafka": {"bootstrap_servers": broker.bootstrap, "group_id": f"{topics.prefix}.group"},
        "topics": {"requests": [topics.requests], "responses": topics.responses, "chunks": topics.chunks,
                   "usage": topics.usage, "dead_letters": topics.letters},
        "bedrock": {"endpoint_url": simulator.url, "region": "us-east-1"},
        "delivery": {"max_in_flight": 256, "ordering": "none"},
        **({"quotas": [rules]} if is_known else {}),
        "telemetry": {"log": {"format": "json"}, "http": {"address": ""}}}


def offered(scenario):
    """Requests a second: half as many again as the quota allows."""
    if scenario.rate:
        return scenario.rate
    if "requests" in scenario.quota:
        return 1.5 * scenario.quota["requests"] / 60
    return 30


def flood(writer, topics, scenario, seconds):
    rate, began, sent = offered(scenario), time.time(), 0
    while time.time() < began + seconds:
        while sent < (time.time() - began) * rate + rate:
            writer.send(topics.requests, {"id": f"r{sent}", "model": MODEL, "max_tokens": scenario.max_tokens,
                                          "messages": [["human", f"[[id:r{sent}]] Say something about {sent}."]]})
            sent += 1
        writer.producer.poll(0.05)
    writer.flush()


def cost(scenario, call):
    if "tokens" in scenario.quota:
        return call.input_tokens + scenario.quota["burndown"] * call.output_tokens
    return 1


def measure(broker, scenario, is_known):
    topics = records.Topics()
    topics.create(broker.bootstrap, 8)
    name = f"{scenario.name}-{'known' if is_known else 'unknown'}"
    simulator = Simulator(FOLDER / name, {"latency": "lognormal(400ms, 0.3)", "quotas": [scenario.quota],
                                          "quota_steps": scenario.steps,
                                          "competitors": scenario.competitors}).start()
    settings = settings_of(broker, topics, simulator, scenario, is_known)
    workers = [Worker(f"w{number}", FOLDER / name, merged(settings, {})).start() for number in range(scenario.workers)]
    flood(records.Writer(broker.bootstrap), topics, scenario, scenario.seconds)
    for worker in workers:
        worker.kill()
    simulator.stop()
    report(scenario, is_known, simulator.calls())


def report(scenario, is_known, calls):
    first = min(call.started_ms for call in calls)
    skipped = 5 if is_known else SKIPPED_S
    until = scenario.seconds - 5
    chosen = [call for call in calls if skipped <= (call.started_ms - first) / 1000 < until]
    granted = [call for call in chosen if call.status == 200]
    refused = sum(call.status == 429 for call in chosen)
    a_second = scenario.quota.get("requests", 0) / 60 or scenario.quota["tokens"] / 60
    allowed = sum(a_second * scenario.allows(second) for second in range(skipped, until))
    goodput = 100 * sum(cost(scenario, call) for call in granted) / allowed
    line = (f"{scenario.name:9} {'known' if is_known else 'unknown':8} goodput {goodput:5.1f} %   "
            f"{100 * refused / max(1, len(granted)):5.2f} refused for 100 granted   {len(granted)} calls")
    if scenario.workers > 1:
        counts = list(Counter(call.worker for call in granted).values())
        line += f"   Jain {sum(counts) ** 2 / (scenario.workers * sum(count ** 2 for count in counts)):.3f}"
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--unknown", action="store_true")
    options = parser.parse_args()
    table = scenarios(options.seconds)
    unknown_names = set(options.names) - set(table)
    if unknown_names:
        parser.error(f"no such scenario: {', '.join(sorted(unknown_names))}; there are {', '.join(table)}")
    missing = fetch_jars()
    if missing:
        sys.exit(missing)
    kinds = [True] * options.known + [False] * options.unknown or [True, False]
    broker = Broker(FOLDER / "broker")
    broker.format()
    broker.start()
    try:
        for name in options.names or table:
            for is_known in kinds:
                measure(broker, table[name], is_known)
    finally:
        broker.stop()
        broker.wipe()


if __name__ == "__main__":
    main()

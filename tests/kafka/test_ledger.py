"""The books through kills and faults: the simulator's ledger times the price files is the usage topic's sum, to the last
digit, and `bedrock-worker usage` prints that sum. tests/kafka/ledger_storm.sh runs it for as long as one likes."""
import json
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from kit import ledger, usage
from kit.processes import wait_for
from kit.services import MODEL
from kit.storm import Stream, kill_storm
from kit.world import World

NOVA, GLOBAL = "us.amazon.nova-lite-v1:0", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
LLAMA, UNKNOWN = "meta.llama3-1-70b-instruct-v1:0", "mistral.mistral-large-2402-v1:0"
FAULTS = {"throttling": 0.01, "service_unavailable": 0.03, "internal_server": 0.02, "cut_stream": 0.06, "corrupt_frame": 0.02,
          "reset_after_body": 0.01, "no_metadata": 0.03, "cut_body": 0.01}
ROWS = """\
  - {{model: "anthropic.claude-3-sonnet-*", input: {0}.000007, output: 15.000011, cache_read: 0.300013, cache_write_5m: 3.750017, cache_write_1h: 6.000019{1}}}
  - {{model: "anthropic.claude-3-sonnet-*", tier: flex, input: {0}.500023, output: 7.500029{1}}}
  - {{model: "anthropic.claude-3-sonnet-*", tier: priority, input: {0}.800029, output: 27.500003{1}}}
  - {{model: "anthropic.claude-3-sonnet-*", context_over: 500, input: {0}.000031, output: 22.500037{1}}}
  - {{model: "anthropic.claude-sonnet-4-5-*", region: global, input: {0}.000041, output: 16.000009{1}}}
  - {{model: "anthropic.claude-sonnet-4-5-*", input: 9999, output: 9999{1}}}
  - {{model: "amazon.nova-*", input: 0.{0}60041, output: 0.240043{1}}}
  - {{model: us.amazon.nova-lite-v1:0, input: 0.{0}60043, output: 0.240047{1}}}
  - {{model: "meta.*", input: 0.{0}90001, output: 0.999999{1}}}
"""
HEAD = "date: {}\ncurrency: USD\nprices:\n"
PATIENT = {"kafka": {"session_timeout": "3s", "transaction_timeout": "5s"}, "settings": {"watch": "100ms"},
           "bedrock": {"retry": {"max_attempts": 50}}, "delivery": {"max_begun": 9, "drain_timeout": "10s"}}


def cached(name, point):
    system = [{"type": "text", "text": f"Long words. {point} " * 20}, {"cachePoint": point}]
    return [["system", system], ["human", f"[[id:{name}]] Say something."]]


class Mixed(Stream):
    """Requests of several models, tiers, sizes and caches, streamed and not."""

    def ask(self, number):
        kind, key = number % 12, f"key-{number % self.keys}".encode() if number % 3 else None
        stream = number % 24 < 12
        if kind in (1, 2):
            name = f"cached-{number}"
            point = {"type": "default", **({"ttl": "1h"} if kind == 2 else {})}
            self.world.ask(name, key=key, messages=cached(name, point), stream=stream)
        elif kind in (3, 4):
            tier = ("flex", "priority")[kind - 3]
            self.world.ask(f"{tier}-{number}", key=key, service_tier=tier, stream=stream)
        elif kind == 5:
            self.world.ask(f"long-{number}", key=key, directive="input_tokens=501", stream=stream)
        else:
            model = {6: NOVA, 7: GLOBAL, 8: LLAMA, 9: UNKNOWN}.get(kind, MODEL)
            self.world.ask(f"plain-{number}", key=key, model=model, stream=stream)


def tier_of(request):
    tier = request.split("-")[0]
    return tier if tier in ("flex", "priority") else "default"


def sum_of(done, member="amount"):
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return sum((Decimal(row["cost"][member]) for row in rows if "cost" in row), Decimal(0)), rows


@pytest.mark.core
def test_through_kills_and_faults_the_ledger_times_the_price_file_is_the_topics_sum(own_broker, folder, request):
    cycles = request.config.getoption("--ledger-cycles")
    file = folder / "prices.yaml"
    texts = [HEAD.format("2026-08-06") + ROWS.format(3, "")]
    file.write_text(texts[0])
    simulator = {"latency": "uniform(10ms, 200ms)", "faults": FAULTS}
    with World(own_broker, folder, simulator=simulator, settings={**PATIENT, "prices": {"file": str(file)}}) as world:
        changes = []

        def reprice(cycle):
            """In the middle: other prices from a moment that is near."""
            if cycle != (cycles + 1) // 2:
                return
            changes.append(datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=3))
            at = changes[0].strftime("%Y-%m-%dT%H:%M:%SZ")
            texts.append(HEAD.format("2026-08-07") + ROWS.format(3, f", to: {at}") + ROWS.format(4, f", from: {at}"))
            other = folder / "prices.new"
            other.write_text(texts[1])
            other.rename(file)

        kill_storm(world, cycles, seed=request.config.getoption("--storm-seed"), streaming=Mixed, after=reprice)
        wait_for(lambda: datetime.now(timezone.utc) > changes[0])
        stream = Mixed(world, 60)
        stream.count = 100_000
        stream.start()
        time.sleep(1)
        stream.end()
        world.await_answers()
        evidence = world.must_be_clean()
        versions = [ledger.Prices(text) for text in texts]
        lines = world.simulator.lines("end")
        books = ledger.compare(lines, evidence.usage, versions, tier_of)
        assert not books.faults, f"{len(books.faults)} faults:\n" + "\n".join(books.faults[:8])
        assert books.topic == books.ledger + books.estimated and books.ledger > 0
        seen = {record.json()["data"].get("cost", {}).get("prices") for record in evidence.usage}
        assert seen == {None, *(prices.version for prices in versions)}
        printed, rows = sum_of(usage.call(own_broker, world.topics.usage, "--by", "model,day,estimated", "--format", "json"))
        assert printed == books.topic
        assert sum(row["calls"] for row in rows) == sum(books.kinds.values())
        repriced = usage.call(own_broker, world.topics.usage, "--by", "model", "--format", "json", "--reprice", file)
        assert sum_of(repriced)[0] == books.repriced
        assert (books.repriced == books.topic) == (books.late == 0)
        assert {cost["prices"] for cost in (record.json().get("cost") for record in evidence.responses) if cost} <= seen
        print(f"{cycles} cycles, {len(world.blows)} kills, {len(lines)} calls, records {dict(books.kinds)}, "
              f"{books.unpriced} without a price: ledger {books.ledger} + estimated {books.estimated} = topic "
              f"{books.topic} USD, {books.late} priced by the file of their request after the change")

"""What calls cost: the simulator's ledger times a price file is the sum of the usage topic, to the last digit."""
import hashlib
import json
from decimal import Decimal

import pytest
import yaml

from kit.ledger import CLASSES, Exact, parts_of
from kit.processes import wait_for
from kit.services import MODEL
from kit.world import World

OTHER = "us.amazon.nova-lite-v1:0"
PRICES = f"""\
date: 2026-08-06
currency: USD
prices:
  - {{model: {MODEL}, input: 3.000007, output: 15.000011, cache_read: 0.300013, cache_write_5m: 3.750017, cache_write_1h: 6.000019}}
  - {{model: {MODEL}, tier: flex, input: 1.500023, output: 7.500029, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0}}
  - {{model: {MODEL}, context_over: 500, input: 6.000031, output: 22.500037}}
  - {{model: amazon.nova-lite-*, input: 0.060041, output: 0.240043}}
"""


def cached(name, point):
    """Messages that share what stands before their cache point."""
    system = [{"type": "text", "text": f"Long words. {point} " * 20}, {"cachePoint": point}]
    return [["system", system], ["human", f"[[id:{name}]] Say something."]]


def row_of(rows, line):
    """The row for a call of the ledger; the request's name says its tier."""
    if line["model"] == OTHER:
        return rows[3]
    if line["tag"].startswith("flex"):
        return rows[1]
    return rows[2] if line["input_tokens"] > 500 else rows[0]


def priced(row, line):
    read, written = line.get("cache_read_tokens", 0), line.get("cache_write_tokens", 0)
    hour = line.get("cache_write_1h_tokens", 0)
    tokens = dict(zip(CLASSES, (line["input_tokens"] - read - written, line["output_tokens"], read, written - hour, hour)))
    return {name: count * row[name] / 10**6 for name, count in tokens.items() if count}


@pytest.mark.core
def test_the_ledger_times_the_price_file_is_the_sum_of_the_usage_topic(broker, folder):
    file = folder / "prices.yaml"
    file.write_text(PRICES)
    version = f"2026-08-06-{hashlib.sha256(PRICES.encode()).hexdigest()[:12]}"
    faults = {"internal_server": 0.03}
    with World(broker, folder, simulator={"faults": faults, "latency": "uniform(1ms, 30ms)"},
               settings={"prices": {"file": str(file)}, "bedrock": {"retry": {"max_attempts": 30}}}) as world:
        world.worker("w0")
        world.worker("w1")
        world.ask_many(60, "plain", keys=40)
        world.ask_many(20, "stream", stream=True)
        world.ask_many(20, "flex", service_tier="flex")
        for number in range(20):
            world.ask(f"cached{number}", messages=cached(f"cached{number}", {"type": "default"}))
            world.ask(f"hour{number}", messages=cached(f"hour{number}", {"type": "default", "ttl": "1h"}))
        world.ask_many(10, "long", directive="input_tokens=501")
        world.ask_many(10, "nova", model=OTHER)
        world.await_answers()
        evidence = world.must_be_clean()
        rows = yaml.load(PRICES, Exact)["prices"]
        billed = {line["request_id"]: priced(row_of(rows, line), line)
                  for line in world.simulator.lines("end") if line["billed"]}
        records = {data["bedrock_request_id"]: data["cost"]
                   for data in (record.json()["data"] for record in evidence.usage)}
        assert set(records) == set(billed) and len(records) == 160
        for name, cost in records.items():
            assert (cost["currency"], cost["prices"]) == ("USD", version)
            assert Decimal(cost["amount"]) == sum(billed[name].values())
            assert {part: Decimal(value) for part, value in cost["parts"].items()} == parts_of(billed[name])
        assert sum(Decimal(cost["amount"]) for cost in records.values()) == \
            sum(sum(costs.values()) for costs in billed.values())
        assert {name for costs in billed.values() for name in costs} == set(CLASSES)
        answers = [record.json() for record in evidence.responses]
        assert all(answer["cost"] == records[answer["attempts"][-1]["bedrock_request_id"]] for answer in answers)


def test_a_changed_price_file_holds_for_the_next_request_and_a_wrong_one_for_none(broker, folder):
    file = folder / "prices.yaml"
    text = "date: 2026-08-06\ncurrency: USD\nprices:\n  - {{model: {model}, input: {price}, output: 0}}\n"
    file.write_text(text.format(model=MODEL, price=1))
    with World(broker, folder, partitions=1, settings={"prices": {"file": str(file)}}) as world:
        worker = world.worker("w0", settings={"watch": "100ms"})
        world.ask("first")
        world.writer.flush()
        assert wait_for(lambda: "first" in world.responses())
        file.write_text(text.format(model=MODEL, price="1e3"))
        assert wait_for(lambda: worker.events("settings_not_reloaded"))
        world.ask("kept")
        world.writer.flush()
        assert wait_for(lambda: "kept" in world.responses())
        file.write_text(text.format(model=MODEL, price=2))
        assert wait_for(lambda: worker.events("settings_reloaded"))
        world.ask("second")
        world.ask("other", model=OTHER)
        world.await_answers()
        evidence = world.must_be_graceful()
        data = {record.json()["data"]["request_id"]: record.json()["data"] for record in evidence.usage}
        price = {name: Decimal(data[name]["cost"]["amount"]) * 10**6 / data[name]["usage"]["input_tokens"]
                 for name in ("first", "kept", "second")}
        assert price == {"first": 1, "kept": 1, "second": 2}
        assert data["first"]["cost"]["prices"] == data["kept"]["cost"]["prices"] != data["second"]["cost"]["prices"]
        assert f"{file}:4:" in worker.events("settings_not_reloaded")[0]["first"]
        assert worker.events("settings_reloaded")[0]["names"] == "prices.file"
        assert "cost" not in data["other"] and worker.events("price_missing")[0]["model"] == OTHER

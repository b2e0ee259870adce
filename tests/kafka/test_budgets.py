"""Budgets of tenants over a real Kafka: a group stays below the limit, and a restarted worker knows what was spent."""
import json
import time

from jsonschema import Draft202012Validator

from kit import records
from kit.processes import ROOT, wait_for
from kit.world import World

LIMIT, LARGEST = 6000, 100      # tokens; LARGEST is what a call may be expected to cost


def spent(world, tenant):
    return sum(data["usage"]["total_tokens"] for data in
               (record.json()["data"] for record in world.read(world.topics.usage)) if data["tenant"] == tenant)


def test_a_budget_holds_for_the_group_and_for_its_successors(broker, folder):
    tenants = {"acme": {"budget": {"tokens": LIMIT, "per": "month", "soft": "50%"}}}
    with World(broker, folder, simulator={"latency": "uniform(20ms, 120ms)"}, settings={"tenants": tenants}) as world:
        records.create_topic(broker.bootstrap, world.topics.budgets, 1, {"cleanup.policy": "compact"})
        for name in ("w0", "w1", "w2"):
            world.worker(name)
        # All calls cost the same, and a little less than is expected of them: no estimate is too low.
        cost = {"max_tokens": 60, "directive": "input_tokens=20;output_tokens=50"}
        world.ask_many(400, "paid", keys=100, tenant="acme", **cost)
        world.ask_many(60, "free", **cost)
        assert wait_for(lambda: sum(name.startswith("free") for name in world.responses()) == 60)
        assert wait_for(lambda: any("budget_holds" in worker.text() for worker in world.workers.values()))
        assert wait_for(lambda: spent(world, "acme") >= LIMIT - 3 * LARGEST)
        world.kill("w1")
        world.worker("w1")
        time.sleep(3)                   # nothing must happen: whoever is left must not begin again from 0
        answers = [name for name in world.responses() if name.startswith("paid")]
        tokens = spent(world, "acme")
        assert 0 < len(answers) < 400
        assert LIMIT - 3 * LARGEST <= tokens <= LIMIT, tokens
        assert any(record.header("bedrock-budget") == b"soft" for record in world.read(world.topics.responses))
        world.stop_workers()


def sums(world):
    """The latest record of each usage partition in the topic of budgets."""
    return {record.key: record.json()["data"] for record in world.read(world.topics.budgets) if record.key in
            {f"{world.topics.usage}-{partition}".encode() for partition in range(world.partitions)}}


def foreign(world):
    """What a start must pass over: its value, and the reason that it names."""
    known = next(iter(sums(world).values()))
    head = {"specversion": "1.0", "type": "bedrock.chat.budgets.v1", "time": "2026-11-30T00:00:00Z", "data": known}
    return [("no JSON", "it is no record of sums"),
            (json.dumps({**head, "type": "bedrock.chat.budgets.v2"}), "its version is another one"),
            (json.dumps({**head, "data": {**known, "offset": -1}}), "its offset is damaged"),
            (json.dumps({**head, "data": {**known, "topic": "elsewhere"}}), "it is of another usage topic"),
            (json.dumps({**head, "data": {**known, "partition": 99}}), "the usage topic has no such partition"),
            (json.dumps({**head, "data": {**known, "rules": "0" * 16}}),
             "it was made for other budgets than the settings have")]


def test_a_start_reads_sums_and_the_usage_after_them(broker, folder):
    tenants = {"acme": {"budget": {"tokens": 10**9, "per": "month"}}}
    small = {"acme": {"budget": {"tokens": 100, "per": "month"}}}
    with World(broker, folder, settings={"tenants": tenants}) as world:
        records.create_topic(broker.bootstrap, world.topics.budgets, 2, {"cleanup.policy": "compact"})
        world.worker("w0")
        world.ask_many(40, "paid", tenant="acme")
        assert wait_for(lambda: sums(world))
        world.await_answers()
        world.stop_workers()
        data = next(iter(sums(world).values()))
        usage = world.read(world.topics.usage)
        before = [record for record in usage if record.offset < data["offset"]]
        assert data["spent"][0]["tokens"] == sum(record.json()["data"]["usage"]["total_tokens"] for record in before)
        for record in world.read(world.topics.budgets):
            kind = record.json()["type"].split(".")[2]
            Draft202012Validator(json.loads((ROOT / "schema" / f"{kind}.schema.json").read_text())).validate(record.json())
        wrong = foreign(world)
        for value, _ in wrong:
            world.writer.producer.produce(world.topics.budgets, value, key=b"other")
        world.writer.flush()
        world.worker("w1", tenants=small)
        (read,) = wait_for(lambda: world.workers["w1"].events("budgets_read"))
        assert (read["records"], read["sums"]) == (len(usage) - len(before), 1)
        assert sorted(event["reason"] for event in world.workers["w1"].events("budgets_skipped")) == sorted(
            reason for _, reason in wrong)
        world.ask("more", tenant="acme")
        world.writer.flush()
        (held,) = wait_for(lambda: world.workers["w1"].events("budget_holds"))
        assert held["spent"] == f"{spent(world, 'acme')} tokens"
        world.stop_workers()


def test_a_tenant_is_billed_only_from_its_topics(broker, folder):
    with World(broker, folder) as world:
        topic = world.topics.requests
        tenants = {"shop": {"topics": [topic]}, "bank": {"topics": ["bank.*"]}}
        world.worker("w0", tenants=tenants, tenants_only=True)
        world.ask("mine")
        world.ask("theirs", tenant="bank")
        world.writer.flush()
        world.await_answers()
        answers = world.responses()
        assert answers["mine"]["status"] == "ok" and answers["theirs"]["error"]["field"] == "tenant"
        assert [record.json()["data"]["tenant"] for record in world.read(world.topics.usage)] == ["shop"]
        world.stop_workers()

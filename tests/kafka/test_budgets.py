"""Budgets of tenants over a real Kafka: a group stays below the limit, and a restarted worker knows what was spent."""
import time

from kit.processes import wait_for
from kit.world import World

LIMIT = 6000


def spent(world, tenant):
    return sum(data["usage"]["total_tokens"] for data in
               (record.json()["data"] for record in world.read(world.topics.usage)) if data["tenant"] == tenant)


def test_a_budget_holds_for_the_group_and_for_its_successors(broker, folder):
    tenants = {"acme": {"budget": {"tokens": LIMIT, "per": "month", "soft": "50%"}}}
    with World(broker, folder, simulator={"latency": "uniform(20ms, 120ms)"}, settings={"tenants": tenants}) as world:
        for name in ("w0", "w1", "w2"):
            world.worker(name)
        world.ask_many(400, "paid", keys=100, tenant="acme", max_tokens=60)
        world.ask_many(60, "free")
        assert wait_for(lambda: sum(name.startswith("free") for name in world.responses()) == 60)
        assert wait_for(lambda: any("budget_holds" in worker.text() for worker in world.workers.values()))
        world.kill("w1")
        world.worker("w1")
        time.sleep(3)                   # nothing must happen: whoever is left must not begin again from 0
        answers = [name for name in world.responses() if name.startswith("paid")]
        tokens = spent(world, "acme")
        largest = max(record.json()["data"]["usage"]["total_tokens"] for record in world.read(world.topics.usage))
        assert 0 < len(answers) < 400
        # Beyond the limit: what the others spend in the second that a record takes to arrive.
        assert LIMIT - 3 * (largest + 100) <= tokens <= LIMIT * 1.25, (tokens, largest)
        assert any(record.header("bedrock-budget") == b"soft" for record in world.read(world.topics.responses))
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

"""Which tenant's request is called next."""
from kit.world import World

FLOOD = 200


def test_requests_of_a_quiet_tenant_and_urgent_ones_pass_a_flood(broker, folder):
    """Four slots and 100 ms a call: the flood takes seconds. What comes after it is called long before its end."""
    with World(broker, folder, simulator={"latency": "100ms"},
               settings={"delivery": {"max_in_flight": 4}, "bedrock": {"start_rate": 0}}) as world:
        world.worker()
        world.ask_many(FLOOD, "flood", tenant="flood")
        world.await_answers(4)
        for number in range(5):
            world.ask(f"quiet{number}", tenant="quiet")
            world.ask(f"urgent{number}", tenant="flood", priority="high")
        world.writer.flush()
        world.await_answers()
        world.must_be_graceful()
        order = [call.request for call in sorted(world.calls, key=lambda call: call.started_ms)]
        late = max(place for place, name in enumerate(order) if not name.startswith("flood"))
        assert len(order) == FLOOD + 10 and late < FLOOD // 2, late

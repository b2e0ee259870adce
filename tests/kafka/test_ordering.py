"""Which requests wait for which."""
from collections import defaultdict

from kit.world import World


def by_key(world, count):
    """Answered calls of each key in the order in which they began."""
    calls = {call.request: call for call in world.calls if call.is_answer}
    keyed = defaultdict(list)
    for name in sorted(calls, key=lambda name: calls[name].started_ms):
        keyed[int(name[1:]) % count].append(calls[name])
    return keyed


def test_requests_of_one_key_are_called_in_order_one_at_a_time_through_retries(broker, folder):
    with World(broker, folder, simulator={"faults": {"throttling": 0.2, "internal_server": 0.1},
                                          "latency": "uniform(5ms, 40ms)"},
               settings={"bedrock": {"retry": {"max_attempts": 50}}}) as world:
        world.worker()
        world.ask_many(200, "r", keys=20)
        world.await_answers()
        world.must_be_graceful()
        for calls in by_key(world, 20).values():
            assert [int(call.request[1:]) for call in calls] == sorted(int(call.request[1:]) for call in calls)
            for earlier, later in zip(calls, calls[1:]):
                assert later.started_ms >= earlier.ended_ms - 2, (earlier, later)
        everything = sorted((call for call in world.calls if call.is_answer), key=lambda call: call.started_ms)
        beside = sum(later.started_ms < earlier.ended_ms for earlier, later in zip(everything, everything[1:]))
        assert beside > 0.3 * len(everything), "keys waited for each other"


def test_a_slow_key_and_a_slow_call_delay_no_other_request(broker, folder):
    with World(broker, folder, partitions=1) as world:
        world.worker()
        world.ask("slow0", key=b"slow", directive="latency=20s")
        world.ask("slow1", key=b"slow")
        for number in range(100):
            world.ask(f"quick{number}", key=f"other-{number}".encode())
        world.writer.flush()
        world.await_answers(100)
        done = {record.json()["id"] for record in world.watcher.of(world.topics.responses)}
        assert not done & {"slow0", "slow1"}
        world.await_answers()
        world.must_be_graceful()


def test_ordering_by_partition_calls_one_at_a_time_and_in_order(broker, folder):
    with World(broker, folder, partitions=2, simulator={"latency": "uniform(1ms, 20ms)"},
               settings={"delivery": {"ordering": "partition"}}) as world:
        world.worker()
        for number in range(60):
            world.ask(f"r{number}", partition=number % 2)
        world.writer.flush()
        world.await_answers()
        world.must_be_graceful()
        for calls in by_key(world, 2).values():
            assert [int(call.request[1:]) for call in calls] == sorted(int(call.request[1:]) for call in calls)
            assert all(later.started_ms >= earlier.ended_ms - 2 for earlier, later in zip(calls, calls[1:]))


def test_requests_without_a_key_do_not_wait_for_each_other(broker, folder):
    with World(broker, folder, partitions=1, simulator={"latency": "10s"}) as world:
        world.worker()
        world.ask_many(50)
        world.await_answers()
        world.must_be_graceful()
        assert max(c.started_ms for c in world.calls) < min(c.ended_ms for c in world.calls)

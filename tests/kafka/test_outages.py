"""Brokers that go away, for less or more than the session."""
import pytest

from kit.processes import wait_for
from kit.storm import Stream
from kit.world import World


@pytest.mark.core
def test_a_broker_outage_shorter_than_the_session_repeats_no_call(own_broker, folder):
    with World(own_broker, folder, simulator={"latency": "uniform(50ms, 2s)"},
               settings={"kafka": {"session_timeout": "10m", "max_poll_interval": "10m"}}) as world:
        world.worker("w0")
        stream = Stream(world, 60, keys=500)
        stream.start()
        assert wait_for(lambda: world.answered() > 60)
        world.be_away(12)
        seen = world.answered()
        assert wait_for(lambda: world.answered() > seen)
        stream.end()
        world.await_answers()
        world.must_be_graceful()


def test_outages_longer_than_the_session_pay_nothing_twice(own_broker, folder):
    """One worker, 128 calls in flight, all brokers away for longer than the session, twice."""
    settings = {"kafka": {"session_timeout": "6s"}, "delivery": {"max_in_flight": 128}}
    with World(own_broker, folder, simulator={"latency": "uniform(500ms, 3s)"}, settings=settings) as world:
        worker = world.worker("w0")
        stream = Stream(world, 60, keys=500)
        stream.start()
        for _ in range(2):
            seen = world.answered()
            assert wait_for(lambda: world.answered() > seen + 200)
            lost = len(worker.events("partition_shelved"))
            world.be_away(15)
            assert wait_for(lambda: len(worker.events("partition_shelved")) > lost), worker.text()[-2000:]
        seen = world.answered()
        assert wait_for(lambda: world.answered() > seen + 200)
        stream.end()
        world.await_answers()
        world.must_be_graceful()
        kept = [event["answers"] + event["calls"] for event in worker.events("partition_shelved")]
        used = [event["adopted"] for event in worker.events("shelf_cleared")]
        assert sum(used) == sum(kept) > 100, (kept, used)

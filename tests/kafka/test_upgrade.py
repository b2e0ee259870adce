"""Two versions in one group: this one, and the next one, whose offset map (bw3) this one does not read."""
import pytest
from kit import offsets
from kit.processes import ROOT, wait_for
from kit.storm import Stream
from kit.world import World

NEXT = ROOT / "build" / "dev" / "tests" / "next_worker"     # tests/CMakeLists.txt


def maps_of(world):
    """The committed offset map of each partition of the request topic."""
    places = [(world.topics.requests, number) for number in range(world.request_partitions)]
    found = offsets.committed(world.broker.bootstrap, world.group, places)
    return {number: found[topic, number][1] for topic, number in places}


def withheld(worker):
    return [event for event in worker.events("partitions_withheld") if event["why"] == "map_later"]


def later_maps(world):
    return {number: text for number, text in maps_of(world).items() if text.startswith("bw3")}


@pytest.mark.parametrize("rollback", ["stop", "kill"])
def test_an_upgrade_and_a_rollback_with_both_versions_in_one_group_lose_and_double_nothing(broker, folder, rollback):
    assert NEXT.exists(), "next_worker is not built: cmake --preset dev && cmake --build --preset dev"
    with World(broker, folder, simulator={"latency": "uniform(50ms, 400ms)"},
               settings={"kafka": {"session_timeout": "6s"}}) as world:
        this = world.worker("w0")
        stream = Stream(world, 50)
        stream.start()
        assert wait_for(lambda: world.answered() > 50)
        later = world.worker("w1", program=NEXT)
        world.await_owners(2)
        assert wait_for(lambda: later_maps(world))

        later.stop() if rollback == "stop" else world.kill("w1")
        assert wait_for(lambda: withheld(this))
        kept = later_maps(world)
        assert kept and len(kept) < world.request_partitions
        answered = world.answered()
        assert wait_for(lambda: world.answered() > answered + 100)      # of the partitions whose map this version reads
        assert later_maps(world) == kept

        later.start()
        world.await_owners(2)
        this.stop()                                                     # the upgrade is complete
        assert wait_for(lambda: len(later_maps(world)) == world.request_partitions)
        stream.end()
        world.await_answers()
        if rollback == "stop":
            world.must_be_graceful()
        else:
            world.must_be_clean()

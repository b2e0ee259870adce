"""Two versions in one group: this one, and the next one, whose offset map (bw3) this one does not read. And what
version 0.1.0 left behind."""
import zlib

import pytest
from kit import offsets
from kit.processes import ROOT, wait_for
from kit.storm import Stream
from kit.world import MAP_SYMBOLS, World, chat

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


def half_done_by_the_first_version(front, last):
    """The offset map (bw1) of version 0.1.0 in which every second offset is open and was never begun."""
    runs = "".join(MAP_SYMBOLS[0 if (offset - front) % 2 == 0 else 62] for offset in range(front, last + 1))
    nonce = MAP_SYMBOLS[0] * 6
    crc = zlib.crc32(f"{front}{nonce}{runs}".encode())
    return "bw1" + nonce + "".join(MAP_SYMBOLS[crc // 46 ** place % 46] for place in range(6)) + runs


def test_a_full_map_of_the_first_version_stalls_nothing_after_the_upgrade(broker, folder):
    with World(broker, folder, simulator={"latency": "20ms"}) as world:
        full = half_done_by_the_first_version(0, 4080)
        assert len(full) == 4096                    # the broker's offset.metadata.max.bytes
        for number in range(4081):
            world.writer.send(world.topics.requests, chat(f"old{number}"), partition=0)
        world.writer.flush()
        offsets.commit(broker.bootstrap, world.group, world.topics.requests, 0, 0, full)
        worker = world.worker()
        for number in range(40):
            world.ask(f"new{number}", partition=1 + number % 3)
        world.writer.flush()
        assert wait_for(lambda: maps_of(world)[0].startswith("bw2"))
        assert wait_for(lambda: world.answered() >= 2041 + 40)
        worker.stop()
        assert not worker.events("batch_aborted")
        answered = [record.json()["id"] for record in world.read(world.topics.responses)]
        assert sorted(answered) == sorted([f"old{number}" for number in range(0, 4081, 2)] +
                                          [f"new{number}" for number in range(40)])

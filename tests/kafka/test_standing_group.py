"""A group that stands still: a member that died in the middle of a rebalance ends it only with its session."""
import time

import pytest

from kit.member import Member
from kit.processes import wait_for
from kit.world import World

LIMIT_S = 20        # beyond drain_timeout; far below the session


@pytest.mark.parametrize("guarantee, missing", [("exactly_once", "join"), ("at_least_once", "sync")])
def test_a_stop_in_a_group_that_stands_still_takes_bounded_time(broker, folder, guarantee, missing):
    with World(broker, folder, settings={"kafka": {"session_timeout": "45s"},
                                         "delivery": {"drain_timeout": "1s", "guarantee": guarantee}}) as world:
        leader = Member(world)
        leader.join()
        leader.lead()
        worker = world.worker("w0", is_named=False)
        leader.await_rebalance()
        leader.join()
        leader.lead()
        world.ask_many(10)
        world.await_answers()
        Member(world).ask_to_join()
        if missing == "sync":                       # all have joined, and the leader never says who gets what
            leader.await_rebalance()
            leader.join()
        assert wait_for(lambda: worker.events("rebalance_waits")), worker.text()
        world.ask_many(10, "meanwhile")
        if guarantee == "exactly_once":             # the worker works on
            world.await_answers()
        else:
            time.sleep(2)                           # it has offsets by now that it cannot commit
        began = time.monotonic()
        code = worker.process.stop()
        took = time.monotonic() - began
        print(f"the stop took {took:.1f} s")
        assert took < 1 + LIMIT_S, worker.text()
        assert code == (1 if worker.events("stop_left_offsets") else 0), worker.text()
        assert guarantee == "at_least_once" or worker.events("drained")
        assert worker.events("close_hangs")[0]["session_ms"] == 45000
        assert world.simulator.begun() == world.answered()

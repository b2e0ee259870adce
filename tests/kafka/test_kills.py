"""kill -9 and worse: no record is missing or duplicated, and no call follows its commit."""
import time
from collections import Counter

import pytest

from kit.auditor import Blow, calls_by_request, repeated_calls
from kit.processes import wait_for
from kit.storm import Stream, kill_storm
from kit.world import World

PATIENT = {"kafka": {"session_timeout": "3s", "transaction_timeout": "5s"},
           "bedrock": {"retry": {"max_attempts": 50}}, "delivery": {"max_begun": 9, "drain_timeout": "10s"}}


@pytest.mark.core
def test_kill_9_of_workers_and_broker_loses_and_duplicates_nothing_and_bills_once(own_broker, folder, request):
    cycles = request.config.getoption("--cycles")
    simulator = {"latency": "uniform(10ms, 300ms)", "faults": {"throttling": 0.03, "cut_stream": 0.03}}
    with World(own_broker, folder, simulator=simulator, settings=PATIENT) as world:
        kill_storm(world, cycles, seed=request.config.getoption("--storm-seed"))
        world.await_answers()
        evidence = world.must_be_clean()
        assert len(world.blows) >= cycles
        print(f"{cycles} cycles, {len(world.asked)} requests, {len(world.calls)} calls, "
              f"{repeated_calls(evidence)} repeated after {len(world.blows)} kills")


def test_no_billed_call_is_missing_from_usage_when_workers_are_killed_with_200_calls_open(broker, folder):
    with World(broker, folder, simulator={"latency": "uniform(500ms, 1500ms)"},
               settings={**PATIENT, "delivery": {**PATIENT["delivery"], "max_in_flight": 200}}) as world:
        for kill in range(4):
            world.worker(f"w{kill}")
            world.ask_many(500, prefix=f"r{kill}-")
            begun = world.simulator.begun()
            assert wait_for(lambda: world.simulator.begun() >= begun + 260)
            world.kill(f"w{kill}")
        world.worker("w4")
        world.await_answers()
        world.end()
        calls = Counter(call.request for call in world.simulator.calls())
        records = Counter(request for request, _ in {(record.json()["data"]["request_id"], record.json()["id"])
                                                     for record in world.read(world.topics.usage)})
        assert len(calls) == 2000
        missing = {request: (count, records[request]) for request, count in calls.items() if records[request] < count}
        assert not missing, "billed calls without a usage record"
        print(f"{sum(calls.values())} calls, {sum(records.values())} usage records after 4 kills")


def test_a_worker_that_loses_its_partitions_while_calls_run_pays_twice_only_for_those_that_another_took(broker, folder):
    with World(broker, folder, simulator={"latency": "uniform(20ms, 2s)"}, settings=PATIENT) as world:
        world.worker("w0")
        world.worker("w1")
        stream = Stream(world, 50)
        stream.start()
        assert wait_for(lambda: world.answered() > 50)
        for _ in range(2):
            world.await_owners(2)
            frozen = world.workers["w0"].freeze()
            assert wait_for(lambda: world.members() == 1)
            time.sleep(6)
            thawed = world.workers["w0"].thaw()
            world.blows.append(Blow("w0", frozen, thawed + 500))
        assert wait_for(lambda: world.members() == 2)
        stream.end()
        world.await_answers()
        evidence = world.must_be_clean()        # each call has one record that no other replaces
        assert len(world.workers["w0"].events("stalled")) == 2, "a stall longer than the session was not noticed"
        twice = [calls for calls in calls_by_request(evidence).values() if sum(call.is_answer for call in calls) > 1]
        assert twice and all(calls[0].worker == "w0" for calls in twice)
        usage = [record.json()["data"] for record in evidence.usage]
        replaces = [data["replaces"] for data in usage if "replaces" in data]
        lost = {data["call"] for data in usage if data.get("reason") == "worker_lost"}
        assert lost & set(replaces) and len(replaces) == len(set(replaces))
        print(f"{len(twice)} of {len(world.asked)} requests were paid twice, {len(lost)} calls were recorded as lost, "
              f"{len(lost & set(replaces))} of them by both workers")


def test_all_workers_stopped_for_longer_than_their_sessions_continue_without_loss(broker, folder):
    with World(broker, folder, simulator={"latency": "uniform(20ms, 400ms)"}, settings=PATIENT) as world:
        for name in ("w0", "w1"):
            world.worker(name)
        stream = Stream(world, 50)
        stream.start()
        assert wait_for(lambda: world.answered() > 50)
        frozen = [world.workers[name].freeze() for name in ("w0", "w1")]
        assert wait_for(lambda: world.members() == 0)
        time.sleep(6)
        for number, name in enumerate(("w0", "w1")):
            world.blows.append(Blow(name, frozen[number], world.workers[name].thaw() + 500))
        stream.end()
        world.await_answers()
        world.must_be_clean()


def test_another_worker_serves_the_partitions_of_a_killed_one(broker, folder):
    with World(broker, folder, simulator={"latency": "200ms"}, settings=PATIENT) as world:
        for name in ("w0", "w1"):
            world.worker(name, is_named=False)
        stream = Stream(world, 60, keys=200)
        stream.start()
        assert wait_for(lambda: world.answered() > 100)
        assert wait_for(lambda: world.members() == 2)
        world.kill("w0")
        asked_before = stream.count
        assert wait_for(lambda: world.answered() >= asked_before), f"{world.answered()} of {asked_before}"
        stream.end()
        world.await_answers()
        world.must_be_clean()


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_restarted_static_member_calls_before_its_session_or_transaction_times_out(broker, folder, how):
    with World(broker, folder, simulator={"latency": "50ms"}, settings=PATIENT) as world:
        world.worker("w0", kafka={"static_membership": True, "session_timeout": "10m", "max_poll_interval": "10m",
                                  "transaction_timeout": "10m"})
        stream = Stream(world, 50)
        stream.start()
        assert wait_for(lambda: world.answered() > 50)
        if how == "kill":
            world.kill("w0")
        else:
            world.workers["w0"].stop()
        begun = world.simulator.begun()
        world.workers["w0"].start()
        assert wait_for(lambda: world.simulator.begun() > begun), "it waits for the end of its own session"
        stream.end()
        world.await_answers()
        assert world.must_be_clean() if how == "kill" else world.must_be_graceful()


def test_a_static_member_whose_name_another_one_takes_stops_and_the_other_continues(broker, folder):
    static = {"instance": "same", "static_membership": True, "session_timeout": "10s"}
    with World(broker, folder, partitions=1, simulator={"latency": "20ms"}) as world:
        old = world.worker("w0", is_named=False, kafka=static)
        world.ask_many(20, "done")
        world.await_answers()
        for number in range(6):
            world.ask(f"slow{number}", directive="latency=10s;times=1")
        world.writer.flush()
        assert wait_for(lambda: world.simulator.begun() == 26)
        assert wait_for(lambda: world.has_begun(1, count=6))
        world.blows.append(Blow("w0", time.time() * 1000))
        successor = world.worker("w1", is_named=False, kafka=static)
        assert wait_for(lambda: not old.runs()), "it goes on without a membership"
        assert old.process.wait() == 1
        assert any("same group.instance.id" in event["message"] for event in old.events("librdkafka_error"))
        world.await_answers()
        assert successor.runs()
        world.must_be_clean()


def test_a_request_that_kills_its_workers_is_abandoned_and_others_are_answered(broker, folder):
    settings = {"delivery": {"max_begun": 2}, "kafka": PATIENT["kafka"]}
    with World(broker, folder, partitions=1, settings=settings) as world:
        world.ask("poison", key=b"a", directive="latency=1h")
        world.writer.flush()
        for life in range(2):
            world.worker("w0")
            assert wait_for(lambda: world.has_begun(life + 1))
            world.kill("w0")
        world.worker("w0")
        world.ask("good", key=b"a")
        world.writer.flush()
        world.await_answers()
        world.end()
        answers = world.responses()
        assert answers["good"]["status"] == "ok" and answers["poison"]["error"]["code"] == "abandoned"
        lost = [data for data in world.usage_by_request()["poison"] if data["reason"] == "worker_lost"]
        assert len(lost) == 2 and all(data["estimated"] and not data["final"] for data in lost)

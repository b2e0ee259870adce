"""A broker that stays away for long."""
from kit.auditor import Blow
from kit.logfiles import topic_logs
from kit.processes import resident_bytes, wait_for
from kit.world import World


def test_a_long_broker_outage_causes_no_abort_storm_and_bounds_memory(own_broker, folder, request):
    """Longer than the session, librdkafka gives the partitions up: calls in hand may be repeated once."""
    settings = {"delivery": {"max_held_bytes": "48MiB", "max_held": 400, "max_in_flight": 64}}
    simulator = {"latency": "uniform(50ms, 200ms)", "answer_bytes": 300000}
    with World(own_broker, folder, simulator=simulator, settings=settings) as world:
        worker, weights = world.worker("w0"), []
        world.ask_many(400)
        assert wait_for(lambda: world.answered() > 60)
        world.be_away(request.config.getoption("--outage"),
                      lambda: weights.append(resident_bytes(worker.pid) if worker.runs() else 0))
        assert min(weights) > 0, f"the worker ended:\n{worker.text()[-2000:]}"
        world.blows.append(Blow("", world.outages[0][0], world.outages[0][1] + 30000))
        world.await_answers()
        world.must_be_clean()
        booked = [data for about in world.usage_by_request().values() for data in about]
        assert not [data for data in booked if data.get("reason") == "worker_lost"], "it took its own calls for a dead worker's"
        assert [event["partitions"] for event in worker.events("memory_bound")] == [16, 4]
        bound = worker.events("memory_bound")[-1]["bytes"]
        assert max(weights) <= bound, f"{max(weights)} bytes resident, {bound} were promised"
        assert worker.events("brokers_down") and worker.events("brokers_up")
        assert len(worker.events()) < 300, "busy logging"
        markers = sum(len(log.markers(kind)) for kind in (0, 1) for topic in world.topics.outputs
                      for log in topic_logs(own_broker.data, topic).values())
        assert world.aborted_records() < 2000 and markers < 3000, (world.aborted_records(), markers)

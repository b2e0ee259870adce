"""Topics that are missing, recreated or truncated; maps by hand; brokers without transactions."""
import time

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from kit import offsets, records
from kit.processes import PATIENCE, wait_for
from kit.storm import Stream
from kit.world import World


def commit_by_hand(world, commits):
    """commits: {partition: (offset, metadata)}, "" = none; needs a group without members."""
    client = records.admin(world.broker.bootstrap)
    places = [TopicPartition(world.topics.requests, partition, offset, *([metadata] if metadata else []))
              for partition, (offset, metadata) in commits.items()]
    done = client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(world.group, places)])
    done[world.group].result(PATIENCE)


def truncate(world, offset):
    client = records.admin(world.broker.bootstrap)
    for done in client.delete_records([TopicPartition(world.topics.requests, 0, offset)]).values():
        done.result(PATIENCE)


def test_the_worker_logs_missing_topics_and_waits_for_them(broker, folder):
    with World(broker, folder) as world:
        for topic in (world.topics.requests, world.topics.responses, world.topics.usage):
            records.delete_topic(broker.bootstrap, topic)
        worker = world.worker("w0")
        assert wait_for(lambda: {event["topic"] for event in worker.events("topic_missing")}
                        >= {world.topics.requests}), worker.text()
        assert worker.runs()
        for topic in (world.topics.requests, world.topics.responses, world.topics.usage):
            records.create_topic(broker.bootstrap, topic)
        world.watcher.end()
        world.watcher = records.ConcurrentReader(broker.bootstrap, world.topics.outputs)
        world.watcher.start()
        world.ask_many(20)
        world.await_answers()
        assert wait_for(lambda: {event["topic"] for event in worker.events("topic_found")}
                        >= {world.topics.requests}), worker.text()
        world.must_be_graceful()


def test_a_recreated_request_topic_is_read_from_its_first_record(broker, folder):
    with World(broker, folder, partitions=1) as world:
        worker = world.worker("w0")
        world.ask_many(30, "old")
        world.await_answers()
        worker.stop()
        place = world.topics.requests, 0
        _, metadata = offsets.committed(broker.bootstrap, world.group, [place])[place]
        records.delete_topic(broker.bootstrap, world.topics.requests)
        records.create_topic(broker.bootstrap, world.topics.requests, 1)
        offsets.commit(broker.bootstrap, world.group, *place, 30, metadata)
        world.ask_many(10, "new")
        world.worker("w0")
        world.await_answers()
        world.must_be_graceful()
        recreated = worker.events("partition_recreated")
        assert recreated and recreated[0]["offset"] == 30


def test_a_request_topic_recreated_under_a_running_worker_is_served(broker, folder):
    with World(broker, folder, partitions=1) as world:
        world.worker("w0")
        world.ask_many(30, "old")
        world.await_answers()
        time.sleep(1)
        records.delete_topic(broker.bootstrap, world.topics.requests)
        time.sleep(3)
        records.create_topic(broker.bootstrap, world.topics.requests, 1)
        world.writer = records.Writer(broker.bootstrap)
        world.ask_many(10, "new")
        world.await_answers()
        world.must_be_graceful()


def test_a_truncated_log_is_logged_and_restarts_at_its_start(broker, folder):
    with World(broker, folder, partitions=1) as world:
        worker = world.worker("w0")
        world.ask_many(10, "done")
        world.await_answers()
        worker.stop()
        world.ask_many(20, "late")
        world.writer.flush()
        truncate(world, 25)
        world.asked = [f"done{n}" for n in range(10)] + [f"late{n}" for n in range(15, 20)]
        world.worker("w0")
        world.await_answers()
        world.must_be_graceful()
        truncated = worker.events("partition_truncated")
        assert truncated and (truncated[0]["low"], truncated[0]["offset"], truncated[0]["lost"]) == (25, 10, 15)


def test_a_log_truncated_under_a_running_worker_restarts_at_its_start(broker, folder):
    with World(broker, folder, partitions=1, simulator={"latency": "1s"},
               settings={"delivery": {"max_in_flight": 2, "max_held": 4}}) as world:
        world.worker("w0")
        world.ask_many(60)
        assert wait_for(lambda: world.answered() >= 4)
        truncate(world, 58)
        assert wait_for(lambda: {"r58", "r59"} <= set(world.responses()))
        world.end()
        answers = [record.json()["id"] for record in world.read(world.topics.responses)]
        assert len(answers) == len(set(answers))


def test_metadata_that_is_no_map_withholds_its_partition_until_an_operator_sets_the_offset(broker, folder):
    maps = {0: (0, "eyJmb3JlaWduIjp0cnVlfQ=="), 1: (0, "bw2damaged beyond repair"), 2: (0, "bw9 of a later version")}
    with World(broker, folder, partitions=4) as world:
        world.ask_many(40)
        commit_by_hand(world, maps)
        worker = world.worker("w0")
        assert wait_for(lambda: len(worker.events("partitions_withheld")) == 3)
        assert {event["why"] for event in worker.events("partitions_withheld")} == {
            "map_foreign", "map_damaged", "map_later"}
        requests = records.read_all(broker.bootstrap, [world.topics.requests])
        free = {record.json()["id"] for record in requests if record.partition == 3}
        assert wait_for(lambda: set(world.responses()) >= free)
        assert set(world.responses()) == free
        worker.stop()
        places = {(world.topics.requests, partition): partition for partition in maps}
        found = offsets.committed(broker.bootstrap, world.group, list(places))
        # librdkafka adds a NUL to what it commits for this client
        assert {places[place]: (offset, text.rstrip("\0")) for place, (offset, text) in found.items()} == maps
        commit_by_hand(world, {partition: (0, "") for partition in maps})
        world.worker("w1")
        world.await_answers()
        world.must_be_graceful()


@pytest.mark.core
def test_finished_offsets_in_a_dead_workers_map_are_not_called_again(broker, folder):
    with World(broker, folder, partitions=1, settings={"delivery": {"max_begun": 9},
                                                         "kafka": {"session_timeout": "3s",
                                                                   "transaction_timeout": "5s"}}) as world:
        world.worker("w0")
        world.ask("slow", directive="latency=1h;times=1")
        world.ask_many(200, "quick")
        assert wait_for(lambda: world.answered() == 200)
        assert wait_for(lambda: world.has_begun(1))
        world.kill("w0")
        world.worker("w1")
        world.await_answers()
        world.must_be_clean()
        assert sum(call.request.startswith("quick") for call in world.calls) == 200
        assert [data.get("reason", "-") for data in world.usage_by_request()["slow"]].count("worker_lost") == 1


def test_at_least_once_serves_brokers_without_transactions(broker, folder):
    with World(broker, folder, simulator={"latency": "uniform(5ms, 100ms)", "faults": {"cut_stream": 0.1}},
               settings={"delivery": {"guarantee": "at_least_once", "max_begun": 9}}) as world:
        world.worker("w0")
        world.worker("w1")
        stream = Stream(world, 80)
        stream.start()
        assert wait_for(lambda: world.answered() > 100)
        for _ in range(3):
            world.workers["w1"].stop()
            world.worker("w1")
            time.sleep(4)
        stream.end()
        world.await_answers()
        world.must_be_graceful()


def test_at_least_once_loses_nothing_when_a_worker_is_killed(broker, folder):
    with World(broker, folder, simulator={"latency": "uniform(5ms, 200ms)"},
               settings={"delivery": {"guarantee": "at_least_once", "max_begun": 9},
                         "kafka": {"session_timeout": "3s"}}) as world:
        world.worker("w0")
        world.worker("w1")
        stream = Stream(world, 80)
        stream.start()
        for _ in range(3):
            seen = world.answered()
            assert wait_for(lambda: world.answered() > seen + 100)
            world.kill("w0")
            world.worker("w0")
        stream.end()
        assert wait_for(lambda: set(world.responses()) >= set(world.asked), pause=1)
        world.end()
        evidence = world.evidence(may_double=True)
        answered = {record.json()["id"] for record in evidence.responses}
        assert answered == set(world.asked)
        assert len(evidence.responses) < 1.5 * len(world.asked)

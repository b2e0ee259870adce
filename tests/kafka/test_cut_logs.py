"""Logs that are not the ones their offsets were committed for: cut by an unclean election, recreated, or deleted below the
offset. A broker that lost the end of a log is made from one: it is killed, and the segment is cut at a record batch."""
import pytest
from confluent_kafka import KafkaException, TopicPartition

from kit import offsets, records
from kit.logfiles import HEAD
from kit.processes import PATIENCE, wait_for
from kit.world import World


def ask_each(world, count, prefix):
    """Requests to partition 0, each in a batch of its own."""
    for number in range(count):
        world.ask(f"{prefix}{number}", partition=0)
        world.writer.flush()


def cut_log(broker, topic, offset):
    """Restarts the broker without the records of partition 0 from this offset on."""
    broker.kill()
    folder = broker.data / f"{topic}-0"
    segment, = folder.glob("*.log")
    data = segment.read_bytes()
    at = 0
    while at + HEAD.size <= len(data):
        base, length = HEAD.unpack_from(data, at)[:2]
        if base >= offset or length <= 0:
            break
        at += 12 + length
    assert base == offset, "no batch begins there"
    segment.write_bytes(data[:at])
    for file in (*folder.glob("*.index"), *folder.glob("*.timeindex"), *folder.glob("*.snapshot")):
        file.unlink()
    broker.start()
    assert wait_for(lambda: end_of(broker, topic) == offset)


def end_of(broker, topic):
    """Where partition 0 ends; None while it has no leader."""
    reader = records.consumer(broker.bootstrap, "read_uncommitted")
    try:
        return reader.get_watermark_offsets(TopicPartition(topic, 0), PATIENCE)[1]
    except KafkaException:
        return None
    finally:
        reader.close()


def answered_ids(world):
    return sorted(record.json()["id"] for record in world.read(world.topics.responses))


@pytest.mark.parametrize("grown", [0, 3, 12], ids=["still_short", "short_again", "grown_past_the_offset"])
def test_a_cut_log_goes_on_at_the_cut_and_is_not_paid_again(own_broker, folder, grown):
    with World(own_broker, folder, request_partitions=1) as world:
        ask_each(world, 20, "old")
        world.worker()
        world.await_answers()
        world.stop_workers()
        cut_log(own_broker, world.topics.requests, 12)
        world.writer = records.Writer(own_broker.bootstrap)
        ask_each(world, grown, "new")
        worker = world.worker("w1")
        assert wait_for(lambda: worker.events("partition_cut")), worker.text()[-3000:]
        if not grown:
            ask_each(world, 2, "new")
        world.await_answers()
        line, = worker.events("partition_cut")
        assert (line["end"], line["offset"], line["lost"]) == (12, 20, 8)
        world.end()
        assert answered_ids(world) == sorted(world.asked)
        assert len(world.calls) == len(world.asked)     # nothing was paid twice
        place = world.topics.requests, 0
        assert offsets.committed(own_broker.bootstrap, world.group, [place])[place][0] == 12 + (grown or 2)


@pytest.mark.parametrize("grown", [3, 30], ids=["shorter", "grown_past_the_offset"])
def test_a_recreated_topic_is_read_from_its_beginning_though_old_offsets_are_there(own_broker, folder, grown):
    """A worker that runs while its topic is recreated can write its old offset for the new one."""
    with World(own_broker, folder, request_partitions=1) as world:
        ask_each(world, 20, "old")
        world.worker()
        world.await_answers()
        world.stop_workers()
        place = world.topics.requests, 0
        offset, metadata = offsets.committed(own_broker.bootstrap, world.group, [place])[place]
        records.delete_topic(own_broker.bootstrap, world.topics.requests)
        records.create_topic(own_broker.bootstrap, world.topics.requests, 1)
        world.writer = records.Writer(own_broker.bootstrap)
        ask_each(world, grown, "new")
        offsets.commit(own_broker.bootstrap, world.group, *place, offset, metadata)
        worker = world.worker("w1")
        world.await_answers()
        assert len(worker.events("partition_recreated")) == 1
        world.end()
        assert answered_ids(world) == sorted(world.asked) and len(world.calls) == len(world.asked)


def test_records_that_retention_deleted_are_logged_and_the_rest_is_answered(own_broker, folder):
    with World(own_broker, folder, request_partitions=1) as world:
        ask_each(world, 5, "old")
        world.worker()
        world.await_answers()
        world.stop_workers()
        ask_each(world, 10, "late")
        client = records.admin(own_broker.bootstrap)
        place = TopicPartition(world.topics.requests, 0, 9)
        for future in client.delete_records([place]).values():
            future.result(PATIENCE)
        worker = world.worker("w1")
        world.await_answers(5 + 6)
        line, = worker.events("partition_truncated")
        assert (line["low"], line["offset"], line["lost"]) == (9, 5, 4)
        world.end()
        assert answered_ids(world) == sorted(world.asked[:5] + world.asked[9:])

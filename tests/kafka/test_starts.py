"""Where a worker begins: partitions that cannot be read yet, and groups that have committed nothing."""
import re
import time
from datetime import datetime

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewPartitions

from kit import offsets, records
from kit.processes import PATIENCE, wait_for
from kit.world import World, chat

DAYS_MS = 86400000


def pending_offsets(world, partition):
    """A transaction of the group with an offset of one partition that does not end."""
    producer = Producer({"bootstrap.servers": world.broker.bootstrap, "transactional.id": f"{world.group}-pending",
                         "transaction.timeout.ms": 100000, "log_level": 0})
    producer.init_transactions(PATIENCE)
    producer.begin_transaction()
    reader = records.consumer(world.broker.bootstrap, group=world.group)
    producer.send_offsets_to_transaction([TopicPartition(world.topics.requests, partition, 0)],
                                         reader.consumer_group_metadata(), PATIENCE)
    reader.close()
    return producer


def first_answer_ms(world, partition):
    """When the first answer to one of the requests r0, r1, … of this partition was read; None while there is none."""
    seen = [record.seen_ms for record in world.watcher.of(world.topics.responses)
            if re.fullmatch(r"r\d+", record.json()["id"]) and int(record.json()["id"][1:]) % 4 == partition]
    return min(seen) if seen else None


def assigned_ms(worker):
    """When its first partition started, wall clock."""
    return min(datetime.fromisoformat(event["time"]).timestamp() * 1000 for event in worker.events("partition_earliest")
               + worker.events("partition_started"))


def test_a_pending_transaction_delays_only_its_own_partition(own_broker, folder):
    with World(own_broker, folder) as world:
        for number in range(40):
            world.ask(f"r{number}", partition=number % 4)
        world.writer.flush()
        pending = pending_offsets(world, 0)
        worker = world.worker()
        assert wait_for(lambda: all(first_answer_ms(world, partition) for partition in (1, 2, 3)))
        assert first_answer_ms(world, 0) is None
        waited = max(first_answer_ms(world, partition) for partition in (1, 2, 3)) - assigned_ms(worker)
        print(f"the other partitions answered {waited:.0f} ms after their assignment")
        assert waited <= 3000
        # A second worker takes some partitions, among them perhaps the pending one; it is not lost on the way.
        world.worker("w1")
        assert wait_for(lambda: records.owners_of(own_broker.bootstrap, world.group) == 2)
        world.ask_many(20, "more", keys=7)
        pending.abort_transaction(PATIENCE)
        world.await_answers()
        world.must_be_graceful()

def ask_old(world, count, prefix, partition, days=3):
    """Requests whose records are days old, as a backlog that another group has answered."""
    for number in range(count):
        name = f"{prefix}{number}"
        world.asked.append(name)
        world.writer.send(world.topics.requests, chat(name), partition=partition,
                          timestamp_ms=int(time.time() * 1000) - days * DAYS_MS)
    world.writer.flush()


def test_an_old_backlog_is_not_paid_again_until_somebody_decides(own_broker, folder):
    with World(own_broker, folder) as world:
        ask_old(world, 50, "old", 3)
        for number in range(9):
            world.ask(f"new{number}", partition=number % 3)
        world.writer.flush()
        worker = world.worker()
        world.await_answers(9)
        assert wait_for(lambda: worker.events("partitions_withheld"))
        time.sleep(3)
        line, = worker.events("partitions_withheld")
        assert (line["topic"], line["group"], line["partitions"], line["records"], line["why"]) == \
            (world.topics.requests, world.group, 1, 50, "no_offset") and 71 <= line["age_h"] <= 73
        assert "kafka.start=earliest" in line["message"] and world.simulator.begun() == 9
        world.stop_workers()
        place = world.topics.requests, 3
        assert offsets.committed(own_broker.bootstrap, world.group, [place])[place] == (-1, "")
        world.worker("w1", kafka={"start": "earliest"})
        world.await_answers()
        world.must_be_graceful()


def test_latest_skips_the_backlog_once(own_broker, folder):
    with World(own_broker, folder) as world:
        ask_old(world, 50, "old", 3)
        worker = world.worker(kafka={"start": "latest"})
        place = world.topics.requests, 3
        assert wait_for(lambda: offsets.committed(own_broker.bootstrap, world.group, [place])[place][0] == 50)
        world.stop_workers()
        world.ask_many(8, "new", partition=3)
        world.worker()
        world.await_answers(8)
        assert world.simulator.begun() == 8 and not worker.events("partitions_withheld")
        world.asked = world.asked[50:]
        world.must_be_graceful()


def test_partitions_that_are_added_later_are_read_from_their_beginning(own_broker, folder):
    with World(own_broker, folder) as world:
        world.ask_many(8)
        worker = world.worker()
        world.await_answers()
        client = records.admin(own_broker.bootstrap)
        client.create_partitions([NewPartitions(world.topics.requests, 6)])[world.topics.requests].result(PATIENCE)
        assert wait_for(lambda: len(records.partitions_of(own_broker.bootstrap, world.topics.requests)) == 6)
        world.writer = records.Writer(own_broker.bootstrap)     # one that knows them
        ask_old(world, 5, "old", 5)
        world.await_answers()
        assert not worker.events("partitions_withheld")
        world.must_be_graceful()

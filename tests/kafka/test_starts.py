"""Where a worker begins: partitions that cannot be read yet, and groups that have committed nothing."""
import re
from datetime import datetime

from confluent_kafka import Producer, TopicPartition

from kit import records
from kit.processes import PATIENCE, wait_for
from kit.world import World


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

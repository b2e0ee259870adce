"""Topics and records: create, produce, read back with read_committed, keep for other checks."""
import base64
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import (OFFSET_BEGINNING, Consumer, ConsumerGroupState, KafkaError, KafkaException, Producer,
                             TopicPartition)
from confluent_kafka.admin import AdminClient, NewTopic

from kit.offsets import committed
from kit.processes import PATIENCE, wait_for


@dataclass
class Record:
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    headers: list
    value: bytes | None
    seen_ms: float = 0.0            # when a concurrent reader got it, wall clock

    @property
    def place(self):
        return self.topic, self.partition, self.offset

    def json(self):
        return json.loads(self.value)

    def header(self, name):
        """The last header of that name, as bytes; None when there is none."""
        found = [value for header, value in self.headers if header == name]
        return found[-1] if found else None

    def line(self):
        """One line of the files that tests/checks reads."""
        return json.dumps({
            "topic": self.topic, "partition": self.partition, "offset": self.offset, "key": encoded(self.key),
            "headers": [[name, encoded(value)] for name, value in self.headers],
            "value": None if self.value is None else self.value.decode("utf-8", "surrogateescape")})


def encoded(data):
    return None if data is None else base64.b64encode(data).decode()


def from_message(message):
    return Record(message.topic(), message.partition(), message.offset(), message.timestamp()[1], message.key(),
                  message.headers() or [], message.value())


@dataclass
class Topics:
    """The six topics of one test, with unique names so that tests can share a broker."""
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")

    @property
    def requests(self):
        return f"{self.prefix}.requests"

    @property
    def responses(self):
        return f"{self.prefix}.responses"

    @property
    def chunks(self):
        return f"{self.prefix}.chunks"

    @property
    def usage(self):
        return f"{self.prefix}.usage"

    @property
    def letters(self):
        return f"{self.prefix}.dead-letters"

    @property
    def budgets(self):
        return f"{self.prefix}.budgets"

    @property
    def outputs(self):
        return [self.responses, self.chunks, self.usage, self.letters]

    def create(self, bootstrap, partitions=4, request_partitions=None):
        create_topic(bootstrap, self.requests, request_partitions or partitions)
        for name in self.outputs:
            create_topic(bootstrap, name, partitions)


def admin(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def topics_of(client):
    return client.list_topics(timeout=PATIENCE).topics


def members_of(bootstrap, group):
    """How many workers the group has now."""
    return len(describe_group(bootstrap, group).members)


def owners_of(bootstrap, group):
    """How many workers of the group own partitions now; 0 while it rebalances."""
    found = describe_group(bootstrap, group)
    if found.state != ConsumerGroupState.STABLE:
        return 0
    return sum(1 for member in found.members if member.assignment.topic_partitions)


def describe_group(bootstrap, group):
    client = admin(bootstrap)                   # without a name it would end before its answer comes
    return client.describe_consumer_groups([group], request_timeout=PATIENCE)[group].result(PATIENCE)


def has_controller(bootstrap):
    """Whether the cluster can make topics."""
    try:
        return admin(bootstrap).list_topics(timeout=5).controller_id >= 0
    except KafkaException:
        return False


def create_topic(bootstrap, name, partitions=4, config=None):
    client = admin(bootstrap)
    client.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(PATIENCE)
    assert wait_for(lambda: name in topics_of(client)), f"{name} was created and is not there"


def delete_topic(bootstrap, name):
    client = admin(bootstrap)
    client.delete_topics([name])[name].result(PATIENCE)
    assert wait_for(lambda: name not in topics_of(client)), f"{name} was deleted and is there"


def partitions_of(bootstrap, topic):
    return sorted(admin(bootstrap).list_topics(topic, timeout=PATIENCE).topics[topic].partitions)


class Writer:
    """Produces requests; `flush` waits for all and raises when one was rejected."""

    def __init__(self, bootstrap, **properties):
        self.producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
                                  "partitioner": "murmur2_random", "queue.buffering.max.messages": 1000000,
                                  "message.max.bytes": 20000000, "log_level": 0, **properties})
        self.placed, self.failed = [], []

    def send(self, topic, value, key=None, headers=None, partition=-1, timestamp_ms=0):
        if isinstance(value, (dict, list)):
            value = json.dumps(value, ensure_ascii=False).encode()
        self.producer.produce(topic, value=value, key=key, headers=headers or [], partition=partition,
                              timestamp=timestamp_ms, on_delivery=self._delivered)
        self.producer.poll(0)

    def _delivered(self, error, message):
        (self.failed if error else self.placed).append(error or (message.topic(), message.partition(),
                                                                 message.offset()))

    def flush(self, seconds=PATIENCE):
        left = self.producer.flush(seconds)
        if left or self.failed:
            raise OSError(f"{left} records not delivered, {len(self.failed)} refused: {self.failed[:3]}")
        return self.placed


def consumer(bootstrap, isolation="read_committed", group=None, **properties):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group or f"reader-{uuid.uuid4().hex}",
                     "isolation.level": isolation, "enable.auto.commit": False, "auto.offset.reset": "earliest",
                     "enable.partition.eof": True, "fetch.message.max.bytes": 20000000, "log_level": 0,
                     "fetch.wait.max.ms": 50, "allow.auto.create.topics": False, **properties})


def read_all(bootstrap, topics, isolation="read_committed", seconds=PATIENCE):
    """Everything that is in the topics now, in order of partition and offset."""
    reader = consumer(bootstrap, isolation)
    places = [(topic, partition) for topic in topics for partition in partitions_of(bootstrap, topic)]
    reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in places])
    found, ended, end = [], set(), time.monotonic() + seconds
    try:
        while len(ended) < len(places):
            if time.monotonic() > end:
                raise TimeoutError(f"topics not read to their end after {seconds} s: {set(places) - ended}")
            for message in reader.consume(1000, 0.2):
                if message.error() is None:
                    found.append(from_message(message))
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ended.add((message.topic(), message.partition()))
    finally:
        reader.close()
    return sorted(found, key=lambda record: record.place)


class ConcurrentReader(threading.Thread):
    """Reads topics while things happen, and keeps every record with its time: a record that was read must never vanish."""

    def __init__(self, bootstrap, topics, isolation="read_committed"):
        super().__init__(daemon=True)
        self.bootstrap, self.topics, self.isolation = bootstrap, list(topics), isolation
        self.records, self.ends = [], threading.Event()
        self.places = [(topic, partition) for topic in topics for partition in partitions_of(bootstrap, topic)]

    def run(self):
        reader = consumer(self.bootstrap, self.isolation)
        reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in self.places])
        while not self.ends.is_set():
            for message in reader.consume(500, 0.1):
                if message.error() is None:
                    record = from_message(message)
                    record.seen_ms = time.time() * 1000
                    self.records.append(record)
        reader.close()

    def of(self, topic):
        return [record for record in list(self.records) if record.topic == topic]

    def count(self, topic):
        return sum(record.topic == topic for record in list(self.records))

    def end(self):
        self.ends.set()
        self.join(PATIENCE)


@dataclass
class PartitionState:
    topic: str
    partition: int
    low: int
    end: int                # the high watermark
    stable: int             # the last stable offset: below `end` while a transaction is open
    committed: int          # -1 = none
    metadata: str


def partition_states(bootstrap, topics, group):
    """Per partition the end of the log, its last stable offset, and the group's commit."""
    stable = consumer(bootstrap, "read_committed", group)
    plain = consumer(bootstrap, "read_uncommitted")
    states = []
    try:
        places = [TopicPartition(topic, partition) for topic in topics for partition in partitions_of(bootstrap, topic)]
        said = committed(bootstrap, group, [(place.topic, place.partition) for place in places])
        for place in places:
            low, end = plain.get_watermark_offsets(place, PATIENCE)
            _, stable_end = stable.get_watermark_offsets(place, PATIENCE)
            states.append(PartitionState(place.topic, place.partition, low, end, stable_end,
                                         *said[place.topic, place.partition]))
    finally:
        stable.close()
        plain.close()
    return states


def keep(folder, topics, records):
    """Adds the outputs to the files of `folder`, which tests/checks validates against the schemas."""
    if not folder:
        return
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = {topics.responses: "responses", topics.chunks: "chunks", topics.usage: "usage", topics.letters: "letters"}
    for topic, name in names.items():
        lines = "".join(record.line() + "\n" for record in records if record.topic == topic)
        with open(folder / f"{name}.jsonl", "ab", buffering=0) as out:      # tests of other processes append, too
            out.write(lines.encode("utf-8", "surrogateescape"))

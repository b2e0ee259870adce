"""Reads the log segments of a broker's data folder (record batch format v2, headers only): when was each record
committed, how many transactions ended how, how many records no read_committed reader gets.

A consumer learns of a commit some time after it; the marker in the log has the broker's own time, on the same machine's
clock as the simulator's ledger, so "no call starts after its response was committed" is checked to the millisecond.
"""
import struct
from bisect import bisect_left
from dataclasses import dataclass, field

HEAD = struct.Struct(">qiibIhiqqqhii")
TRANSACTIONAL, CONTROL = 0x10, 0x20
ABORT, COMMIT = 0, 1


@dataclass
class Batch:
    base: int
    last: int
    count: int
    time_ms: int
    producer: int
    is_transactional: bool
    marker: int | None          # ABORT or COMMIT for a control batch


@dataclass
class PartitionLog:
    batches: list = field(default_factory=list)

    def markers(self, kind):
        return [batch for batch in self.batches if batch.marker == kind]

    def commit_ms(self, offset):
        """When the record there was committed; None when it was aborted or its transaction is open."""
        at = bisect_left(self.batches, offset, key=lambda batch: batch.last)
        if at == len(self.batches) or self.batches[at].base > offset:
            return None
        batch = self.batches[at]
        if not batch.is_transactional:
            return batch.time_ms
        for index in range(at + 1, len(self.batches)):
            later = self.batches[index]
            if later.marker is not None and later.producer == batch.producer:
                return later.time_ms if later.marker == COMMIT else None
        return None

    def aborted_records(self):
        """Records of aborted transactions, which frequent aborts leave behind."""
        pending, aborted = {}, 0
        for batch in self.batches:
            if batch.marker is None and batch.is_transactional:
                pending[batch.producer] = pending.get(batch.producer, 0) + batch.count
            elif batch.marker is not None:
                count = pending.pop(batch.producer, 0)
                aborted += count if batch.marker == ABORT else 0
        return aborted


def control_kind(data, at):
    """The type in a control record's key: after length, attributes, two deltas and the key's length, all varints."""
    at = skip_varint(data, at) + 1          # length, attributes
    for _ in range(3):
        at = skip_varint(data, at)          # timestamp delta, offset delta, key length
    return struct.unpack_from(">hh", data, at)[1]


def skip_varint(data, at):
    while data[at] & 0x80:
        at += 1
    return at + 1


def parse(data):
    at, batches = 0, []
    while at + HEAD.size <= len(data):
        base, length, _, magic, _, attributes, delta, _, newest, producer, _, _, count = HEAD.unpack_from(data, at)
        if length <= 0 or magic != 2 or at + 12 + length > len(data):
            break                           # the zeros or the half-written batch at the end of a live segment
        marker = None
        if attributes & CONTROL:
            kind = control_kind(data, at + HEAD.size)
            marker = kind if kind in (ABORT, COMMIT) else None
        batches.append(Batch(base, base + delta, count, newest, producer, bool(attributes & TRANSACTIONAL), marker))
        at += 12 + length
    return batches


def partition_log(data_folder, topic, partition):
    log = PartitionLog()
    for segment in sorted((data_folder / f"{topic}-{partition}").glob("*.log")):
        log.batches += parse(segment.read_bytes())
    return log


def topic_logs(data_folder, topic):
    found = {}
    for folder in data_folder.glob(f"{topic}-*"):
        number = folder.name[len(topic) + 1:]
        if number.isdigit():
            found[int(number)] = partition_log(data_folder, topic, int(number))
    return found

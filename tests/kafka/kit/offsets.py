"""A group's committed offsets with their metadata, asked by Kafka's own protocol: librdkafka's Python client reads the
metadata as a text that ends at a NUL byte, which it does not have."""
import socket
import struct
import time

from kit.processes import PATIENCE

FIND_COORDINATOR, OFFSET_FETCH, OFFSET_COMMIT = 10, 9, 8


def text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


class Answer:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return values if len(values) > 1 else values[0]

    def text(self):
        length = self.take(">h")
        if length < 0:
            return ""
        self.at += length
        return self.data[self.at - length:self.at].decode("utf-8", "backslashreplace")


def ask(address, key, version, body):
    host, port = address.rsplit(":", 1)
    request = struct.pack(">hhi", key, version, 1) + text("tests") + body
    with socket.create_connection((host, int(port)), PATIENCE) as link:
        link.sendall(struct.pack(">i", len(request)) + request)
        size, _ = struct.unpack(">ii", link.recv(8, socket.MSG_WAITALL))
        return Answer(link.recv(size - 4, socket.MSG_WAITALL))


def coordinator(bootstrap, group):
    for _ in range(PATIENCE * 5):
        answer = ask(bootstrap.split(",")[0], FIND_COORDINATOR, 1, text(group) + b"\0")
        _, error = answer.take(">ih")
        answer.text()
        answer.take(">i")
        host, port = answer.text(), answer.take(">i")
        if error == 0:
            return f"{host}:{port}"
        time.sleep(0.2)
    raise OSError(f"no coordinator for group {group}: error {error}")


def committed(bootstrap, group, places):
    """{(topic, partition): (offset, metadata)}; offset -1 where nothing is committed."""
    topics = {}
    for topic, partition in places:
        topics.setdefault(topic, []).append(partition)
    body = text(group) + struct.pack(">i", len(topics))
    for topic, partitions in topics.items():
        body += text(topic) + struct.pack(f">i{len(partitions)}i", len(partitions), *partitions)
    answer = ask(coordinator(bootstrap, group), OFFSET_FETCH, 5, body)
    answer.take(">i")
    found = {}
    for _ in range(answer.take(">i")):
        topic = answer.text()
        for _ in range(answer.take(">i")):
            partition, offset, _ = answer.take(">iqi")
            metadata, error = answer.text(), answer.take(">h")
            assert error == 0, f"offset of {topic}-{partition}: error {error}"
            found[topic, partition] = (offset, metadata)
    return found


def commit(bootstrap, group, topic, partition, offset, metadata):
    """Commits one offset for a group without members, as it is: librdkafka's Python client adds a NUL to the metadata."""
    body = text(group) + struct.pack(">i", -1) + text("") + struct.pack(">q", -1)
    body += struct.pack(">i", 1) + text(topic) + struct.pack(">iiq", 1, partition, offset) + text(metadata)
    answer = ask(coordinator(bootstrap, group), OFFSET_COMMIT, 2, body)
    answer.take(">i")
    answer.text()
    _, _, error = answer.take(">iih")
    assert error == 0, f"commit of {topic}-{partition}: error {error}"

"""A member of a consumer group that does only what it is told, by Kafka's own protocol: a client library would answer
each rebalance."""
import socket
import struct
import time

from kit import offsets
from kit.offsets import text
from kit.processes import PATIENCE

HEARTBEAT, JOIN_GROUP, SYNC_GROUP = 12, 11, 14
SESSION_MS, REBALANCE_MS = 45000, 300000
COORDINATOR_LOADS = (14, 15, 16)     # COORDINATOR_LOAD_IN_PROGRESS, …_NOT_AVAILABLE, NOT_COORDINATOR


def blob(data):
    return struct.pack(">i", len(data)) + data


class Member:
    def __init__(self, world):
        self.world, self.id, self.generation, self.members, self.link = world, "", -1, [], None
        self.connect()

    def connect(self):
        host, port = offsets.coordinator(self.world.broker.bootstrap, self.world.group).rsplit(":", 1)
        self.link = socket.create_connection((host, int(port)), PATIENCE)

    def send(self, key, version, body):
        self.link.sendall(blob(struct.pack(">hhi", key, version, 1) + text("tests") + body))

    def ask(self, key, version, body):
        self.send(key, version, body)
        size, _ = struct.unpack(">ii", self.link.recv(8, socket.MSG_WAITALL))
        return offsets.Answer(self.link.recv(size - 4, socket.MSG_WAITALL))

    def myself(self):
        return text(self.world.group) + struct.pack(">i", self.generation) + text(self.id)

    def wish(self):
        """JoinGroup's content."""
        subscription = struct.pack(">hi", 1, 1) + text(self.world.topics.requests) + struct.pack(">ii", -1, 0)
        return text(self.world.group) + struct.pack(">ii", SESSION_MS, REBALANCE_MS) + text(self.id) \
            + text("consumer") + struct.pack(">i", 1) + text("cooperative-sticky") + blob(subscription)

    def ask_to_join(self):
        """Does not wait for the others."""
        self.send(JOIN_GROUP, 2, self.wish())

    def join(self):
        """Returns when all members have joined."""
        while True:
            answer = self.ask(JOIN_GROUP, 2, self.wish())
            _, error, self.generation = answer.take(">ihi")
            if error not in COORDINATOR_LOADS:
                break
            time.sleep(0.2)
            self.connect()
        answer.text(), answer.text()
        self.id = answer.text()
        assert error == 0, f"JoinGroup: error {error}"
        self.members = []
        for _ in range(answer.take(">i")):
            self.members.append(answer.text())
            length = answer.take(">i")
            answer.at += length

    def lead(self):
        """As the leader: the first other member gets all partitions."""
        others = [name for name in self.members if name != self.id]
        numbers = list(range(self.world.request_partitions))
        everything = struct.pack(">i", 1) + text(self.world.topics.requests) \
            + struct.pack(f">i{len(numbers)}i", len(numbers), *numbers)
        body = self.myself() + struct.pack(">i", len(self.members))
        for name in self.members:
            owned = everything if name in others[:1] else struct.pack(">i", 0)
            body += text(name) + blob(struct.pack(">h", 1) + owned + struct.pack(">i", 0))
        _, error = self.ask(SYNC_GROUP, 1, body).take(">ih")
        assert error == 0, f"SyncGroup: error {error}"

    def await_rebalance(self):
        """Sends heartbeats until one says that the group rebalances."""
        end = time.monotonic() + PATIENCE
        while self.ask(HEARTBEAT, 1, self.myself()).take(">ih")[1] == 0:
            assert time.monotonic() < end, "the group does not rebalance"
            time.sleep(0.1)

"""One Apache Kafka broker from its published jars: no container, no installation but a JDK 17 and Maven.

The broker has its own ports (drawn free, kept over restarts), its own data folder and its own process group. Two
listeners: plain, and SASL/PLAIN for user `worker` with password `worker-password`, for the tests of authorisation; the
plain one is the superuser's. Only the standard library is used, so that tests/kafka/broker runs without the tests' venv.
"""
import base64
import os
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

from kit.processes import PATIENCE, ROOT, WORK, Process

LIBS = WORK / "libs"
ARCHIVE = WORK / "classes.jsa"      # Kafka's classes as the JVM maps them: a start takes less than half of the time
POM = ROOT / "tests" / "kafka" / "jars" / "pom.xml"

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},USERS://127.0.0.1:{users},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},USERS://127.0.0.1:{users}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,USERS:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.users.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_worker="worker-password";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
log.dirs={data}
num.partitions=4
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.retention.check.interval.ms=3600000
"""


def fetch_jars(say=lambda words: None, pom=POM, folder=LIBS):
    """The jars that a pom names, once per change of it; None, or the reason why they cannot be fetched."""
    stamp = folder / ".pom"
    if stamp.exists() and stamp.read_text() == pom.read_text():
        return None
    for program in ("java", "mvn"):
        if not shutil.which(program):
            return f"{program} is not installed"
    say(f"fetching the jars of {pom.relative_to(ROOT)} with Maven (once)")
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(
        ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={folder}",
         "-DincludeScope=runtime"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode or not list(folder.glob("*.jar")):
        return f"Maven could not fetch the jars: {(done.stdout + done.stderr).strip()[-600:]}"
    stamp.write_text(pom.read_text())
    return None


def free_ports(count):
    """Free ports of the loopback that the kernel gives to no outgoing connection."""
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    span = range(10000, min(low, 32000)) if low > 12000 else range(high + 1, 65000)
    ports, start = [], int.from_bytes(os.urandom(4), "big")
    for step in range(len(span)):
        port = span[(start + step * 7) % len(span)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
        if len(ports) == count:
            return ports
    raise OSError("no free ports on the loopback")


def answers(port):
    """Whether a broker answers ApiVersions there: it does so only when it is ready to serve."""
    request = struct.pack(">hhih", 18, 0, 7, -1)
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as link:
            link.settimeout(5)
            link.sendall(struct.pack(">i", len(request)) + request)
            head = link.recv(10, socket.MSG_WAITALL)
            return len(head) == 10 and struct.unpack(">iih", head)[1:] == (7, 0)
    except OSError:
        return False


def create_topics(port, topics):
    """Asks for these topics' metadata, at which a broker with auto.create.topics.enable creates them: whether all are there.

    Metadata version 4: the request is [topic] and allow_auto_topic_creation; the answer has an error code before each
    topic's name, which is 0 once the topic has leaders."""
    def text(value):
        return struct.pack(f">h{len(value)}s", len(value), value.encode())
    body = struct.pack(">hhi", 3, 4, 7) + text("broker") + struct.pack(">i", len(topics)) \
        + b"".join(map(text, topics)) + b"\1"
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.settimeout(20)
        link.sendall(struct.pack(">i", len(body)) + body)
        size = struct.unpack(">i", link.recv(4, socket.MSG_WAITALL))[0]
        answer = link.recv(size, socket.MSG_WAITALL)
    return all(struct.pack(">h", 0) + text(topic) in answer for topic in topics)


def archive_classes(say=lambda words: None):
    """Makes the archive of classes, once for these jars: a broker writes what it loaded when it ends. A JVM that finds no
    archive, or one of other jars, starts without it."""
    if ARCHIVE.exists() and ARCHIVE.stat().st_mtime > (LIBS / ".pom").stat().st_mtime:
        return
    made = ARCHIVE.with_name(f"classes-{os.getpid()}.jsa")
    broker = Broker(WORK / f"archive-{os.getpid()}", {"auto.create.topics.enable": "true"})
    try:
        broker.format()
        broker.archiving = f"-XX:ArchiveClassesAtExit={made}"
        broker.start()
        create_topics(broker.port, ["any"])
        broker.stop()
        made.rename(ARCHIVE)
    except (OSError, TimeoutError) as error:
        say(f"no archive of Kafka's classes, so brokers start slowly: {error}")
    finally:
        broker.stop()
        broker.wipe()


class Broker:
    archiving = f"-XX:SharedArchiveFile={ARCHIVE}"

    def __init__(self, folder, properties=None, heap="512m", classes=None):
        self.folder = Path(folder)
        self.heap = heap
        self.path = f"{LIBS}/*" + (f"{os.pathsep}{classes}" if classes else "")
        self.port, self.users_port, self.controller_port = free_ports(3)
        self.properties = properties or {}
        self.process = None

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @property
    def users_bootstrap(self):
        return f"127.0.0.1:{self.users_port}"

    @property
    def data(self):
        return self.folder / "data"

    def _java(self, *words):
        return ["java", f"-Xmx{self.heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", self.archiving, "-Xlog:cds=off",
                "-Xlog:cds+dynamic=off", "-cp", self.path, *words]

    def format(self):
        """Makes an empty cluster; deletes the folder's contents."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        text = PROPERTIES.format(port=self.port, users=self.users_port, controller=self.controller_port,
                                 data=self.data)
        text += "".join(f"{name}={value}\n" for name, value in self.properties.items())
        (self.folder / "server.properties").write_text(text)
        cluster = "A" + base64.urlsafe_b64encode(os.urandom(16)).decode()[1:22]  # a leading "-" would be an option
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c",
                       str(self.folder / "server.properties")),
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"cannot format the broker's folder: {(done.stdout + done.stderr)[-800:]}")

    def launch(self):
        """Starts the process on the data that are there, without waiting."""
        self.process = Process(self._java("kafka.Kafka", self.folder / "server.properties"),
                               log=self.folder / "broker.log", folder=self.folder)

    def await_ready(self, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not answers(self.port):
            if not self.process.runs():
                raise OSError(f"the broker ended:\n{self.process.text()[-1500:]}")
            if time.monotonic() > end:
                raise TimeoutError(f"the broker does not answer after {seconds} s:\n{self.process.text()[-1500:]}")
            time.sleep(0.1)

    def start(self, seconds=PATIENCE):
        if not (self.folder / "server.properties").exists():
            self.format()
        self.launch()
        self.await_ready(seconds)

    def kill(self):
        """kill -9."""
        self.process.kill()

    def stop(self, seconds=PATIENCE):
        if self.process and self.process.runs():
            self.process.stop(seconds)

    def wipe(self):
        shutil.rmtree(self.folder, ignore_errors=True)

"""Spring's request/reply, with the real Spring Kafka."""
import json
import subprocess
import uuid

import pytest

from kit import records
from kit.broker import fetch_jars
from kit.processes import PATIENCE, ROOT, WORK
from kit.world import World

SPRING = ROOT / "tests" / "kafka" / "spring"
LIBS = WORK / "spring-libs"


@pytest.mark.parametrize("partition", [-1, 1], ids=["by_group", "by_reply_partition"])
def test_a_replying_kafka_template_gets_its_replies(broker, folder, partition):
    missing = fetch_jars(pom=ROOT / "deploy" / "examples" / "spring" / "pom.xml", folder=LIBS)
    if missing:
        pytest.skip(f"no Spring Kafka: {missing}")
    replies = f"spring-{uuid.uuid4().hex[:8]}.replies"
    with World(broker, folder, settings={"topics": {"reply_allowed": ["spring-*"]},
                                         "models": {"default": "anthropic.claude-3-haiku"}}) as world:
        records.create_topic(broker.bootstrap, replies, 2)
        world.worker()
        done = subprocess.run(
            ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{LIBS}/*", str(SPRING / "RoundTrip.java"),
             broker.bootstrap, world.topics.requests, replies, str(partition), "20"],
            capture_output=True, text=True, timeout=3 * PATIENCE, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr[-3000:]
        rows = [line.split("\t", 3) for line in done.stdout.splitlines()]
        assert [int(row[0]) for row in rows] == list(range(20))
        for number, at, code, value in rows:
            answer = json.loads(value)
            assert answer["id"] == f"spring-{number}"
            assert code == ("invalid" if int(number) % 5 == 4 else "-")
            assert partition < 0 or int(at) == partition
        world.end()

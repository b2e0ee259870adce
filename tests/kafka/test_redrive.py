"""`bedrock-worker redrive`: dead letters go back once, whatever is killed, and say what becomes of the others."""
import json
import os
import random
import re
import signal
import struct
import subprocess
import time
from collections import Counter

import pytest

from kit import records
from kit.processes import PATIENCE
from kit.services import PROGRAMS
from kit.world import World

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KAFKA_", "BEDROCK_WORKER_"))}


class Letters:
    """Topics with dead letters that a test writes, and the command over them."""

    def __init__(self, broker, partitions=3):
        self.broker, self.topics = broker, records.Topics()
        for name in (self.topics.requests, self.topics.letters):
            records.create_topic(broker.bootstrap, name, partitions)
        self.writer = records.Writer(broker.bootstrap)

    def add(self, name, code="throttled", value=None, origin=None, headers=(), key=None, partition=-1, **fields):
        topic, number, offset, at = origin or (self.topics.requests, 0, 0, 1)
        own = [("trace", name.encode()), ("kafka_dlt-original-topic", topic.encode()),
               ("kafka_dlt-original-partition", struct.pack(">i", number)),
               ("kafka_dlt-original-offset", struct.pack(">q", offset)),
               ("kafka_dlt-original-timestamp", struct.pack(">q", at)),
               ("kafka_dlt-exception-fqcn", b"org.example.Failure")]
        own += [("bedrock-error-code", code.encode())] if code else []
        self.writer.send(self.topics.letters, value or {"id": name, "messages": [["human", "x"]], **fields}, key,
                         own + list(headers), partition)

    def command(self, *options):
        settings = {"kafka.bootstrap_servers": self.broker.bootstrap, "kafka.group_id": f"{self.topics.prefix}.group",
                    "topics.requests": f"[{self.topics.requests}]", "topics.dead_letters": self.topics.letters}
        sets = [part for path, value in settings.items() for part in ("--set", f"{path}={value}")]
        return [PROGRAMS / "bedrock-worker", "redrive", "--rate", "0", *options, *sets]

    def run(self, *options, code=0):
        done = subprocess.run(self.command(*options), capture_output=True, text=True, timeout=2 * PATIENCE, env=CLEAN,
                              stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def sent(self):
        return records.read_all(self.broker.bootstrap, [self.topics.requests])


def ids(sent):
    return Counter(record.json()["id"] for record in sent)


def test_a_dead_letter_of_the_worker_goes_back_and_is_answered_again(broker, folder):
    with World(broker, folder, settings={"bedrock": {"retry": {"max_attempts": 1}}}) as world:
        world.worker()
        world.ask("denied", directive="fault=access_denied", key=b"k", headers=[("mine", b"\xff\0")])
        world.writer.flush()
        world.await_answers()
        sets = [part for path, value in {
            "kafka.bootstrap_servers": broker.bootstrap, "kafka.group_id": world.group,
            "topics.requests": f"[{world.topics.requests}]", "topics.dead_letters": world.topics.letters}.items()
            for part in ("--set", f"{path}={value}")]
        command = [PROGRAMS / "bedrock-worker", "redrive", *sets]
        dry = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=CLEAN, check=False)
        assert dry.returncode == 0, dry.stderr
        assert re.search(r"^access_denied +1 +1  no$", dry.stdout, re.M) and "would be redriven" in dry.stdout
        assert "--yes redrives them" in dry.stdout
        assert len(world.read(world.topics.requests)) == 1
        done = subprocess.run([*command, "--yes"], capture_output=True, text=True, timeout=PATIENCE, env=CLEAN, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        world.await_answers(2)
        first, second = sorted(world.read(world.topics.requests), key=lambda record: record.offset)
        assert (second.key, second.value) == (first.key, first.value) == (b"k", first.value)
        assert second.headers == [*first.headers, ("bedrock-redrives", b"1")]
        letters = world.read(world.topics.letters)
        assert [letter.header("bedrock-redrives") for letter in letters] == [None, b"1"]
        world.stop_workers()


def test_filters_choose_and_the_progress_is_kept_for_each_letter(broker):
    letters = Letters(broker)
    codes = ["throttled", "timeout", "invalid"]
    for number in range(300):
        letters.add(f"r{number}", codes[number % 3], tenant="acme" if number % 2 else "other", key=f"k{number}".encode())
    letters.writer.flush()
    said = letters.run("--code", "throttled", "--yes")
    assert re.search(r"^throttled +100 +100  yes$", said, re.M) and re.search(r"^ +200  left out by the filters", said, re.M)
    assert ids(letters.sent()) == Counter(f"r{number}" for number in range(0, 300, 3))
    said = letters.run("--tenant", "acme", "--retryable", "--yes")
    assert re.search(r"^ +50  redriven$", said, re.M) and re.search(r"^ +\d+  passed over: redriven by an earlier run", said, re.M)
    assert "0  redriven\n" in letters.run("--since", "2999-01", "--yes")
    assert "40  redriven\n" in letters.run("--max", "40", "--yes")
    letters.run("--yes")
    sent = letters.sent()
    assert ids(sent) == Counter(f"r{number}" for number in range(300))
    assert all([name for name, _ in record.headers] == ["trace", "bedrock-redrives"] for record in sent)
    assert "0  redriven\n" in letters.run("--yes")


def test_kills_at_any_moment_neither_lose_nor_double_a_letter(broker, request):
    kills, count = (50, 20000) if request.config.getoption("--cycles") >= 100 else (8, 3000)
    letters, chance = Letters(broker), random.Random(kills)
    rate = str(count // kills)                  # most of the kills hit a run that sends
    for number in range(count):
        letters.add(f"r{number}", "throttled" if number % 3 else "timeout", pad="x" * 200)
    letters.writer.flush()
    ended = 0
    for _ in range(kills):
        process = subprocess.Popen(letters.command("--code", "throttled", "--yes", "--rate", rate),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=CLEAN)
        time.sleep(chance.uniform(0.1, 1.2))
        process.send_signal(signal.SIGKILL)
        ended += process.wait(PATIENCE) == 0
    some = ids(letters.sent())
    letters.run("--code", "throttled", "--yes")
    letters.run("--yes")
    seen = ids(letters.sent())
    assert seen == Counter(f"r{number}" for number in range(count)), seen.most_common(3)
    print(f"{kills} kills, {ended} too late, {len(some)} of {count} redriven before the last run")
    assert 0 < len(some)


def test_a_second_run_ends_the_first(broker):
    letters = Letters(broker)
    for number in range(400):
        letters.add(f"r{number}")
    letters.writer.flush()
    first = subprocess.Popen(letters.command("--yes", "--rate", "20/s"), stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, env=CLEAN)
    while not letters.sent():
        time.sleep(0.1)
    letters.run("--yes")
    _, error = first.communicate(timeout=2 * PATIENCE)
    assert first.returncode == 1 and "another redrive" in error, error
    assert ids(letters.sent()) == Counter(f"r{number}" for number in range(400))


def test_letters_that_cannot_go_back_are_counted_and_stay(broker):
    letters = Letters(broker, partitions=1)
    parked = f"{letters.topics.prefix}.parked"
    records.create_topic(broker.bootstrap, parked, 1)
    letters.writer.send(letters.topics.requests, {"id": "large", "text": "y" * 1000}, b"large", [("own", b"1")],
                        timestamp_ms=1700000000000)
    letters.writer.flush()
    omitted = [("bedrock-value-omitted", b"too large")]
    at = 1700000000000
    letters.add("a", expires_at="2020-01-01T00:00:00Z")
    letters.add("b", headers=[("bedrock-redrives", b"3")])
    letters.add("c", origin=("some.other.topic", 0, 0, at))
    letters.add("d", value=b"", key=b"large", headers=omitted, origin=(letters.topics.requests, 0, 0, at))
    letters.add("e", value=b"", key=b"large", headers=omitted, origin=(letters.topics.requests, 0, 0, at + 1))
    letters.add("f", code="", key=b"spring")
    letters.writer.send(letters.topics.letters, b"a stranger's record")
    letters.writer.flush()
    said = letters.run("--yes", "--park", parked)
    counts = {words: int(number) for number, words in re.findall(r"^ +(\d+)  (.*)$", said, re.M)}
    assert counts == {"redriven": 2, "moved to the parking topic, redriven too often before": 1,
                      "without kafka_dlt-original-* headers; not dead letters": 1,
                      "of a topic that topics.requests does not name": 1,
                      "past the time limit of their requests; they stay where they are": 1,
                      "without their values, which are no longer at their original offsets": 1}, said
    assert re.search(r"^org\.example\.Failure +1 +1  no$", said, re.M)
    _, large, spring = letters.sent()
    assert json.loads(large.value) == {"id": "large", "text": "y" * 1000} and large.header("own") == b"1"
    assert large.header("bedrock-redrives") == b"1" and spring.key == b"spring"
    [kept] = records.read_all(broker.bootstrap, [parked])
    assert kept.json()["id"] == "b" and kept.header("bedrock-error-code") == b"throttled"


@pytest.mark.parametrize("option, words", [("--rate=x", "a number of requests a second"),
                                           ("--since=yesterday", "a duration before now"),
                                           ("--park=a b", "the name of a topic")])
def test_a_wrong_option_is_rejected_with_what_is_expected(option, words):
    done = subprocess.run([PROGRAMS / "bedrock-worker", "redrive", option], capture_output=True, text=True,
                          timeout=PATIENCE, env=CLEAN, check=False)
    assert done.returncode == 2 and words in " ".join(done.stderr.split()), done.stderr

"""The command `topics` against a real broker: a dry run, the topics that it creates, and what it says of others."""
import os
import re

import pytest
from confluent_kafka.admin import ConfigResource

from kit import records
from kit.processes import PATIENCE
from test_commands import call

NAMES = ("requests", "responses", "chunks", "usage", "dead_letters")


@pytest.fixture
def prefix(broker, request):
    """A prefix of topic names; topics with it are removed afterwards."""
    name = f"topics.{os.getpid()}.{request.node.name[:24]}"
    yield name
    for topic in records.admin(broker.bootstrap).list_topics(timeout=PATIENCE).topics:
        if topic.startswith(name + "."):
            records.delete_topic(broker.bootstrap, topic)


def topics(broker, prefix, *arguments):
    names = [f"topics.{name}={prefix}.{name}" for name in NAMES[1:]] + [f"topics.requests=[{prefix}.requests]"]
    settings = [f"kafka.bootstrap_servers={broker.bootstrap}", "delivery.max_request_size=1MiB",
                f"topics.reply_allowed=[{prefix}.reply, \"{prefix}.r.*\"]", *names]
    return call("topics", *[word for one in settings for word in ("--set", one)], *arguments)


def properties(broker, topic):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    admin = records.admin(broker.bootstrap)         # it must live until the result is there
    found = admin.describe_configs([resource])[resource].result(PATIENCE)
    return {name: entry.value for name, entry in found.items()}


def there(broker, prefix):
    found = records.admin(broker.bootstrap).list_topics(timeout=PATIENCE).topics
    return {name.removeprefix(prefix + "."): len(topic.partitions) for name, topic in found.items()
            if name.startswith(prefix + ".")}


def test_a_dry_run_creates_nothing_and_create_makes_all_once(broker, prefix):
    dry = topics(broker, prefix)
    assert (dry.returncode, dry.stderr, there(broker, prefix)) == (1, "", {}), dry.stdout
    assert dry.stdout.count("missing  ") == 6 and dry.stdout.endswith("; a dry run: --create creates them\n")
    assert f"note     topics.reply_allowed: the names of topics like {prefix}.r.* are not known" in dry.stdout

    made = topics(broker, prefix, "--create", "--partitions", "3", "--reply", f"{prefix}.r.shop")
    assert (made.returncode, made.stderr) == (0, ""), made.stdout
    assert there(broker, prefix) == {name: 3 for name in (*NAMES, "reply", "r.shop")}
    sizes = {"requests": "1048576", "dead_letters": "1048576", "responses": "2162688", "reply": "2162688",
             "r.shop": "2162688"}
    days = {"requests": 7, "responses": 7, "reply": 7, "r.shop": 7, "chunks": .25, "usage": 400, "dead_letters": 30}
    for name, age in days.items():
        found = properties(broker, f"{prefix}.{name}")
        assert found["cleanup.policy"] == "delete" and found["min.insync.replicas"] == "1"
        assert int(found["retention.ms"]) == age * 86400000
        assert found["max.message.bytes"] == sizes.get(name, found["max.message.bytes"])

    again = topics(broker, prefix, "--create", "--partitions", "3", "--reply", f"{prefix}.r.shop")
    assert (again.returncode, again.stdout.count("ok       ")) == (0, 7), again.stdout
    assert again.stdout.endswith("\n7 as planned or different, 0 created\n")


def test_a_topic_that_differs_is_shown_and_left_alone(broker, prefix):
    records.create_topic(broker.bootstrap, f"{prefix}.requests", 2, {"max.message.bytes": "2000"})
    records.create_topic(broker.bootstrap, f"{prefix}.usage", 2, {"cleanup.policy": "compact"})
    done = topics(broker, prefix, "--create", "--partitions", "5")
    assert done.returncode == 1
    assert re.search(r"^differs  \S+\.requests: it has 2 partitions; planned are 5 ", done.stdout, re.M)
    assert re.search(r"^differs  \S+\.requests: max\.message\.bytes is 2000; planned is 1048576 \(kafka-configs\.sh ",
                     done.stdout, re.M)
    assert re.search(r"^FAIL     \S+\.usage: cleanup\.policy is compact; the worker needs delete ", done.stdout, re.M)
    assert there(broker, prefix)["requests"] == 2 and there(broker, prefix)["responses"] == 5
    assert properties(broker, f"{prefix}.requests")["max.message.bytes"] == "2000"


def test_what_cannot_be_created_is_a_failure_with_the_brokers_reason(broker, prefix):
    done = topics(broker, prefix, "--replication", "9")
    assert done.returncode == 1
    assert done.stdout.count("FAIL     ") == 6 and "replication factor" in done.stdout.lower()
    done = topics(broker, prefix, "--create", "--reply", "elsewhere")
    assert "FAIL     elsewhere: topics.reply_allowed does not allow it; add it there\n" in done.stdout
    done = call("topics", "--set", "kafka.bootstrap_servers=127.0.0.1:1")
    assert done.returncode == 1 and done.stderr.startswith("bedrock-worker topics: no broker answers: ")

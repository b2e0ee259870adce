"""The commands against a real broker: the demo with exactly_once, and what `check` and `ask` report on a real cluster."""
import json
import os
import re
import subprocess

from confluent_kafka.admin import AdminClient

from kit import records
from kit.processes import PATIENCE
from kit.services import PROGRAMS

CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith(("AWS_", "KAFKA_", "BEDROCK_WORKER_"))}


def call(*arguments, seconds=PATIENCE, **environment):
    return subprocess.run([PROGRAMS / "bedrock-worker", *arguments], capture_output=True, text=True, timeout=seconds,
                          stdin=subprocess.DEVNULL, env={**CLEAN, **environment}, check=False)


def demo_topics(broker):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    return {name for name in admin.list_topics(timeout=PATIENCE).topics if name.startswith("bedrock-demo-")}


def test_the_demo_uses_the_cluster_exactly_once_and_leaves_no_topics(broker):
    before = demo_topics(broker)
    done = call("demo", "--requests", "120", seconds=2 * PATIENCE, KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap)
    assert done.returncode == 0, done.stdout + done.stderr
    words = " ".join(done.stdout.split())
    assert "exactly_once: answers, usage and offsets in one transaction" in words
    assert re.search(r"(\d{3}) requests, \1 answers: one for each", words)
    assert re.search(r"(\d+) billed calls, \1 usage records", words)
    assert demo_topics(broker) <= before


def test_check_and_ask_report_a_missing_topic(broker):
    servers = f"kafka.bootstrap_servers={broker.bootstrap}"
    done = call("check", "--connect", "--set", servers, "--set", "topics.usage=no.such.topic", "--set",
                "bedrock.endpoint_url=http://127.0.0.1:1", AWS_REGION="us-east-1")
    assert done.returncode == 1
    assert re.search(r"^ok    brokers: 1 at ", done.stdout, re.M)
    assert re.search(r"^FAIL  topics.usage: no.such.topic does not exist; create it", done.stdout, re.M)
    done = call("ask", "--set", servers, "--set", "topics.responses=no.such.topic", "x")
    assert done.returncode == 1
    assert "no.such.topic" in done.stderr


def test_ask_names_a_missing_request_topic(broker):
    answers = f"ask.{os.getpid()}.responses"
    records.create_topic(broker.bootstrap, answers, 1)
    done = call("ask", "--set", f"kafka.bootstrap_servers={broker.bootstrap}", "--set", f"topics.responses={answers}",
                "--set", "topics.requests=[no.such.topic]", "--timeout", "60s", "x")
    assert done.returncode == 1
    assert re.match(r"no\.such\.topic: .*Unknown topic", done.stderr), done.stderr
    records.delete_topic(broker.bootstrap, answers)


def test_ask_reports_a_request_over_the_topics_limit_with_its_size(broker):
    requests, answers = f"ask.{os.getpid()}.small", f"ask.{os.getpid()}.answers"
    records.create_topic(broker.bootstrap, requests, 1, {"max.message.bytes": "1000"})
    records.create_topic(broker.bootstrap, answers, 1)
    done = call("ask", "--set", f"kafka.bootstrap_servers={broker.bootstrap}", "--set", f"topics.responses={answers}",
                "--set", f"topics.requests=[{requests}]", "x" * 5000)
    assert done.returncode == 1
    assert re.fullmatch(r"the broker rejected a record: .*[Ss]ize.*; the request has 5,\d{3} bytes and was not sent; raise "
                        rf"max\.message\.bytes of the topic {re.escape(requests)}, or shorten the request\n", done.stderr)
    for topic in (requests, answers):
        records.delete_topic(broker.bootstrap, topic)


def test_check_knows_what_budgets_need_of_their_topics(broker, tmp_path):
    usage, budgets = (f"check.{os.getpid()}.{name}" for name in ("kept", "budgets"))
    records.create_topic(broker.bootstrap, usage, 1, {"retention.ms": str(30 * 86400000)})
    records.create_topic(broker.bootstrap, budgets, 1, {"cleanup.policy": "delete"})

    def check(span):
        (tmp_path / "worker.yaml").write_text(json.dumps({
            "kafka": {"bootstrap_servers": broker.bootstrap}, "topics": {"usage": usage, "budgets": budgets},
            "bedrock": {"endpoint_url": "http://127.0.0.1:1"},
            "tenants": {"acme": {"budget": {"tokens": 1000, "per": span}} if span else {"weight": 2}}}))
        return call("check", "--connect", "-c", tmp_path / "worker.yaml", AWS_REGION="us-east-1").stdout

    shown = check("month")
    assert f"warn  topics.usage: {usage} has retention.ms=2592000000, less than the longest span" in shown, shown
    assert "set at least retention.ms=2678400000" in shown
    assert re.search(rf"^FAIL  topics.budgets: {budgets} has cleanup.policy=delete: .*set cleanup.policy=compact ", shown, re.M)
    shown = check("day")
    assert f"ok    topics.usage: {usage}, 1 partition\n" in shown and "retention.ms" not in shown
    assert "topics.budgets" not in check(None)
    for topic in (usage, budgets):
        records.delete_topic(broker.bootstrap, topic)


def test_check_reports_a_compacted_output_topic(broker):
    topics = [f"check.{os.getpid()}.{name}" for name in ("requests", "responses", "usage")]
    for topic, policy in zip(topics, ("compact", "compact,delete", "delete"), strict=True):
        records.create_topic(broker.bootstrap, topic, 1, {"cleanup.policy": policy})
    done = call("check", "--connect", "--set", f"kafka.bootstrap_servers={broker.bootstrap}", "--set",
                f"topics.requests=[{topics[0]}]", "--set", f"topics.responses={topics[1]}", "--set",
                f"topics.usage={topics[2]}", "--set", "bedrock.endpoint_url=http://127.0.0.1:1", AWS_REGION="us-east-1")
    assert done.returncode == 1
    assert f"ok    topics.requests: {topics[0]}, 1 partition\n" in done.stdout
    assert f"ok    topics.usage: {topics[2]}, 1 partition\n" in done.stdout
    found = re.search(rf"^FAIL  topics.responses: {re.escape(topics[1])} has cleanup.policy=(.*)$", done.stdout, re.M)
    assert found, done.stdout
    assert "rejects records without a key" in found.group(1) and "set cleanup.policy=delete" in found.group(1)
    for topic in topics:
        records.delete_topic(broker.bootstrap, topic)

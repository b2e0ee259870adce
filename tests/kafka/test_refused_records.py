"""Records that the broker refuses: each fails only its request, whatever else its batch has."""
import json
import urllib.request

import pytest

from kit import records
from kit.broker import free_ports
from kit.processes import wait_for
from kit.world import World

COMPACTED = {"cleanup.policy": "compact"}


def test_dead_letter_and_response_too_large_fail_only_their_request(broker, folder):
    with World(broker, folder, partitions=1) as world:
        world.worker("w0")
        world.ask_many(10, "before")
        poison = {"oops": 1, "id": "poison", "metadata": {"pad": "x" * 1048200}}
        world.writer.send(world.topics.requests, json.dumps(poison).encode())
        world.asked.append("poison")
        world.ask_many(10, "after")
        world.await_answers()
        world.end()
        answers = world.responses()
        assert answers["poison"]["error"]["code"] == "invalid"
        assert [name for name, answer in answers.items() if answer["status"] != "ok"] == ["poison"]
        letter, = world.read(world.topics.letters)
        assert letter.header("bedrock-value-omitted") == b"too large"


def test_a_key_too_large_for_any_output_is_left_out(broker, folder):
    with World(broker, folder, partitions=1) as world:
        world.worker("w0")
        world.writer.send(world.topics.requests, b'{"oops":1,"id":"poison"}', key=b"k" * 1048300)
        world.asked.append("poison")
        world.ask_many(5, "after")
        world.await_answers()
        world.end()
        answer, = (record for record in world.read(world.topics.responses) if record.json()["id"] == "poison")
        assert answer.key is None and answer.json()["status"] == "error"


def test_a_compacted_reply_topic_refuses_only_records_without_a_key(broker, folder):
    with World(broker, folder, partitions=1, settings={"topics": {"reply_allowed": ["*.reply"]}}) as world:
        reply = f"{world.topics.prefix}.reply"
        records.create_topic(broker.bootstrap, reply, 1, COMPACTED)
        world.worker("w0")
        for number in range(12):
            world.ask(f"r{number}", key=None if number == 5 else b"key", reply_to=reply)
        world.writer.flush()
        assert wait_for(lambda: len(world.read(reply)) == 11 and len(world.responses()) == 1)
        world.end()
        assert world.responses()["r5"]["error"]["code"] == "reply_topic_refused"
        assert "key" in world.responses()["r5"]["error"]["message"]
        assert {record.json()["status"] for record in world.read(reply)} == {"ok"}
        assert len(world.calls) == 12 and len(world.usage_by_request()) == 12


def test_a_response_refused_in_every_form_keeps_dead_letter_and_usage(broker, folder):
    with World(broker, folder, partitions=1) as world:
        world.make_again(world.topics.responses, **COMPACTED)
        worker = world.worker("w0")
        for number in range(8):
            world.ask(f"r{number}", key=None if number == 3 else b"key")
        world.writer.flush()
        assert wait_for(lambda: len(world.read(world.topics.responses)) == 7), worker.text()
        world.end()
        assert "r3" not in world.responses()
        letter, = world.read(world.topics.letters)
        assert json.loads(letter.value)["id"] == "r3"
        usage, = world.usage_by_request()["r3"]
        assert usage["final"] is False and len(world.calls) == 8


@pytest.mark.core
@pytest.mark.parametrize("guarantee", ["exactly_once", "at_least_once"])
def test_an_answer_that_is_too_large_duplicates_no_record_of_its_batch(broker, folder, guarantee):
    with World(broker, folder, partitions=1, simulator={"latency": "300ms"},
               settings={"delivery": {"guarantee": guarantee}}) as world:
        world.worker("w0")
        for number in range(60):
            world.ask(f"r{number}", directive="bytes=1500000" if number == 30 else "")
        world.writer.flush()
        world.await_answers()
        world.end()
        answers = [record.json()["id"] for record in world.read(world.topics.responses)]
        assert sorted(answers) == sorted(world.asked)
        assert {name: len(found) for name, found in world.usage_by_request().items()} == dict.fromkeys(answers, 1)


@pytest.mark.parametrize("guarantee", ["exactly_once", "at_least_once"])
def test_a_reply_topic_deleted_under_its_calls_delays_no_other_request(broker, folder, guarantee):
    settings = {"topics": {"reply_allowed": ["*"]}, "delivery": {"guarantee": guarantee}}
    with World(broker, folder, partitions=1, settings=settings) as world:
        reply = f"{world.topics.prefix}.reply"
        records.create_topic(broker.bootstrap, reply, 1)
        worker = world.worker("w0")
        world.ask("kept", reply_to=reply)
        world.ask("usual")
        world.writer.flush()
        assert wait_for(lambda: world.answered() == 1 and world.read(reply)), worker.text()[-2000:]
        for number in range(5):
            world.ask(f"gone{number}", reply_to=reply, directive="latency=3s")
        world.ask("long", directive="latency=28s")      # by default librdkafka keeps the topic for 30 s
        world.writer.flush()
        assert wait_for(lambda: world.simulator.begun() == 8)
        records.delete_topic(broker.bootstrap, reply)
        for number in range(10):
            world.ask(f"after{number}", directive=f"latency={number * 400}ms")
        world.writer.flush()
        world.await_answers(16)
        assert "long" not in {record.json()["id"] for record in world.watcher.of(world.topics.responses)}
        world.await_answers(17)
        world.end()
        answers, usage = world.responses(), world.usage_by_request()
        assert all(answers[f"after{number}"]["status"] == "ok" for number in range(10))
        for number in range(5):
            assert answers[f"gone{number}"]["error"]["code"] == "reply_topic_refused"
            record, = usage[f"gone{number}"]
            assert record["final"] is False or guarantee == "at_least_once"  # it may have been delivered before


def aborts(port):
    """How many transactions of this worker were aborted."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines()
               if line.startswith("bedrock_worker_batches_total") and 'outcome="aborted"' in line)


@pytest.mark.core
def test_a_quarter_of_the_answers_too_large_costs_no_transaction(broker, folder):
    port, = free_ports(1)
    with World(broker, folder, partitions=1,
               settings={"telemetry": {"http": {"address": f"127.0.0.1:{port}"}}}) as world:
        world.make_again(world.topics.responses, **{"max.message.bytes": "20000"})
        worker = world.worker("w0")
        for number in range(200):
            world.ask(f"r{number}", directive="bytes=30000" if number % 4 == 0 else "")
        world.writer.flush()
        world.await_answers()
        first = aborts(port)            # of a batch that is not sent: the worker has asked for the topic's limit
        for number in range(200, 400):
            world.ask(f"r{number}", directive="bytes=30000" if number % 4 == 0 else "")
        world.writer.flush()
        world.await_answers()
        assert aborts(port) == first <= 1, worker.text()[-3000:]
        assert not worker.events("producer_renewed")
        world.end()
        answers = world.responses()
        assert {name: len(found) for name, found in world.usage_by_request().items()} == dict.fromkeys(world.asked, 1)
        assert {name for name, answer in answers.items() if answer["status"] == "error"} == {
            f"r{number}" for number in range(0, 400, 4)}
        assert len(worker.events("output_refused")) == 100

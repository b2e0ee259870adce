"""Every invalid input of the contract through the real service: a clear error response, a dead letter byte for byte, no
call, and the partition continues."""
import json
import time

import pytest
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType)

from kit import records
from kit.processes import PATIENCE, wait_for
from kit.services import MODEL
from kit.world import World, chat

LONG_AGO = "2020-01-01T00:00:00Z"
BIG = 16 * 1024 * 1024


def asked(**fields):
    return {**chat("x"), **fields}


def text(value):
    return json.dumps(value).encode()


# name: (value, headers, correct error codes, the named field)
CASES = {
    "not_json": (b"hello", [], {"malformed"}, None),
    "half_json": (b'{"id":"x","messages":', [], {"malformed"}, None),
    "json_that_is_no_object": (b"[1,2,3]", [], {"malformed", "invalid"}, None),
    "json_with_something_behind": (text(asked()) + b" {}", [], {"malformed"}, None),
    "invalid_utf8": (b'{"id":"x","messages":[["human","\xff\xfe"]]}', [], {"malformed"}, None),
    "a_byte_order_mark": (b"\xef\xbb\xbf" + text(asked()), [], {"malformed"}, None),
    "a_nesting_bomb_of_lists": (b'{"metadata":' + b"[" * 200000 + b"]" * 200000 + b"}", [], {"malformed"}, None),
    "a_nesting_bomb_of_objects": (b'{"a":' * 100000 + b"1" + b"}" * 100000, [], {"malformed"}, None),
    "duplicate_members": (b'{"id":"x","id":"y","messages":[["human","a"]]}', [], {"malformed"}, None),
    "duplicate_members_deep_inside": (b'{"messages":[["human","a"]],"metadata":{"a":{"b":1,"b":2}}}', [],
                                      {"malformed"}, None),
    "a_nul_in_a_string": (b'{"messages":[["human","a\\u0000b"]]}', [], {"malformed"}, None),
    "a_lone_surrogate": (b'{"messages":[["human","a\\ud800b"]]}', [], {"malformed"}, None),
    "a_count_beyond_int64": (text(asked()).replace(b'"id": "x"', b'"max_tokens": 99999999999999999999'), [],
                             {"malformed", "invalid"}, None),
    "a_number_beyond_double": (text(asked()).replace(b'"id": "x"', b'"temperature": 1e999'), [],
                               {"malformed", "invalid"}, None),
    "an_empty_value": (b"", [], {"malformed"}, None),
    "a_tombstone": (None, [], {"malformed"}, None),
    "a_record_of_10_mib": (text(asked(metadata={"pad": "x" * (10 * 1024 * 1024)})), [], {"request_too_large"}, None),
    "an_unknown_field": (text(asked(colour="red")), [], {"invalid"}, "colour"),
    "a_misspelt_field": (text(asked(temprature=1)), [], {"invalid"}, "temprature"),
    "a_field_that_the_family_has_no_place_for": (
        text(asked(model="meta.llama3-8b-instruct-v1:0", api="invoke", tools=[{"name": "t", "input_schema": {}}])), [],
        {"unsupported_field"}, "tools"),
    "a_guardrail_without_its_version": (text(asked(guardrail={"guardrail_identifier": "g"})), [], {"invalid"},
                                        "guardrail.guardrail_version"),
    "a_wrong_role": (text(asked(messages=[["wizard", "a"]])), [], {"invalid"}, "messages[0]"),
    "a_wrong_role_in_an_object": (text(asked(messages=[{"role": "wizard", "content": "a"}])), [], {"invalid"},
                                  "messages[0]"),
    "no_messages": (text({"id": "x", "model": MODEL}), [], {"invalid"}, "messages"),
    "an_empty_list_of_messages": (text(asked(messages=[])), [], {"invalid"}, "messages"),
    "messages_and_prompt": (text(asked(prompt={"template": "greet", "variables": {}})), [], {"invalid"}, None),
    "a_temperature_that_is_a_text": (text(asked(temperature="hot")), [], {"invalid"}, "temperature"),
    "max_tokens_below_one": (text(asked(max_tokens=0)), [], {"invalid"}, "max_tokens"),
    "an_id_that_is_too_long": (text(asked(id="i" * 129)), [], {"invalid"}, "id"),
    "an_unknown_template": (text({"id": "x", "model": MODEL, "prompt": {"template": "nothing", "variables": {}}}), [],
                            {"unknown_template"}, None),
    "a_missing_variable": (text({"id": "x", "model": MODEL, "prompt": {"template": "greet", "variables": {}}}), [],
                           {"template_variables"}, None),
    "a_left_over_variable": (text({"id": "x", "model": MODEL, "prompt": {
        "template": "greet", "variables": {"name": "a", "nonsense": "b"}}}), [], {"template_variables"}, None),
    "an_unknown_model": (text(asked(model="gpt")), [], {"unknown_model"}, None),
    "control_characters_in_a_model_id": (text(asked(model="a.b\r\nHost: evil")), [], {"invalid", "unknown_model"},
                                         None),
    "past_its_time": (text(asked(expires_at=LONG_AGO)), [], {"expired"}, None),
    "past_its_time_to_live": (text(asked(ttl_ms=1)), [], {"expired"}, None),
    "past_its_cloudevents_time": (text(asked()), [("ce_expirytime", LONG_AGO.encode())], {"expired"}, None),
    "a_time_that_is_none": (text(asked(expires_at="tomorrow")), [], {"invalid"}, "expires_at"),
    "a_structured_cloud_event": (text({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": asked()}),
                                 [("content-type", b"application/cloudevents+json")], {"malformed", "invalid"}, None),
    "a_reply_topic_that_is_not_allowed": (text(asked(reply_to="elsewhere")), [], {"reply_topic_refused"}, None),
    "a_reply_topic_that_is_missing": (text(asked(reply_to="reply-nowhere")), [], {"reply_topic_refused"}, None),
    "a_reply_topic_by_header_that_is_missing": (text(asked()), [("kafka_replyTopic", b"reply-nowhere")],
                                                {"reply_topic_refused"}, None),
    "a_reply_topic_name_that_is_no_name": (text(asked()), [("kafka_replyTopic", b"reply-\xff\x00")],
                                           {"reply_topic_refused"}, None),
    "a_reply_partition_that_is_not_there": (text(asked()), [
        ("kafka_replyTopic", b"reply-here"), ("kafka_replyPartition", (99).to_bytes(4, "big"))], {"reply_topic_refused"}, None),
    "a_reply_partition_of_three_bytes": (text(asked()), [("kafka_replyTopic", b"reply-here"),
                                                         ("kafka_replyPartition", b"abc")],
                                         {"invalid"}, "kafka_replyPartition"),
}


@pytest.fixture(scope="module")
def mess(broker, module_folder):
    """All of them asked in one partition, each followed by a good request; read when all are answered."""
    settings = {"templates": {"greet": [["human", "hello {name}"]]}, "topics": {"reply_allowed": ["reply-*"]}}
    with World(broker, module_folder, partitions=1, settings=settings) as world:
        for topic in (world.topics.requests, world.topics.letters):
            records.delete_topic(broker.bootstrap, topic)
        for topic in (world.topics.requests, world.topics.letters):
            records.create_topic(broker.bootstrap, topic, 1, {"max.message.bytes": str(BIG)})
        if "reply-here" not in records.admin(broker.bootstrap).list_topics(timeout=PATIENCE).topics:
            records.create_topic(broker.bootstrap, "reply-here", 2)
        world.watcher.end()
        world.watcher = records.ConcurrentReader(broker.bootstrap, world.topics.outputs)
        world.watcher.start()
        world.worker("w0")
        old = int(time.time() * 1000) - 5000
        world.placed = {}
        for number, (name, (value, headers, _, _)) in enumerate(CASES.items()):
            world.writer.send(world.topics.requests, value, key=name.encode(), timestamp_ms=old,
                              headers=[*headers, ("x-correlation", name.encode()), ("odd", None)])
            world.placed[name] = 2 * number
            world.ask(f"good-{name}")
        world.writer.flush()
        wait_for(lambda: world.answered() >= 2 * len(CASES) - 1)    # one answer goes to the reply topic
        world.end()
        answers = world.read(world.topics.responses) + world.read("reply-here")
        world.by_offset = {record.json()["request"]["offset"]: record for record in answers
                           if record.json()["request"]["topic"] == world.topics.requests}
        world.letter_by_key = {record.key.decode(): record for record in world.read(world.topics.letters)}
        yield world


@pytest.mark.parametrize("name", CASES)
def test_invalid_input_is_answered_with_an_error_that_says_what_is_wrong(mess, name):
    _, _, codes, field = CASES[name]
    record = mess.by_offset[mess.placed[name]]
    answer = record.json()
    assert answer["status"] == "error" and answer["error"]["code"] in codes, answer
    assert record.header("bedrock-error-code").decode() == answer["error"]["code"]
    assert record.key == name.encode() and record.header("x-correlation") == name.encode()
    assert answer["error"]["message"] and not {"message", "usage", "stop_reason"} & set(answer)
    if field:
        named = answer["error"].get("field", "") + answer["error"]["message"]
        assert field in named, answer["error"]


@pytest.mark.parametrize("name", CASES)
def test_invalid_input_is_kept_as_a_dead_letter_byte_for_byte(mess, name):
    value, headers, codes, _ = CASES[name]
    letter = mess.letter_by_key[name]
    assert letter.value == value
    sent = [*headers, ("x-correlation", name.encode()), ("odd", None)]
    assert letter.headers[:len(sent)] == sent
    assert letter.header("bedrock-error-code").decode() in codes
    assert letter.header("kafka_dlt-original-topic").decode() == mess.topics.requests
    assert letter.header("kafka_dlt-original-partition") == (0).to_bytes(4, "big")
    assert letter.header("kafka_dlt-original-offset") == mess.placed[name].to_bytes(8, "big")


def test_invalid_input_delays_no_partition_and_makes_no_call(mess):
    good = {f"good-{name}" for name in CASES}
    answers = {record.json()["id"]: record.json() for record in mess.by_offset.values()}
    assert all(answers[name]["status"] == "ok" for name in good)
    assert {call.request for call in mess.calls} == good and len(mess.calls) == len(good)
    assert {record.json()["data"]["request_id"] for record in mess.read(mess.topics.usage)} == good


def test_a_request_without_an_id_is_named_after_its_offset(mess):
    answer = mess.by_offset[mess.placed["not_json"]].json()
    assert answer["id"] == f"{mess.topics.requests}-0-{mess.placed['not_json']}"


def test_an_answer_too_large_for_its_topic_fails_only_its_request_and_keeps_its_usage(broker, folder):
    with World(broker, folder, partitions=1) as world:
        world.worker("w0")
        world.ask_many(10, "before")
        world.ask("huge", directive="bytes=1500000")
        world.ask_many(10, "after")
        world.await_answers()
        world.end()
        answers = world.responses()
        assert answers["huge"]["error"]["code"] == "response_too_large"
        assert all(answer["status"] == "ok" for name, answer in answers.items() if name != "huge")
        usage = world.usage_by_request()
        assert len(usage["huge"]) == 1 and usage["huge"][0]["usage"]["output_tokens"] > 100000
        assert len(world.calls) == 21


def test_a_chunk_too_large_for_its_topic_ends_that_run_and_not_the_request(broker, folder):
    with World(broker, folder, partitions=1) as world:
        records.delete_topic(broker.bootstrap, world.topics.chunks)
        records.create_topic(broker.bootstrap, world.topics.chunks, 1, {"max.message.bytes": "1200"})
        world.worker("w0")
        world.ask("wide", stream=True, directive="text=" + "w" * 3000)
        world.ask("fine", stream=True, text="Say something.")
        world.writer.flush()
        world.await_answers()
        world.end()
        assert {name: answer["status"] for name, answer in world.responses().items()} == {"wide": "ok", "fine": "ok"}


def test_a_dead_letter_that_is_too_large_goes_out_without_its_value(broker, folder):
    with World(broker, folder, partitions=1) as world:
        records.delete_topic(broker.bootstrap, world.topics.requests)
        records.create_topic(broker.bootstrap, world.topics.requests, 1, {"max.message.bytes": str(BIG)})
        world.worker("w0")
        world.writer.send(world.topics.requests, b"x" * 3000000, key=b"big")
        world.asked.append("big")
        world.ask("good")
        world.writer.flush()
        world.await_answers()
        world.end()
        letter, = world.read(world.topics.letters)
        assert letter.value is None and letter.header("bedrock-value-omitted") == b"too large"
        assert letter.key == b"big" and letter.header("bedrock-error-code") == b"malformed"


def test_a_reply_topic_that_the_worker_may_not_write_fails_only_its_request(own_broker, folder):
    """The worker comes as user `worker` by SASL/PLAIN, who is denied one topic."""
    sasl = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "worker",
            "sasl.password": "worker-password"}
    with World(own_broker, folder, partitions=1, settings={
            "kafka": {"bootstrap_servers": own_broker.users_bootstrap, "client": sasl},
            "topics": {"reply_allowed": ["*"]}}) as world:
        denied, fine = f"{world.topics.prefix}.denied", f"{world.topics.prefix}.fine"
        for topic in (denied, fine):
            records.create_topic(own_broker.bootstrap, topic, 1)
        client = records.admin(own_broker.bootstrap)
        made = client.create_acls([AclBinding(ResourceType.TOPIC, denied, ResourcePatternType.LITERAL, "User:worker",
                                              "*", AclOperation.WRITE, AclPermissionType.DENY)])
        for done in made.values():
            done.result(PATIENCE)
        worker = world.worker("w0")
        world.ask_many(5, "before")
        world.ask("denied", reply_to=denied)
        world.ask("fine", reply_to=fine)
        world.ask_many(5, "after")
        assert wait_for(lambda: world.answered() >= 11), worker.text()[-2000:]
        assert wait_for(lambda: world.read(fine)), worker.text()[-2000:]
        world.end()
        answers = world.responses()
        assert answers["denied"]["error"]["code"] == "reply_topic_refused"
        assert all(answers[f"{when}{number}"]["status"] == "ok" for when in ("before", "after") for number in range(5))
        assert [record.json()["id"] for record in world.read(fine)] == ["fine"] and world.read(denied) == []
        assert "worker-password" not in worker.text()


HOSTILE = {
    "html": {"broken_stream", "unavailable", "model_error", "rejected"},
    "html_error": {"unavailable"},
    "error_in_200": {"unavailable", "broken_stream", "model_error", "rejected"},
    "not_json": {"broken_stream", "unavailable", "model_error"},
    "cut_body": {"broken_stream", "unavailable"},
    "huge": {"response_too_large", "broken_stream", "unavailable", "rejected"},
    "endless_headers": {"unavailable", "broken_stream"},
    "endless_body": {"broken_stream", "unavailable", "response_too_large", "timeout", "rejected"},
    "stall": {"timeout"},
    "close": {"unavailable", "broken_stream"},
    "reset_after_body": {"unavailable", "broken_stream"},
}
HOSTILE_STREAMS = {
    "corrupt_frame": {"broken_stream"}, "bad_event": {"broken_stream"}, "cut_frame": {"broken_stream"},
    "short_stream": {"broken_stream"},
    "short_frame": {"broken_stream"}, "no_metadata": {"broken_stream"}, "reset_stream": {"broken_stream"},
    "stall_stream": {"timeout", "broken_stream"}, "stream_validation": {"rejected"},
    "stream_throttling": {"throttled"}, "stream_error": {"unavailable", "broken_stream", "model_error"},
}


def test_every_fault_of_the_service_ends_in_a_response_and_recorded_usage(broker, folder):
    settings = {"bedrock": {"retry": {"max_attempts": 2, "max_elapsed": "40s"}, "max_answer_size": "1MiB",
                            "timeouts": {"first_byte": "8s", "idle": "8s", "total": "15s"}}}
    with World(broker, folder, settings=settings) as world:
        worker = world.worker("w0")
        for fault in HOSTILE:
            world.ask(f"whole-{fault}", directive=f"fault={fault}")
        for fault in HOSTILE_STREAMS:
            world.ask(f"stream-{fault}", directive=f"fault={fault}", stream=True)
        world.ask_many(20, "good")
        world.await_answers()
        world.must_be_clean(may_end_in_error=True)
        answers = world.responses()
        wrong = {}
        for kind, cases in (("whole", HOSTILE), ("stream", HOSTILE_STREAMS)):
            for fault, codes in cases.items():
                answer = answers[f"{kind}-{fault}"]
                code = answer["error"]["code"] if answer["status"] == "error" else "ok"
                if code not in codes:
                    wrong[f"{kind}-{fault}"] = code
        assert not wrong, wrong
        assert all(answers[f"good{number}"]["status"] == "ok" for number in range(20))
        assert "<html" not in worker.text()

"""Every kind of request through Kafka, the worker and the local Bedrock of one demo: answered, streamed alike, counted."""
import json
import time

import pytest
from confluent_kafka import Consumer, Producer
from langchain_core.messages import AIMessage, AIMessageChunk
from programs import PATIENCE, demonstration

CLAUDE, HAIKU = "anthropic.claude-3-7-sonnet-20250219-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"
NOVA, GPT = "us.amazon.nova-lite-v1:0", "openai.gpt-oss-20b-1:0"
IMPORTED = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"
FORECAST = {"name": "forecast", "description": "The weather.", "input_schema": {
    "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
    "required": ["city"]}}
PERSON = {"name": "person", "schema": {
    "type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}},
    "required": ["name", "age"]}}
LOOP = [{"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "", "tool_calls": [{"name": "forecast", "args": {"city": "Oslo"}, "id": "t_1"}]},
        {"role": "tool", "content": "rain", "tool_call_id": "t_1"}]
LOOK = [{"role": "user", "content": [{"type": "text", "text": "See"},
                                     {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]}]
GUARDRAIL = {"guardrail_identifier": "gr1", "guardrail_version": "1", "trace": "enabled"}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


def human(text):
    return [["human", text]]


CALLED = {"city": "city", "days": 2}
ADULT = {"name": "name", "age": 18}

# name: the request, and what its answer must have
CASES = {
    "tools": ({"model": CLAUDE, "messages": human("[[sim:calls=2;text=Let me see.]] Weather?"), "tools": [FORECAST]},
              {"calls": [CALLED, CALLED]}),
    "forced tool": ({"model": CLAUDE, "messages": human("Weather?"), "tools": [FORECAST], "tool_choice": "any"},
                    {"calls": [CALLED]}),
    "tool result": ({"model": CLAUDE, "messages": LOOP, "tools": [FORECAST]}, {"text": "Answer to: rain"}),
    "structured": ({"model": CLAUDE, "messages": human("Who?"), "structured_output": {**PERSON, "validate": True}},
                   {"parsed": ADULT}),
    "structured text": ({"model": CLAUDE, "messages": human("Who?"),
                         "structured_output": {**PERSON, "method": "json_schema"}}, {"parsed": ADULT}),
    "structured by prompt": ({"model": NOVA, "messages": human("Who?"),
                              "structured_output": {**PERSON, "method": "prompt_prefill"}}, {"parsed": ADULT}),
    "picture": ({"model": CLAUDE, "messages": LOOK}, {"text": "Answer to: See [image png, 69 bytes]"}),
    "thinking": ({"model": CLAUDE, "messages": human("Hm?"), "additional_model_request_fields": THINKING,
                  "max_tokens": 4000}, {"kinds": ["reasoning_content", "text"]}),
    "guardrail": ({"model": CLAUDE, "messages": human("[[sim:guardrail=output]] Hm?"), "guardrail": GUARDRAIL},
                  {"reason": "guardrail_intervened"}),
    "stop and fields": ({"model": CLAUDE, "messages": human("Hi STOP more"), "stop": ["STOP"],
                         "additional_model_response_field_paths": ["/stop_sequence"]}, {"reason": "stop_sequence"}),
    "tier": ({"model": CLAUDE, "messages": human("Hi"), "service_tier": "flex"}, {"text": "Answer to: Hi"}),
    "invoke thinking": ({"model": CLAUDE, "api": "invoke", "messages": human("Hm?"), "model_kwargs": THINKING,
                         "max_tokens": 4000}, {"kinds": ["thinking", "text"]}),
    "imported": ({"model": IMPORTED, "api": "invoke", "provider": "meta", "messages": human("Hi")},
                 {"text": "Answer to: Hi"}),
}
for family in (HAIKU, NOVA, GPT, "qwen.qwen3-32b-v1:0", "ai21.jamba-1-5-mini-v1:0"):
    CASES[f"invoke tool {family}"] = ({"model": family, "api": "invoke", "messages": human("Weather?"),
                                       "tools": [FORECAST], "tool_choice": "forecast"}, {"calls": [CALLED]})
    CASES[f"invoke tool result {family}"] = ({"model": family, "api": "invoke", "messages": LOOP, "tools": [FORECAST]},
                                             {"text": "Answer to: rain"})
for family in (HAIKU, NOVA, GPT, "qwen.qwen3-32b-v1:0", "ai21.jamba-1-5-mini-v1:0", "writer.palmyra-x5-v1:0",
               "amazon.titan-text-express-v1", "meta.llama3-8b-instruct-v1:0", "mistral.mistral-7b-instruct-v0:2",
               "us.meta.llama4-maverick-17b-instruct-v1:0", "us.deepseek.r1-v1:0", "cohere.command-r-v1:0"):
    CASES[f"invoke {family}"] = ({"model": family, "api": "invoke", "messages": human("Hello there, STOP more"),
                                  "max_tokens": 100, "stop": ["STOP"]}, {"text": "Answer to: Hello there, "})
    CASES[f"invoke guardrail {family}"] = ({"model": family, "api": "invoke", "guardrail": GUARDRAIL,
                                            "messages": human("[[sim:guardrail=output]] Hello")},
                                           {"verdict": "INTERVENED"})


class Records:
    """What came back for each request, by its id."""

    def __init__(self, address, requests):
        self.responses, self.usage, self.chunks = {}, {}, {}
        producer = Producer({"bootstrap.servers": address})
        for name, request in requests.items():
            producer.produce("bedrock.requests", json.dumps({"id": name, **request}).encode(), key=name)
        producer.flush()
        consumer = Consumer({"bootstrap.servers": address, "group.id": "features", "auto.offset.reset": "earliest"})
        consumer.subscribe(["bedrock.responses", "bedrock.usage", "bedrock.chunks"])
        end = time.monotonic() + PATIENCE
        while not self.complete(requests) and time.monotonic() < end:
            message = consumer.poll(0.2)
            if message is not None and not message.error():
                self.take(message.topic(), json.loads(message.value()))
        consumer.close()

    def take(self, topic, record):
        if topic == "bedrock.responses":
            self.responses[record["id"]] = record
        elif topic == "bedrock.usage":
            self.usage.setdefault(record["data"]["request_id"], []).append(record["data"])
        else:
            self.chunks.setdefault(record["id"], []).append(record)

    def complete(self, requests):
        ended = {name for name, usage in self.usage.items() if any(record["final"] for record in usage)}
        return all(name in self.responses and (name in ended or self.responses[name]["status"] != "ok")
                   for name in requests) and all(self.last_run(name) for name in requests if name.endswith(" streamed"))

    def last_run(self, name):
        """The chunks of the run that counts, if it is whole."""
        chunks = self.chunks.get(name, [])
        run = [chunk["run"] for chunk in chunks if chunk["seq"] == 0][-1:]
        run = sorted((chunk for chunk in chunks if [chunk["run"]] == run), key=lambda chunk: chunk["seq"])
        return run if run and run[-1]["last"] else []


@pytest.fixture(scope="module")
def records():
    requests = {}
    for name, (request, _) in CASES.items():
        requests[name] = request
        requests[f"{name} streamed"] = {**request, "stream": True}
    with demonstration(0) as address:
        yield Records(address, requests)


def text_of(content):
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


@pytest.mark.parametrize("way", ["", " streamed"], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", CASES)
def test_a_request_of_this_kind_is_answered(records, name, way):
    expected = CASES[name][1]
    response = records.responses[name + way]
    assert response["status"] == "ok", response["error"]
    message = response["message"]
    AIMessage(**message)
    if "calls" in expected:
        assert [call["args"] for call in message["tool_calls"]] == expected["calls"]
    if "text" in expected:
        assert text_of(message["content"]) == expected["text"]
    if "kinds" in expected:
        assert [block["type"] for block in message["content"] if block] == expected["kinds"]
    if "verdict" in expected:
        assert message["response_metadata"]["amazon-bedrock-guardrailAction"] == expected["verdict"]
    assert response.get("parsed") == expected.get("parsed") and "parsing_error" not in response
    assert response["stop_reason"] == expected.get("reason", response["stop_reason"])


@pytest.mark.parametrize("name", CASES)
def test_the_chunks_of_a_stream_sum_up_to_its_message(records, name):
    message = records.responses[f"{name} streamed"]["message"]
    total = None
    for chunk in records.last_run(f"{name} streamed"):
        part = AIMessageChunk(**{member: value for member, value in chunk.items()
                                 if member not in ("run", "attempt", "seq", "last")})
        total = part if total is None else total + part
    assert total.content == message["content"]
    assert [(call["name"], call["args"]) for call in total.tool_calls] == [
        (call["name"], call["args"]) for call in message["tool_calls"]]


@pytest.mark.parametrize("name", CASES)
def test_the_usage_of_a_call_is_that_of_its_answer(records, name):
    for request in (name, f"{name} streamed"):
        [final] = [usage for usage in records.usage[request] if usage["final"]]
        counts = records.responses[request]["usage"]
        assert counts["output_tokens"] > 0 and not final["estimated"]
        assert {member: final["usage"][member] for member in counts} == counts

"""The conversations of LangChain's ChatBedrock page, through a real Kafka, a worker and bedrock-sim."""
import json
import os
import subprocess

import pytest

from kit import records
from kit.processes import PATIENCE, wait_for
from kit.services import MODEL, PROGRAMS
from kit.world import World

TO_FRENCH = "You are a helpful assistant that translates English to French. Translate the user sentence."
FRENCH = "Voici la traduction en français :\n\nJ'aime la programmation."
PIECES = ["Vo", "ici", " la", " tra", "duction", " en", " français", " :", "\n\nJ", "'", "a", "ime", " la",
          " programm", "ation", "."]
TEMPLATES = {"translate": [["system", "You are a helpful assistant that translates {input_language} to "
                                      "{output_language}."], ["human", "{input}"]]}


def text_of(message):
    """The text of a message's content: a streamed one is a list of blocks, as the sum of its chunks is."""
    content = message["content"]
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


@pytest.fixture(scope="module")
def page(broker, module_folder):
    """All cases of the page requested once; the outputs are read afterwards."""
    with World(broker, module_folder, settings={"templates": TEMPLATES,
                                                                  "models": {"default": MODEL}}) as world:
        world.worker()
        for name, stream in (("S8", False), ("S9", True)):
            world.asked.append(name)
            world.writer.send(world.topics.requests, {
                "id": name, "messages": [["system", TO_FRENCH], ["human", "I love programming."]], "temperature": 0,
                "stream": stream, "metadata": {"case": name}, "tenant": "seed", "labels": {"page": "chatbedrock"}},
                key=name.encode(), headers=[("traceparent", b"00-1-2-03"), ("my-Correlation-id", b"\x00\xff"),
                                            ("secret", b"x"), ("x-correlation", None)])
        world.asked.append("S7")
        world.writer.send(world.topics.requests, {
            "id": "S7", "prompt": {"template": "translate", "variables": {
                "input_language": "English", "output_language": "German", "input": "I love programming."}}})
        world.writer.flush()
        world.await_answers()
        world.end()
        yield world


def test_a_converse_call_gives_the_pages_message(page):
    answer = page.responses()["S8"]
    assert answer["status"] == "ok", answer
    assert answer["stop_reason"] == "end_turn" and answer["metadata"] == {"case": "S8"}
    message = answer["message"]
    assert message["type"] == "ai" and message["content"] == FRENCH and message["tool_calls"] == []
    assert message["usage_metadata"]["input_tokens"] == 29
    assert message["usage_metadata"]["output_tokens"] == 21
    assert message["usage_metadata"]["total_tokens"] == 50
    facts = message["response_metadata"]
    assert facts["stopReason"] == "end_turn" and facts["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert facts["metrics"]["latencyMs"] == 672 and facts["model_name"] == MODEL
    assert facts["model_provider"] == "bedrock_converse"
    assert answer["usage"]["raw"]["inputTokens"] == 29 and answer["usage"]["convention"] == "langchain"
    assert [attempt["attempt"] for attempt in answer["attempts"]] == [1]
    assert answer["request"]["topic"] == page.topics.requests


def test_a_template_chain_gives_the_pages_message(page):
    message = page.responses()["S7"]["message"]
    assert message["content"] == "Ich liebe Programmieren."
    assert (message["usage_metadata"]["input_tokens"], message["usage_metadata"]["output_tokens"]) == (23, 11)


def test_a_stream_gives_the_pages_20_chunks_and_then_the_whole_message(page):
    chunks = [record.json() for record in page.read(page.topics.chunks)]
    assert [chunk["id"] for chunk in chunks] == ["S9"] * 20
    assert [chunk["seq"] for chunk in chunks] == list(range(20)) and len({chunk["run"] for chunk in chunks}) == 1
    assert [chunk["last"] for chunk in chunks] == [False] * 19 + [True]
    contents = [chunk["content"] for chunk in chunks]
    assert contents[0] == []
    assert contents[1:17] == [[{"type": "text", "text": piece, "index": 0}] for piece in PIECES]
    assert contents[17] == [{"index": 0}] and contents[18:] == [[], []]
    assert chunks[19]["usage_metadata"]["total_tokens"] == 50
    assert text_of(page.responses()["S9"]["message"]) == FRENCH


def test_chunks_and_message_load_in_langchain_and_their_sum_is_the_message(page):
    messages = pytest.importorskip("langchain_core.messages")
    chunks = [messages.AIMessageChunk(**record.json()) for record in page.read(page.topics.chunks)]
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    whole = messages.AIMessage(**page.responses()["S9"]["message"])
    assert total.content == whole.content and total.usage_metadata == whole.usage_metadata
    assert total.response_metadata == whole.response_metadata and total.tool_calls == whole.tool_calls
    messages.AIMessage(**page.responses()["S8"]["message"])


def test_response_headers_describe_it_and_echo_those_of_the_settings(page):
    for record in page.read(page.topics.responses):
        name = record.json()["id"]
        assert record.header("ce_type") == b"bedrock.chat.response.v1" and record.header("ce_subject") == name.encode()
        assert record.header("ce_specversion") == b"1.0"
        assert record.header("ce_source") == f"/bedrock-worker/{page.group}".encode()
        assert record.header("content-type").startswith(b"application/json")
        if name == "S7":
            assert record.key is None
            continue
        assert record.key == name.encode()
        echoed = [header for header in record.headers if header[0] in ("traceparent", "my-Correlation-id", "secret",
                                                                       "x-correlation")]
        assert echoed == [("traceparent", b"00-1-2-03"), ("my-Correlation-id", b"\x00\xff"), ("x-correlation", None)]


def test_every_call_of_the_page_has_one_usage_record(page):
    ledger = {call.call: call for call in page.calls}
    usage = page.read(page.topics.usage)
    assert sorted(record.json()["data"]["call"] for record in usage) == sorted(ledger)
    for record in usage:
        value = record.json()
        data = value["data"]
        assert value["specversion"] == "1.0" and value["type"] == "bedrock.chat.usage.v1"
        assert value["id"] == data["call"] and value["subject"] == data["tenant"]
        assert record.key == data["tenant"].encode() and data["final"] and not data["estimated"]
        assert data["tenant"] == ("default" if data["request_id"] == "S7" else "seed")
        call = ledger[data["call"]]
        assert (call.input_tokens, call.output_tokens) == (data["usage"]["input_tokens"],
                                                           data["usage"]["output_tokens"])
        assert [header for header, _ in record.headers if header.startswith("ce_")] == []
        assert record.header("content-type") == b"application/cloudevents+json; charset=UTF-8"


def test_ask_prints_the_record_when_piped_and_ends_with_an_exit_code(broker, folder):
    with World(broker, folder) as world:
        worker = world.worker()
        command = [PROGRAMS / "bedrock-worker", "ask", "-c", worker.file, "--model", MODEL, "--system", TO_FRENCH]
        environment = {**os.environ, **worker.environment}
        whole = subprocess.run([*command, "I love programming."], capture_output=True, text=True, timeout=PATIENCE,
                               env=environment, stdin=subprocess.DEVNULL)
        assert whole.returncode == 0, whole.stderr
        assert json.loads(whole.stdout)["message"]["content"] == FRENCH
        streamed = subprocess.run([*command, "--stream", "I love programming."], capture_output=True, text=True,
                                  timeout=PATIENCE, env=environment, stdin=subprocess.DEVNULL)
        lines = [json.loads(line) for line in streamed.stdout.splitlines()]
        assert streamed.returncode == 0 and len(lines) == 21, streamed.stderr
        assert text_of(lines[-1]["message"]) == FRENCH and [line["seq"] for line in lines[:-1]] == list(range(20))
        refused = subprocess.run([*command[:-4], "--model", "no-such-alias", "hello"], capture_output=True, text=True,
                                 timeout=PATIENCE, env=environment, stdin=subprocess.DEVNULL)
        assert refused.returncode == 1
        assert json.loads(refused.stdout)["error"]["code"] == "unknown_model"
        world.stop_workers()
        nobody = subprocess.run([*command, "--timeout", "2s", "Is anybody there?"], capture_output=True, text=True,
                                timeout=PATIENCE, env=environment, stdin=subprocess.DEVNULL)
        assert nobody.returncode == 1 and nobody.stderr.strip() != ""


def test_a_request_is_answered_in_the_topic_and_partition_it_names(broker, folder):
    reply = f"{folder.name[:20]}.{os.getpid()}.replies"
    with World(broker, folder, settings={"topics": {"reply_allowed": ["*.replies"]}}) as world:
        records.create_topic(broker.bootstrap, reply, 3)
        world.worker()
        world.ask("by-field", reply_to=reply)
        world.ask("by-header", headers=[("kafka_replyTopic", reply.encode()),
                                        ("kafka_replyPartition", (2).to_bytes(4, "big"))])
        world.asked.append("x")
        world.writer.send(world.topics.requests, b"no json at all", headers=[("kafka_replyTopic", reply.encode())])
        world.writer.flush()
        found = []

        def look():
            found[:] = world.read(reply)
            return len(found) >= 3
        assert wait_for(look)
        world.end()
        by_name = {record.json()["id"]: record for record in found}
        assert by_name["by-header"].partition == 2 and by_name["by-field"].json()["status"] == "ok"
        broken = [record for record in found if record.json()["status"] == "error"]
        assert [record.header("bedrock-error-code") for record in broken] == [b"malformed"]
        assert world.read(world.topics.responses) == []

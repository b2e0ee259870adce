"""Every output record is valid by its schema and can be read by its readers: LangChain, CloudEvents."""
import json
import struct

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, from_structured_event
from langchain_core.messages import AIMessage, AIMessageChunk

from outputs import faults

PAGE_TEXT = "Voici la traduction en français :\n\nJ'aime la programmation."
PAGE_PIECES = ["Vo", "ici", " la", " tra", "duction", " en", " français", " :", "\n\nJ", "'", "a", "ime", " la",
               " programm", "ation", "."]


# How Bedrock's answer says why it ended, by the API: LangChain's message has it under that name.
STOP_REASONS = {"bedrock_converse": "stopReason", "bedrock": "stop_reason"}
# The counts of input in Bedrock's own count: all that was not cached, read from the cache, written to it.
CONVERSE_INPUT = "inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"
CLAUDE_INPUT = "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"


def all_faults(records, schema_name):
    return [f"{record.place} {fault}" for record in records for fault in faults(schema_name, record.json())][:20]


def header_faults(records, schema_name):
    return [f"{record.place} {fault}" for record in records
            for fault in faults(schema_name, record.shown_headers(schema_name))][:20]


def nulls(value, path="$"):
    """The places of nulls, except in members of users and of Bedrock."""
    theirs = {"metadata", "raw", "content", "response_metadata", "labels", "args", "tool_calls", "tool_call_chunks",
              "invalid_tool_calls"}
    if value is None:
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            if name not in theirs:
                yield from nulls(member, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from nulls(item, f"{path}[]")


def summed(chunks):
    """The sum of a run, as a client that streams makes it."""
    total = AIMessageChunk(**chunks[0])
    for chunk in chunks[1:]:
        total = total + AIMessageChunk(**chunk)
    return total


def plain(content):
    """Content in one form: a stream has an index and pieces of JSON, which an unstreamed answer has not."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    shown = []
    for block in blocks:
        block = {name: value for name, value in block.items() if name != "index"}
        if isinstance(block.get("input"), str):
            block["input"] = json.loads(block["input"] or "{}")
        shown.append(block)
    return shown


def whole_runs(outputs):
    """Complete runs with a published answer: [(response, chunks)]."""
    runs = outputs.runs()
    pairs = [(answer, runs.get(answer["message"]["id"], [])) for answer in outputs.answers()]
    return [(answer, chunks) for answer, chunks in pairs if chunks and chunks[-1].get("chunk_position") == "last"]


def test_the_encoders_write_records_of_every_kind(encoded):
    assert encoded.responses and encoded.chunks and encoded.usage and encoded.letters
    assert len(whole_runs(encoded)) == 2


def test_every_response_matches_its_schema(outputs):
    assert all_faults(outputs.responses, "response") == []
    assert header_faults(outputs.responses, "response-headers") == []


def test_every_chunk_matches_its_schema(outputs):
    assert all_faults(outputs.chunks, "chunk") == []
    assert header_faults(outputs.chunks, "chunk-headers") == []


def test_every_usage_record_matches_its_schema(outputs):
    assert all_faults(outputs.usage, "usage") == []
    assert header_faults(outputs.usage, "usage-headers") == []


def test_every_dead_letter_has_its_headers(outputs):
    assert header_faults(outputs.letters, "dead-letter-headers") == []
    for letter in outputs.letters:
        partition = struct.unpack(">i", letter.header("kafka_dlt-original-partition"))[0]
        offset = struct.unpack(">q", letter.header("kafka_dlt-original-offset"))[0]
        assert partition >= 0 and offset >= 0
        omitted = [value for name, value in letter.headers if name == "bedrock-value-omitted"]
        assert omitted in ([], [b"too large"])
        assert not omitted or letter.value is None
        lost = [value for name, value in letter.headers if name == "bedrock-headers-omitted"]
        assert lost in ([], [b"too large"])


def test_no_member_of_the_worker_is_null(outputs):
    for record in outputs.responses + outputs.chunks + outputs.usage:
        assert list(nulls(record.json())) == [], record.place


def test_langchain_loads_every_message(outputs):
    for answer in outputs.answers():
        message = AIMessage(**answer["message"])
        assert message.content == answer["message"]["content"]
        assert message.id == answer["attempts"][-1]["call"]
        assert message.response_metadata["ResponseMetadata"]["RetryAttempts"] == answer["attempts"][-1]["attempt"] - 1
        assert message.response_metadata["model_name"] == answer["model"]
        name = STOP_REASONS[message.response_metadata["model_provider"]]
        assert message.response_metadata.get(name) == answer.get("stop_reason")
        if "usage" in answer:
            for name in ("input_tokens", "output_tokens", "total_tokens"):
                assert message.usage_metadata[name] == answer["usage"][name]


def test_langchain_loads_every_chunk(outputs):
    for record in outputs.chunks:
        value = record.json()
        chunk = AIMessageChunk(**value)
        assert chunk.content == value["content"] and chunk.id == value["id"]


def test_a_run_of_chunks_counts_from_0_without_gaps_and_ends_once(outputs):
    for run, chunks in outputs.runs().items():
        assert [chunk["seq"] for chunk in chunks] == list(range(len(chunks))), run
        assert not any(chunk["last"] for chunk in chunks[:-1]), run


def test_the_chunks_of_a_run_add_up_to_the_message_of_the_response(outputs):
    for answer, chunks in whole_runs(outputs):
        total, message = summed(chunks), AIMessage(**answer["message"])
        assert total.text == message.text
        assert plain(total.content) == plain(message.content)
        assert total.tool_calls == message.tool_calls
        assert total.invalid_tool_calls == message.invalid_tool_calls
        assert total.usage_metadata == message.usage_metadata
        assert total.response_metadata == message.response_metadata
        assert total.chunk_position == "last"


def test_the_pages_stream_gives_the_chunks_that_the_page_shows(encoded):
    answer, chunks = whole_runs(encoded)[0]
    assert AIMessage(**answer["message"]).text == PAGE_TEXT
    contents = [chunk["content"] for chunk in chunks]
    pieces = [[{"type": "text", "text": text, "index": 0}] for text in PAGE_PIECES]
    assert contents == [[], *pieces, [{"index": 0}], [], []]
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[18]["response_metadata"] == {"stopReason": "end_turn"}
    assert chunks[19]["response_metadata"]["metrics"] == {"latencyMs": 713}
    assert chunks[19]["usage_metadata"] == {"input_tokens": 29, "output_tokens": 21, "total_tokens": 50}
    assert not any("usage_metadata" in chunk for chunk in chunks[:19])
    texts = [AIMessageChunk(**chunk).text for chunk in chunks]
    assert "|".join(texts) + "|" == "|" + "|".join(PAGE_PIECES) + "||||"


def test_the_pages_answer_gives_the_response_that_the_page_shows(encoded):
    message = AIMessage(**encoded.answers()[0]["message"])
    assert message.content == PAGE_TEXT
    assert message.usage_metadata == {"input_tokens": 29, "output_tokens": 21, "total_tokens": 50}
    assert message.response_metadata["stopReason"] == "end_turn"
    assert message.response_metadata["metrics"] == {"latencyMs": 672}
    assert message.response_metadata["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_run_that_ended_in_an_error_says_so_in_its_last_chunk(encoded):
    closed = [chunks for chunks in encoded.runs().values() if "error" in chunks[-1]]
    assert len(closed) == 1
    assert closed[0][-1]["content"] == [] and closed[0][-1]["error"]["code"] == "broken_stream"
    assert AIMessageChunk(**closed[0][-1]).chunk_position is None


def binary_event(record):
    """The SDK decodes every header as UTF-8: it is given those that are the event's."""
    headers = {name: value for name, value in record.headers if name.startswith("ce_") or name == "content-type"}
    return from_binary_event(KafkaMessage(headers=headers, key=None, value=record.value.encode()))


@pytest.mark.parametrize("kind, event_type", [("responses", "bedrock.chat.response.v1"),
                                              ("chunks", "bedrock.chat.chunk.v1")])
def test_a_record_is_a_cloud_event_in_binary_mode(outputs, kind, event_type):
    for record in getattr(outputs, kind):
        event, value = binary_event(record), record.json()
        assert event.get_type() == event_type
        assert event.get_specversion() == "1.0"
        assert event.get_subject() == value["id"]
        assert event.get_source().startswith("/bedrock-worker/")
        assert event.get_data() == value


def test_the_event_id_of_a_response_is_the_place_of_its_request(outputs):
    for record in outputs.responses:
        place = record.json()["request"]
        assert binary_event(record).get_id().startswith(f"{place['topic']}/{place['partition']}/{place['offset']}/")


def test_the_event_id_of_a_chunk_names_its_run(outputs):
    for record in outputs.chunks:
        value = record.json()
        assert binary_event(record).get_id() == f"{value['run']}/{value['seq']}"


def test_a_usage_record_is_a_cloud_event_in_structured_mode(outputs):
    for record in outputs.usage:
        assert [name for name, _ in record.headers] == ["content-type"]
        event = from_structured_event(KafkaMessage(headers=dict(record.headers), key=record.key,
                                                   value=record.value.encode()))
        data = event.get_data()
        assert event.get_type() == "bedrock.chat.usage.v1"
        assert event.get_id() == data["call"]
        assert event.get_subject() == data["tenant"] == record.key.decode()


def test_one_call_has_one_usage_record(outputs):
    calls = [record.json()["id"] for record in outputs.usage]
    assert len(calls) == len(set(calls))


def test_the_usage_of_an_answer_is_that_of_its_final_call(outputs):
    final = {event["id"]: event["data"] for event in (record.json() for record in outputs.usage)
             if event["data"]["final"]}
    for answer in outputs.answers():
        data = final.get(answer["message"]["id"])
        assert data is not None, f"{answer['id']}: its last call has no final usage record"
        assert data["request_id"] == answer["id"]
        assert data.get("stop_reason") == answer.get("stop_reason")
        if "usage" in answer:
            assert data["usage"] == answer["usage"]


def test_an_error_response_names_its_code_in_a_header(outputs):
    for record in outputs.responses:
        value = record.json()
        codes = [header for name, header in record.headers if name == "bedrock-error-code"]
        assert codes == ([] if value["status"] == "ok" else [value["error"]["code"].encode()])


def input_counts(raw):
    """Bedrock's counts of input: (not cached, read from the cache, written to it). Claude's stand in its own usage, and
    in a stream in its first event."""
    if "inputTokens" in raw:
        own, names = raw, CONVERSE_INPUT
    else:
        own, names = raw["usage"] if "usage" in raw else raw["message_start"], CLAUDE_INPUT
    return own[names[0]], own.get(names[1], 0), own.get(names[2], 0)


def test_a_responses_counts_add_up(outputs):
    for answer in outputs.answers():
        usage = answer.get("usage")
        if usage is not None and "raw" in usage:
            plain_input, read, written = input_counts(usage["raw"])
            assert usage["input_tokens"] == plain_input + read + written
            assert (usage["cache_read_tokens"], usage["cache_write_tokens"]) == (read, written)

"""The schemas of schema/ themselves: valid, with examples that pass and wrong ones that fail."""
import copy
import json
import re

import pytest
from jsonschema import Draft202012Validator
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage

from outputs import ROOT, SCHEMAS, faults, schema

NAMES = sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))
EXAMPLES = sorted((SCHEMAS / "examples").glob("*.json"))


def example(name):
    return json.loads((SCHEMAS / "examples" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_2020_12_and_names_itself(name):
    document = schema(name)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"].startswith("urn:bedrock-worker:schema:bedrock.")
    Draft202012Validator.check_schema(document)


def test_every_schema_has_a_unique_id():
    assert len({schema(name)["$id"] for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid(path):
    assert faults(path.name.split(".")[0], json.loads(path.read_text(encoding="utf-8"))) == []


def test_every_schema_has_an_example():
    assert {path.name.split(".")[0] for path in EXAMPLES} == set(NAMES)


def put(path, value):
    """A change: the member at `path` becomes `value`."""
    def change(document):
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = value
    return change


def drop(*path):
    def change(document):
        for name in path[:-1]:
            document = document[name]
        del document[path[-1]]
    return change


WRONG = {
    "a misspelt field": ("request.tuples", put(["mesages"], [])),
    "an unknown role": ("request.tuples", put(["messages", 0, 0], "sytem")),
    "a tuple of three": ("request.tuples", put(["messages", 0], ["human", "a", "b"])),
    "a message without a role": ("request.tuples", put(["messages", 0], {"content": "a"})),
    "a message with role and type": ("request.tuples", put(["messages", 0], {"role": "user", "type": "human",
                                                                              "content": "a"})),
    "a message without content": ("request.tuples", put(["messages", 0], {"role": "user"})),
    "a message with an unknown member": ("request.tuples", put(["messages", 0], {"role": "user", "content": "a",
                                                                                  "contents": "b"})),
    "tool calls": ("request.answer-put-back", put(["messages", 1, "tool_calls"], [{"name": "f", "args": {}}])),
    "content that is a number": ("request.tuples", put(["messages", 0, 1], 7)),
    "a block of two kinds": ("request.blocks", put(["messages", 0, "content", 0, "image"], {})),
    "a block of no kind": ("request.blocks", put(["messages", 0, "content", 0], {"txt": "a"})),
    "no messages": ("request.tuples", drop("messages")),
    "an empty list of messages": ("request.tuples", put(["messages"], [])),
    "messages and a prompt": ("request.tuples", put(["prompt"], {"template": "t"})),
    "a prompt without a template": ("request.inline-template", drop("prompt", "template")),
    "a variable that is a list": ("request.inline-template", put(["prompt", "variables", "input"], [1])),
    "an id that is too long": ("request.tuples", put(["id"], "x" * 129)),
    "an empty id": ("request.tuples", put(["id"], "")),
    "a temperature as a text": ("request.tuples", put(["temperature"], "0")),
    "a top_p over 1": ("request.everything", put(["top_p"], 1.1)),
    "max_tokens of none": ("request.everything", put(["max_tokens"], 0)),
    "a ttl in the past": ("request.everything", put(["ttl_ms"], -1)),
    "a label that is a number": ("request.everything", put(["labels", "n"], 1)),
    "seventeen labels": ("request.everything", put(["labels"], {str(i): "" for i in range(17)})),
    "a reply topic that is no topic": ("request.everything", put(["reply_to"], "a b")),
    "an api of another kind": ("request.everything", put(["api"], "grpc")),

    "a null member": ("response.ok", put(["stop_reason"], None)),
    "an unknown member": ("response.ok", put(["extra"], 1)),
    "an ok response without a message": ("response.ok", drop("message")),
    "an ok response with an error": ("response.ok", put(["error"], {"code": "invalid", "type": "invalid",
                                                                    "message": "", "retryable": False})),
    "an error response with a message": ("response.error", put(["message"], {})),
    "an error response without its error": ("response.error", drop("error")),
    "an unknown status": ("response.ok", put(["status"], "fine")),
    "an unknown error code": ("response.error", put(["error", "code"], "oops")),
    "an answer without a call": ("response.ok", put(["attempts"], [])),
    "a call that is no version 7": ("response.ok", put(["attempts", 0, "call"],
                                                       "019aab1e-5000-4000-8000-000000000001")),
    "a duration with decimals": ("response.ok", put(["timing", "duration_ms"], 1.5)),
    "an instant without Z": ("response.ok", put(["timing", "received_at"], "2026-11-22T10:00:00.123+00:00")),
    "a message of another type": ("response.ok", put(["message", "type"], "human")),
    "a message without metadata": ("response.ok", drop("message", "response_metadata")),
    "counts of another convention": ("response.ok", put(["usage", "convention"], "bedrock")),
    "a count below 0": ("response.ok", put(["usage", "input_tokens"], -1)),
    "a missing count": ("response.ok", drop("usage", "cache_read_tokens")),
    "metadata that is no object": ("response.ok", put(["metadata"], [])),

    "a chunk with an object for content": ("chunk.text", put(["content"], {})),
    "a chunk with a text in a list": ("chunk.text", put(["content"], [" la"])),
    "a chunk without a run": ("chunk.text", drop("run")),
    "a chunk before the first": ("chunk.text", put(["seq"], -1)),
    "a chunk in last position that is not the last": ("chunk.last", put(["last"], False)),
    "an error chunk that is not the last": ("chunk.error", put(["last"], False)),
    "an error chunk with content": ("chunk.error", put(["content"], [{"index": 0}])),
    "an error chunk in LangChain's last position": ("chunk.error", put(["chunk_position"], "last")),

    "usage as a text": ("usage.exact", put(["data", "usage", "input_tokens"], "29")),
    "usage of another event": ("usage.exact", put(["type"], "bedrock.chat.usage.v2")),
    "a lost call with a time": ("usage.lost", put(["data", "started_at"], "2026-11-22T10:00:00.226Z")),
    "a lost call that does not say whether it was begun": ("usage.lost", drop("data", "begun")),
    "a call without a time": ("usage.estimated", drop("data", "started_at")),
    "an estimate without a reason": ("usage.estimated", drop("data", "reason")),
    "a reason without an estimate": ("usage.exact", put(["data", "reason"], "timeout")),
    "an unknown reason": ("usage.estimated", put(["data", "reason"], "tired")),
    "usage without a tenant": ("usage.exact", drop("data", "tenant")),
    "usage without its source": ("usage.exact", drop("data", "source")),

    "a reservation without an amount": ("reservations.two", drop("data", "reserved", 1, "tokens")),
    "reservations of nobody": ("reservations.two", drop("data", "worker")),
    "sums of tokens and money": ("budgets.sums", put(["data", "spent", 0, "tokens"], 5)),
    "sums without an amount": ("budgets.sums", drop("data", "spent", 1, "tokens")),
    "money without its currency": ("budgets.sums", drop("data", "spent", 0, "currency")),
    "an amount as a number": ("budgets.sums", put(["data", "spent", 0, "amount"], 12.5)),
    "sums up to no offset": ("budgets.sums", drop("data", "offset")),
    "sums of another event": ("budgets.sums", put(["type"], "bedrock.chat.budgets.v2")),

    "a partition of 8 bytes": ("dead-letter-headers.rejected", put(["kafka_dlt-original-partition"], "AAAAAAAAACo=")),
    "an offset as a text": ("dead-letter-headers.rejected", put(["kafka_dlt-original-offset"], "42")),
    "a letter without a code": ("dead-letter-headers.rejected", drop("bedrock-error-code")),
    "attempts that are no number": ("dead-letter-headers.rejected", put(["bedrock-attempts"], "two")),
    "an event id without a position": ("response-headers.error", put(["ce_id"], "order-17")),
    "an event of another version": ("response-headers.error", put(["ce_specversion"], "0.3")),
    "a chunk's headers with a response's type": ("chunk-headers.first", put(["ce_type"], "bedrock.chat.response.v1")),
    "usage in binary mode": ("usage-headers.only", put(["content-type"], "application/json")),
}


@pytest.mark.parametrize("words", WRONG)
def test_an_invalid_example_fails(words):
    name, change = WRONG[words]
    document = copy.deepcopy(example(name))
    change(document)
    assert document != example(name)
    assert faults(name.split(".")[0], document) != []


@pytest.mark.parametrize("name", ["request", "response", "usage", "chunk"])
def test_members_of_users_and_of_bedrock_may_hold_anything(name):
    anything = {"n": None, "deep": [{"x": [1, None, {"y": 1e300}]}], "": ""}
    document = example({"request": "request.everything", "response": "response.ok", "usage": "usage.exact",
                        "chunk": "chunk.last"}[name])
    if name == "request":
        document["metadata"] = document["model_kwargs"] = document["additional_model_request_fields"] = anything
    elif name == "response":
        document["metadata"] = document["usage"]["raw"] = anything
        document["message"]["response_metadata"]["trace"] = anything
        document["message"]["content"] = [anything]
    elif name == "usage":
        document["data"]["usage"]["raw"] = anything
    else:
        document["response_metadata"]["trace"] = anything
        document["content"] = [anything]
    assert faults(name, document) == []


def test_a_conversation_printed_by_langchain_is_a_valid_request():
    answer = AIMessage(**example("response.ok")["message"])
    summed = AIMessageChunk(content="Ja", chunk_position="last")
    messages = [SystemMessage("Translate."), HumanMessage("Yes"), answer, HumanMessage("No"), summed]
    assert faults("request", {"model": "claude", "messages": [message.model_dump() for message in messages]}) == []


def test_the_error_codes_are_those_of_the_worker():
    table = (ROOT / "worker" / "base" / "err.def").read_text(encoding="utf-8")
    codes = set(re.findall(r'^ERR\(\w+,\s*\w+,\s*"(\w+)"', table, re.MULTILINE))
    for document, path in (("response", ["$defs", "error", "properties", "code", "enum"]),
                           ("chunk", ["properties", "error", "properties", "code", "enum"]),
                           ("dead-letter-headers", ["properties", "bedrock-error-code", "enum"]),
                           ("response-headers", ["properties", "bedrock-error-code", "enum"])):
        found = schema(document)
        for name in path:
            found = found[name]
        assert set(found) == codes, document


def test_shared_parts_are_described_alike_by_all_schemas():
    response, chunk, usage = schema("response"), schema("chunk"), schema("usage")
    assert response["$defs"]["error"] == chunk["properties"]["error"]
    assert response["$defs"]["usage"] == usage["$defs"]["usage"]
    message = response["$defs"]["message"]["properties"]
    assert message["usage_metadata"] == chunk["properties"]["usage_metadata"]
    assert message["response_metadata"]["properties"] == chunk["properties"]["response_metadata"]["properties"]

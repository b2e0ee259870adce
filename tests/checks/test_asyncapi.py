"""schema/asyncapi.yaml: it parses, everything it refers to is there, and it says what the records and settings say."""
import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from outputs import ROOT, SCHEMAS, schema

DOCUMENT = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8"))
HEADERS = {"request": "request-headers", "response": "response-headers", "chunk": "chunk-headers",
           "usage": "usage-headers", "deadLetter": "dead-letter-headers"}
PAYLOADS = {"request": "request", "response": "response", "chunk": "chunk", "usage": "usage"}


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(reference, document=DOCUMENT):
    """What a reference points to: in this document, or a file beside it."""
    file, _, pointer = reference.partition("#")
    if file:
        document = json.loads((SCHEMAS / file).read_text(encoding="utf-8"))
    for name in pointer.strip("/").split("/") if pointer.strip("/") else []:
        document = document[name]
    return document


def test_it_is_asyncapi_3_and_says_who_it_is_about():
    assert re.fullmatch(r"3\.\d+\.\d+", DOCUMENT["asyncapi"])
    assert DOCUMENT["info"]["title"] == "bedrock-worker"
    assert DOCUMENT["info"]["version"] and DOCUMENT["info"]["license"]["name"] == "Apache-2.0"
    assert DOCUMENT["servers"]["kafka"]["protocol"] == "kafka"


@pytest.mark.parametrize("reference", sorted(set(references(DOCUMENT))))
def test_a_reference_leads_somewhere(reference):
    assert resolve(reference)


def test_the_topics_are_the_defaults_of_the_settings():
    settings = yaml.safe_load((ROOT / "config" / "worker.yaml").read_text(encoding="utf-8")) or {}
    defaults = {"requests": "bedrock.requests", "responses": "bedrock.responses", "chunks": "bedrock.chunks",
                "usage": "bedrock.usage", "dead_letters": "bedrock.dead-letters"}
    given = settings.get("topics") or {}
    for channel, setting in (("requests", "requests"), ("responses", "responses"), ("chunks", "chunks"),
                             ("usage", "usage"), ("deadLetters", "dead_letters")):
        address = DOCUMENT["channels"][channel]["address"]
        assert address == defaults[setting]
        shipped = given.get(setting, address)
        assert address in (shipped if isinstance(shipped, list) else [shipped])
        assert DOCUMENT["channels"][channel]["bindings"]["kafka"]["topic"] == address


def test_the_reply_topic_is_the_requests_to_name():
    reply = DOCUMENT["operations"]["answer"]["reply"]
    assert resolve(reply["channel"]["$ref"])["address"] is None
    assert reply["address"]["location"] == "$message.header#/kafka_replyTopic"
    assert "kafka_replyTopic" in schema("request-headers")["properties"]
    assert resolve(resolve(reply["messages"][0]["$ref"])["$ref"])["name"] == "bedrock.chat.response.v1"


def test_every_channel_is_used_and_the_worker_receives_requests_alone():
    used = {}
    for operation in DOCUMENT["operations"].values():
        used[operation["channel"]["$ref"].rsplit("/", 1)[-1]] = operation["action"]
        if "reply" in operation:
            used[operation["reply"]["channel"]["$ref"].rsplit("/", 1)[-1]] = "send"
    assert set(used) == set(DOCUMENT["channels"])
    assert [name for name, action in used.items() if action == "receive"] == ["requests"]


def test_an_operations_messages_are_its_channels():
    for operation in DOCUMENT["operations"].values():
        for message in operation["messages"]:
            assert message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")


@pytest.mark.parametrize("name", DOCUMENT["components"]["messages"])
def test_a_message_has_its_schemas_and_kafka_bindings(name):
    message = DOCUMENT["components"]["messages"][name]
    assert message["headers"]["schema"]["$ref"] == f"./{HEADERS[name]}.schema.json"
    assert message["headers"]["schemaFormat"] == "application/schema+json;version=draft-2020-12"
    if name in PAYLOADS:
        assert message["payload"]["schema"]["$ref"] == f"./{PAYLOADS[name]}.schema.json"
        assert message["name"] == schema(PAYLOADS[name])["$id"].rsplit(":", 1)[-1]
    Draft202012Validator.check_schema(message["bindings"]["kafka"]["key"])


def test_the_content_types_are_those_of_the_headers():
    messages = DOCUMENT["components"]["messages"]
    for name in ("response", "chunk", "usage"):
        assert messages[name]["contentType"] == schema(HEADERS[name])["properties"]["content-type"]["const"]


def test_every_schema_of_the_folder_is_referred_to():
    named = {Path(reference).name for reference in references(DOCUMENT) if reference.startswith("./")}
    assert named == {path.name for path in SCHEMAS.glob("*.schema.json")}

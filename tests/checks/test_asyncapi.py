"""schema/asyncapi.yaml: it parses, its references resolve, and it agrees with the records and settings."""
import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from outputs import ROOT, SCHEMAS, schema

DOCUMENT = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8"))
HEADERS = {"request": "request-headers", "response": "response-headers", "chunk": "chunk-headers",
           "usage": "usage-headers", "deadLetter": "dead-letter-headers", "budgets": "budgets-headers",
           "reservations": "reservations-headers"}
PAYLOADS = {"request": "request", "response": "response", "chunk": "chunk", "usage": "usage", "budgets": "budgets",
            "reservations": "reservations"}


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
    """The target of a reference: in this document, or a file beside it."""
    file, _, pointer = reference.partition("#")
    if file:
        document = json.loads((SCHEMAS / file).read_text(encoding="utf-8"))
    for name in pointer.strip("/").split("/") if pointer.strip("/") else []:
        document = document[name]
    return document


def test_the_document_is_asyncapi_3_and_names_the_worker():
    assert re.fullmatch(r"3\.\d+\.\d+", DOCUMENT["asyncapi"])
    assert DOCUMENT["info"]["title"] == "bedrock-worker"
    assert DOCUMENT["info"]["version"] and DOCUMENT["info"]["license"]["name"] == "Apache-2.0"
    assert DOCUMENT["servers"]["kafka"]["protocol"] == "kafka"


@pytest.mark.parametrize("reference", sorted(set(references(DOCUMENT))))
def test_every_reference_resolves(reference):
    assert resolve(reference)


def listed_topics():
    """The rows of worker/app/settings/topics.def: (last part of the path, default name, right)."""
    rows = re.findall(r'^TOPIC\([A-Z_]+, \w+, (?:LIST|TEXT), "topics\.(\w+)", "([^ ]*)", (READ|WRITE),$',
                      (ROOT / "worker" / "app" / "settings" / "topics.def").read_text(encoding="utf-8"), re.M)
    return [(path, re.sub(r'[\[\]"\\]', "", name), right) for path, name, right in rows]


def test_there_are_six_topics():
    assert [path for path, _, _ in listed_topics()] == ["requests", "responses", "chunks", "usage", "dead_letters", "budgets"]


def test_the_channels_are_the_listed_topics():
    channels = {name: channel for name, channel in DOCUMENT["channels"].items() if name != "replies"}
    actions = {operation["channel"]["$ref"].rsplit("/", 1)[-1]: operation["action"]
               for operation in DOCUMENT["operations"].values()}
    assert len(channels) == len(listed_topics())
    for path, name, right in listed_topics():
        channel = re.sub("_(.)", lambda found: found.group(1).upper(), path)
        assert channels[channel]["address"] == name
        assert channels[channel]["bindings"]["kafka"]["topic"] == name
        assert (actions.get(channel) == "receive") == (right == "READ")


def test_the_settings_files_name_the_listed_topics():
    shipped = yaml.safe_load((ROOT / "config" / "worker.yaml").read_text(encoding="utf-8"))["topics"]
    demo = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))["topics"]
    for path, name, right in listed_topics():
        assert shipped[path] == ([name] if right == "READ" else name)
        assert str(demo[path]).strip("[]'") == name.replace("bedrock.", "${DEMO_PREFIX}.")
    assert set(demo) == {path for path, _, _ in listed_topics()}


def test_the_operations_page_lists_the_topics_and_grants_rights():
    page = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    table = re.search(r"^\| topic \| retention .*\n\|[-|]+\n((?:\|.*\n)+)", page, re.M).group(1)
    assert re.findall(r"^\| (\S+) \|", table, re.M) == [name.removeprefix("bedrock.") for _, name, _ in listed_topics()]
    for right in ("READ", "WRITE"):
        granted = re.search(rf"^acls --operation {right.title()} (--topic .*)$", page, re.M).group(1)
        assert re.findall(r"--topic (\S+)", granted) == [name for _, name, wanted in listed_topics() if wanted == right]


def test_the_request_names_the_reply_topic():
    reply = DOCUMENT["operations"]["answer"]["reply"]
    assert resolve(reply["channel"]["$ref"])["address"] is None
    assert reply["address"]["location"] == "$message.header#/kafka_replyTopic"
    assert "kafka_replyTopic" in schema("request-headers")["properties"]
    assert resolve(resolve(reply["messages"][0]["$ref"])["$ref"])["name"] == "bedrock.chat.response.v1"


def test_every_channel_is_used_and_the_worker_receives_only_requests():
    used = {}
    for operation in DOCUMENT["operations"].values():
        used[operation["channel"]["$ref"].rsplit("/", 1)[-1]] = operation["action"]
        if "reply" in operation:
            used[operation["reply"]["channel"]["$ref"].rsplit("/", 1)[-1]] = "send"
    assert set(used) == set(DOCUMENT["channels"])
    assert [name for name, action in used.items() if action == "receive"] == ["requests"]


def test_an_operation_has_the_messages_of_its_channel():
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


def test_every_schema_of_the_folder_is_referenced():
    named = {Path(reference).name for reference in references(DOCUMENT) if reference.startswith("./")}
    assert named == {path.name for path in SCHEMAS.glob("*.schema.json")}

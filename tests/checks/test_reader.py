"""The request's schema and the worker's reader agree: each accepts exactly what the other accepts."""
import json
import re

import pytest

from outputs import ROOT, faults, schema

CHAT = ROOT / "worker" / "wire" / "chat"
LIST = (CHAT / "request_fields.def").read_text(encoding="utf-8")
PARAMETERS = re.findall(r"^PARAMETER\(\w+, +(\w+),", (CHAT / "parameters.def").read_text(encoding="utf-8"), re.M)
FIELDS = re.findall(r"^(?:FIELD|VALUE|PRESET|PART)\((\w+),", LIST, re.M) + PARAMETERS
LATER = re.findall(r"^LATER\((\w+)\)", LIST, re.M)
# A schema cannot check these: the settings of a worker decide.
BEYOND = {"unknown_model", "unknown_template", "template_variables"}

VALUES = [
    [""], None, True, False, 0, 1, -1, 0.5, 1.5, 1000.0, 1e30, "", "x", "x" * 128, "x" * 129, "x" * 249, "x" * 250, "é" * 128,
    "x" * 2048, "x" * 2049, "a b", "a\u0001b", "a\nb", "a\u007fb", "a\u0085b", "a\u00a0b", ".", "..", "...", "auto",
    "converse", "invoke", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.25+01:00", "2026-11-22", "2026-13-22T10:00:00Z",
    "2026-11-22t24:00:00z", "2026-11-22t23:59:60z", "2026-11-22T10:00:00", "2026-11-22 10:00:00Z", "x.y",
    [], ["x"], [1], [None], {}, {"a": "b"}, {"a": 1}, {"a": None}, {"a" * 257: "b"}, {"a": "b" * 257},
    {"a": "b" * 256}, {str(i): "" for i in range(17)}, {str(i): "" for i in range(257)},
    [["human", "x"]], [["human"]], [["human", "x", "y"]], [["sytem", "x"]], [["human", 7]], [["human", None]],
    {"template": "t"}, {"template": ""}, {"template": []}, {"template": [["human", "x"]]}, {"template": None},
    {"template": "t", "variables": None}, {"template": "t", "variables": {"a": "b"}},
    {"template": "t", "variables": {"a": None}}, {"template": "t", "variables": []}, {"template": "t", "x": 1},
]
GUARDED = {"guardrail_identifier": "g", "guardrail_version": "1"}
OPTIONS = {
    "guardrail": [
        GUARDED, {"guardrailIdentifier": "g", "guardrailVersion": "DRAFT"},
        {"guardrail_identifier": "g", "guardrailVersion": "1"}, {"guardrail_identifier": "g"}, {"guardrail_version": "1"},
        {**GUARDED, "guardrailIdentifier": "g"}, {**GUARDED, "guardrailVersion": None}, {**GUARDED, "trace": "enabled_full"},
        {**GUARDED, "trace": True}, {**GUARDED, "trace": None}, {**GUARDED, "stream_processing_mode": "async"},
        {**GUARDED, "streamProcessingMode": "sync"}, {**GUARDED, "streamProcessingMode": "both"},
        {**GUARDED, "streamProcessingMode": None, "stream_processing_mode": None}, {**GUARDED, "last_turn_only": True},
        {**GUARDED, "last_turn_only": 1}, {**GUARDED, "last_turn_only": None}, {**GUARDED, "x": None},
        {**GUARDED, "guardrail_version": 1}, {**GUARDED, "guardrail_version": ""}, {**GUARDED, "guardrail_version": None},
        {**GUARDED, "guardrail_identifier": "x" * 2049},
    ],
    "performance": [{"latency": "standard"}, {"latency": "optimized"}, {"latency": "fast"}, {"latency": None},
                    {"latency": 1}, {"latency": "standard", "x": 1}],
    "reasoning": [{"effort": "none"}, {"effort": "max"}, {"effort": "most"}, {"effort": None}, {"effort": ["low"]},
                  {"efort": "low"}],
    "cache_control": [{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral", "ttl": "5m"},
                      {"type": "ephemeral", "ttl": "2h"}, {"type": "ephemeral", "ttl": None}, {"type": "default"},
                      {"type": None}, {"ttl": "1h"}, {"type": "ephemeral", "x": 1}],
    "service_tier": ["priority", "default", "flex", "reserved", "Flex", {"type": "flex"}],
    "output_config": [{"textFormat": {"type": "json_schema", "structure": {}}}],
    "provider": ["Anthropic"],
    "base_model": ["anthropic.claude-sonnet-4-5-20250929-v1:0"],
}
MEMBERS = ["role", "type", "content", "id", "name", "tool_calls", "tool_call_chunks", "invalid_tool_calls",
           "usage_metadata", "response_metadata", "additional_kwargs", "chunk_position", "example", "cache_control",
           "tool_call_id", "status", "artifact", "contents"]
CONTENTS = [[{"type": "text", "text": "x"}], [{"type": "text", "text": "x", "index": 0, "id": "a"}],
            [{"type": "text"}], [{"type": "text", "text": 1}], [{"text": "x"}], [{"text": None}], [{"text": "x", "b": 1}],
            [{"image": {}}], [{"image": 1}], [{"toolUse": {}}], [{"nothing": {}}], [{"nothing": 1}],
            [{"nothing": {}, "more": {}}], [{"contentBlockIndex": 0, "start": {}}],
            [{"contentBlockIndex": 1, "delta": {"x": 1}}], [{"contentBlockIndex": "1", "delta": {}}],
            [{"contentBlockIndex": 1, "delta": 7}], [{"contentBlockIndex": 1, "stop": {}}], [{"type": {}}],
            [{"text": {}}], ["x", "y"], [[]], [None],
            [{"type": "reasoning_content", "reasoning_content": {"text": "x", "signature": "s"}}],
            [{"type": "reasoning_content", "reasoning_content": {"text": "x"}}],
            [{"type": "reasoning_content", "reasoning_content": "x"}], [{"type": "image_url", "image_url": {}}],
            [{"cachePoint": {"type": "default"}}], [{"type": "text", "text": "x", "cache_control": {}}]]


STRUCTURED = [{}, {"schema": {}}, {"schema": None}, {"schema": []}, {"schema": {}, "more": 1},
              {"schema": {"name": "a", "parameters": {}}}, {"schema": {"name": "a", "parameters": 1}},
              {"schema": {"name": "a", "input_schema": {}}}, {"schema": {"toolSpec": {}}}, {"schema": {"function": {}}},
              {"schema": {}, "retry_invalid": 1}, {"schema": {}, "retry_invalid": 1, "validate": False},
              *({"schema": {"title": "a"}, "validate": True, name: value}
                for name in ("name", "method", "strict", "include_raw", "validate", "retry_invalid")
                for value in (None, True, False, 0, 1, 3, 4, -1, 2.0, 0.5, "", "a", "a b", "x" * 64, "x" * 65, "é",
                              "function_calling", "json_schema", "prompt_prefill", [], {})
                if not (name == "validate" and value in (None, False, 0)))]


def requests():
    base = {"messages": [["human", "x"]]}
    for value in STRUCTURED:
        yield {**base, "structured_output": value}
    for name in [*FIELDS, *LATER, "mesages"]:
        for value in VALUES:
            yield {**base, name: value} if name != "prompt" else {name: value}
            if name == "prompt":
                yield {**base, name: value}
    yield from ({**base, name: value} for name, values in OPTIONS.items() for value in values)
    for name in MEMBERS:
        for value in VALUES:
            yield {"messages": [{"role": "human", "content": "x", name: value}]}
    for content in [*VALUES, *CONTENTS]:
        yield {"messages": [["human", content]]}
        yield {"messages": [["human", "x"], ["ai", content]]}
        yield {"messages": [{"type": "human", "content": content}]}
        yield {"messages": [["human", "x"], {"type": "ai", "content": content}]}
    yield from ({}, [], "x", None, {"messages": [{"content": "x"}]}, {"messages": [{"role": "user"}]})


def test_schema_and_reader_accept_the_same_requests(read_requests):
    every = list(requests())
    apart = []
    for request, verdict in zip(every, read_requests(every), strict=True):
        code = verdict.split(" ")[0]
        wrong = faults("request", request)
        if code not in BEYOND and (code == "ok") != (wrong == []):
            apart.append(f"{json.dumps(request)[:120]}: the reader says {verdict}, the schema {wrong[:1]}")
    assert apart == []


def test_the_schema_has_the_fields_of_the_readers_list():
    assert set(schema("request")["properties"]) == {*FIELDS, *LATER}
    for name in LATER:
        assert schema("request")["properties"][name]["type"] == "null", name


@pytest.mark.parametrize("name", LATER)
def test_a_field_of_a_later_version_may_be_null(read_requests, name):
    null, given = read_requests([{"messages": [["human", "x"]], name: value} for value in (None, {})])
    assert (null, given) == ("ok", f"unsupported_field {name}")

"""The request's schema and the worker's reader agree: each accepts exactly what the other accepts."""
import json
import re

from outputs import ROOT, faults, schema

CHAT = ROOT / "worker" / "wire" / "chat"
LIST = (CHAT / "request_fields.def").read_text(encoding="utf-8")
PARAMETERS = re.findall(r"^PARAMETER\(\w+, +(\w+),", (CHAT / "parameters.def").read_text(encoding="utf-8"), re.M)
FIELDS = re.findall(r"^(?:FIELD|VALUE|PRESET|PART)\((\w+),", LIST, re.M) + PARAMETERS
# A schema cannot check these: the settings of a worker decide.
BEYOND = {"unknown_model", "unknown_template", "template_variables", "invalid model"}

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
        {**GUARDED, "trace": True}, {**GUARDED, "trace": 1}, {**GUARDED, "trace": None}, {**GUARDED, "stream_processing_mode": "async"},
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
    "count_tokens": [],
    "priority": ["high", "normal", "low", "High", "urgent", ["low"]],
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
PNG = "data:image/png;base64,Zm9v"
# The members of a block of media and the like, beside its type; None leaves one out.
MEDIA = {
    "image": [{}, {"base64": "Zm9v", "mime_type": "image/png"}, {"base64": None}, {"base64": ""}, {"base64": 7},
              {"base64": "Zm9v", "mime_type": 7}, {"data": "Zm9v", "source_type": "base64", "mime_type": "image/png"},
              {"url": PNG}, {"url": "https://a/b.png"}, {"url": "s3://a/b.png"}, {"url": "data:image/png,a"}, {"url": None},
              {"file_id": "f"}, {"file_id": "s3://a/b.png"}, {"base64": "Zm9v", "mime_type": "image/png", "url": None},
              {"source": {"type": "base64", "media_type": "image/png", "data": "Zm9v"}}, {"source": {}},
              {"source": {"type": "url", "url": PNG}}, {"source": {"type": "url", "url": "http://a"}},
              {"image": {}}, {"image": {"format": "png", "source": {"bytes": "Zm9v"}}}, {"video": {}}, {"bas64": "Zm9v"},
              {"url": PNG, "cache_control": {"type": "ephemeral"}}, {"url": PNG, "cache_control": {"type": "x"}},
              {"url": PNG, "cache_control": {"type": "ephemeral", "ttl": "2h"}}, {"url": PNG, "cache_control": None},
              {"url": PNG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}, {"url": PNG, "extras": {}, "index": 0}],
    "image_url": [{}, {"image_url": PNG}, {"image_url": {"url": PNG, "detail": "low"}}, {"image_url": {}}, {"image_url": 7},
                  {"image_url": "http://a/b.png"}, {"image_url": {"url": "ftp://a"}}, {"image_url": None}],
    "video": [{"base64": "Zm9v", "mime_type": "video/mp4"}, {"video": {}}, {"image": {}},
              {"source": {"type": "s3Location", "media_type": "video/mp4", "data": {"uri": "s3://a/b"}}}],
    "video_url": [{"video_url": "data:video/mp4;base64,Zm9v"}, {"video_url": {"url": "x"}}, {"image_url": PNG}],
    "audio": [{"data": "Zm9v", "mimeType": "audio/wav"}, {"fileId": "s3://a/b.mp3"}, {"audio": {}}],
    "input_audio": [{}, {"input_audio": {"data": "Zm9v", "format": "wav"}}, {"input_audio": {"data": "Zm9v"}},
                    {"input_audio": "Zm9v"}],
    "file": [{"base64": "Zm9v", "mime_type": "application/pdf"}, {"base64": "Zm9v", "mime_type": "text/x-c", "name": "a"},
             {"file": {"file_data": "data:application/pdf;base64,Zm9v", "filename": "a.pdf"}}, {"file": {"filename": "a"}},
             {"text": "x", "source_type": "text"}, {"document": {}},
             {"text": "x", "citations": {"enabled": True}}, {"text": "x", "citations": {"enabled": 1}},
             {"text": "x", "context": 7}, {"text": "x", "context": None}],
    "document": [{"document": {}}, {"document": 7}, {},
                 {"source": {"type": "text", "media_type": "text/plain", "data": "x"}, "title": "t", "context": "c"}],
    "text-plain": [{"text": "x"}, {"text": "x", "mime_type": "text/plain", "title": "t"}, {"text": 7}],
    "guard_content": [{"text": "x"}, {}, {"text": 7}, {"guard_content": {"type": "text", "text": "x"}}, {"guard_content": 7},
                      {"guard_content": {"text": {"text": "x"}}}, {"guardContent": {"image": {}}}, {"texts": "x"}],
    "search_result": [{"source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]},
                      {"source": "s", "title": "t", "content": []}, {"source": "s", "title": "t"},
                      {"source": 1, "title": "t", "content": []}, {"source": "s", "title": "t", "content": [{"type": "image"}]},
                      {"source": "s", "title": "t", "content": [{"text": "x"}], "citations": {"enabled": False}},
                      {"source": "s", "title": "t", "content": [], "citations": 1}],
    "cache_point": [{}, {"ttl": "1h"}, {"cachePoint": {"type": "default"}}, {"type2": 1}],
}
CONTENTS += [[{"type": kind, **members}] for kind, list_of_members in MEDIA.items() for members in list_of_members]


STRUCTURED = [{}, {"schema": {}}, {"schema": None}, {"schema": []}, {"schema": {}, "more": 1},
              {"schema": {"name": "a", "parameters": {}}}, {"schema": {"name": "a", "parameters": 1}},
              {"schema": {"name": "a", "input_schema": {}}}, {"schema": {"toolSpec": {}}}, {"schema": {"function": {}}},
              {"schema": {}, "retry_invalid": 1}, {"schema": {}, "retry_invalid": 1, "validate": False},
              *({"schema": {"title": "a"}, "validate": True, name: value}
                for name in ("name", "method", "strict", "include_raw", "validate", "retry_invalid")
                for value in (None, True, False, 0, 1, 3, 4, -1, 2.0, 0.5, "", "a", "a b", "x" * 64, "x" * 65, "é",
                              "function_calling", "json_schema", "prompt_prefill", [], {})
                if not (name == "validate" and value in (None, False, 0)))]


SPEC = {"name": "f", "inputSchema": {"json": {"type": "object"}}}
NAMED = {"name": "f", "parameters": {"type": "object", "properties": {}}}
TOOLS = [
    NAMED, {**NAMED, "strict": True}, {**NAMED, "strict": 1}, {**NAMED, "strict": None}, {**NAMED, "type": "function"},
    {**NAMED, "type": "x"}, {**NAMED, "more": 1}, {"name": "f"}, {"name": ""}, {"name": 1}, {"name": "f", "description": 1},
    {"name": "f", "description": None}, {"name": "f", "parameters": []}, {"name": "f", "parameters": None},
    {"type": "function", "function": NAMED}, {"function": NAMED}, {"type": "x", "function": NAMED},
    {"type": "function", "function": {}}, {"type": "function", "function": 1}, {"type": "function", "function": NAMED, "x": 1},
    {"type": "function", "function": {**NAMED, "x": 1}}, {"type": "function", "function": {**NAMED, "type": "function"}},
    {"name": "f", "input_schema": {}}, {"name": "f", "input_schema": 1}, {"input_schema": {}},
    {"name": "f", "input_schema": {}, "cache_control": {"type": "ephemeral"}, "type": "custom", "own": 1},
    {"name": "f", "input_schema": {}, "cache_control": 7}, {"title": "f", "properties": {}}, {"title": "f"}, {"title": ""},
    {"title": "f", "properties": 1}, {"title": "f", "description": 1}, {"title": "f", "type": "object", "own": [1]},
    {"toolSpec": SPEC}, {"toolSpec": {}}, {"toolSpec": 1}, {"toolSpec": SPEC, "name": "f"}, {"toolSpec": {**SPEC, "strict": 1}},
    {"toolSpec": {**SPEC, "description": 1}}, {"cachePoint": {"type": "default"}}, {"cachePoint": 1},
    {"cachePoint": {}, "x": 1}, {"systemTool": {"name": "nova_grounding"}}, {"systemTool": {}}, {"systemTool": 1},
    "nova_grounding", "nova_code_interpreter", "nova", "", 1, None, [], {}, {"type": "function"},
]
CHOICES = [
    "auto", "any", "none", "required", "f", "", True, False, None, 1, [], {}, {"auto": {}}, {"any": {}}, {"none": {}},
    {"tool": {"name": "f"}}, {"tool": {}}, {"tool": {"name": ""}}, {"tool": 1}, {"any": 1}, {"any": {}, "auto": {}}, {"all": {}},
    {"type": "auto"}, {"type": "any"}, {"type": "none"}, {"type": "tool"}, {"type": "tool", "name": "f"},
    {"type": "tool", "name": 1}, {"type": "function"}, {"type": "function", "function": {"name": "f"}},
    {"type": "function", "function": {}}, {"type": "function", "name": "f"}, {"type": 1}, {"type": "any", "disable": True},
]
CALLS = [
    {"id": "c", "name": "f", "args": {}}, {"id": "c", "name": "f", "args": "{"}, {"id": "c", "name": "f"},
    {"id": "c", "name": "f", "args": {}, "type": "tool_call"}, {"id": "", "name": "f"}, {"name": "f", "args": {}},
    {"id": 1, "name": "f"}, {"id": "c", "args": {}}, {"id": "c", "name": "f", "arguments": "{}"}, 7, {}, "f",
    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}, {"id": "c", "function": {"name": "f"}},
    {"id": "c", "function": {}}, {"id": "c", "function": 1}, {"function": {"name": "f"}},
    {"id": "c", "name": "f", "function": {"name": "f"}}, {"id": "c", "function": {"name": "f", "args": {}}},
]
TURN_BLOCKS = [
    {"type": "tool_use", "id": "c", "name": "f", "input": {}}, {"type": "tool_use", "id": "c", "name": "f", "input": "{"},
    {"type": "tool_use", "id": "c", "name": "f"}, {"type": "tool_use", "id": "c"}, {"type": "tool_use", "name": "f"},
    {"type": "tool_use", "id": "", "name": "f"}, {"type": "tool_use", "id": "c", "name": "f", "args": {}},
    {"type": "server_tool_use", "id": "c", "name": "f", "input": {}}, {"type": "tool_call", "id": "c", "name": "f", "args": {}},
    {"type": "tool_call", "id": "c", "name": "f", "input": {}}, {"type": "invalid_tool_call", "id": None, "name": None},
    {"type": "invalid_tool_call", "id": "c", "name": "f", "args": "{", "error": "e"}, {"type": "invalid_tool_call", "x": 1},
    {"type": "tool_result", "tool_use_id": "c", "content": "x"}, {"type": "tool_result", "tool_use_id": "c"},
    {"type": "tool_result", "tool_use_id": "c", "content": None, "is_error": True}, {"type": "tool_result", "content": "x"},
    {"type": "tool_result", "tool_use_id": "c", "content": ["x", {"type": "json", "json": 1}, {"type": "text", "text": "x"}]},
    {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "tool_use", "id": "c", "name": "f"}]},
    {"type": "tool_result", "tool_use_id": "c", "content": 7}, {"type": "tool_result", "tool_use_id": "c", "is_error": 1},
    {"type": "server_tool_result", "tool_use_id": "c", "content": []}, {"type": "json", "json": {}}, {"json": {}},
    {"toolUse": {"toolUseId": "c", "name": "f", "input": {}}}, {"toolResult": {"toolUseId": "c", "content": [{"text": "x"}]}},
    {"toolResult": {"content": 7}}, {"type": "non_standard", "value": {"cachePoint": {"type": "default"}}},
    {"type": "non_standard", "value": {"text": "x", "cachePoint": {}}}, {"type": "non_standard", "value": 1},
    {"type": "non_standard"}, {"type": "non_standard", "value": {}}, {"type": "thinking", "thinking": "x", "signature": "s"},
    {"type": "thinking", "thinking": "x"}, {"type": "thinking"}, {"type": "redacted_thinking", "data": "QUJD"},
    {"type": "redacted_thinking"}, {"type": "reasoning", "reasoning": "x", "extras": {"signature": "s"}}, {"type": "reasoning"},
    {"type": "reasoning", "reasoning": 1}, {"type": "web_search_call", "id": "w"}, {"type": "server_tool_call", "id": "w"},
]
RESULT_CONTENTS = ["x", "", None, 7, {}, [], ["x"], [7], [{"type": "json", "json": [1]}], [{"json": {"a": 1}}],
                   [{"type": "json"}], [{"text": "x"}], [{"image": {}}], [{"toolUse": {}}], [{"guardContent": {}}],
                   [{"type": "guard_content", "text": "x"}], [{"cachePoint": {"type": "default"}}], [{"reasoningContent": {}}],
                   [{"type": "text", "text": "x"}], [{"type": "tool_result", "tool_use_id": "c", "content": "x"}],
                   [{"type": "thinking", "thinking": "x"}], [{"searchResult": {}}], [{"document": {}}], [{"audio": {}}]]


def tool_requests():
    base = {"messages": [["human", "x"]]}
    yield from ({**base, "tools": [tool]} for tool in TOOLS)
    yield from ({**base, "tools": [NAMED], "tool_choice": choice} for choice in CHOICES)
    yield {**base, "tools": [{"cachePoint": {}}] * 1001}
    yield {**base, "tools": [{"cachePoint": {}}] * 1000}
    for call in CALLS:
        for role in ("ai", "human", "tool"):
            message = {"role": role, "content": "x", "tool_calls": [call]}
            yield {"messages": [["human", "x"], {**message, "tool_call_id": "c"} if role == "tool" else message]}
    for content in (None, "", [], [None]):
        message = {"role": "assistant", "content": content, "tool_calls": [CALLS[0]]}
        yield {"messages": [["human", "x"], message]}
        yield {"messages": [["human", "x"], {**message, "tool_calls": []}]}
    yield {"messages": [["human", "x"], {"role": "assistant", "tool_calls": [CALLS[0]]}]}
    for block in TURN_BLOCKS:
        yield {"messages": [["human", ["x", block]]]}
        yield {"messages": [["human", "x"], ["ai", ["x", block]]]}
        yield {"messages": [["human", "x"], {"type": "tool", "tool_call_id": "c", "content": ["x", block]}]}
    for content in RESULT_CONTENTS:
        yield {"messages": [{"role": "tool", "tool_call_id": "c", "content": content}]}
        yield {"messages": [["human", [{"type": "tool_result", "tool_use_id": "c", "content": content}]]]}
    for name in MEMBERS:
        for value in VALUES:
            yield {"messages": [{"role": "tool", "tool_call_id": "c", "content": "x", name: value}]}
    yield {"messages": [{"role": "tool", "tool_call_id": "c"}]}
    yield {"messages": [{"role": "tool", "content": "x"}]}
    yield {"messages": [["tool", "x"]]}
    yield {"messages": [["system", "x"]]}
    yield {"messages": [["developer", "x"]]}


def requests():
    yield from tool_requests()
    base = {"messages": [["human", "x"]]}
    for value in STRUCTURED:
        yield {**base, "structured_output": value}
    for name in [*FIELDS, "mesages"]:
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
    given = {"model": "arn:aws:bedrock:us-east-1:123456789012:imported-model/a", "provider": "custom"}
    for kwargs in ({"prompt": "x", "max_tokens": "any"}, {}, []):
        yield from ({**given, "model_kwargs": kwargs, **more} for more in (
            {}, base, {"api": "converse"}, {"api": "invoke"}, {"messages": []}, {"provider": "CUSTOM"}, {"provider": "meta"}))
    yield from ({}, [], "x", None, {"messages": [{"content": "x"}]}, {"messages": [{"role": "user"}]})


def test_schema_and_reader_accept_the_same_requests(read_requests):
    every = list(requests())
    apart = []
    for request, verdict in zip(every, read_requests(every), strict=True):
        code = verdict.split(" ")[0]
        wrong = faults("request", request)
        if not BEYOND & {code, verdict} and (code == "ok") != (wrong == []):
            apart.append(f"{json.dumps(request)[:120]}: the reader says {verdict}, the schema {wrong[:1]}")
    assert apart == []


def test_the_schema_has_the_fields_of_the_readers_list():
    assert set(schema("request")["properties"]) == set(FIELDS)

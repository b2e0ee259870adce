"""Pictures, documents, videos, sounds, search results, guard content, citations and cache points: Converse gets what
ChatBedrockConverse sends, in every role, with and without cache_control and a guardrail of the last turn."""
import base64
import copy
import itertools
import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from parity import Answer, LangChain, mistakes, request_of, sent

CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
NOVA = "us.amazon.nova-pro-v1:0"
LLAMA = "meta.llama3-3-70b-instruct-v1:0"
PIXTRAL = "mistral.pixtral-large-2502-v1:0"
HELLO = Answer(body={"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
                     "stopReason": "end_turn", "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10},
                     "metrics": {"latencyMs": 5}})
GUARDED = {"guard_last_turn_only": True, "guardrail_config": {"guardrailIdentifier": "g", "guardrailVersion": "1"}}
DATA = b"foo"
B64 = base64.b64encode(DATA).decode()
POINT = {"cachePoint": {"type": "default"}}
EPHEMERAL = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def url(kind, media_type, **more):
    return {"type": f"{kind}_url", f"{kind}_url": {"url": f"data:{media_type};base64,{B64}", **more}}


def v0(kind, media_type, **more):
    return {"type": kind, "source_type": "base64", "data": B64, "mime_type": media_type, **more}


def v1(kind, media_type, **more):
    return {"type": kind, "base64": B64, "mime_type": media_type, **more}


def vendors(kind, media_type, data=B64, how="base64"):
    return {"type": kind, "source": {"type": how, "media_type": media_type, "data": data}}


def document(**source):
    return {"format": "pdf", "name": "n", "source": source or {"bytes": DATA}}


PICTURE = {"format": "png", "source": {"bytes": DATA}}
SEARCH = {"type": "search_result", "source": "s", "title": "t"}
BLOCKS = {
    "a text": {"type": "text", "text": "t"},
    "image_url": url("image", "image/png"), "image_url with detail": url("image", "image/gif", detail="low"),
    "Anthropic's picture": vendors("image", "image/jpeg"), "a picture of LangChain 0": v0("image", "image/webp"),
    "a picture of LangChain 1": v1("image", "image/png"),
    "with id": v1("image", "image/png", id="x", index=0, extras={"a": 1}),
    "in lines": {**v1("image", "image/png"), "base64": "Zm9v\nZm9v\n"},
    "a wrapped picture": {"type": "image", "image": PICTURE}, "a raw picture": {"image": PICTURE},
    "a document of LangChain 0": v0("file", "application/pdf", name="n"),
    "a document with filename": v0("file", "application/pdf", filename="n"),
    "a document of LangChain 1": v1("file", "text/csv", name="n"),
    "named by extras": v1("file", "text/markdown", extras={"name": "n"}),
    "named by a file in extras": v1("file", "text/markdown", extras={"filename": "n"}),
    "named by metadata": v1("file", "text/html", metadata={"name": "n"}), "without a name": v1("file", "text/plain"),
    "source code": v1("file", "text/x-python", name="n"), "XML": v1("file", "application/xml", name="n"),
    "a document to cite": v1("file", "application/pdf", name="n", citations={"enabled": True}),
    "Word": v1("file", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", name="n"),
    "a wrapped document": {"type": "document", "document": document()}, "a raw document": {"document": document()},
    "a document in S3": {"type": "document", "document": document(s3_location={
        "uri": "s3://a/b", "bucket_owner": "123456789012"})},
    "a video": v1("video", "video/mp4"), "video_url": url("video", "video/mp4"),
    "Anthropic's video": vendors("video", "video/webm"),
    "a video in S3": vendors("video", "video/mp4", {"uri": "s3://a/b", "bucketOwner": "123456789012"}, "s3Location"),
    "a wrapped video": {"type": "video", "video": {"format": "mp4", "source": {"bytes": DATA}}},
    **{f"a {name} video": v1("video", f"video/{name}") for name in ("quicktime", "3gpp", "x-matroska", "x-ms-wmv")},
    "a raw sound": {"audio": {"format": "mp3", "source": {"bytes": DATA}}},
    "a search result": {**SEARCH, "content": [{"type": "text", "text": "x"}, {"text": "\u00e4"}],
                        "citations": {"enabled": True}},
    "an empty search result": {**SEARCH, "content": [], "citations": {"enabled": False}},
    "guard content": {"type": "guard_content", "text": "g"},
    "raw guard content": {"guardContent": {"text": {"text": "g", "qualifiers": ["query"]}}},
    "a cache point": POINT, "a cache point of an hour": {"cachePoint": {"type": "default", "ttl": "1h"}},
}
OF_SYSTEM = ["a text", "guard content", "raw guard content", "a cache point", "a cache point of an hour"]


def conversations(block):
    """Messages, options of the model object, arguments of the call."""
    yield [HumanMessage([block])], {}, {}
    yield [SystemMessage("s"), HumanMessage(["see", block]), AIMessage("a"), HumanMessage([block, "again"])], {}, {}
    for call in (EPHEMERAL, HOUR):
        yield [SystemMessage("s"), HumanMessage([block]), AIMessage("a"), HumanMessage(["b", block])], {}, call
    yield [HumanMessage("a"), AIMessage("b"), HumanMessage([block])], GUARDED, EPHEMERAL
    yield [HumanMessage("a"), AIMessage("b"), HumanMessage([block, "c", ""])], GUARDED, {}
    yield [HumanMessage("a"), AIMessage(["b", block]), HumanMessage("c")], {}, EPHEMERAL


def as_json(value):
    """Bytes as the base64 that a record has."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: as_json(member) for name, member in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def shown(message):
    plain = message.model_copy(update={"content": as_json(message.content)})
    return json.loads(plain.model_dump_json(exclude_none=True))


def assert_same(worker, model, messages, options=None, call=None, tools=None):
    options, call = {"model": model, **(options or {})}, call or {}
    langchain = LangChain("converse", [HELLO], **options)
    theirs = langchain.run(copy.deepcopy(messages), bind=(lambda made: made.bind_tools(tools)) if tools else None, **call)
    request = request_of("converse", {**options, **call}, [shown(message) for message in messages])
    ours = worker.run({**request, **({"tools": tools} if tools else {})}, [HELLO])
    assert ours.bodies == [sent(body) for body in theirs.bodies], ours.response
    return ours.bodies[0]


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("model", [CLAUDE, NOVA, LLAMA])
def test_a_block_is_sent_as_langchain_sends_it(worker, name, model):
    for messages, options, call in conversations(BLOCKS[name]):
        body = assert_same(worker, model, messages, options, call)
        assert [fault for fault in mistakes(body) if "bytes" not in fault] == []
    if name in OF_SYSTEM:
        assert_same(worker, model, [SystemMessage(["s", BLOCKS[name]]), HumanMessage("a")], {}, EPHEMERAL)


@pytest.mark.parametrize("own", list(itertools.product((0, 1), (0, 1, 2), (0, 1), (0, 1))), ids=str)
@pytest.mark.parametrize("model", [CLAUDE, NOVA, LLAMA])
def test_points_of_the_request_count_among_the_four(worker, model, own):
    texts = [["s"], ["a"], ["b"], ["c"]]
    system, *turns = [text + [POINT] * count for text, count in zip(texts, own, strict=True)]
    roles = [HumanMessage, AIMessage, HumanMessage]
    said = [role(turn) for role, turn in zip(roles, turns, strict=True)]
    assert_same(worker, model, [SystemMessage(system), *said], {}, EPHEMERAL)


@pytest.mark.parametrize("options", [{"provider": "amazon", "base_model": "amazon.nova-lite-v1:0"},
                                     {"provider": "anthropic", "base_model": "anthropic.claude-3-haiku-20240307-v1:0"}],
                         ids=["nova", "claude"])
def test_an_arn_is_cached_as_its_model(worker, options):
    profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    assert_same(worker, profile, [SystemMessage("s"), HumanMessage("a"), AIMessage("b"), HumanMessage("c")], options, HOUR)


TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {
    "type": "object", "properties": {"x": {"type": "integer"}}}}}
RESULTS = {"a text": "seven", "a picture": ["see", BLOCKS["a picture of LangChain 1"]], "a document": [BLOCKS["without a name"]],
           "a video": [BLOCKS["a video"]], "a search result": [BLOCKS["a search result"]], "a cache point": ["a", POINT],
           "a raw picture": [BLOCKS["a raw picture"]], "a wrapped picture": [BLOCKS["a wrapped picture"]]}


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("model", [CLAUDE, NOVA, LLAMA, PIXTRAL])
def test_a_tools_result_is_cached_and_guarded_as_in_langchain(worker, name, model):
    said = [SystemMessage("s"), HumanMessage("q"), AIMessage("", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "t"}]),
            ToolMessage(RESULTS[name], tool_call_id="t")]
    for tools, options, more in itertools.product(([TOOL], [TOOL, POINT]), ({}, GUARDED), ([], [HumanMessage("and")])):
        assert_same(worker, model, said + more, options, HOUR, tools)
    assert_same(worker, model, said + [AIMessage("x"), HumanMessage("y")], {}, EPHEMERAL, [TOOL])


def citation(**location):
    return {"title": "T", "source_content": [{"text": "quoted"}], "location": location}


DOCUMENT = citation(document_char={"document_index": 0, "start": 1, "end": 5})
FOUND = citation(search_result_location={"search_result_index": 0, "start": 0, "end": 1})
CITATIONS = {"one": [DOCUMENT], "a page's": [citation(document_page={"document_index": 0, "start": 1, "end": 2})],
             "a web's": [citation(web={"url": "https://a", "domain": "a"})], "a search's": [FOUND],
             "both": [DOCUMENT, FOUND], "both, the search's first": [FOUND, DOCUMENT], "none": [],
             "one without content": [DOCUMENT, {"title": "x"}], "the first without content": [{"title": "x"}, DOCUMENT],
             "Bedrock's own": [{"title": "T", "sourceContent": [{"text": "q"}],
                                "location": {"documentChar": {"documentIndex": 0}}}]}


@pytest.mark.parametrize("name", CITATIONS)
def test_citations_go_back_as_langchain_puts_them_back(worker, name):
    cited = {"type": "text", "text": "answer ", "citations": CITATIONS[name]}
    assert_same(worker, CLAUDE, [HumanMessage("q"), AIMessage([cited, {"type": "text", "text": "more"}]), HumanMessage("r")])
    assert_same(worker, CLAUDE, [HumanMessage("q"), AIMessage([cited])])
    assert_same(worker, CLAUDE, [HumanMessage([cited])])


@pytest.mark.parametrize("block", [url("image", "image/png"), v1("file", "application/pdf", name="n")],
                         ids=["picture", "document"])
@pytest.mark.parametrize("wrong", ["https://example.com/a.png", "data:image/png;base64,Zm9!", "data:image/png,a"])
def test_what_langchain_refuses_or_spoils_is_an_error_with_its_place(worker, block, wrong):
    spoilt = {**block, "image_url": {"url": wrong}} if "image_url" in block else {"type": "file", "url": wrong, "name": "n"}
    outcome = worker.run({"model": CLAUDE, "messages": [["human", [spoilt]]]}, [HELLO])
    assert outcome.bodies == []
    assert outcome.response["error"]["code"] == "invalid"
    assert outcome.response["error"]["field"].startswith("messages[0][1][0].")

"""What Bedrock says, in every form that Converse has, and the message that both make of it: each kind of block, whole and
streamed, counts and metadata. Where LangChain fails or loses something, the test says what the worker gives instead."""
import base64
import itertools
import json
import re

import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, HumanMessage

from answer_cases import (BLOCKS, DIFFERENT, FIELDS, METADATA, NOVA, PNG, STOPS, STREAMS, THOUGHTS, USAGES, citation, cited,
                          delta, start, stop, text, thought_events, use, use_events)
from outputs import ROOT
from parity import Answer, LangChain, compared, mistakes, plain, request_of, sum_of
from test_parity import CLAUDE, streamed, text_events, whole

ASK = [HumanMessage("hi")]


def both(worker, answer, model=CLAUDE, stream=False):
    theirs = LangChain("converse", [answer], model=model).run(ASK, stream=stream)
    return theirs, worker.run(request_of("converse", {"model": model}, ASK, stream=stream), [answer])


def assert_same(theirs, ours):
    assert compared(ours.message) == compared(theirs.message)
    assert plain(ours.message.content_blocks) == plain(theirs.message.content_blocks)
    assert ours.message.text == theirs.message.text


def ids(values):
    return [name.replace(" ", "-") for name in values]


# --- whole answers ---

@pytest.mark.parametrize("name", BLOCKS, ids=ids(BLOCKS))
def test_a_block_is_what_langchain_makes_of_it(worker, name):
    if name == "a cited text without citations" or name.startswith("citation of") or name == "image":
        assert_same(*both(worker, whole(BLOCKS[name])))
    assert_same(*both(worker, whole(BLOCKS[name], text("b"))))
    assert_same(*both(worker, whole(text("a"), BLOCKS[name], use("later", "t9", x=1))))


@pytest.mark.parametrize("pair", list(itertools.permutations(["text", "tool use", "reasoning", "citation of characters",
                                                         "image", "tool result"], 2)), ids="-".join)
def test_blocks_stand_beside_each_other(worker, pair):
    assert_same(*both(worker, whole(*(BLOCKS[name] for name in pair))))


@pytest.mark.parametrize("stop", STOPS + ["a_new_reason"])
def test_a_stop_reason_passes_unchanged(worker, stop):
    theirs, ours = both(worker, whole(text("a"), stop=stop))
    assert_same(theirs, ours)
    assert ours.response["stop_reason"] == stop == ours.usage[-1]["stop_reason"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", USAGES, ids=ids(USAGES))
def test_counts_are_langchains(worker, name, stream):
    answer = streamed(*text_events("a|b"), usage=USAGES[name]) if stream else whole(text("ab"), usage=USAGES[name])
    theirs, ours = both(worker, answer, stream=stream)
    assert_same(theirs, ours)
    written = sum(detail["inputTokens"] for detail in USAGES[name].get("cacheDetails", []) if detail["ttl"] == "1h")
    assert ours.usage[-1]["usage"].get("cache_write_1h_tokens", 0) == written


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", METADATA, ids=ids(METADATA))
def test_metadata_is_langchains(worker, name, stream):
    answer = streamed(*text_events("a|b"), **METADATA[name]) if stream else whole(text("ab"), **METADATA[name])
    theirs, ours = both(worker, answer, stream=stream)
    assert_same(theirs, ours)
    if name == "tier":
        assert ours.usage[-1]["service_tier"] == "flex"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", FIELDS, ids=ids(FIELDS))
def test_fields_of_the_model_are_langchains(worker, name, stream):
    more = {"additionalModelResponseFields": FIELDS[name]}
    answer = whole(text("ab"), **more)
    if stream:
        answer = streamed(*text_events("a|b"))
        answer.events[-2][1].update(more)
    theirs, ours = both(worker, answer, stream=stream)
    assert_same(theirs, ours)
    assert ours.usage[-1]["usage"].get("reasoning_tokens") == (3 if name == "thinking tokens" else None)


@pytest.mark.parametrize("said", THOUGHTS)
def test_the_thoughts_of_nova_are_reasoning(worker, said):
    for model in (NOVA, "us." + NOVA, "us.amazon.nova-premier-v1:0", "us.amazon.nova-2-lite-v1:0", CLAUDE):
        assert_same(*both(worker, whole(text(said)), model))
        assert_same(*both(worker, whole(text(said), use(), text("z")), model))
    assert_same(*both(worker, streamed(*text_events(said)), NOVA, stream=True))


PROFILE = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", [PROFILE, CLAUDE, "us." + CLAUDE], ids=["profile", "model", "inference profile"])
def test_the_model_is_named_as_langchain_does(worker, model, stream):
    answer = streamed(*text_events("a")) if stream else whole(text("a"))
    options = {"model": model, "provider": "anthropic", "base_model": CLAUDE}
    theirs = LangChain("converse", [answer], **options).run(ASK, stream=stream)
    ours = worker.run(request_of("converse", options, ASK, stream=stream), [answer])
    assert_same(theirs, ours)
    assert ours.message.response_metadata.get("inference_profile_id") == (PROFILE if model == PROFILE else None)


# --- where LangChain fails or loses something ---

def test_a_single_cited_text_keeps_its_citations(worker):
    answer = whole(cited("a", citations=[citation(documentChar={"documentIndex": 0, "start": 1, "end": 2})]))
    theirs, ours = both(worker, answer)
    assert theirs.message.content == "a"
    assert ours.message.content_blocks == [{"type": "text", "text": "a", "annotations": [{
        "type": "citation", "title": "Report", "cited_text": "the quote", "extras": {
            "source": "s", "location": {"document_char": {"document_index": 0, "start": 1, "end": 2}}}}]}]


def test_the_names_of_users_are_not_changed(worker):
    result = {"toolResult": {"toolUseId": "t", "content": [{"json": {"someKey": {"otherKey": 1.50}}}]}}
    _, ours = both(worker, whole(result, text("b")))
    assert ours.message.content[0]["content"] == [{"type": "json", "json": {"someKey": {"otherKey": 1.50}}}]
    record = worker.run(request_of("converse", {"model": CLAUDE}, ASK), [whole(use(aB=1, c_d={"eF": 2}))])
    assert record.message.tool_calls[0]["args"] == {"aB": 1, "c_d": {"eF": 2}}


RAW = [{"audio": {"format": "mp3", "source": {"bytes": PNG}}}, {"cachePoint": {"type": "default"}},
       {"searchResult": {"source": "s", "title": "t", "content": [text("a")], "citations": {"enabled": True}}},
       {"toolAddition": {"tool": {"name": "n"}}}, {"hologram": {"someKey": 1}},
       {"guardContent": {"image": {"format": "png", "source": {"bytes": PNG}}}}]


@pytest.mark.parametrize("block", RAW, ids=lambda block: next(iter(block)))
def test_a_block_without_a_form_of_langchains_is_kept_as_it_came(worker, block):
    _, ours = worker_only(worker, whole(block, text("b")))
    assert ours.message.content == [block, {"type": "text", "text": "b"}]
    assert ours.message.content_blocks[0] == {"type": "non_standard", "value": block}


def worker_only(worker, answer, stream=False):
    return None, worker.run(request_of("converse", {"model": CLAUDE}, ASK, stream=stream), [answer])


@pytest.mark.parametrize("kind, media_type", [("image", "image/png"), ("video", "video/png")])
def test_media_in_s3_keep_their_place(worker, kind, media_type):
    place = {"uri": "s3://bucket/key", "bucketOwner": "111122223333"}
    answer = whole({kind: {"format": "png", "source": {"s3Location": place}}})
    _, ours = worker_only(worker, answer)
    assert ours.message.content == [{"type": kind, "source": {
        "media_type": media_type, "type": "s3Location",
        "data": {"uri": "s3://bucket/key", "bucket_owner": "111122223333"}}}]
    if kind == "video":
        assert_same(*both(worker, answer))


@pytest.mark.parametrize("value", [7, None, "a", [1], True])
def test_langchain_can_load_a_message_with_values_that_are_no_blocks(worker, value):
    _, ours = worker_only(worker, whole(value, text("b")))
    assert ours.message.content == [{"type": "non_standard", "value": value}, {"type": "text", "text": "b"}]


OVERFLOWS = ["Input is too long for requested model.", "prompt is too long: 200001 tokens > 200000 maximum",
             "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
             "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens."]


@pytest.mark.parametrize("message", OVERFLOWS)
def test_a_prompt_over_the_context_window_is_named_so(worker, message):
    answer = Answer(body={"message": message}, status=400, headers={"x-amzn-ErrorType": "ValidationException"})
    with pytest.raises(ContextOverflowError):
        LangChain("converse", [answer], model=CLAUDE).run(ASK)
    _, ours = worker_only(worker, answer)
    assert ours.response["error"]["code"] == "context_overflow" and len(ours.bodies) == 1
    assert ours.response["error"]["type"] == "ValidationException" and not ours.response["error"]["retryable"]


# --- streams ---


@pytest.mark.parametrize("name", STREAMS, ids=ids(STREAMS))
def test_a_stream_is_what_langchain_makes_of_it(worker, name):
    theirs, ours = both(worker, streamed(*STREAMS[name]), stream=True)
    if name not in DIFFERENT:
        assert_same(theirs, ours)
    assert ours.chunks[0].content == [] == theirs.chunks[0].content
    total = sum_of(ours.chunks)
    assert compared(total) == compared(ours.message)
    assert total.content == ours.message.content and total.chunk_position == "last"
    assert plain(total.content_blocks) == plain(ours.message.content_blocks)
    assert total.response_metadata == ours.message.response_metadata


def assert_sum(ours):
    total = sum_of(ours.chunks)
    assert total.content == ours.message.content
    assert total.usage_metadata == ours.message.usage_metadata
    return total


@pytest.mark.parametrize("arguments", ['{"city": "Par', '{"a": 1', "[1]", '"a"', "nul", '{"a": 1}}'])
def test_cut_arguments_make_an_invalid_call_of_the_message(worker, arguments):
    _, ours = worker_only(worker, streamed(*use_events(0, arguments), stop="max_tokens"), stream=True)
    assert ours.message.tool_calls == []
    assert [(call["name"], call["args"], call["id"]) for call in ours.message.invalid_tool_calls] == \
        [("weather", arguments, "t1")]
    assert_sum(ours)


def test_the_result_of_a_tool_that_bedrock_runs_has_its_content(worker):
    events = [start({"toolResult": {"toolUseId": "t", "type": "x"}}, 0),
              delta({"toolResult": [text("a"), text("b")]}, 0), delta({"toolResult": [{"json": {"aB": 1}}]}, 0), stop(0)]
    _, ours = worker_only(worker, streamed(*events, *text_events("so", 1)), stream=True)
    assert_sum(ours)
    assert ours.message.content[0] == {"type": "tool_result", "tool_use_id": "t", "is_error": False, "index": 0,
                                       "content": [{"type": "text", "text": "ab", "index": 0},
                                                   {"type": "json", "json": {"aB": 1}, "index": 1}]}


@pytest.mark.parametrize("sizes", [(3, 3), (1, 1, 1), (2, 5, 4), (7,), (0, 1), (12, 12, 2)], ids=str)
def test_a_streamed_image_is_that_of_a_whole_answer(worker, sizes):
    data = bytes(range(sum(sizes)))
    pieces, at = [], 0
    for size in sizes:
        pieces.append(base64.b64encode(data[at:at + size]).decode())
        at += size
    events = [start({"image": {"format": "png"}}, 0),
              *(delta({"image": {"source": {"bytes": piece}}}, 0) for piece in pieces), stop(0)]
    _, ours = worker_only(worker, streamed(*events), stream=True)
    _, unstreamed = worker_only(worker, whole({"image": {"format": "png", "source": {
        "bytes": base64.b64encode(data).decode()}}}))
    assert_sum(ours)
    assert [{k: v for k, v in block.items() if k != "index"} for block in ours.message.content] == \
        unstreamed.message.content


def test_a_redacted_thought_is_kept(worker):
    _, ours = worker_only(worker, whole({"reasoningContent": {"redactedContent": PNG}}, text("b")))
    assert ours.message.content[0] == {"type": "reasoning_content", "reasoning_content": {"redacted_content": PNG}}
    _, ours = worker_only(worker, streamed(*thought_events(0, {"redactedContent": PNG})), stream=True)
    assert_sum(ours)
    assert ours.message.content == [{"type": "reasoning_content", "reasoning_content": {"redacted_content": PNG},
                                     "index": 0}]


ODD = [delta({"hologram": 1}, 0), start({"audio": {"format": "mp3"}}, 0), delta("text", 0), delta({"text": 7}, 0),
       delta({"toolUse": {"input": "{}"}}, 0), ("contentBlockDelta", {"delta": text("lost")}),
       ("contentBlockStop", {}), ("anUnknownEvent", {"x": 1}), ("contentBlockDelta", {"contentBlockIndex": 0})]


@pytest.mark.parametrize("event", ODD, ids=json.dumps)
def test_an_odd_event_costs_nothing_of_a_stream(worker, event):
    _, ours = worker_only(worker, streamed(event, *text_events("a|b", 5)), stream=True)
    assert ours.response["status"] == "ok" and len(ours.bodies) == 1
    assert ours.message.text == "ab"
    assert_sum(ours)


def documented():
    """The rows of the page's table of blocks: what Bedrock says, what the content has."""
    page = (ROOT / "schema" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\{.*?\})` \| `(\{.*?\})`.* \|$", page, re.MULTILINE)
    return [(json.loads(said), json.loads(shown)) for said, shown in rows]


@pytest.mark.parametrize("said, shown", documented(), ids=lambda block: next(iter(block)))
def test_the_page_shows_the_block_of_an_answer(worker, said, shown):
    _, ours = worker_only(worker, whole(said, text("b")))
    assert ours.message.content == [shown, {"type": "text", "text": "b"}]


def test_the_page_shows_every_kind_of_block():
    assert len(documented()) == 12


# --- the message goes back ---

TOOLS = [{"name": "weather", "description": "d", "input_schema": {"type": "object", "properties": {}}}]
S3 = {"uri": "s3://bucket/key", "bucketOwner": "111122223333"}
ALONE = {"guard content": {"guardContent": {"text": {"text": "g"}}},          # LangChain cannot send these back
         "image in S3": {"image": {"format": "png", "source": {"s3Location": S3}}},
         "redacted reasoning": {"reasoningContent": {"redactedContent": PNG}},
         "audio": {"audio": {"format": "mp3", "source": {"bytes": PNG}}}}


def put_back(worker, answer, stream=False):
    """What the next call sends of a message, as it is in the response; and the message."""
    record = worker_only(worker, answer, stream)[1].response["message"]
    messages = [{"role": "user", "content": "hi"}, record, {"role": "user", "content": "more"}]
    ours = worker.run({"model": CLAUDE, "messages": messages, "tools": TOOLS}, [whole(text("ok"))])
    assert ours.response["status"] == "ok", ours.response["error"]
    assert mistakes(ours.bodies[0]) == []
    return ours.bodies[0]["messages"][1], AIMessage(**record)


def assert_put_back(worker, answer, stream=False):
    sent, message = put_back(worker, answer, stream)
    model = LangChain("converse", [whole(text("ok"))], model=CLAUDE)
    theirs = model.run([*ASK, message, HumanMessage("more")], bind=lambda model: model.bind_tools(TOOLS))
    assert sent == theirs.bodies[0]["messages"][1]


@pytest.mark.parametrize("name", sorted(set(BLOCKS) - set(ALONE)), ids=ids(sorted(set(BLOCKS) - set(ALONE))))
def test_a_message_goes_back_as_langchain_sends_it(worker, name):
    assert_put_back(worker, whole(BLOCKS[name], text("b")))


@pytest.mark.parametrize("name", STREAMS, ids=ids(STREAMS))
def test_a_streamed_message_goes_back_as_langchain_sends_it(worker, name):
    assert_put_back(worker, streamed(*STREAMS[name]), stream=True)


@pytest.mark.parametrize("name", ALONE, ids=ids(ALONE))
def test_a_block_goes_back_as_bedrock_gave_it(worker, name):
    sent, _ = put_back(worker, whole(ALONE[name], text("b")))
    assert sent["content"] == [ALONE[name], text("b")]


# --- answers that make no sense ---

ODD_VALUES = [None, 7, "x", "", [], {}, True, {"text": "x"}, [{"text": "x"}], {"index": 0}]


def places(value, path=()):
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def spoiled(value):
    """The value with each of its parts replaced, left out, and with a member more."""
    for path in places(value):
        for odd in ODD_VALUES:
            yield changed(value, path, odd)
        for member in ("index", "type", "text", "more"):
            yield changed(value, (*path, member), "text")


def changed(value, path, odd):
    if not path:
        return odd
    value = json.loads(json.dumps(value))
    part = value
    for key in path[:-1]:
        part = part[key]
    if isinstance(part, dict):
        part[path[-1]] = odd
    elif isinstance(path[-1], int):
        part[path[-1]] = odd
    return value


def assert_kept(worker, answer, stream=False):
    ours = worker_only(worker, answer, stream)[1]
    assert ours.response["status"] == "ok" and len(ours.bodies) == 1, answer
    assert ours.message.content_blocks is not None and ours.message.text is not None
    if stream:
        assert sum_of(ours.chunks).content == ours.message.content


SPOILED = ["tool use", "reasoning", "image", "document with text", "tool result", "guard content",
           "citation of characters"]


@pytest.mark.parametrize("name", SPOILED, ids=ids(SPOILED))
def test_an_answer_with_a_spoiled_block_is_kept(worker, name):
    for block in spoiled(BLOCKS[name]):
        assert_kept(worker, whole(block, text("b")))


SPOILED_EVENTS = [delta(text("a"), 0), delta({"citation": citation(documentChar={"start": 1})}, 0),
                  start({"toolUse": {"toolUseId": "t", "name": "n"}}, 1), delta({"toolUse": {"input": "{}"}}, 1),
                  delta({"reasoningContent": text("a")}, 2), start({"image": {"format": "png"}}, 3),
                  delta({"image": {"source": {"bytes": "YQ=="}}}, 3), start({"toolResult": {"toolUseId": "t"}}, 4),
                  delta({"toolResult": [text("a"), {"json": {"b": 1}}]}, 4), stop(4)]


@pytest.mark.parametrize("at", range(len(SPOILED_EVENTS)))
def test_a_stream_with_a_spoiled_event_is_kept(worker, at):
    name, payload = SPOILED_EVENTS[at]
    for odd in spoiled(payload):
        if isinstance(odd, dict):
            assert_kept(worker, streamed(*SPOILED_EVENTS[:at], (name, odd), *SPOILED_EVENTS[at + 1:]), stream=True)

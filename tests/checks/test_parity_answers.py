"""What Bedrock says, in every form that Converse has, and the message that both make of it: each kind of block, whole and
streamed, counts and metadata. Where LangChain fails or loses something, the test says what the worker gives instead."""
import base64
import itertools
import json
import re

import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, HumanMessage

from outputs import ROOT
from parity import Answer, LangChain, compared, plain, request_of, sum_of
from test_parity import CLAUDE, streamed, text_events, whole

NOVA = "amazon.nova-lite-v1:0"
PNG = base64.b64encode(b"\x89PNG picture").decode()
ASK = [HumanMessage("hi")]


def text(value):
    return {"text": value}


def use(name="weather", call="t1", **arguments):
    return {"toolUse": {"toolUseId": call, "name": name, "input": arguments}}


def cited(*texts, citations):
    return {"citationsContent": {"content": [text(value) for value in texts], "citations": citations}}


def citation(quote="the quote", title="Report", **location):
    return {"title": title, "source": "s", "sourceContent": [text(quote)], "location": location}


LOCATIONS = {
    "web": {"web": {"url": "https://example.com/a", "domain": "example.com"}},
    "characters": {"documentChar": {"documentIndex": 0, "start": 1, "end": 9}},
    "pages": {"documentPage": {"documentIndex": 1, "start": 2, "end": 3}},
    "chunks": {"documentChunk": {"documentIndex": 2, "start": 4, "end": 5}},
    "search results": {"searchResultLocation": {"searchResultIndex": 0, "start": 0, "end": 1}},
}

# Blocks of a whole answer that both show alike.
BLOCKS = {
    "text": text("hello \"you\" \u00e9\u4e2d\U0001f600\n\t"),
    "an empty text": text(""),
    "tool use": use(city="Paris", days=2, deep={"someKey": [1, None, True]}),
    "tool use without arguments": use(),
    "server tool use": {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "input": {"queryText": "x"},
                                    "type": "server_tool_use"}},
    "reasoning": {"reasoningContent": {"reasoningText": {"text": "hmm", "signature": "c2ln"}}},
    "reasoning without a signature": {"reasoningContent": {"reasoningText": {"text": "hmm"}}},
    "image": {"image": {"format": "png", "source": {"bytes": PNG}}},
    "video": {"video": {"format": "mp4", "source": {"bytes": PNG}}},
    "document with text": {"document": {"format": "txt", "name": "n", "source": {"text": "t"}, "context": "c",
                                        "citations": {"enabled": True}}},
    "document with content": {"document": {"name": "n", "source": {"content": [text("a"), text("b")]}}},
    "tool result": {"toolResult": {"toolUseId": "t1", "status": "success", "type": "nova_result", "content": [
        text("a"), {"json": {"temperature": 20}}, {"image": {"format": "png", "source": {"bytes": PNG}}}]}},
    "failed tool result": {"toolResult": {"toolUseId": "t1", "status": "error", "content": []}},
    "guard content": {"guardContent": {"text": {"text": "g", "qualifiers": ["query"]}}},
    "cited texts": cited("a", "b", citations=[citation(documentChar={"documentIndex": 0, "start": 1, "end": 2})]),
    "cited texts without citations": cited("a", "b", citations=[]),
    "a cited text without citations": cited("a", citations=[]),
    **{f"citation of {name}": cited("a", " b", citations=[citation(**where)]) for name, where in LOCATIONS.items()},
}
# What LangChain counts and tells beside the content.
USAGES = {
    "cache reads": {"cacheReadInputTokens": 100},
    "cache writes": {"cacheWriteInputTokens": 50},
    "both": {"cacheReadInputTokens": 100, "cacheWriteInputTokens": 50},
    "short-lived writes": {"cacheWriteInputTokens": 50, "cacheDetails": [{"ttl": "5m", "inputTokens": 50}]},
    "long-lived writes": {"cacheWriteInputTokens": 50, "cacheDetails": [{"ttl": "1h", "inputTokens": 50}]},
    "both lifetimes": {"cacheWriteInputTokens": 50, "cacheDetails": [{"ttl": "5m", "inputTokens": 20},
                                                                     {"ttl": "1h", "inputTokens": 25},
                                                                     {"ttl": "1h", "inputTokens": 5}]},
    "no writes in the details": {"cacheDetails": [{"ttl": "5m", "inputTokens": 0}]},
    "a total of its own": {"totalTokens": 4711},
}
METADATA = {
    "performance": {"performanceConfig": {"latency": "optimized"}},
    "tier": {"serviceTier": {"type": "flex"}},
    "trace": {"trace": {"guardrail": {"actionReason": "r", "modelOutput": ["m"], "inputAssessment": {
        "gr-1": {"topicPolicy": {"topics": [{"name": "n", "type": "DENY", "action": "BLOCKED"}]}}}}}},
    "router": {"trace": {"promptRouter": {"invokedModelId": "arn:x"}}},
}
FIELDS = {
    "fields of the model": {"stop_sequence": "END", "someKey": [1, {"aB": 2}]},
    "thinking tokens": {"usage": {"output_tokens_details": {"thinking_tokens": 3}}},
    "thinking tokens of another type": {"usage": {"output_tokens_details": {"thinking_tokens": "3"}}},
}
STOPS = ["end_turn", "tool_use", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered",
         "malformed_model_output", "malformed_tool_use", "model_context_window_exceeded"]


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


THOUGHTS = ["<thinking>It rains.</thinking>\n\nTake a coat.", "<thinking> \n</thinking>a", "<thinking>a</thinking>",
            "a<thinking>b</thinking>c<thinking>d</thinking> ", "<thinking>a<thinking>b</thinking>c</thinking>",
            "<thinking>a", "a</thinking>b<thinking>", "<thinking>a\nb\u00a0</thinking>", "<Thinking>a</Thinking>",
            "<thinking></thinking> "]


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
def test_a_prompt_over_the_context_window_has_an_error_of_its_own(worker, message):
    answer = Answer(body={"message": message}, status=400, headers={"x-amzn-ErrorType": "ValidationException"})
    with pytest.raises(ContextOverflowError):
        LangChain("converse", [answer], model=CLAUDE).run(ASK)
    _, ours = worker_only(worker, answer)
    assert ours.response["error"]["code"] == "context_overflow" and len(ours.bodies) == 1
    assert ours.response["error"]["type"] == "ValidationException" and not ours.response["error"]["retryable"]


# --- streams ---

def start(what, index):
    return "contentBlockStart", {"contentBlockIndex": index, "start": what}


def delta(what, index):
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": what}


def stop(index):
    return "contentBlockStop", {"contentBlockIndex": index}


def use_events(index, arguments, call="t1", name="weather", **more):
    return [start({"toolUse": {"toolUseId": call, "name": name, **more}}, index),
            *(delta({"toolUse": {"input": piece}}, index) for piece in arguments.split("|")), stop(index)]


def thought_events(index, *pieces):
    return [*(delta({"reasoningContent": piece}, index) for piece in pieces), stop(index)]


STREAMS = {
    "a text": text_events("Hel|lo| \"\u00e9\n"),
    "empty pieces": text_events("|a||"),
    "two texts": [*text_events("a|b", 0), *text_events("c", 1)],
    "nothing": [],
    "a tool use": [*text_events("I look."), *use_events(1, '|{"city": |"Paris", "n": 1.5}')],
    "a tool use without arguments": use_events(0, ""),
    "two tool uses": [*use_events(0, '{"a"|: 1}'), *use_events(1, '{"b": [1, |2]}', "t2", "time")],
    "tool uses that alternate": [a for pair in zip(use_events(0, '{"a": |1}'), use_events(1, '{"b"|: 2}', "t2"))
                                 for a in pair],
    "a tool that Bedrock runs": use_events(0, '{"q": |1}', type="server_tool_use"),
    "reasoning": [*thought_events(0, text("Let "), text("me"), {"signature": "c2ln"}), *text_events("So", 1)],
    "citations": [*text_events("a|b", 0)[:-1], delta({"citation": citation(
        documentChar={"documentIndex": 0, "start": 1, "end": 2})}, 0), *text_events("c", 0)],
    **{f"a citation of {name}": [delta(text("a"), 0), delta({"citation": citation(**where)}, 0), stop(0)]
       for name, where in LOCATIONS.items()},
    "a start of a result": [start({"toolResult": {"toolUseId": "t", "status": "error"}}, 0), stop(0)],
    "indexes with gaps": [*text_events("a", 3), *text_events("b", 7)],
    "no stops": [delta(text("a"), 0), delta(text("b"), 1)],
}
# The content of a result is a list from the start; LangChain takes the input of a server's tool for a call without name.
DIFFERENT = {"a start of a result", "a tool that Bedrock runs"}


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


def test_every_message_can_be_loaded_and_put_back(worker):
    for name, block in BLOCKS.items():
        _, ours = worker_only(worker, whole(block, text("b")))
        assert isinstance(AIMessage(**ours.response["message"]), AIMessage), name

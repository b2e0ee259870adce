"""Claude on InvokeModel: the worker sends what ChatBedrock sends, and makes the same message of the answer. Where
ChatBedrock fails or loses something, the test says what the worker gives instead."""
import base64
import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from parity import Answer, LangChain, compared, request_of

CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
PNG = base64.b64encode(b"\x89PNG picture").decode()
PDF = base64.b64encode(b"%PDF-1.4").decode()
COUNTS = {"x-amzn-bedrock-input-token-count": "29", "x-amzn-bedrock-output-token-count": "21"}
USAGE = {"input_tokens": 29, "output_tokens": 21}
WEATHER = {"name": "weather", "description": "the weather", "input_schema": {
    "type": "object", "properties": {"city": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "n": {
        "$ref": "#/$defs/aB"}}, "$defs": {"aB": {"type": "integer"}}}}


def whole(*blocks, stop="end_turn", headers=None, **more):
    return Answer(body={"id": "msg_1", "type": "message", "role": "assistant", "content": list(blocks),
                        "stop_reason": stop, "stop_sequence": None, "usage": USAGE, **more},
                  headers=COUNTS if headers is None else headers)


def text(said, **more):
    return {"type": "text", "text": said, **more}


def use(name="weather", call="t1", **arguments):
    return {"type": "tool_use", "id": call, "name": name, "input": arguments}


def result(call, content, **more):
    return {"type": "tool_result", "tool_use_id": call, "content": content, **more}


HELLO = whole(text("hello"))
CALL = {"name": "weather", "args": {"city": "Paris", "aB": {"c_d": 1}}, "id": "t1", "type": "tool_call"}
CALLED = AIMessage("", tool_calls=[CALL])


def bound(tools=(WEATHER,), **more):
    return lambda model: model.bind_tools([json.loads(json.dumps(tool)) for tool in tools], **more)


def both(worker, messages, options=None, answer=HELLO, stream=False, bind=None, call=None, more=None):
    options = {"model": CLAUDE, **(options or {})}
    ours = worker.run(request_of("invoke", options, messages, stream=stream, **(more or {})), [answer])
    assert ours.message is not None, ours.response
    theirs = LangChain("invoke", [answer], **options).run(messages, stream=stream, bind=bind, **(call or {}))
    return theirs, ours


# --- requests ---

REQUESTS = {
    "a text": ([HumanMessage("hi")], {"temperature": 0}),
    "parameters": ([HumanMessage("hi")], {"temperature": 0.5, "max_tokens": 7, "model_kwargs": {"top_k": 3, "top_p": 0.9}}),
    "fields of the model": ([HumanMessage("hi")], {"model_kwargs": {
        "anthropic_beta": ["a-2025-01-01"], "metadata": {"user_id": "u"}, "thinking": {"type": "disabled"}}}),
    "a system message": ([SystemMessage("be kind"), HumanMessage("hi")], {}),
    "system messages in a row": ([SystemMessage("be kind"), SystemMessage("be brief"), HumanMessage("hi")], {}),
    "system blocks": ([SystemMessage([text("a"), "b", text("c")]), HumanMessage("hi")], {}),
    "a system block that is cached": ([SystemMessage([text("a"), text("b", cache_control={"type": "ephemeral"})]),
                                       HumanMessage("hi")], {}),
    "user messages in a row": ([HumanMessage("a"), HumanMessage("b")], {}),
    "a user message of blocks": ([HumanMessage([text("a")])], {}),
    "strings in a list": ([HumanMessage(["a", text("b")])], {}),
    "blocks behind a string": ([HumanMessage("a"), HumanMessage([text("b"), text("c")])], {}),
    "turns": ([HumanMessage("a"), AIMessage("b"), HumanMessage("c")], {}),
    "model messages in a row": ([HumanMessage("a"), AIMessage("b"), AIMessage([text("c")]), HumanMessage("d")], {}),
    "a model's last words lose their white space": ([HumanMessage("a"), AIMessage("b \n")], {}),
    "a model's list": ([HumanMessage("a"), AIMessage([text("b"), text("c")]), HumanMessage("d")], {}),
    "a model that said nothing": ([HumanMessage("a"), AIMessage(""), HumanMessage("d")], {}),
    "blank blocks": ([HumanMessage([text(" "), text("a")]), AIMessage([text("")]), HumanMessage("d")], {}),
    "blank words behind a result": ([HumanMessage("a"), CALLED, ToolMessage("x", tool_call_id="t1"), HumanMessage(" ")],
                                    {"tools": True}),
    "blank words of a model in a row": ([HumanMessage("a"), AIMessage("b"), AIMessage([text(" ")]), AIMessage(""),
                                         HumanMessage("c")], {}),
    "a string beside blank blocks": ([HumanMessage("a"), HumanMessage([text(""), text(" ")])], {}),
    "an image URL": ([HumanMessage([text("a"), {"type": "image_url", "image_url": {
        "url": f"data:image/png;base64,{PNG}"}}])], {}),
    "Anthropic's image": ([HumanMessage([{"type": "image", "source": {
        "type": "base64", "media_type": "image/png", "data": PNG}}, text("a")])], {}),
    "LangChain's image": ([HumanMessage([{"type": "image", "base64": PNG, "mime_type": "image/jpeg"}, text("a")])], {}),
    "the older image": ([HumanMessage([{"type": "image", "source_type": "base64", "data": PNG,
                                        "mime_type": "image/gif"}])], {}),
    "a document": ([HumanMessage([text("a"), {"type": "document", "source": {
        "type": "base64", "media_type": "application/pdf", "data": PDF}}])], {}),
    "a document of text": ([HumanMessage([{"type": "document", "title": "T", "context": "C", "source": {
        "type": "text", "media_type": "text/plain", "data": "words"}, "citations": {"enabled": False}}, text("a")])], {}),
    "a document of content": ([HumanMessage([{"type": "document", "source": {
        "type": "content", "content": [text("words")]}}, text("a")])], {}),
    "a search result": ([HumanMessage([{"type": "search_result", "source": "s", "title": "t", "content": [text("w")],
                                        "citations": {"enabled": False}}, text("a")])], {}),
    "a tool turn": ([HumanMessage("a"), CALLED, ToolMessage("sunny", tool_call_id="t1")], {"tools": True}),
    "a call behind words": ([HumanMessage("a"), AIMessage("let me see", tool_calls=[CALL]),
                             ToolMessage("sunny", tool_call_id="t1")], {"tools": True}),
    "calls in blocks": ([HumanMessage("a"), AIMessage([text("b"), use(city="Rome")], tool_calls=[
        {**CALL, "args": {"city": "Rome"}}]), ToolMessage("sunny", tool_call_id="t1")], {"tools": True}),
    "calls in blocks and beside": ([HumanMessage("a"), AIMessage([text("b"), use(city="Rome")], tool_calls=[
        CALL, {**CALL, "id": "t2"}]), ToolMessage("x", tool_call_id="t1"), ToolMessage("y", tool_call_id="t2")],
        {"tools": True}),
    "calls of model messages in a row": ([HumanMessage("a"), CALLED, AIMessage("so"), AIMessage([text("b")], tool_calls=[
        {**CALL, "id": "t2"}]), ToolMessage("x", tool_call_id="t1"), ToolMessage("y", tool_call_id="t2")], {"tools": True}),
    "results in a row and words": ([HumanMessage("a"), AIMessage("", tool_calls=[CALL, {**CALL, "id": "t2"}]),
                                    ToolMessage("x", tool_call_id="t1"), ToolMessage("y", tool_call_id="t2"),
                                    HumanMessage("and?")], {"tools": True}),
    "a result of blocks": ([HumanMessage("a"), CALLED, ToolMessage([text("x"), {"type": "image", "source": {
        "type": "base64", "media_type": "image/png", "data": PNG}}, {"type": "image_url", "image_url": {
            "url": f"data:image/png;base64,{PNG}"}}], tool_call_id="t1")], {"tools": True}),
    "a tool that says nothing": ([HumanMessage("a"), CALLED, ToolMessage("", tool_call_id="t1")], {"tools": True}),
    "calls without tools": ([HumanMessage("a"), CALLED, ToolMessage("x", tool_call_id="t1")], {}),
    "a result as a block": ([HumanMessage("a"), CALLED, HumanMessage([text("so"), result("t1", "sunny")])],
                            {"tools": True}),
    "thinking": ([HumanMessage("a"), AIMessage([{"type": "thinking", "thinking": "hm", "signature": "sig"}, text("b"),
                                                use(city="Rome")], tool_calls=[{**CALL, "args": {"city": "Rome"}}]),
                  ToolMessage("x", tool_call_id="t1")],
                 {"tools": True, "max_tokens": 4000, "model_kwargs": {"thinking": {"type": "enabled",
                                                                                  "budget_tokens": 2000}}}),
    "thinking behind words goes first": ([HumanMessage("a"), AIMessage([text("b"), {
        "type": "thinking", "thinking": "hm", "signature": "sig"}]), HumanMessage("c")], {}),
    "encrypted thinking": ([HumanMessage("a"), AIMessage([{"type": "redacted_thinking", "data": "AbCd"}, text("b")]),
                            HumanMessage("c")], {}),
    "a text with Claude's citations": ([HumanMessage("a"), AIMessage([text("b", citations=[{
        "type": "char_location", "cited_text": "q", "document_index": 0, "document_title": None,
        "start_char_index": 0, "end_char_index": 1}])]), HumanMessage("c")], {}),
}


def own(options):
    return {name: value for name, value in options.items() if name != "tools"}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", REQUESTS)
def test_the_worker_sends_what_chatbedrock_sends(worker, name, stream):
    messages, options = REQUESTS[name]
    tools = {"tools": [WEATHER]} if "tools" in options else {}
    theirs, ours = both(worker, messages, own(options), answer=streamed(("text", "a")) if stream else HELLO,
                        bind=bound() if tools else None, more=tools, stream=stream)
    assert ours.bodies == theirs.bodies
    assert ours.paths == theirs.paths


TOOLS = {
    "OpenAI's function": {"type": "function", "function": {"name": "f", "description": "d", "parameters": {
        "type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}}},
    "a function without a description": {"type": "function", "function": {"name": "f", "parameters": {
        "type": "object", "properties": {}}}},
    "a bare function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}},
    "Anthropic's": WEATHER,
    "Anthropic's that is cached": {**WEATHER, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    "Anthropic's without a description": {**WEATHER, "description": ""},
    "a schema with a title": {"title": "T", "description": "d", "type": "object", "properties": {
        "a": {"type": "string"}}, "required": ["a"]},
}


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_sent_as_chatbedrock_sends_it(worker, name):
    theirs, ours = both(worker, [HumanMessage("a")], bind=bound([TOOLS[name]]), more={"tools": [TOOLS[name]]})
    assert ours.bodies == theirs.bodies


@pytest.mark.parametrize("choice", ["auto", "any", "weather", {"type": "tool", "name": "weather"}, {"type": "none"}],
                         ids=str)
def test_a_choice_is_sent_as_chatbedrock_sends_it(worker, choice):
    theirs, ours = both(worker, [HumanMessage("a")], bind=bound(tool_choice=choice),
                        more={"tools": [WEATHER], "tool_choice": choice})
    assert ours.bodies == theirs.bodies


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_stops_and_a_cached_conversation_are_sent_as_chatbedrock_sends_them(worker, stream):
    answer = streamed(("text", "a")) if stream else HELLO
    for messages in ([HumanMessage("a")], [HumanMessage([text("a"), text("b")])], [HumanMessage("a"), AIMessage("b")],
                     [HumanMessage("a"), AIMessage("b"), HumanMessage([text("c"), {
                         "type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}}])]):
        cache = {"type": "ephemeral", "ttl": "1h"}
        theirs, ours = both(worker, messages, answer=answer, stream=stream, call={"stop": ["X"], "cache_control": cache},
                            more={"stop": ["X"], "cache_control": cache})
        assert ours.bodies == theirs.bodies


def test_what_is_not_of_the_body_is_in_the_headers_as_chatbedrock_sends_them(worker):
    options = {"guardrails": {"guardrailIdentifier": "g1", "guardrailVersion": "2", "trace": True},
               "service_tier": "flex", "request_metadata": {"a": "\u00fc\n", "b": "c"}}
    request = request_of("invoke", {"model": CLAUDE, "service_tier": "flex",
                                    "request_metadata": options["request_metadata"]}, [HumanMessage("a")],
                         guardrail={"guardrail_identifier": "g1", "guardrail_version": "2", "trace": "enabled"})
    ours = worker.run(request, [HELLO])
    theirs = LangChain("invoke", [HELLO], model=CLAUDE, **options).run([HumanMessage("a")])
    names = {"accept", "content-type"} | {n for n in theirs.headers[0] if n.startswith("x-amzn-bedrock")}
    assert len(names) == 7
    assert {n: v for n, v in ours.headers[0].items() if n in names} == {
        n: v.decode() if isinstance(v, bytes) else v for n, v in theirs.headers[0].items() if n in names}


# --- answers ---

def streamed(*blocks, stop="end_turn", usage=None, metrics=None):
    """The chunks of a message: blocks as (kind, texts that came one by one), or as a list of chunks."""
    chunks = [{"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": {
        "input_tokens": 29, "output_tokens": 1, **(usage or {})}}}, {"type": "ping"}]
    for index, (kind, *said) in enumerate(blocks):
        chunks += [{**chunk, "index": index} for chunk in BLOCKS[kind](*said)] + [
            {"type": "content_block_stop", "index": index}]
    return Answer(chunks=chunks + [
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 21}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": 29, "outputTokenCount": 21, "invocationLatency": 5, "firstByteLatency": 3,
            **(metrics or {})}}])


def start(**block):
    return {"type": "content_block_start", "content_block": block}


def delta(kind, **said):
    return {"type": "content_block_delta", "delta": {"type": kind, **said}}


BLOCKS = {
    "text": lambda *said: [start(type="text", text="")] + [delta("text_delta", text=part) for part in said],
    "thinking": lambda *said: [start(type="thinking", thinking="", signature="")] + [
        delta("thinking_delta", thinking=part) for part in said] + [delta("signature_delta", signature="c2ln")],
    "use": lambda *said: [start(type="tool_use", id="t1", name="weather", input={})] + [
        delta("input_json_delta", partial_json=part) for part in said],
    "use 2": lambda *said: [start(type="tool_use", id="t2", name="weather", input={})] + [
        delta("input_json_delta", partial_json=part) for part in said],
    "cited": lambda *said: [start(type="text", text="", citations=[]), delta("text_delta", text=said[0])] + [
        delta("citations_delta", citation={"type": "char_location", "cited_text": part, "document_index": 0})
        for part in said[1:]],
    "encrypted": lambda data: [start(type="redacted_thinking", data=data)],
}


def same(theirs, ours):
    """What ChatBedrock says with None, or without thinking with {}, the worker does not say."""
    for outcome in (theirs, ours):
        for told in (outcome.message.response_metadata, outcome.message.additional_kwargs):
            for name in [name for name, value in told.items() if value is None or (name, value) == ("thinking", {})]:
                del told[name]
    assert compared(ours.message) == compared(theirs.message)
    assert ours.message.usage_metadata == theirs.message.usage_metadata


THINKING = {"model_kwargs": {"thinking": {"type": "enabled", "budget_tokens": 2000}}, "max_tokens": 4000}
CITING = [HumanMessage([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"},
                         "citations": {"enabled": True}}, text("a")])]
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
CITATION = {"type": "char_location", "cited_text": "q", "document_index": 0, "start_char_index": 0}

WHOLE = {
    "a text": (whole(text("hello \"you\" \u00e9\u4e2d\U0001f600\n\t")), {}),
    "texts": (whole(text("a"), text(" b")), {}),
    "nothing": (whole(), {}),
    "a call": (whole(use(city="Paris", deep={"aB": [1, None, 1.5]}), stop="tool_use"), {"tools": True}),
    "words and calls": (whole(text("a"), use(), use(call="t2", n=2), stop="tool_use"), {"tools": True}),
    "thinking": (whole(SIGNED, text("a")), {"options": THINKING}),
    "thinking and a call": (whole(SIGNED, text("a"), use(city="x"), stop="tool_use"), {"options": THINKING, "tools": True}),
    "citations": (whole(text("a"), text("b", citations=[CITATION])), {"messages": CITING}),
    "citations that were not made": (whole(text("a")), {"messages": CITING}),
    "cache counts": (whole(text("a"), headers={**COUNTS, "x-amzn-bedrock-cache-read-input-token-count": "100",
                                               "x-amzn-bedrock-cache-write-input-token-count": "50"}), {}),
    "a stop text": (whole(text("a"), stop="stop_sequence"), {}),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_message_of_a_whole_answer_is_chatbedrocks(worker, name):
    answer, told = WHOLE[name]
    tools = {"tools": [WEATHER]} if "tools" in told else {}
    same(*both(worker, told.get("messages", [HumanMessage("a")]), told.get("options"), answer=answer,
               bind=bound() if tools else None, more=tools))


STREAMS = {
    "a text": (streamed(("text", "hello ", "\"you\" \u00e9", "\U0001f600\n")), {}),
    "texts": (streamed(("text", "a"), ("text", " b")), {}),
    "no block": (streamed(), {}),
    "a call": (streamed(("use", "", "{\"city\": \"Pa", "ris\"}"), stop="tool_use"), {"tools": True}),
    "words and calls": (streamed(("text", "a", "b"), ("use", "{}"), ("use 2", "{\"n\": 2}"), stop="tool_use"),
                        {"tools": True}),
    "words where tools are": (streamed(("text", "a", "b")), {"tools": True}),
    "thinking": (streamed(("thinking", "h", "m"), ("text", "a")), {"options": THINKING}),
    "thinking and a call": (streamed(("thinking", "h", "m"), ("text", "a"), ("use", "{\"city\":\"x\"}")),
                            {"options": THINKING, "tools": True}),
    "thinking without words": (streamed(("thinking",), ("text", "a")), {"options": THINKING}),
    "a model that thinks by itself": (streamed(("text", "a")), {"options": {"model": "anthropic.claude-opus-5"}}),
    "citations": (streamed(("text", "a"), ("cited", "b", "q", "r")), {"messages": CITING}),
    "cache counts": (streamed(("text", "a"), metrics={"cacheReadInputTokenCount": 100, "cacheWriteInputTokenCount": 50}),
                     {}),
    "a stop text": (streamed(("text", "a"), stop="stop_sequence"), {}),
}


@pytest.mark.parametrize("name", STREAMS)
def test_the_chunks_and_the_message_of_a_stream_are_chatbedrocks(worker, name):
    answer, told = STREAMS[name]
    tools = {"tools": [WEATHER]} if "tools" in told else {}
    theirs, ours = both(worker, told.get("messages", [HumanMessage("a")]), told.get("options"), answer=answer, stream=True,
                        bind=bound() if tools else None, more=tools)
    same(theirs, ours)
    assert contents(ours.chunks) == contents(theirs.chunks)
    assert [c for chunk in ours.chunks for c in chunk.tool_call_chunks] == [
        c for chunk in theirs.chunks for c in chunk.tool_call_chunks]
    whole_sum = ours.chunks[0]
    for chunk in ours.chunks[1:]:
        whole_sum += chunk
    assert whole_sum.content == ours.message.content
    assert whole_sum.tool_calls == ours.message.tool_calls
    assert whole_sum.usage_metadata == ours.message.usage_metadata


def contents(chunks):
    return [chunk.content for chunk in chunks if chunk.content]


# --- where ChatBedrock fails or loses something ---

def ours_of(worker, answer, messages=(HumanMessage("a"),), options=None, stream=False, **more):
    outcome = worker.run(request_of("invoke", {"model": CLAUDE, **(options or {})}, messages, stream=stream, **more),
                         [answer])
    assert outcome.message is not None, outcome.response
    return outcome


def test_system_messages_apart_are_sent_in_their_order(worker):
    ours = ours_of(worker, HELLO, [SystemMessage("a"), HumanMessage("b"), SystemMessage("c")])
    assert ours.bodies[0]["system"] == [text("a"), text("c")]


def test_a_failed_tool_says_so(worker):
    for failed in (ToolMessage("boom", tool_call_id="t1", status="error"),
                   HumanMessage([result("t1", [text("boom")], is_error=True)])):
        ours = ours_of(worker, HELLO, [HumanMessage("a"), CALLED, failed], tools=[WEATHER])
        assert ours.bodies[0]["messages"][2]["content"][0]["is_error"] is True


def test_the_time_to_live_of_a_cached_text_is_kept(worker):
    cache = {"type": "ephemeral", "ttl": "1h"}
    ours = ours_of(worker, HELLO, [SystemMessage([text("a", cache_control=cache)]),
                                   HumanMessage([text("b", cache_control=cache), text("c")])])
    assert ours.bodies[0]["system"] == [text("a", cache_control=cache)]
    assert ours.bodies[0]["messages"][0]["content"] == [text("b", cache_control=cache), text("c")]


def test_converses_cache_points_become_cache_control(worker):
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    cache = {"type": "ephemeral", "ttl": "1h"}
    ours = ours_of(worker, HELLO, [SystemMessage([text("s"), {"cachePoint": {"type": "default"}}]),
                                   HumanMessage([text("a"), point, text("b")])], tools=[WEATHER, point])
    body = ours.bodies[0]
    assert body["system"] == [text("s", cache_control={"type": "ephemeral"})]
    assert body["messages"][0]["content"] == [text("a", cache_control=cache), text("b")]
    assert body["tools"] == [{**WEATHER, "cache_control": cache}]


def test_converses_own_blocks_are_sent_in_claudes_form(worker):
    ours = ours_of(worker, HELLO, [
        HumanMessage([{"text": "a"}, {"image": {"format": "png", "source": {"bytes": PNG}}},
                      {"document": {"format": "pdf", "name": "n", "source": {"bytes": PDF}}},
                      {"document": {"format": "txt", "name": "t", "source": {
                          "bytes": base64.b64encode("w\u00f6rds".encode()).decode()}}}]),
        AIMessage([{"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Rome"}}}]),
        HumanMessage([{"toolResult": {"toolUseId": "t1", "status": "error", "content": [
            {"text": "x"}, {"json": {"a": 1.0}}]}}])], tools=[WEATHER])
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    pdf = {"type": "document", "title": "n", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
    plain = {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "w\u00f6rds"}}
    asked, called, answered = ours.bodies[0]["messages"]
    assert asked["content"] == [pdf, plain, text("a"), image]
    assert called["content"] == [{"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Rome"}}]
    assert answered["content"] == [{"type": "tool_result", "tool_use_id": "t1", "is_error": True,
                                    "content": [text("x"), text('{"a": 1.0}')]}]


def test_encrypted_thinking_is_kept(worker):
    alone = ours_of(worker, whole({"type": "redacted_thinking", "data": "AbCd"}, text("a")))
    assert alone.message.content == [{"type": "redacted_thinking", "data": "AbCd"}, text("a")]
    ours = ours_of(worker, streamed(("encrypted", "AbCd"), ("text", "a", "b")), options=THINKING, stream=True)
    assert ours.message.content == [{"type": "redacted_thinking", "data": "AbCd", "index": 0}, text("ab", index=1)]
    assert sum_up(ours.chunks).content == ours.message.content


def sum_up(chunks):
    whole_sum = chunks[0]
    for chunk in chunks[1:]:
        whole_sum += chunk
    return whole_sum


def test_a_message_goes_back_as_it_came(worker):
    for stream in (False, True):
        answer = (streamed(("thinking", "h", "m"), ("encrypted", "AbCd"), ("text", "a"), ("use", "{\"city\":", "\"x\"}"))
                  if stream else whole(SIGNED, {"type": "redacted_thinking", "data": "AbCd"}, text("a"), use(city="x")))
        first = ours_of(worker, answer, options=THINKING, stream=stream, tools=[WEATHER])
        ours = ours_of(worker, HELLO, [HumanMessage("a"), first.message, ToolMessage("sunny", tool_call_id="t1")],
                       options=THINKING, tools=[WEATHER])
        assert ours.bodies[0]["messages"][1]["content"] == [
            SIGNED, {"type": "redacted_thinking", "data": "AbCd"}, text("a"), use(city="x")]


def test_a_string_stream_that_gets_a_call_becomes_a_list_as_chunks_do(worker):
    ours = ours_of(worker, streamed(("text", "a", "b"), ("use", "{\"n\": ", "2}"), ("text", "c")), stream=True)
    assert ours.message.content == ["ab", {**use(), "index": 1, "partial_json": '{"n": 2}'}, text("c", index=2)]
    assert sum_up(ours.chunks).content == ours.message.content
    assert sum_up(ours.chunks).tool_calls == ours.message.tool_calls == [
        {"name": "weather", "args": {"n": 2}, "id": "t1", "type": "tool_call"}]


@pytest.mark.parametrize("said", ["{\"n\": ", "[1]", "7", "\"a\""])
def test_a_call_whose_input_is_no_object_is_invalid(worker, said):
    ours = ours_of(worker, streamed(("use", said), stop="max_tokens"), stream=True, tools=[WEATHER])
    assert ours.message.tool_calls == []
    assert [call["args"] for call in ours.message.invalid_tool_calls] == [said]


def test_the_verdict_of_a_guardrail_is_in_the_metadata(worker):
    verdict = {"amazon-bedrock-guardrailAction": "INTERVENED",
               "amazon-bedrock-trace": {"guardrail": {"actionReason": "Guardrail blocked.", "input": {"g": {"n": 1.50}}}}}
    ours = ours_of(worker, whole(text("Sorry."), **verdict))
    assert {k: v for k, v in ours.message.response_metadata.items() if k.startswith("amazon")} == verdict
    answer = streamed(("text", "Sorry."))
    for chunk in answer.chunks:
        chunk["amazon-bedrock-guardrailAction"] = "INTERVENED"
    answer.chunks[-1]["amazon-bedrock-trace"] = verdict["amazon-bedrock-trace"]
    ours = ours_of(worker, answer, stream=True)
    assert {k: v for k, v in ours.message.response_metadata.items() if k.startswith("amazon")} == verdict
    assert sum_up(ours.chunks).response_metadata == {
        **ours.message.response_metadata, "ResponseMetadata": sum_up(ours.chunks).response_metadata["ResponseMetadata"]}


def test_what_the_counts_of_a_stream_say_differently_is_in_raw(worker):
    ours = ours_of(worker, streamed(("text", "a"), metrics={"outputTokenCount": 90}), stream=True)
    usage = ours.usage[-1]
    assert (usage["api"], usage["estimated"]) == ("invoke", False)
    assert (usage["usage"]["input_tokens"], usage["usage"]["output_tokens"]) == (29, 21)
    assert usage["usage"]["raw"] == {
        "message_start": {"input_tokens": 29, "output_tokens": 1}, "message_delta": {"output_tokens": 21},
        "amazon-bedrock-invocationMetrics": {"inputTokenCount": 29, "outputTokenCount": 90, "invocationLatency": 5,
                                             "firstByteLatency": 3}}


def test_an_answer_without_counts_in_its_headers_has_those_of_its_body(worker):
    answer = whole(text("a"), headers={}, usage={
        "input_tokens": 3, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 50, "output_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}})
    ours = ours_of(worker, answer)
    assert ours.message.usage_metadata == {"input_tokens": 153, "output_tokens": 7, "total_tokens": 160,
                                           "input_token_details": {"cache_read": 100, "cache_creation": 50}}
    assert ours.usage[-1]["usage"]["cache_write_1h_tokens"] == 30


@pytest.mark.parametrize("last", [2, 4, 5])
def test_a_stream_that_is_cut_is_called_again(worker, last):
    good = streamed(("text", "a", "b"))
    cut = Answer(chunks=good.chunks[:last])
    request = request_of("invoke", {"model": CLAUDE}, [HumanMessage("a")], stream=True)
    ours = worker.run(request, [cut, good])
    assert ours.message.content == "ab" and len(ours.bodies) == 2
    assert [(usage["final"], usage.get("reason")) for usage in ours.usage] == [(False, "stream_cut"), (True, None)]


def test_an_error_inside_of_a_stream_is_an_error(worker):
    good = streamed(("text", "a"))
    bad = Answer(chunks=good.chunks[:4] + [{"type": "error", "error": {"type": "overloaded_error", "message": "m"}}])
    request = request_of("invoke", {"model": CLAUDE}, [HumanMessage("a")], stream=True)
    assert worker.run(request, [bad, good]).message.content == "a"
    assert worker.run(request, [bad]).response["error"]["code"] == "broken_stream"


# --- structured output ---

POINT = {"title": "Point", "description": "a point", "type": "object", "properties": {
    "x": {"type": "number"}, "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "required": ["x"]}


@pytest.mark.parametrize("options", [{}, {"model": "anthropic.claude-3-7-sonnet-20250219-v1:0", **THINKING}],
                         ids=["plain", "thinking"])
def test_a_schema_is_sent_and_parsed_as_chatbedrock_does(worker, options):
    options = {"model": CLAUDE, **options}
    answer = whole(use("Point", x=1.5), stop="tool_use")
    asked = LangChain("invoke", [answer], **options)
    parsed = asked.model.with_structured_output(POINT, include_raw=True).invoke([HumanMessage("a")])
    ours = worker.run(request_of("invoke", options, [HumanMessage("a")],
                                 structured_output={"schema": POINT, "include_raw": True}), [answer])
    assert ours.bodies == [json.loads(call.body) for call in asked.calls]
    assert float(ours.response["parsed"]["x"]) == parsed["parsed"]["x"] == 1.5
    assert compared(ours.message)["tool_calls"] == compared(parsed["raw"])["tool_calls"]


# --- what is told beside the answer ---

def test_the_tier_that_served_the_call_is_recorded(worker):
    for stream in (False, True):
        answer = streamed(("text", "a")) if stream else whole(text("a"))
        answer.headers = {**COUNTS, "X-Amzn-Bedrock-Service-Tier": "flex"}
        assert ours_of(worker, answer, stream=stream, service_tier="flex").usage[-1]["service_tier"] == "flex"


def test_how_a_stream_waits_for_its_guardrail_is_in_the_body(worker):
    guardrail = {"guardrail_identifier": "g", "guardrail_version": "1", "stream_processing_mode": "async"}
    ours = ours_of(worker, streamed(("text", "a")), stream=True, guardrail=guardrail)
    assert ours.bodies[0]["amazon-bedrock-guardrailConfig"] == {"streamProcessingMode": "ASYNCHRONOUS"}
    assert "amazon-bedrock-guardrailConfig" not in ours_of(worker, HELLO, guardrail=guardrail).bodies[0]


def test_an_effort_is_sent_in_the_models_own_members(worker):
    ours = ours_of(worker, HELLO, options={"model": "anthropic.claude-opus-4-8"}, reasoning={"effort": "high"})
    assert ours.bodies[0]["thinking"] == {"type": "adaptive"}
    assert ours.bodies[0]["output_config"] == {"effort": "high"}


def test_tools_of_the_model_itself_pass_in_model_kwargs(worker):
    tool = {"type": "text_editor_20250124", "name": "str_replace_editor"}
    answer = streamed(("text", "a"), ("use", "{}"))
    ours = ours_of(worker, answer, options={"model_kwargs": {"tools": [tool]}}, stream=True)
    assert ours.bodies[0]["tools"] == [tool]
    assert ours.message.content[0] == text("a", index=0)


def test_a_completion_of_the_first_models_is_read(worker):
    ours = ours_of(worker, Answer(body={"type": "completion", "completion": " hi", "stop_reason": "stop_sequence",
                                        "stop": "\\n\\nHuman:"}, headers=COUNTS), options={"model": "anthropic.claude-v2"})
    assert (ours.message.content, ours.response["stop_reason"]) == (" hi", "stop_sequence")

"""InvokeModel's families beside ChatBedrock: the worker sends what LangChain sends, but for the white space and the marks of
prompts, which are the vendors' own; and it makes the same message of the answer. Where LangChain has a bug (a stop key that
the family does not have, no counts for some stop reasons, lists printed into prompts), the test says what the worker does."""
import json
import re

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from parity import Answer, LangChain, compared, plain, request_of

LLAMA3, LLAMA4 = "meta.llama3-1-8b-instruct-v1:0", "us.meta.llama4-scout-17b-instruct-v1:0"
MISTRAL, DEEPSEEK = "mistral.mistral-7b-instruct-v0:2", "us.deepseek.r1-v1:0"
TITAN, OPENAI, QWEN = "amazon.titan-text-express-v1", "openai.gpt-oss-20b-1:0", "qwen.qwen3-32b-v1:0"
PROMPTS = [LLAMA3, LLAMA4, MISTRAL, DEEPSEEK, TITAN]
CHATS = [OPENAI, QWEN]
JAMBA, WRITER, COHERE = "ai21.jamba-1-5-mini-v1:0", "us.writer.palmyra-x5-v1:0", "cohere.command-r-v1:0"
COUNTED = {"X-Amzn-Bedrock-Input-Token-Count": "7", "X-Amzn-Bedrock-Output-Token-Count": "3"}
METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 7, "outputTokenCount": 3}}


def said(model, text, stop):
    """How the family says a text whole."""
    family = model.removeprefix("us.").split(".")[0]
    return {"meta": {"generation": text, "stop_reason": stop},
            "mistral": {"outputs": [{"text": text, "stop_reason": stop}]},
            "deepseek": {"choices": [{"text": text, "stop_reason": stop}]},
            "amazon": {"results": [{"outputText": text, "completionReason": stop}]},
            "cohere": {"text": text, "finish_reason": stop}}.get(
                family, {"choices": [{"message": {"content": text}, "finish_reason": stop}]})


def piece(model, text, stop=None):
    """How the family says a piece of a stream."""
    family = model.removeprefix("us.").split(".")[0]
    return {"amazon": {"outputText": text, "index": 0, "completionReason": stop},
            "cohere": {"text": text, "is_finished": stop is not None, "finish_reason": stop}}.get(
                family, {"choices": [{"delta": {"content": text}, "finish_reason": stop}]}
                if family in ("openai", "qwen", "ai21", "writer") else said(model, text, stop))


def streamed(model, *texts, stop):
    chunks = [piece(model, text) for text in texts] + [{**piece(model, "", stop), **METRICS}]
    return Answer(chunks=chunks)


def bare(prompt):
    """A prompt without its marks and white space."""
    return re.sub(r"<\|.*?\|>|<\uff5c.*?\uff5c>|</?s>|\[/?INST\]|<</?SYS>>|\s", "", prompt)


def unmarked(body):
    return {name: bare(value) if name in ("prompt", "inputText") else value for name, value in body.items()}


TALKS = {
    "a text": [HumanMessage("hi")],
    "a system message": [SystemMessage("be kind"), HumanMessage("hi \u00e9 \"you\"\n")],
    "a talk": [SystemMessage("be kind"), HumanMessage("hi"), AIMessage("hello"), HumanMessage("how are you?")],
    "two of one role": [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d"), HumanMessage("e")],
    "two systems": [SystemMessage("a"), SystemMessage("b"), HumanMessage("hi")],
    "a later system message": [HumanMessage("a"), AIMessage("b"), SystemMessage("s"), HumanMessage("c")],
    "only a system message": [SystemMessage("s")],
    "the assistant first": [SystemMessage("s"), AIMessage("b"), HumanMessage("a")],
    "an empty text": [HumanMessage("")],
    "empty texts among others": [HumanMessage("a"), AIMessage(""), HumanMessage(" \n")],
}
SETTINGS = {"temperature": 0.5, "max_tokens": 64}


def both(worker, model, messages, answer, options=None, stream=False, **more):
    options = {"model": model, **(options or {})}
    theirs = LangChain("invoke", [answer], **options).run(messages, stream=stream)
    ours = worker.run(request_of("invoke", options, messages, stream=stream, **more), [answer])
    assert ours.message is not None, ours.response
    return ours, theirs


@pytest.mark.parametrize("options", [{}, SETTINGS], ids=["bare", "settings"])
@pytest.mark.parametrize("talk", TALKS, ids=[name.replace(" ", "-") for name in TALKS])
@pytest.mark.parametrize("model", PROMPTS + CHATS)
def test_a_body_says_what_langchains_says(worker, model, talk, options):
    answer = Answer(body=said(model, "hello", "stop"), headers=COUNTED)
    ours, theirs = both(worker, model, TALKS[talk], answer, options)
    assert [unmarked(body) for body in ours.bodies] == [unmarked(body) for body in theirs.bodies]
    assert ours.paths == theirs.paths


@pytest.mark.parametrize("model,kwargs", [(LLAMA3, {"top_p": 0.5}), (MISTRAL, {"top_p": 0.5, "top_k": 9, "x": [1]}),
                                          (TITAN, {"topP": 0.5, "x": {}}), (DEEPSEEK, {"top_p": 1}),
                                          (OPENAI, {"reasoning_effort": "low", "top_p": 0.5}),
                                          (QWEN, {"response_format": {"type": "json_object"}})])
def test_model_kwargs_go_where_langchain_puts_them(worker, model, kwargs):
    answer = Answer(body=said(model, "hello", "stop"), headers=COUNTED)
    ours, theirs = both(worker, model, TALKS["a text"], answer, {"model_kwargs": kwargs, **SETTINGS})
    assert [unmarked(body) for body in ours.bodies] == [unmarked(body) for body in theirs.bodies]


@pytest.mark.parametrize("model", PROMPTS + CHATS)
def test_a_whole_answer_is_langchains_message(worker, model):
    answer = Answer(body=said(model, " hello \u00e9\n", "length"), headers=COUNTED)
    ours, theirs = both(worker, model, TALKS["a text"], answer)
    seen, wanted = compared(ours.message), compared(theirs.message)
    for name in ("content", "tool_calls", "invalid_tool_calls", "usage_metadata"):
        assert seen[name] == wanted[name]
    assert seen["response_metadata"]["model_provider"] == "bedrock"
    assert seen["response_metadata"]["model_name"] == model
    # LangChain has a stop reason only where the member is called stop_reason.
    assert seen["response_metadata"]["stop_reason"] == seen["additional_kwargs"]["stop_reason"] == "length"
    assert seen["additional_kwargs"]["usage"] == wanted["additional_kwargs"]["usage"]
    assert ours.usage[0]["usage"]["total_tokens"] == 10 and not ours.usage[0]["estimated"]


@pytest.mark.parametrize("model", PROMPTS + CHATS)
def test_a_stream_is_langchains_text_and_counts(worker, model):
    answer = streamed(model, "hel", "lo", " \u00e9\n", stop="stop")
    ours, theirs = both(worker, model, TALKS["a text"], answer, stream=True)
    assert ours.message.content == theirs.message.content == "hello \u00e9\n"
    total = sum(ours.chunks[1:], ours.chunks[0])
    assert total.content == ours.message.content
    if theirs.message.usage_metadata is not None:
        assert compared(total)["usage_metadata"] == compared(theirs.message)["usage_metadata"]


@pytest.mark.parametrize("stop", ["stop", "length", "FINISH", "COMPLETE", "tool_calls", "anything"])
@pytest.mark.parametrize("model", PROMPTS + CHATS + [JAMBA, WRITER, COHERE])
def test_no_stream_is_without_its_counts(worker, model, stop):
    answer = streamed(model, "hello", stop=stop)
    ours = worker.run(request_of("invoke", {"model": model}, TALKS["a text"], stream=True), [answer])
    assert ours.response["status"] == "ok", ours.response
    assert ours.response["usage"]["total_tokens"] == 10 and ours.response["stop_reason"] == stop
    total = sum(ours.chunks[1:], ours.chunks[0])
    assert total.usage_metadata == ours.message.usage_metadata
    assert total.response_metadata == ours.message.response_metadata
    assert not ours.usage[0]["estimated"] and ours.usage[0]["usage"] == ours.response["usage"]


@pytest.mark.parametrize("model", PROMPTS + CHATS)
def test_a_stream_without_metrics_has_a_last_chunk_all_the_same(worker, model):
    """Only the end of the stream tells then that it was whole."""
    answer = Answer(chunks=[piece(model, "hello"), piece(model, "", "stop")])
    ours = worker.run(request_of("invoke", {"model": model}, TALKS["a text"], stream=True), [answer])
    assert ours.message.content == "hello" and ours.response["stop_reason"] == "stop"
    assert [chunk.chunk_position for chunk in ours.chunks] == [None, None, "last"]
    total = sum(ours.chunks[1:], ours.chunks[0])
    assert (total.content, total.response_metadata) == (ours.message.content, ours.message.response_metadata)
    assert ours.usage[0]["reason"] == "no_counts"


TOOLS = [HumanMessage("weather?"),
         AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Z\u00fcrich", "days": [1, 2.5]}, "id": "c1"},
                                   {"name": "time", "args": {}, "id": "c2"}]),
         ToolMessage("sunny", tool_call_id="c1"), ToolMessage([{"type": "text", "text": "a"}, "b"], tool_call_id="c2"),
         HumanMessage("and?")]
PICTURE = [HumanMessage([{"type": "text", "text": "see"},
                         {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}])]
LINES = [SystemMessage([{"type": "text", "text": "be"}, "kind"]), HumanMessage(["a", {"type": "text", "text": "b"}])]


@pytest.mark.parametrize("messages", [TOOLS, PICTURE, LINES], ids=["tools", "picture", "lines"])
@pytest.mark.parametrize("model", CHATS)
def test_messages_of_chat_completions_are_langchains(worker, model, messages):
    answer = Answer(body=said(model, "hello", "stop"), headers=COUNTED)
    ours, theirs = both(worker, model, messages, answer)
    assert ours.bodies == theirs.bodies


def called(*calls, content=None, stop=None):
    """A chunk of OpenAI's form with pieces of calls: (index, id, name, arguments)."""
    pieces = [{"index": index, **({"id": call, "type": "function"} if call else {}),
               "function": {**({"name": name} if name else {}), "arguments": arguments}} for index, call, name, arguments in calls]
    return {"choices": [{"index": 0, "delta": {"content": content, "tool_calls": pieces}, "finish_reason": stop}]}


@pytest.mark.parametrize("model", CHATS + [JAMBA, WRITER])
def test_streamed_tool_calls_add_up_to_the_message(worker, model):
    answer = Answer(chunks=[
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        called((0, "c1", "weather", "")), called((0, None, None, '{"city": "Z\u00fcrich"')),
        called((0, None, None, ', "days": [1, 2.5]}'), (1, "c2", "time", "{}")),
        {**called(stop="tool_calls"), **METRICS}])
    ours = worker.run(request_of("invoke", {"model": model}, TALKS["a text"], stream=True), [answer])
    total = sum(ours.chunks[1:], ours.chunks[0])
    assert ours.message.content == total.content == ""
    assert plain(ours.message.tool_calls) == plain(total.tool_calls) == plain([
        {"name": "weather", "args": {"city": "Z\u00fcrich", "days": [1, 2.5]}, "id": "c1", "type": "tool_call"},
        {"name": "time", "args": {}, "id": "c2", "type": "tool_call"}])
    assert ours.message.invalid_tool_calls == total.invalid_tool_calls == []
    # The message goes back as it is.
    again = worker.run(request_of("invoke", {"model": model}, [HumanMessage("hi"), ours.message,
                                                               ToolMessage("a", tool_call_id="c1"),
                                                               ToolMessage("b", tool_call_id="c2")]),
                       [Answer(body=said(model, "hello", "stop"), headers=COUNTED)])
    calls = again.bodies[0]["messages"][1]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [call["args"] for call in total.tool_calls]
    assert [message["tool_call_id"] for message in again.bodies[0]["messages"][2:]] == ["c1", "c2"]


NOVA = "us.amazon.nova-lite-v1:0"


def test_novas_stream_adds_up_to_the_message(worker):
    def delta(index, **said):
        return {"contentBlockDelta": {"contentBlockIndex": index, "delta": said}}
    answer = Answer(chunks=[
        {"messageStart": {"role": "assistant"}}, delta(0, text="Voi"), {"contentBlockStop": {"contentBlockIndex": 0}},
        delta(1, text="ci"), {"contentBlockStop": {"contentBlockIndex": 1}},
        {"contentBlockStart": {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "weather"}}}},
        delta(2, toolUse={"input": '{"n": 1.50}'}), {"contentBlockStop": {"contentBlockIndex": 2}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": {"inputTokens": 7, "outputTokens": 3}, "metrics": {}, "trace": {}}, **METRICS}])
    ours = worker.run(request_of("invoke", {"model": NOVA}, TALKS["a text"], stream=True), [answer])
    total = sum(ours.chunks[1:], ours.chunks[0])
    assert plain(total.content) == plain(ours.message.content) and total.text == "Voici"
    assert plain(total.tool_calls) == plain(ours.message.tool_calls)
    assert total.usage_metadata == ours.message.usage_metadata and ours.usage[0]["usage"]["total_tokens"] == 10
    assert total.response_metadata == ours.message.response_metadata


def test_novas_body_is_converses_conversation_in_its_own_form(worker):
    """LangChain calls Nova with Converse by itself: InvokeModel gets the same messages, system and tools."""
    options = {"model": NOVA, **SETTINGS}
    answer = Answer(body={"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}}, "stopReason": "end_turn",
                          "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}, "metrics": {"latencyMs": 5}},
                    headers=COUNTED)
    weather = {"name": "weather", "description": "d", "input_schema": {"type": "object", "properties": {}}}
    theirs = LangChain("converse", [answer], **options).run(TOOLS, bind=lambda model: model.bind_tools([weather]))
    ours = worker.run(request_of("invoke", options, TOOLS, tools=[weather]), [answer])
    body = ours.bodies[0]
    assert {name: body[name] for name in ("messages", "toolConfig", "inferenceConfig")} == \
        {name: theirs.bodies[0][name] for name in ("messages", "toolConfig", "inferenceConfig")}
    assert set(body) == {"schemaVersion", "messages", "toolConfig", "inferenceConfig"}
    assert ours.message.content == theirs.message.content


def test_a_tool_turn_of_llama_4_is_langchains(worker):
    answer = Answer(body=said(LLAMA4, "hello", "stop"), headers=COUNTED)
    ours, theirs = both(worker, LLAMA4, TOOLS[:3], answer)
    assert [unmarked(body) for body in ours.bodies] == [unmarked(body) for body in theirs.bodies]


def test_lists_in_prompts_are_lines_and_not_pythons_print(worker):
    answer = Answer(body=said(MISTRAL, "hello", "stop"), headers=COUNTED)
    ours, theirs = both(worker, MISTRAL, LINES, answer)
    assert "be\nkind" in ours.bodies[0]["prompt"] and "a\nb" in ours.bodies[0]["prompt"]
    assert "'type'" in theirs.bodies[0]["prompt"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", [LLAMA3, LLAMA4])
def test_llamas_answer_is_cut_at_its_stop_text(worker, model, stream):
    answer = (streamed(model, "one E", "ND two EN", "D", stop="length") if stream
              else Answer(body=said(model, "one END two END", "length"), headers=COUNTED))
    request = request_of("invoke", {"model": model, "stop_sequences": ["END", "x."]}, TALKS["a text"], stream=stream)
    ours = worker.run(request, [answer])
    assert ours.message.content == "one " and ours.response["stop_reason"] == "stop_sequence"
    assert ours.response["usage"]["output_tokens"] == 3
    assert not {"stop", "stop_sequences"} & set(ours.bodies[0])
    if stream:
        assert "".join(chunk.content for chunk in ours.chunks) == "one "


@pytest.mark.parametrize("model,key", [(MISTRAL, "stop"), (DEEPSEEK, "stop"), (OPENAI, "stop"), (QWEN, "stop"),
                                       (JAMBA, "stop"), (WRITER, "stop"), (COHERE, "stop_sequences")])
def test_a_family_gets_stop_texts_under_its_own_key(worker, model, key):
    answer = Answer(body=said(model, "an END", "stop"), headers=COUNTED)
    ours = worker.run(request_of("invoke", {"model": model, "stop_sequences": ["END"]}, TALKS["a text"]), [answer])
    assert ours.bodies[0][key] == ["END"] and ours.message.content == "an END"
    assert len({"stop", "stop_sequences"} & set(ours.bodies[0])) == 1


def test_an_imported_model_answers_in_the_form_of_its_server(worker):
    arn = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdef"
    answer = Answer(body={"object": "text_completion", "choices": [{"index": 0, "text": " I'm", "finish_reason": "length"}],
                          "usage": {"prompt_tokens": 6, "completion_tokens": 100, "total_tokens": 106}})
    ours = worker.run(request_of("invoke", {"model": arn, "provider": "meta", "base_model": LLAMA3}, TALKS["a text"]), [answer])
    assert ours.message.content == " I'm" and ours.response["usage"]["total_tokens"] == 106
    assert ours.paths == ["/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aimported-model%2Fabcdef/invoke"]
    body = {"prompt": "hi", "max_tokens": 100, "topP": 2}
    ours = worker.run(request_of("invoke", {"model": arn, "provider": "custom", "model_kwargs": body}, TALKS["a text"]), [answer])
    assert json.loads(ours.message.content) == answer.body

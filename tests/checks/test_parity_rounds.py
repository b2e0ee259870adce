"""An answer that is put back: the worker's message, or the sum of its chunks, says in the next request to Converse what
LangChain's own message says."""
import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from parity import LangChain, request_of, sent, shown, sum_of
from test_parity import CLAUDE, HELLO, streamed, text_events, whole
from test_parity_turns import GPT_OSS, HI, NOVA, WEATHER, bound

pytestmark = pytest.mark.filterwarnings("ignore")
KEPT = {"content", "tool_calls", "invalid_tool_calls", "response_metadata", "additional_kwargs"}


def call(input, id="c1"):
    return {"toolUse": {"toolUseId": id, "name": "weather", "input": input}}


def call_events(index, *pieces):
    return [("contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": "c1", "name": "weather"}}}),
            *(("contentBlockDelta", {"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}}) for piece in pieces),
            ("contentBlockStop", {"contentBlockIndex": index})]


def thought_events(index, *deltas):
    return [("contentBlockDelta", {"contentBlockIndex": index, "delta": {"reasoningContent": delta}}) for delta in deltas] \
        + [("contentBlockStop", {"contentBlockIndex": index})]


SIGNED = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}}
UNSIGNED = {"reasoningContent": {"reasoningText": {"text": "hm"}}}
REDACTED = {"reasoningContent": {"redactedContent": "QUJD"}}
TEXT = {"text": "hello "}
WHOLE = {
    "a text": [TEXT],
    "a call": [call({"city": "Paris", "a_b": 1.5})],
    "a text and a call": [TEXT, call({})],
    "two calls": [call({"city": "Paris"}), call({}, "c2")],
    "signed reasoning": [SIGNED, TEXT, call({})],
    "unsigned reasoning": [UNSIGNED, TEXT],
    "encrypted reasoning": [REDACTED, TEXT, call({})],
}
STREAMED = {
    "a text": text_events("hel|lo "),
    "a call": call_events(0, '{"ci', 'ty": "Paris", "a_b": 1.5}'),
    "a text and a call": text_events("hel|lo") + call_events(1, "{}"),
    "a call without input": call_events(0, ""),
    "a call that was cut": call_events(0, '{"a": [1, "x'),
    "signed reasoning": thought_events(0, {"text": "h"}, {"text": "m"}, {"signature": "c2ln"}) + text_events("a", 1)
    + call_events(2, '{"a": ', "1}"),
    "encrypted reasoning": thought_events(0, {"redactedContent": "QUJD"}) + text_events("a", 1),
}
ANSWERS = {**{f"whole: {name}": whole(*blocks) for name, blocks in WHOLE.items()},
           **{f"streamed: {name}": streamed(*events, stop="tool_use") for name, events in STREAMED.items()}}


def answered(message):
    """What comes behind it: a result for each call, else the human."""
    calls = [*message.tool_calls, *message.invalid_tool_calls]
    return [ToolMessage("r", tool_call_id=call["id"]) for call in calls] or [HumanMessage("and?")]


def said_by_langchain(model, answer, stream):
    bind = bound([WEATHER])["bind"]
    message = LangChain("converse", [answer], model=model).run([HI], stream=stream, bind=bind).message
    message = AIMessage(**{name: value for name, value in message.model_dump().items() if name in KEPT})
    behind = answered(message)
    return LangChain("converse", [HELLO], model=model).run([HI, message, *behind], bind=bind).bodies, behind


@pytest.mark.parametrize("model", [CLAUDE, GPT_OSS, NOVA])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_put_back_says_what_langchains_says(worker, model, name):
    stream = name.startswith("streamed")
    theirs, behind = said_by_langchain(model, ANSWERS[name], stream)
    first = worker.run(request_of("converse", {"model": model}, [HI], stream=stream, tools=[WEATHER]), [ANSWERS[name]])
    puts = [first.response["message"]]
    if stream:
        puts.append(json.loads(sum_of(first.chunks).model_dump_json()))
    for put in puts:
        request = request_of("converse", {"model": model}, [HI], tools=[WEATHER])
        request["messages"] += [put, *map(shown, behind)]
        ours = worker.run(request, [HELLO])
        assert ours.bodies == [sent(body) for body in theirs], (put, ours.response)


@pytest.mark.parametrize("name", [name for name in ANSWERS if "encrypted" not in name])
def test_an_answer_in_langchains_standard_blocks_is_read(worker, name):
    """ChatBedrockConverse(output_version="v1") has reasoning and tool_call blocks in its content."""
    bind, stream = bound([WEATHER])["bind"], name.startswith("streamed")
    model = LangChain("converse", [ANSWERS[name]], model=CLAUDE, output_version="v1")
    message = model.run([HI], stream=stream, bind=bind).message
    message = AIMessage(**{name: value for name, value in message.model_dump().items() if name in KEPT})
    behind = answered(message)
    request = request_of("converse", {"model": CLAUDE}, [HI, message, *behind], tools=[WEATHER])
    theirs = LangChain("converse", [HELLO], model=CLAUDE).run([HI, message, *behind], bind=bind)
    ours = worker.run(request, [HELLO])
    assert ours.bodies == [sent(body) for body in theirs.bodies], ours.response

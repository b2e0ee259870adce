"""Structured output: the worker sends what with_structured_output sends, and parses what it parses."""
import json
import random
from decimal import Decimal

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.outputs import ChatGeneration

from parity import Answer, LangChain, loads, request_of, sent
from test_parity import CLAUDE, streamed, text_events, whole

JOKE = {"title": "joke", "description": "A joke.", "type": "object",
        "properties": {"setup": {"type": "string"}, "rating": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                       "tags": {"type": "array", "items": {"type": "string"}},
                       "more": {"type": "object", "properties": {"x": {"type": "number"}}}},
        "required": ["setup"]}
HUMAN = [HumanMessage("tell one")]
NOVA = "us.amazon.nova-pro-v1:0"
THINKING = {"additional_model_request_fields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}


def use(args, name="joke", index=1):
    return {"toolUse": {"toolUseId": f"t{index}", "name": name, "input": args}}


def called(args, stop="tool_use"):
    return whole(use(args), stop=stop)


def streamed_call(text, stop="tool_use"):
    pieces = text.split("|")
    return streamed(("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t1", "name": "joke"}}}),
                    *[("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": piece}}})
                      for piece in pieces], ("contentBlockStop", {"contentBlockIndex": 0}), stop=stop)


def both(worker, answer, method="function_calling", schema=JOKE, messages=HUMAN, model=CLAUDE, stream=False, kind="converse",
         strict=None, **options):
    """What LangChain sends and parses, and what the worker does."""
    lang = LangChain(kind, [answer], model=model, streaming=stream, **options)
    more = {"strict": strict} if strict is not None else {}
    chain = lang.model.with_structured_output(schema, include_raw=True, **({} if kind == "invoke" else {"method": method}), **more)
    theirs = chain.invoke(messages)
    field = {"schema": schema, "method": method, "include_raw": True, **more}
    ours = worker.run(request_of(kind, {"model": model, **options}, messages, stream=stream, structured_output=field), [answer])
    assert ours.response["status"] == "ok", ours.response
    return lang, theirs, ours


def exact(value):
    """With numbers as numbers, whatever Python type they have."""
    return loads(json.dumps(value, default=lambda x: float(x) if isinstance(x, Decimal) else str(x)))


SENT = [
    ("function_calling", CLAUDE, {}), ("function_calling", NOVA, {}), ("function_calling", "mistral.mistral-large-2407-v1:0", {}),
    ("function_calling", "meta.llama3-1-70b-instruct-v1:0", {}), ("function_calling", "meta.llama3-8b-instruct-v1:0", {}),
    ("function_calling", "us.anthropic.claude-sonnet-4-20250514-v1:0", THINKING),
    ("function_calling", "us.anthropic.claude-3-7-sonnet-20250219-v1:0", {}), ("function_calling", "us.deepseek.v3-v1:0", {}),
    ("function_calling", "us.anthropic.claude-opus-5-5", {}), ("function_calling", "zai.glm-4.7", {}),
    ("json_schema", CLAUDE, {}), ("json_schema", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", {"temperature": 0.5}),
    ("prompt_prefill", NOVA, {}), ("prompt_prefill", NOVA, {"stop_sequences": ["END"]}),
]


@pytest.mark.parametrize(("method", "model", "options"), SENT, ids=[f"{m}-{n}" for m, n, _ in SENT])
def test_each_method_sends_what_langchain_sends(worker, method, model, options):
    lang, _, ours = both(worker, called({"setup": "a"}) if method == "function_calling" else whole({"text": "{}"}), method=method,
                         model=model, **options)
    (theirs,), (mine,) = [sent(loads(call.body)) for call in lang.calls], ours.bodies
    for body in (theirs, mine):
        if "stopSequences" in body.get("inferenceConfig", {}):
            body["inferenceConfig"]["stopSequences"].sort()          # LangChain's come from a set
    assert mine == theirs


SCHEMAS = {
    "optional": {"title": "o", "type": "object", "properties": {"a": {"type": ["string", "null"]}}},
    "nested": {"title": "n", "type": "object", "properties": {"p": {"$ref": "#/$defs/p"}},
               "$defs": {"p": {"type": "object", "properties": {"q": {"type": "array", "items": {"type": "object", "properties": {
                   "r": {"type": "integer"}}}}}}}},
    "choices": {"title": "c", "type": "object", "properties": {"x": {"oneOf": [{"type": "object", "properties": {}}, {"type": "string"}]},
                                                              "y": {"allOf": [{"type": "object", "additionalProperties": True}]}}},
    "unicode": {"title": "u", "description": "é \"q\" \n", "type": "object", "properties": {"ключ": {"enum": ["\u0001", "ä/b"]}}},
}


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "prompt_prefill"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_changed_as_langchain_changes_them(worker, method, name):
    lang, _, ours = both(worker, whole({"text": "{}"}), method=method, schema=SCHEMAS[name])
    assert ours.bodies == [sent(loads(call.body)) for call in lang.calls]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("name", SCHEMAS)
def test_strict_is_sent_as_langchain_sends_it(worker, name, strict):
    lang, _, ours = both(worker, called({}), schema=SCHEMAS[name], strict=strict)
    assert ours.bodies == [sent(loads(call.body)) for call in lang.calls]


SYSTEMS = {
    "one": [SystemMessage("be kind"), *HUMAN], "two": [SystemMessage("a"), SystemMessage("b"), *HUMAN],
    "late": [*HUMAN, SystemMessage("late")],
    "blocks": [SystemMessage([{"type": "text", "text": "a"}, {"cachePoint": {"type": "default"}}]), *HUMAN],
    "only a cache point": [SystemMessage([{"cachePoint": {"type": "default"}}]), *HUMAN],
    "an assistant last": [SystemMessage("a"), *HUMAN, AIMessage("so far ")],
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_prefilled_answer_has_langchains_turns(worker, name):
    lang, _, ours = both(worker, whole({"text": "{}"}), method="prompt_prefill", messages=SYSTEMS[name], model=NOVA)
    assert ours.bodies == [sent(loads(call.body)) for call in lang.calls]


TEXTS = ['{"setup": "a", "rating": 1.50}', '```json\n{"setup": "a"}\n```', '\n{"setup": "a"}\n', 'Here it is:\n```json\n{"setup": "a"}\n```',
         'Here it is:\n```\n{"setup": "a"}```\nBye', '{"setup": "a", "tags": ["x", "y', '{"setup": "a", "ra', '{"setup": "line\nbreak"}',
         '[1, 2', '"text"', "12", "null", "true", "no json", "", "Sure! {\"a\": 1}", '{"a": 1} and more', '{"a": tru', '{"a": 1,}',
         '{"a": 1,, "b": 2}', "```", '{"a": "b\\', '{"a": "\\u00', '{"a": {"b": [1, {"c": 2}', "{'a': 1}", '{"a": 1]', '{"a": 01}',
         '{"a": 1.', '{"a": -', '{"a": 1e', '{"a": "x" "b": 1}', "  \n{}  ", '{"a": 123456789012345678901234567890}', "{", "[", '{"a"',
         '{"a":', '[1, 2, x]', '[1, {"a": x}]', "```json\n{\"a\": 1}", '{"a": "```"}', '{"a": 1}\n{"b": 2}']


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("method", ["json_schema", "prompt_prefill"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_parsed_as_langchain_parses_it(worker, method, stream, text):
    answer = streamed(*text_events(text.replace("|", "¦"))) if stream else whole({"text": text})
    _, theirs, ours = both(worker, answer, method=method, stream=stream)
    assert ours.response.get("parsed") == exact(theirs["parsed"])
    if theirs.get("parsing_error"):
        assert "parsing_error" in ours.response


ARGUMENTS = [{"setup": "a"}, {"setup": "a", "rating": 3, "tags": ["x"]}, {"tags": '["x", "y"]'}, {"tags": '{"tags": ["x"]}'},
             {"tags": "x, y"}, {"tags": '{"other": ["x"]}'}, {"more": '{"x": 1.50}'}, {"more": '{"more": {"x": 1}}'}, {"more": "[1]"},
             {"setup": '["not", "unwrapped"]'}, {}, {"tags": None}, {"tags": '[1'}, {"unknown": '{"a": 1}'}]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("args", ARGUMENTS, ids=json.dumps)
def test_arguments_are_unwrapped_as_langchain_unwraps_them(worker, args, stream):
    answer = streamed_call(json.dumps(args)) if stream else called(args)
    _, theirs, ours = both(worker, answer, stream=stream)
    assert ours.response.get("parsed") == exact(theirs["parsed"])
    assert "parsing_error" not in ours.response


@pytest.mark.parametrize("text", ['{"setup": "a', '{"setup": "a", "tags": ["x"', '{"set', "", '{"setup": "a"|, "rating": 1|}'])
def test_arguments_of_a_cut_stream_are_mended_as_langchain_mends_them(worker, text):
    _, theirs, ours = both(worker, streamed_call(text, stop="max_tokens"), stream=True)
    assert ours.response.get("parsed") == exact(theirs["parsed"])


ANSWERS = {
    "the second call has the name": whole(use({"a": 1}, name="other"), use({"setup": "b"}, index=2), stop="tool_use"),
    "two calls": whole(use({"setup": "a"}), use({"setup": "b"}, index=2), stop="tool_use"),
    "no call": whole({"text": "no"}), "text and call": whole({"text": "well"}, use({"setup": "a"}), stop="tool_use"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_first_call_of_the_name_counts(worker, name):
    _, theirs, ours = both(worker, ANSWERS[name])
    assert ours.response.get("parsed") == exact(theirs["parsed"])
    assert ("parsing_error" in ours.response) == bool(theirs["parsing_error"])


def test_a_thinking_model_that_calls_nothing_gives_a_parsing_error(worker):
    lang = LangChain("converse", [whole({"text": "no"})], model="us.anthropic.claude-sonnet-4-20250514-v1:0", **THINKING)
    with pytest.raises(Exception, match="tool"):                     # outside of LangChain's parser: it raises
        lang.model.with_structured_output(JOKE, include_raw=True).invoke(HUMAN)
    ours = worker.run(request_of("converse", {"model": "us.anthropic.claude-sonnet-4-20250514-v1:0", **THINKING}, HUMAN,
                                 structured_output={"schema": JOKE}), [whole({"text": "no"})])
    assert ours.response["status"] == "ok" and "parsed" not in ours.response
    assert "did not call the tool" in ours.response["parsing_error"]



# --- InvokeModel ---

def anthropic(*content, stop="tool_use"):
    return Answer(body={"id": "m1", "type": "message", "role": "assistant", "content": list(content), "stop_reason": stop,
                        "stop_sequence": None, "usage": {"input_tokens": 7, "output_tokens": 3}},
                  headers={"X-Amzn-Bedrock-Input-Token-Count": "7", "X-Amzn-Bedrock-Output-Token-Count": "3"})


@pytest.mark.parametrize("args", ARGUMENTS[:8], ids=json.dumps)
def test_claude_on_invoke_model_is_forced_and_parsed_as_langchain_does(worker, args):
    answer = anthropic({"type": "tool_use", "id": "t1", "name": "joke", "input": args})
    lang, theirs, ours = both(worker, answer, kind="invoke")
    assert ours.bodies == [loads(call.body) for call in lang.calls]
    assert ours.response.get("parsed") == exact(theirs["parsed"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_keep_their_null_branches_on_invoke_model(worker, name):
    answer = anthropic({"type": "tool_use", "id": "t1", "name": SCHEMAS[name]["title"], "input": {}})
    lang, _, ours = both(worker, answer, kind="invoke", schema=SCHEMAS[name])
    assert ours.bodies == [loads(call.body) for call in lang.calls]


def test_thinking_claude_on_invoke_model_is_not_forced(worker):
    model = "us.anthropic.claude-sonnet-4-20250514-v1:0"
    options = {"model_kwargs": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}
    answer = anthropic({"type": "tool_use", "id": "t1", "name": "joke", "input": {"setup": "a"}})
    lang, theirs, ours = both(worker, answer, kind="invoke", model=model, **options)
    assert ours.bodies == [loads(call.body) for call in lang.calls]
    assert ours.response["parsed"] == exact(theirs["parsed"])


@pytest.mark.parametrize(("model", "method"), [
    (CLAUDE, "json_schema"), (CLAUDE, "prompt_prefill"), ("meta.llama3-8b-instruct-v1:0", "function_calling"),
    ("amazon.titan-text-express-v1", "function_calling")])
def test_what_invoke_model_has_no_place_for_is_refused_by_name(worker, model, method):
    ours = worker.run(request_of("invoke", {"model": model}, HUMAN, structured_output={"schema": JOKE, "method": method}), [called({})])
    assert ours.response["status"] == "error" and ours.bodies == []
    assert ours.response["error"]["field"].startswith("structured_output"), ours.response["error"]
    assert "converse" in ours.response["error"]["message"]


# --- texts that are nearly JSON ---

class Draw:
    """JSON texts with one slip, in a fence or in words, by seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, depth=0):
        kind = self.random.randrange(8)
        if kind < 3 or depth > 3:
            return self.random.choice(["a", 'b"c', "x\\y", "é", "\n", 1, -2.5, True, None, "{", "}", "[1", "```"])
        if kind < 5:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {self.random.choice(["k", "m", 'n"q', "é"]): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def text(self):
        text = json.dumps(self.value(), ensure_ascii=self.random.random() < .5, indent=self.random.choice([None, None, 2]))
        slip, frame = self.random.randrange(6), self.random.randrange(6)
        at = self.random.randrange(len(text))
        if slip == 0:
            text = text[:at]
        elif slip == 1:
            text = text[:at] + self.random.choice('{}[],:"\\ x1-.e\n') + text[at:]
        elif slip == 2:
            text = text[:at] + text[at + 1:]
        frames = {0: "```json\n{}\n```", 1: "Here:\n```json\n{}\n```\nBye", 2: "{} and more"}
        return frames.get(frame, "{}").replace("{}", text, 1)


def test_texts_with_slips_are_parsed_as_langchain_parses_them(worker):
    draw, parser, apart = Draw(20261129), JsonOutputParser(), []
    for _ in range(600):
        text = draw.text()
        try:
            theirs = parser.parse_result([ChatGeneration(message=AIMessage(text))])
        except OutputParserException:
            theirs = None
        ours = worker.run({"model": CLAUDE, "messages": [["human", "x"]],
                           "structured_output": {"schema": {}, "method": "json_schema"}}, [whole({"text": text})])
        if ours.response.get("parsed") != theirs:
            apart.append((text, theirs, ours.response.get("parsed")))
    assert apart == []


def claude_stream(text):
    chunks = [{"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "c",
                                                   "stop_reason": None, "stop_sequence": None,
                                                   "usage": {"input_tokens": 7, "output_tokens": 1}}},
              {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t1", "name": "joke", "input": {}}},
              *[{"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
                for piece in text.split("|")], {"type": "content_block_stop", "index": 0},
              {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 3}},
              {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 7, "outputTokenCount": 3}}]
    return Answer(chunks=chunks)


@pytest.mark.parametrize("text", ['{"setup":| "a"}', '{"setup": "a", "tags": "[\\"x\\"]"}', '{"setup": "a'])
def test_a_stream_of_claude_on_invoke_model_is_parsed_as_langchain_does(worker, text):
    lang, theirs, ours = both(worker, claude_stream(text), kind="invoke", stream=True)
    assert ours.bodies == [loads(call.body) for call in lang.calls]
    assert ours.response.get("parsed") == exact(theirs["parsed"])


@pytest.mark.parametrize("model", ["us.anthropic.claude-opus-4-6-v1", "us.anthropic.claude-opus-4-8", "us.anthropic.claude-opus-5",
                                   "openai.gpt-5.4", "openai.gpt-oss-120b-1:0"])
def test_an_effort_of_reasoning_decides_whether_a_model_is_forced(worker, model):
    lang, _, ours = both(worker, called({"setup": "a"}), model=model, reasoning_effort="high")
    assert ours.bodies == [sent(loads(call.body)) for call in lang.calls]

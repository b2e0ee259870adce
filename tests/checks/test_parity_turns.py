"""Tools, calls, results and reasoning: the worker sends to Converse what ChatBedrockConverse sends."""
import copy
import warnings

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from parity import LangChain, mistakes, request_of, sent
from test_parity import CLAUDE, HELLO, Case, names

pytestmark = pytest.mark.filterwarnings("ignore")
HI = HumanMessage("hi")
NOVA, NOVA_2, MISTRAL = "us.amazon.nova-pro-v1:0", "us.amazon.nova-2-lite-v1:0", "mistral.mistral-large-2402-v1:0"
GPT_OSS, R1, KIMI = "openai.gpt-oss-120b-1:0", "us.deepseek.r1-v1:0", "moonshot.kimi-k2-thinking"
POINT = {"cachePoint": {"type": "default"}}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}


# --- tools ---

def taking(**properties):
    return {"type": "object", "properties": properties}


def function(parameters, **more):
    return {"type": "function", "function": {"name": "weather", "description": "d", "parameters": parameters, **more}}


WEATHER = function(taking(city={"type": "string"}))
BARE = {"name": "w", "parameters": taking(a={"type": "integer"})}
FORMS = {
    "OpenAI's function": [WEATHER],
    "a strict function": [function(taking(a={"type": "string"}), strict=True)],
    "a lax function": [function(taking(a={"type": "string"}), strict=False)],
    "a function without a description": [{"type": "function", "function": BARE}],
    "an empty description": [{"type": "function", "function": {**BARE, "description": ""}}],
    "a bare function": [{**BARE, "description": "x"}],
    "Anthropic's tool": [{"name": "w", "description": "x", "input_schema": taking(a={"type": "integer"})}],
    "Anthropic's tool without a description": [{"name": "w", "input_schema": taking()}],
    "a titled schema": [{"title": "w", "description": "x", **taking(a={"type": "integer", "title": "A"})}],
    "a tool of Converse": [{"toolSpec": {"name": "w", "description": "x", "inputSchema": {"json": taking()}}}],
    "a tool of Converse without a description": [{"toolSpec": {"name": "w", "inputSchema": {"json": taking()}}}],
    "a cache point": [WEATHER, POINT],
    "a cache point first": [POINT, WEATHER],
    "no tools": [],
}
PROPERTIES = {
    "a nullable": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "A"},
    "a nullable that is null by default": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "A"},
    "types that are null by default": {"type": ["string", "null"], "default": None},
    "a nullable union": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
    "null alone": {"anyOf": [{"type": "null"}]},
    "a nullable in a nullable": {"anyOf": [taking(b={"anyOf": [{"type": "number"}, {"type": "null"}]}), {"type": "null"}]},
    "a branch that overrides": {"description": "x", "anyOf": [{"type": "string", "description": "y"}, {"type": "null"}]},
    "a branch that is overridden": {"anyOf": [{"type": "string", "description": "y"}, {"type": "null"}], "description": "x"},
    "one branch": {"anyOf": [{"type": "string"}]},
    "a list of types": {"type": ["string", "null"]},
    "a longer list of types": {"type": ["string", "integer", "null"]},
    "a list of null": {"type": ["null"]},
    "nullable items": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "oneOf": {"oneOf": [{"type": "string"}, {"type": "null"}]},
    "null in an enum": {"enum": ["a", None]},
    "numbers": {"type": "number", "minimum": 0.1, "maximum": 12345678901234567890},
    "an object": taking(type={"type": ["string", "null"]}, anyOf={"type": "string"}),
}
CHOICES = ["auto", "any", "weather", {"tool": {"name": "weather"}}, {"any": {}}, {"auto": {}}]


def bound(tools, **choice):
    return {"more": {"tools": tools, **choice}, "bind": lambda model: model.bind_tools(copy.deepcopy(tools), **choice)}


TOOLS = [Case(name, [HI], **bound(tools)) for name, tools in FORMS.items()] \
    + [Case(name, [HI], **bound([function(taking(a=schema))])) for name, schema in PROPERTIES.items()] \
    + [Case(f"the choice {choice}", [HI], **bound([WEATHER], tool_choice=choice)) for choice in CHOICES] \
    + [Case("tools of Bedrock", [HI], model=NOVA_2, **bound(["nova_grounding", WEATHER, "nova_code_interpreter"]))]

# --- calls and results ---

CALL, SECOND = ({"name": "weather", "args": args, "id": id} for args, id in (({"city": "Paris"}, "c1"), ({}, "c2")))
CALLS = AIMessage("", tool_calls=[CALL])
BOTH = AIMessage("", tool_calls=[CALL, SECOND])
SUNNY, RAIN = ToolMessage("sunny", tool_call_id="c1"), ToolMessage("rain", tool_call_id="c2")
USE = {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "X"}}
RAW = [AIMessage([{"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"a": 1}}}]),
       HumanMessage([{"toolResult": {"toolUseId": "c1", "content": [{"text": "r"}, {"json": {"a": [1]}}]}}])]
OPENAI = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
SERVER = [{"type": "server_tool_use", "id": "s1", "name": "nova_grounding", "input": {}},
          {"type": "server_tool_result", "tool_use_id": "s1", "content": [{"type": "text", "text": "r"}]}, "done"]
TURNS = {
    "a call and its result": [CALLS, SUNNY],
    "a call behind a text": [AIMessage("let me", tool_calls=[CALL]), SUNNY],
    "an error": [CALLS, ToolMessage("bad", tool_call_id="c1", status="error")],
    "a list": [CALLS, ToolMessage([{"type": "text", "text": "a"}, "b", {"type": "json", "json": {"x": 1}}], tool_call_id="c1")],
    "an empty result": [CALLS, ToolMessage("", tool_call_id="c1")],
    "an empty list": [CALLS, ToolMessage([], tool_call_id="c1")],
    "a blank text": [CALLS, ToolMessage([{"type": "text", "text": " "}], tool_call_id="c1")],
    "a cache point in a result": [CALLS, ToolMessage([{"type": "text", "text": "a"}, POINT], tool_call_id="c1")],
    "a cache point alone": [CALLS, ToolMessage([POINT], tool_call_id="c1")],
    "parallel calls": [BOTH, SUNNY, RAIN, HumanMessage("so?")],
    "a human between": [BOTH, SUNNY, HumanMessage("x"), RAIN, HumanMessage("so?"), HumanMessage("and?")],
    "an empty human between": [BOTH, SUNNY, HumanMessage(""), RAIN, HumanMessage([])],
    "two answers": [AIMessage("a", tool_calls=[CALL]), AIMessage("b", tool_calls=[SECOND]), SUNNY, RAIN],
    "a stand-in beside calls": [AIMessage(".", tool_calls=[CALL]), SUNNY],
    "a blank beside calls": [AIMessage("  ", tool_calls=[CALL]), SUNNY],
    "a blank block beside calls": [AIMessage([{"type": "text", "text": " "}], tool_calls=[CALL]), SUNNY],
    "tool_use": [AIMessage([{"type": "text", "text": "t"}, USE]), SUNNY],
    "tool_calls win": [AIMessage([{"type": "text", "text": "t"}, USE, {"type": "text", "text": "u"}], tool_calls=[CALL]), SUNNY],
    "tool_call": [AIMessage([{"type": "tool_call", "id": "c1", "name": "weather", "args": {"a": 1}}]), SUNNY],
    "an invalid call": [AIMessage(["x", {"type": "invalid_tool_call", "id": "c1", "name": "weather", "args": "{"}]), SUNNY],
    "an invalid call without an id": [AIMessage(["x", {"type": "invalid_tool_call", "id": None, "name": "w", "args": "{"}]), HI],
    "a tool of Bedrock's": [AIMessage(SERVER), HI],
    "Converse's blocks": RAW,
    "tool_calls win over Converse's block": [AIMessage(RAW[0].content, tool_calls=[CALL]), SUNNY],
    "tool_result": [CALLS, HumanMessage([{"type": "tool_result", "tool_use_id": "c1", "content": "s", "is_error": True}, "and"])],
    "tool_result with blocks": [CALLS, HumanMessage([{"type": "tool_result", "tool_use_id": "c1", "content": [
        {"type": "text", "text": "s"}, {"type": "json", "json": [1]}, PICTURE]}])],
    "tool_result without content": [CALLS, HumanMessage([{"type": "tool_result", "tool_use_id": "c1", "content": ""}])],
    "OpenAI's messages": [{"role": "assistant", "content": None, "tool_calls": [OPENAI]},
                          {"role": "tool", "tool_call_id": "c1", "content": "sunny", "name": "weather", "artifact": {"x": 1}}],
    "a result of nobody's": [AIMessage("x"), ToolMessage("r", tool_call_id="zz")],
    "a call at the end": [AIMessage("a  ", tool_calls=[CALL])],
}
# What a model wrote of its arguments before it was cut.
PARTS = ["", '{"a": 1', '{"a": [1, 2', '{"a": "x', '{"a": "x\\', '{"a": tru', '{"a": 12.', '{"a": 1, "b', '{"a": 1, "b"',
         '{"a": 1, "b":', "[1]", "nope", '{"a":1} x', '{"a": {"b": [{"c": "d', '{"a": "\\u12', '"x"', "{", '{"a": "l1\nl2"}',
         '{"a": -', '{"a": {"b": 1}, ', "12", '{"a": null', '{"a": nul', '{"a": 1]']
SEEN = ToolMessage([{"type": "text", "text": "a"}, PICTURE, POINT], tool_call_id="c1")
WITH_TOOLS = [Case(name, [HI, *turns], **bound([WEATHER])) for name, turns in TURNS.items()] \
    + [Case(f"arguments {text!r}", [HI, AIMessage([{**USE, "input": text}]), SUNNY], **bound([WEATHER])) for text in PARTS] \
    + [Case(f"a picture in a result for {model}", [HI, CALLS, SEEN], model=model, **bound([WEATHER]))
       for model in (CLAUDE, NOVA, "meta.llama3-3-70b-instruct-v1:0", MISTRAL, GPT_OSS, "us.deepseek.v3-v1:0")] \
    + [Case("a result first", [SUNNY], **bound([WEATHER]))]

ODD = {"a": [1, 2.5, None, True, {"é": 'x"\n\\/'}], "b": {}}
GUARDED = {"guard_last_turn_only": True, "guardrail_config": {"guardrailIdentifier": "gid", "guardrailVersion": "1"}}
WITHOUT = [
    Case("a call", [HI, CALLS, SUNNY]),
    Case("a call behind a text", [HI, AIMessage("let me", tool_calls=[CALL]), SUNNY, HumanMessage("so")]),
    Case("calls with and without arguments", [HI, AIMessage("", tool_calls=[{"name": "w", "args": ODD, "id": "c1"}, SECOND]),
                                              ToolMessage([{"type": "text", "text": "a"}, {"type": "json", "json": {"k": "é"}}],
                                                          tool_call_id="c1"), ToolMessage(" ", tool_call_id="c2")]),
    Case("Converse's blocks", [HI, *RAW]),
    Case("a guarded last turn", [HI, CALLS, SUNNY], GUARDED),
    Case("a guarded last text", [HI, CALLS, SUNNY, HumanMessage("so")], GUARDED),
    Case("system messages alone", [SystemMessage("s"), SystemMessage([{"type": "text", "text": "t"}])]),
    Case("a developer", [{"role": "developer", "content": "be kind"}, {"role": "user", "content": "hi"}]),
    Case("what is not standard", [HI, AIMessage([{"type": "non_standard", "value": {"text": "x", **POINT}}, "a"]), HI]),
    Case("what is not standard of a human", [HumanMessage([{"type": "non_standard", "value": POINT}, "a"])]),
]

# --- reasoning ---

SIGNED = {"type": "reasoning_content", "reasoning_content": {"text": "hm", "signature": "sig"}}
UNSIGNED = {"type": "reasoning_content", "reasoning_content": {"text": "hm"}}
THINKING, UNSIGNED_THINKING = {"type": "thinking", "thinking": "hm", "signature": "sig"}, {"type": "thinking", "thinking": "hm"}
REASONING = {"signed": SIGNED, "unsigned": UNSIGNED, "thinking": THINKING, "unsigned thinking": UNSIGNED_THINKING,
             "Converse's": {"reasoningContent": {"reasoningText": {"text": "t"}}}}
MODELS = [CLAUDE, GPT_OSS, NOVA_2, NOVA, R1, KIMI, MISTRAL, "deepseek.v3-v1:0", "minimax.minimax-m2", "qwen.qwen3-32b-v1:0"]
SOURCES = ["us.anthropic.claude-3-7-sonnet-20250219-v1:0", GPT_OSS, "deepseek.v3-v1:0",
           "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"]
THOUGHT = [Case(f"{name} reasoning for {model}", [HI, AIMessage([block, {"type": "text", "text": "a"}]), HI], model=model)
           for model in MODELS for name, block in REASONING.items()] \
    + [Case(f"reasoning alone for {model}", [HI, AIMessage([UNSIGNED]), HI], model=model) for model in MODELS] \
    + [Case(f"reasoning and a call for {model}", [HI, AIMessage([UNSIGNED], tool_calls=[CALL]), SUNNY], model=model,
            **bound([WEATHER])) for model in MODELS] \
    + [Case(f"reasoning of {source} by {provider} for {model}", [HI, AIMessage(
        [SIGNED, UNSIGNED, {"type": "text", "text": "a"}], response_metadata={"model_name": source, **({"model_provider": provider} if provider else {})}), HI],
        model=model) for source in SOURCES for provider in (None, "bedrock_converse", "bedrock", "anthropic")
       for model in (CLAUDE, GPT_OSS)]

# --- white space ---

BLANKS = ["", " ", "\n", "a", "b "]
BLANK = [Case(f"{first!r}, {second!r} and {third!r}", [
    SystemMessage("s"), SystemMessage(second), *(HumanMessage(words) for words in (first, second, third)),
    *(AIMessage(words) for words in (first, second, "c"))], model=CLAUDE)
    for first in BLANKS for second in BLANKS for third in BLANKS if (first + second + third).strip()]


CASES = [*TOOLS, *WITH_TOOLS, *WITHOUT, *THOUGHT, *BLANK]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_converse_gets_what_langchain_sends(worker, case):
    options = {"model": case.model, **case.options}
    request = request_of("converse", options, case.messages, **case.more)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = LangChain("converse", [HELLO], **options).run(copy.deepcopy(case.messages), bind=case.bind)
    ours = worker.run(request, [HELLO])
    assert ours.bodies == [sent(body) for body in theirs.bodies], ours.response
    assert [mistakes(body) for body in ours.bodies] == [[]]


@pytest.mark.parametrize("choice", ["none", {"type": "none"}])
def test_the_choice_none_sends_no_tools(worker, choice):
    """LangChain would ask for a tool of the name none."""
    ours = worker.run(request_of("converse", {"model": CLAUDE}, [HI], tools=[WEATHER], tool_choice=choice), [HELLO])
    assert "toolConfig" not in ours.bodies[0]


def test_names_under_defs_and_in_inputs_are_kept(worker):
    """LangChain renames them."""
    schema = {"$defs": {"my_type": {"type": "string"}}, **taking(a_b={"$ref": "#/$defs/my_type"})}
    block = {"type": "tool_use", "id": "c1", "name": "weather", "input": {"a_b": {"c_d": 1}}}
    ours = worker.run(request_of("converse", {"model": CLAUDE}, [HI, AIMessage([block]), SUNNY], tools=[function(schema)]), [HELLO])
    assert ours.bodies[0]["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"] == schema
    assert ours.bodies[0]["messages"][1]["content"][0]["toolUse"]["input"] == {"a_b": {"c_d": 1}}

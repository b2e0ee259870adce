"""What a request says of how Bedrock serves it, beside LangChain: guardrail, latency, tier, effort of reasoning, parameters
that a model refuses, counted tokens."""
import base64
import re
import warnings
from copy import deepcopy

import pytest
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_aws.data._profiles import _PROFILES
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from outputs import ROOT, schema
from parity import Answer, LangChain, loads, mistakes, request_of, sent
from test_parity import CLAUDE, HELLO, streamed, text_events

HI = [HumanMessage("hi")]
TURNS = [SystemMessage("be kind"), HumanMessage("a"), AIMessage("b"), HumanMessage("c")]
GUARD = {"guardrailIdentifier": "g1", "guardrailVersion": "DRAFT"}
SNAKE = {"guardrail_identifier": "g1", "guardrail_version": "1"}
NOVA = "us.amazon.nova-2-lite-v1:0"
OPUS = "us.anthropic.claude-opus-4-7"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"

CONVERSE = {
    "a_guardrail": (HI, {"guardrail_config": {**GUARD, "trace": "enabled"}}),
    "a_guardrail_in_snake_case": (HI, {"guardrail_config": {**SNAKE, "trace": "enabled_full"}}),
    "a_guardrail_by_its_other_name": (HI, {"guardrails": GUARD}),
    "a_guardrail_for_the_last_turn": (TURNS, {"guardrail_config": GUARD, "guard_last_turn_only": True}),
    "the_standard_latency": (HI, {"performance_config": {"latency": "standard"}}),
    "the_optimized_latency": (HI, {"performance_config": {"latency": "optimized"}}),
    **{f"the_tier_{tier}": (HI, {"service_tier": tier}) for tier in ("priority", "default", "flex", "reserved")},
    "request_metadata": (HI, {"request_metadata": {"a_b": "c", "D-e": ""}}),
    "response_field_paths": (HI, {"additional_model_response_field_paths": ["/stop_sequence", "/usage"]}),
    "the_models_own_fields": (HI, {"additional_model_request_fields": {"a_b": {"c_d": [1, 2.50]}}}),
    "top_k": (HI, {"top_k": 5}),
    "own_fields_win_over_top_k": (HI, {"model_kwargs": {"top_k": 5, "b": 1},
                                       "additional_model_request_fields": {"top_k": 7}}),
    "thinking": (HI, {"max_tokens": 2048, "additional_model_request_fields": {
        "thinking": {"type": "enabled", "budget_tokens": 1024}, "anthropic_beta": ["x"]}}),
    "effort_under_own_fields": (HI, {"model": OPUS, "reasoning_effort": "low", "additional_model_request_fields": {
        "thinking": {"type": "disabled"}, "x": 1}}),
    "nova_at_its_highest_effort": (HI, {"model": NOVA, "reasoning_effort": "high", "max_tokens": 9, "temperature": 1}),
    "nova_below_it": (HI, {"model": NOVA, "reasoning_effort": "medium", "max_tokens": 9}),
    "nova_with_its_own_field": (HI, {"model": NOVA, "max_tokens": 9, "additional_model_request_fields": {
        "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}}),
    "effort_of_a_base_model": (HI, {"model": PROFILE, "provider": "anthropic", "reasoning_effort": "max",
                                    "base_model_id": "anthropic.claude-opus-4-6-v1"}),
    "all_at_once": (TURNS, {"guardrail_config": SNAKE, "performance_config": {"latency": "optimized"},
                            "service_tier": "flex", "request_metadata": {"a": "b"}, "temperature": 0.5, "top_p": 1,
                            "stop_sequences": ["x"], "top_k": 0}),
}


@pytest.mark.parametrize("name", CONVERSE)
def test_converse_gets_the_fields_that_langchain_sends(worker, name):
    messages, options = CONVERSE[name]
    options = {"model": CLAUDE, **deepcopy(options)}
    theirs = LangChain("converse", [HELLO], **options).run(messages)
    ours = worker.run(request_of("converse", options, messages), [HELLO])
    assert ours.bodies == [sent(body) for body in theirs.bodies], ours.response
    assert ours.paths == theirs.paths
    assert [mistakes(body) for body in ours.bodies] == [[]]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_only_a_stream_has_a_processing_mode(worker, mode):
    answers = [HELLO], [streamed(*text_events("hel|lo"))]
    options = {"model": CLAUDE, "guardrail_config": {**GUARD, "streamProcessingMode": mode}}
    theirs = LangChain("converse", answers[1], **options).run(HI, stream=True)
    ours = worker.run(request_of("converse", options, HI, stream=True), answers[1])
    assert ours.bodies == [sent(body) for body in theirs.bodies]
    assert ours.bodies[0]["guardrailConfig"]["streamProcessingMode"] == mode
    whole = worker.run(request_of("converse", options, HI), answers[0])
    assert whole.bodies[0]["guardrailConfig"] == GUARD


def own(model):
    """An id without its geo prefix."""
    return model.partition(".")[2] if model.partition(".")[0] in ("us", "eu", "global", "jp", "au", "in", "us-gov") else model


def models(condition):
    """An id of each model; LangChain knows some only by their geo prefix."""
    known = {own(model): model for model, profile in sorted(_PROFILES.items()) if condition(profile)}
    return sorted(known.values())


def converse_bodies(options):
    """What LangChain sends; None: it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return [sent(body) for body in LangChain("converse", [HELLO], **options).run(HI).bodies]
        except ValueError:
            return None


EFFORTS = ["none", "low", "medium", "high", "xhigh", "max"]
WITHOUT = ["anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0", "meta.llama3-1-8b-instruct-v1:0",
           "amazon.nova-pro-v1:0", "mistral.mistral-large-3-675b-instruct"]


@pytest.mark.parametrize("model", [*models(lambda profile: profile.get("reasoning_effort_levels")), *WITHOUT])
def test_each_model_gets_the_efforts_that_it_has(worker, model):
    for effort in EFFORTS:
        options = {"model": model, "reasoning_effort": effort}
        theirs = converse_bodies(options)
        ours = worker.run(request_of("converse", options, HI), [HELLO])
        if theirs is None:
            assert ours.response["error"]["field"] == "reasoning.effort", (effort, ours.bodies)
        else:
            assert ours.bodies == theirs, (effort, ours.response)


@pytest.mark.parametrize("model", models(lambda profile: True))
def test_a_model_gets_temperature_and_top_p_if_it_takes_them(worker, model):
    options = {"model": model, "temperature": 0.5, "top_p": 0.9, "max_tokens": 9}
    ours = worker.run(request_of("converse", options, HI), [HELLO])
    assert ours.bodies == converse_bodies(options), ours.response


# --- counted tokens ---

COUNT = Answer(body={"inputTokens": 42})
COUNTED = {
    "anthropic.claude-3-5-sonnet-20241022-v2:0": {},
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0": {},
    PROFILE: {"provider": "anthropic", "base_model_id": "anthropic.claude-opus-4-6-v1"},
}


@pytest.mark.parametrize("kind", ["converse", "invoke"])
@pytest.mark.parametrize("model", COUNTED)
def test_tokens_are_counted_as_langchain_counts_them(worker, kind, model):
    options = {"model": model, "max_tokens": 8192, **COUNTED[model]}
    theirs = LangChain(kind, [COUNT], **options)
    assert theirs.model.get_num_tokens_from_messages(TURNS) == 42
    ours = worker.run(request_of(kind, options, TURNS, count_tokens=True), [COUNT])
    assert ours.response["usage"] == {"input_tokens": 42}, ours.response
    assert ours.usage == [] and ours.message is None
    (call,) = theirs.calls
    if kind == "converse" or not model.startswith("anthropic."):  # ChatBedrock cuts the provider off, too
        assert ours.paths == [call.url.split("amazonaws.com", 1)[1]]
    assert opened(ours.bodies[0]) == opened(loads(call.body))
    assert mistakes(ours.bodies[0], "CountTokens") == []


def test_a_long_prompt_is_counted_whole(worker):
    prompt = "lorem ipsum " * 50_000
    options = {"model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
    ours = worker.run(request_of("invoke", options, [HumanMessage(prompt)], count_tokens=True), [COUNT])
    assert ours.response["status"] == "ok", ours.response
    assert prompt in str(opened(ours.bodies[0])["messages"])


def opened(body):
    """With InvokeModel's body as JSON."""
    if "invokeModel" not in body["input"]:
        return body
    return loads(base64.b64decode(body["input"]["invokeModel"]["body"]))


def test_a_model_that_cannot_be_counted_says_so(worker):
    refused = Answer(body={"message": "The provided model doesn't support counting tokens."}, status=400,
                     headers={"x-amzn-ErrorType": "ValidationException"})
    ours = worker.run(request_of("converse", {"model": "amazon.nova-lite-v1:0"}, HI, count_tokens=True), [refused])
    assert ours.response["error"]["code"] == "rejected" and "counting" in ours.response["error"]["message"]
    assert ours.usage == []


# --- the page for those who come from LangChain ---

def table():
    page = (ROOT / "schema" / "README.md").read_text(encoding="utf-8")
    rows = re.search(r"^### From LangChain\n(.*?)(?=^### )", page, re.M | re.S).group(1)
    return [line.strip("| ").split(" | ") for line in rows.splitlines() if line.startswith("| `")]


def names(cell):
    return [name for code in re.findall(r"`([^`]+)`", cell) for name in re.findall(r"^\w+", code)]


def test_the_table_of_langchains_names_has_names_of_both():
    theirs = {"stop", "cache_control", "streaming"}
    for made in (ChatBedrock, ChatBedrockConverse):
        theirs |= {name for name in dir(made) if not name.startswith("_")} | set(made.model_fields)
        theirs |= {field.alias for field in made.model_fields.values() if field.alias}
    ours = set(schema("request")["properties"]) | {"strict", "method", "include_raw", "thinking", "anthropic_beta"}
    assert len(table()) > 15
    for left, right in table():
        assert set(names(left)) <= theirs, left
        assert set(names(right)) <= ours | {"config", "system"}, right


def test_langchains_names_of_fields_get_a_hint(worker):
    for left, right in table():
        for name in names(left):
            if name in schema("request")["properties"] or hasattr(ChatBedrock, name):  # a method
                continue
            request = {"model": CLAUDE, "messages": [["human", "x"]], name: 1}
            error = worker.run(request, [HELLO]).response["error"]
            assert error["field"] == name and error["message"].startswith(f"{name}: no such field; "), error

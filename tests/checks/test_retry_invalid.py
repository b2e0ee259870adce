"""structured_output with retry_invalid: the worker shows the model what is wrong with its answer and calls again."""
import pytest

from parity import Answer
from test_parity import CLAUDE, streamed, text_events, whole
from test_parity_structured import NOVA, anthropic, use

SCHEMA = {"title": "place", "type": "object", "properties": {"name": {"type": "string"}, "lat": {"type": "number", "maximum": 90}},
          "required": ["name"], "additionalProperties": False}
GOOD, BAD, WORSE = {"name": "a", "lat": 1}, {"name": "a", "lat": 91}, {"lat": "x", "more": 1}
THROTTLED = Answer(body={"message": "slow down"}, status=429, headers={"x-amzn-errortype": "ThrottlingException"})
REJECTED = Answer(body={"message": "no"}, status=400, headers={"x-amzn-errortype": "ValidationException"})


def asked(method="function_calling", retries=1, model=CLAUDE, schema=SCHEMA, **more):
    return {"model": model, "messages": [["human", "where?"]], **more,
            "structured_output": {"schema": schema, "method": method, "validate": True, "retry_invalid": retries}}


def called(args, index=1):
    return whole(use(args, name="place", index=index), stop="tool_use")


def finals(outcome):
    return [usage["final"] for usage in sorted(outcome.usage, key=lambda usage: usage["attempt"])]


def test_the_next_call_has_the_answer_and_a_tool_result_with_its_faults(worker):
    done = worker.run(asked(), [called(BAD), called(GOOD, index=2)])
    first, second = done.bodies
    assert second["messages"][:1] == first["messages"] and second["toolConfig"] == first["toolConfig"]
    said, result = second["messages"][1:]
    assert said == {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "place", "input": BAD}}]}
    (block,) = result["content"]
    assert result["role"] == "user" and block["toolResult"]["toolUseId"] == "t1" and block["toolResult"]["status"] == "error"
    (text,) = block["toolResult"]["content"]
    assert text["text"] == ("the value is not valid for the schema:\n$.lat: must be at most 90\n"
                            "Call place again with all of its arguments, corrected.")
    assert done.response["status"] == "ok" and done.response["parsed"] == GOOD and "parsing_error" not in done.response
    assert [attempt["attempt"] for attempt in done.response["attempts"]] == [1, 2]
    assert finals(done) == [False, True] and all(not usage["estimated"] for usage in done.usage)
    assert done.response["message"]["id"] == done.response["attempts"][1]["call"]


def test_every_call_hears_the_earlier_ones_and_the_last_answer_is_published(worker):
    done = worker.run(asked(retries=3), [called(BAD), called(WORSE, 2), called(BAD, 3), called(WORSE, 4), called(GOOD, 5)])
    assert [len(body["messages"]) for body in done.bodies] == [1, 3, 5, 7]
    assert [m["content"][0]["toolUse"]["toolUseId"] for m in done.bodies[3]["messages"][1::2]] == ["t1", "t2", "t3"]
    assert done.response["parsed"] == WORSE
    assert done.response["parsing_error"].splitlines()[1:] == [
        "$.lat: must be a number", '$: must have the member "name"', "$.more: must not be there"]
    assert finals(done) == [False, False, False, True]


@pytest.mark.parametrize("retries", [0, 2])
def test_a_valid_answer_is_called_for_once(worker, retries):
    done = worker.run(asked(retries=retries), [called(GOOD), called(BAD)])
    assert len(done.bodies) == 1 and done.response["parsed"] == GOOD and finals(done) == [True]


def test_without_retries_an_answer_that_is_not_valid_is_published(worker):
    done = worker.run(asked(retries=0), [called(BAD), called(GOOD)])
    assert len(done.bodies) == 1 and done.response["parsed"] == BAD and done.response["status"] == "ok"
    assert finals(done) == [True]


def test_a_model_that_called_nothing_is_asked_to_call(worker):
    done = worker.run(asked(), [whole({"text": "here"}), called(GOOD)])
    assert done.bodies[1]["messages"][1:] == [
        {"role": "assistant", "content": [{"text": "here"}]},
        {"role": "user", "content": [{"text": "Answer by a call of the tool place."}]}]
    assert done.response["parsed"] == GOOD


def test_each_of_several_calls_gets_a_result(worker):
    done = worker.run(asked(), [whole(use(BAD, name="place"), use(GOOD, name="place", index=2), stop="tool_use"), called(GOOD, 3)])
    assert [block["toolResult"]["toolUseId"] for block in done.bodies[1]["messages"][2]["content"]] == ["t1", "t2"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_is_corrected_by_a_user_turn(worker, stream):
    bad, good = '{"name": "a", "lat": 91}', '{"name": "a"}'
    answers = [streamed(*text_events(text)) if stream else whole({"text": text}) for text in (bad, good)]
    done = worker.run(asked("json_schema", stream=stream), answers)
    said, told = done.bodies[1]["messages"][1:]
    assert said == {"role": "assistant", "content": [{"text": bad}]}
    assert told["content"][0]["text"].endswith("$.lat: must be at most 90\nAnswer again with the whole JSON, corrected.")
    assert done.bodies[1]["outputConfig"] == done.bodies[0]["outputConfig"]
    assert done.response["parsed"] == {"name": "a"} and finals(done) == [False, True]


def test_a_prefilled_answer_goes_back_in_its_fence_and_is_begun_again(worker):
    done = worker.run(asked("prompt_prefill", model=NOVA), [whole({"text": '\n{"lat": 1}\n'}), whole({"text": '{"name": "a"}'})])
    assert done.bodies[1]["system"] == done.bodies[0]["system"]
    assert [m["role"] for m in done.bodies[1]["messages"]] == ["user", "assistant", "user", "assistant"]
    assert done.bodies[1]["messages"][1]["content"] == [{"text": '```json\n{"lat": 1}\n```'}]
    assert done.bodies[1]["messages"][3]["content"] == [{"text": "```json"}]
    assert done.response["parsed"] == {"name": "a"}


def test_an_answer_in_a_template_conversation_is_corrected_too(worker):
    request = asked()
    del request["messages"]
    request["prompt"] = {"template": [["human", "where is {what}?"]], "variables": {"what": "it {really}"}}
    done = worker.run(request, [called({"name": "{x}", "lat": 91}), called(GOOD)])
    assert done.bodies[1]["messages"][0]["content"] == [{"text": "where is it {really}?"}]
    assert done.bodies[1]["messages"][1]["content"][0]["toolUse"]["input"] == {"name": "{x}", "lat": 91}
    assert done.response["parsed"] == GOOD


def place_stream(text):
    return streamed(("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t1", "name": "place"}}}),
                    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": text}}}),
                    ("contentBlockStop", {"contentBlockIndex": 0}), stop="tool_use")


def test_a_streamed_call_is_corrected_and_its_run_ends_whole(worker):
    done = worker.run(asked(stream=True), [place_stream('{"lat": 91}'), place_stream('{"name": "b"}')])
    assert done.response["parsed"] == {"name": "b"} and len(done.bodies) == 2
    assert done.bodies[1]["messages"][1]["content"] == [{"toolUse": {"toolUseId": "t1", "name": "place", "input": {"lat": 91}}}]
    assert [chunk.chunk_position for chunk in done.chunks].count("last") == 2


@pytest.mark.parametrize("failure", [REJECTED, THROTTLED], ids=["rejected", "throttled"])
def test_when_no_further_call_answers_the_kept_answer_is_published(worker, failure):
    done = worker.run(asked(retries=2), [called(BAD), failure])
    assert done.response["status"] == "ok" and done.response["parsed"] == BAD and "parsing_error" in done.response
    assert done.response["message"]["id"] == done.response["attempts"][0]["call"]
    assert done.response["attempts"][-1]["status"] == failure.status
    assert done.response["usage"]["input_tokens"] == 7 and finals(done) == [False]


def test_an_answer_that_a_guardrail_stopped_is_not_asked_for_again(worker):
    done = worker.run(asked("json_schema", retries=3), [whole({"text": "no"}, stop="guardrail_intervened")])
    assert len(done.bodies) == 1 and "parsing_error" in done.response


def test_reasoning_goes_back_with_the_call(worker):
    thinking = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s1"}}}
    done = worker.run(asked(model="us.anthropic.claude-sonnet-4-20250514-v1:0",
                            model_kwargs={"thinking": {"type": "enabled", "budget_tokens": 1024}}),
                      [whole(thinking, use(BAD, name="place"), stop="tool_use"), called(GOOD)])
    assert done.bodies[1]["messages"][1]["content"][0] == thinking
    assert "toolUse" in done.bodies[1]["messages"][1]["content"][1]


def test_claude_on_invoke_model_gets_a_tool_result_that_is_an_error(worker):
    bad, good = [anthropic({"type": "tool_use", "id": f"t{i}", "name": "place", "input": args}) for i, args in ((1, BAD), (2, GOOD))]
    done = worker.run(asked(api="invoke"), [bad, good])
    assert done.bodies[1]["messages"][1]["content"] == [{"type": "tool_use", "id": "t1", "name": "place", "input": BAD}]
    (result,) = done.bodies[1]["messages"][2]["content"]
    assert result["type"] == "tool_result" and result["tool_use_id"] == "t1" and result["is_error"] is True
    assert done.response["parsed"] == GOOD and finals(done) == [False, True]

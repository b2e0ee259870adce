"""The worker sends what ChatBedrock and ChatBedrockConverse send, and makes the same message of the answer."""
from dataclasses import dataclass, field

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from parity import Answer, LangChain, compared, mistakes, request_of, sent

CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
COUNTS = {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}


def whole(*blocks, stop="end_turn", usage=None, **more):
    """A whole answer of Converse."""
    return Answer(body={"output": {"message": {"role": "assistant", "content": list(blocks)}}, "stopReason": stop,
                        "usage": {**COUNTS, **(usage or {})}, "metrics": {"latencyMs": 5}, **more})


def streamed(*events, stop="end_turn", usage=None, **more):
    """A stream of Converse: the events of its blocks between its begin and end."""
    return Answer(events=[("messageStart", {"role": "assistant"}), *events, ("messageStop", {"stopReason": stop}),
                          ("metadata", {"usage": {**COUNTS, **(usage or {})}, "metrics": {"latencyMs": 5}, **more})])


def text_events(text, index=0):
    return [("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": piece}}) for piece in text.split("|")] \
        + [("contentBlockStop", {"contentBlockIndex": index})]


HELLO = whole({"text": "hello"})


@dataclass
class Case:
    """A conversation and the options of LangChain's model object."""
    name: str
    messages: list
    options: dict = field(default_factory=dict)
    more: dict = field(default_factory=dict)      # fields of the request that LangChain says otherwise
    bind: object = None                           # what the caller does with the model object
    call: dict = field(default_factory=dict)
    answer: Answer = HELLO
    model: str = CLAUDE


CONVERSE = [
    Case("a text", [HumanMessage("hi")], {"temperature": 0}),
    Case("system messages anywhere", [HumanMessage("hi"), SystemMessage("be kind"), HumanMessage("again")],
         {"max_tokens": 10}),
    Case("messages of one role join", [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d"),
                                       HumanMessage("e")], {"top_p": 0.5}),
]


def names(cases):
    return [case.name.replace(" ", "-") for case in cases]


@pytest.mark.parametrize("case", CONVERSE, ids=names(CONVERSE))
def test_converse_gets_what_langchain_sends(worker, case):
    options = {"model": case.model, **case.options}
    theirs = LangChain("converse", [case.answer], **options).run(case.messages, bind=case.bind, **case.call)
    ours = worker.run(request_of("converse", options, case.messages, **case.more), [case.answer])
    assert ours.bodies == [sent(body) for body in theirs.bodies], ours.response
    assert ours.paths == theirs.paths
    assert [mistakes(body) for body in ours.bodies] == [[]]
    assert compared(ours.message) == compared(theirs.message)

"""Answers of Converse in every form: blocks, citations, counts, metadata and streams. test_parity_answers.py gives them to
LangChain and the worker; tests/vectors/make_answers.py makes vectors of what LangChain makes of them."""
import base64

from test_parity import text_events

NOVA = "amazon.nova-lite-v1:0"
PNG = base64.b64encode(b"\x89PNG picture").decode()


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

THOUGHTS = ["<thinking>It rains.</thinking>\n\nTake a coat.", "<thinking> \n</thinking>a", "<thinking>a</thinking>",
            "a<thinking>b</thinking>c<thinking>d</thinking> ", "<thinking>a<thinking>b</thinking>c</thinking>",
            "<thinking>a", "a</thinking>b<thinking>", "<thinking>a\nb\u00a0</thinking>", "<Thinking>a</Thinking>",
            "<thinking></thinking> "]


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
    "arguments with a line break": use_events(0, '{"a": "x\ny\t|z", "b": {"c": "\u00e9"}}'),
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

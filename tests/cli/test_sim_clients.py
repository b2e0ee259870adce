"""bedrock-sim in front of the clients that people use: botocore parses each of its answers, and langchain-aws works."""
import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from programs import KEYS, simulator

CLAUDE = "anthropic.claude-3-7-sonnet-20250219-v1:0"
GUARDRAIL = {"guardrailIdentifier": "gr1", "guardrailVersion": "1", "trace": "enabled"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}},
        "required": ["city"]}
TOOLS = {"tools": [{"toolSpec": {"name": "forecast", "inputSchema": {"json": CITY}}}]}


@pytest.fixture(scope="module")
def client():
    with simulator() as url:
        yield boto3.client("bedrock-runtime", endpoint_url=url, region_name="us-east-1",
                           aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
                           aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
                           config=Config(retries={"mode": "standard", "max_attempts": 1}))


def user(*blocks):
    return [{"role": "user", "content": [{"text": block} if isinstance(block, str) else block for block in blocks]}]


# ---- botocore ----

# What a request asks for, and the content that comes back.
ASKED = [
    ("tool", user("[[sim:tool=forecast;calls=2]] Weather?"), {"toolConfig": TOOLS}, ["toolUse", "toolUse"]),
    ("forced", user("Weather?"), {"toolConfig": {**TOOLS, "toolChoice": {"any": {}}}}, ["toolUse"]),
    ("reasoning", user("Hi"), {"additionalModelRequestFields": {"thinking": {"type": "adaptive"}}},
     ["reasoningContent", "text"]),
    ("redacted", user("[[sim:redacted=1]] Hi"), {}, ["reasoningContent", "text"]),
    ("citations", user("[[sim:citations=1]] Hi"), {}, ["citationsContent"]),
    ("guardrail", user("[[sim:guardrail=input]] Hi"), {"guardrailConfig": GUARDRAIL}, ["text"]),
    ("picture", user("Look", {"image": {"format": "png", "source": {"bytes": b"x" * 68}}}), {}, ["text"]),
    ("cache", user("Long", {"cachePoint": {"type": "default"}}), {}, ["text"]),
    ("service", user("Hi"), {"serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "optimized"}}, ["text"]),
]


def kinds(blocks):
    return [kind for block in blocks for kind in block]


def collect(events):
    """The blocks of a stream's message, its reason and its metadata."""
    blocks, inputs, reason, metadata = {}, {}, None, None
    for event in events:
        [(name, data)] = event.items()
        if name == "contentBlockStart":
            blocks[data["contentBlockIndex"]] = dict(data["start"])
        elif name == "contentBlockDelta":
            [(kind, part)] = data["delta"].items()
            kind = "citationsContent" if kind == "citation" else kind
            at = data["contentBlockIndex"]
            if kind == "toolUse":
                inputs[at] = inputs.get(at, "") + part["input"]
            if kind == "citationsContent" or at not in blocks:
                blocks[at] = {kind: part}
        elif name == "messageStop":
            reason = data["stopReason"]
        elif name == "metadata":
            metadata = data
    return [blocks[at] for at in sorted(blocks)], [json.loads(text) for text in inputs.values()], reason, metadata


@pytest.mark.parametrize(("name", "messages", "more", "content"), ASKED, ids=[row[0] for row in ASKED])
def test_botocore_parses_each_kind_of_answer(client, name, messages, more, content):
    whole = client.converse(modelId=CLAUDE, messages=messages, **more)
    blocks = whole["output"]["message"]["content"]
    assert kinds(blocks) == content
    streamed, inputs, reason, metadata = collect(client.converse_stream(modelId=CLAUDE, messages=messages, **more)["stream"])
    assert kinds(streamed) == content
    assert inputs == [block["toolUse"]["input"] for block in blocks if "toolUse" in block]
    assert reason == whole["stopReason"]
    for member in ("serviceTier", "performanceConfig", "trace"):
        assert metadata.get(member) == whole.get(member)
    assert metadata["usage"]["outputTokens"] == whole["usage"]["outputTokens"]


def test_a_cached_prompt_is_read_the_second_time(client):
    messages = user("A long prompt that is used twice.", {"cachePoint": {"type": "default", "ttl": "1h"}}, "Go.")
    first, second = (client.converse(modelId=CLAUDE, messages=messages)["usage"] for _ in range(2))
    assert first["cacheDetails"] == [{"ttl": "1h", "inputTokens": first["cacheWriteInputTokens"]}]
    assert first["cacheWriteInputTokens"] == second["cacheReadInputTokens"] > 0
    assert first["totalTokens"] == second["totalTokens"]


def test_counted_tokens_are_those_of_the_call(client):
    messages = user("How many tokens are these?")
    counted = client.count_tokens(modelId=CLAUDE, input={"converse": {"messages": messages}})
    assert counted["inputTokens"] == client.converse(modelId=CLAUDE, messages=messages)["usage"]["inputTokens"]


def test_changed_reasoning_is_rejected(client):
    asked = user("[[sim:reasoning=I think so.]] Hi")
    answer = client.converse(modelId=CLAUDE, messages=asked)["output"]["message"]
    again = [*asked, answer, *user("And?")]
    assert client.converse(modelId=CLAUDE, messages=again)["stopReason"] == "end_turn"
    answer["content"][0]["reasoningContent"]["reasoningText"]["text"] += "!"
    with pytest.raises(ClientError, match="Invalid `signature` in `thinking` block"):
        client.converse(modelId=CLAUDE, messages=again)


# ---- langchain-aws ----

def forecast(city: str, days: int = 3) -> str:
    """The weather of some days."""
    return f"{city}: rain for {days} days"


BOOKING = {"title": "Booking", "description": "A booking.", "type": "object",
           "properties": {"name": {"type": "string"}, "seats": {"type": "integer"},
                          "class": {"enum": ["first", "second"]}}, "required": ["name", "seats", "class"]}


def converse(client, model=CLAUDE, **more):
    return ChatBedrockConverse(model=model, client=client, bedrock_client=client, provider="anthropic", **more)


def test_a_tool_loop_of_langchain_ends_in_text(client):
    model = converse(client).bind_tools([forecast])
    messages = [HumanMessage("[[sim:tool=forecast]] Weather in Oslo?")]
    answer = model.invoke(messages)
    [call] = answer.tool_calls
    assert (call["name"], call["args"]) == ("forecast", {"city": "city", "days": 1})
    messages += [answer, ToolMessage("rain", tool_call_id=call["id"])]
    assert model.invoke(messages).content == "Answer to: rain"


def test_a_structured_answer_of_langchain_fits_its_schema(client):
    expected = {"name": "name", "seats": 1, "class": "first"}
    assert converse(client).with_structured_output(BOOKING).invoke("Book.") == expected
    assert converse(client).with_structured_output(BOOKING, method="json_schema").invoke("Book.") == expected


def test_a_stream_of_langchain_sums_up_to_the_answer(client):
    model = converse(client, additional_model_request_fields={"thinking": {"type": "adaptive"}}).bind_tools([forecast])
    asked = "[[sim:calls=2;text=Let me look.]] Weather?"
    total = sum(list(model.stream(asked))[1:], start=next(model.stream(asked)))
    assert isinstance(total, AIMessageChunk)
    assert [call["args"] for call in total.tool_calls] == [call["args"] for call in model.invoke(asked).tool_calls]
    assert [block["type"] for block in total.content] == ["reasoning_content", "text", "tool_use", "tool_use"]


FAMILIES = [("anthropic", "anthropic.claude-3-haiku-20240307-v1:0"), ("meta", "meta.llama3-8b-instruct-v1:0"),
            ("mistral", "mistral.mistral-7b-instruct-v0:2"),
            ("amazon", "amazon.titan-text-express-v1"), ("deepseek", "deepseek.r1-v1:0"),
            ("openai", "openai.gpt-oss-20b-1:0"), ("qwen", "qwen.qwen3-32b-v1:0")]


@pytest.mark.parametrize(("provider", "model"), FAMILIES)
def test_chat_bedrock_works_with_each_family(client, provider, model):
    chat = ChatBedrock(model=model, client=client, bedrock_client=client, provider=provider,
                       beta_use_converse_api=False)
    messages = [SystemMessage("Be kind."), HumanMessage("Hello there")]
    answer = chat.invoke(messages)
    assert answer.text.startswith("Answer to: ") and "Hello there" in answer.text
    assert answer.usage_metadata["output_tokens"] > 0
    pieces = list(chat.stream(messages))
    assert "".join(piece.text for piece in pieces) == answer.text
    assert len([piece for piece in pieces if piece.text]) > 1

"""deploy/examples/langchain: chains that move to the queue by changing one line. Each case runs twice, through LangChain's
own ChatBedrockConverse and over the queue, against the same bedrock-sim, and must give the same."""
import base64
import sys

import pytest
from pydantic import BaseModel

from kit.processes import ROOT
from kit.services import MODEL, PATIENCE, SECRET, access_key
from kit.world import World

messages = pytest.importorskip("langchain_core.messages")
sys.path.insert(0, str(ROOT / "deploy" / "examples" / "langchain"))

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
ADD = {"name": "add", "description": "Adds two numbers.", "input_schema": {
    "type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]}}


class Point(BaseModel):
    """A point in the plane."""
    x: int
    label: str


@pytest.fixture(scope="module")
def models(broker, module_folder):
    """The same model object twice: of LangChain, and over the queue."""
    import boto3
    from bedrock_queue import ChatBedrockQueue
    from langchain_aws import ChatBedrockConverse
    with World(broker, module_folder) as world:
        world.worker()
        client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=world.simulator.url,
                              aws_access_key_id=access_key("w0"), aws_secret_access_key=SECRET)
        made = []

        def make(**options):
            theirs = ChatBedrockConverse(client=client, bedrock_client=client, model=MODEL, **options)
            ours = ChatBedrockQueue(bootstrap_servers=broker.bootstrap, model=MODEL, timeout=PATIENCE,
                                    requests_topic=world.topics.requests, responses_topic=world.topics.responses,
                                    chunks_topic=world.topics.chunks, **options)
            made.append(ours)
            return theirs, ours
        yield make
        for model in made:
            model.close()


def human(text, *blocks):
    return messages.HumanMessage([{"type": "text", "text": text}, *blocks] if blocks else text)


def summed(model, said):
    total = None
    for chunk in model.stream(said):
        total = chunk if total is None else total + chunk
    return total


def tool_loop(model):
    """Calls the tool and answers with what it said."""
    said = [human("What is 1 + 2? [[sim:tool=add;input={\"a\": 1, \"b\": 2}]]")]
    bound = model.bind_tools([ADD])
    call = bound.invoke(said)
    said += [call, messages.ToolMessage("3", tool_call_id=call.tool_calls[0]["id"])]
    return [call, bound.invoke(said)]


def translated(model):
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    prompt = ChatPromptTemplate.from_messages([("system", "Translate to {language}."), ("human", "{text}")])
    return (prompt | model | StrOutputParser()).invoke({"language": "German", "text": "I love programming."})


PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
PAPER = {"type": "file", "base64": PNG, "mime_type": "application/pdf", "extras": {"name": "paper"}}
THINK = {"additional_model_request_fields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "max_tokens": 4096}
CACHE = {"cachePoint": {"type": "default"}}
CASES = {
    "a text": ({}, lambda model: model.invoke("Hello.")),
    "a system message": ({}, lambda model: model.invoke([messages.SystemMessage("Be brief."), human("Hello.")])),
    "several turns": ({}, lambda model: model.invoke([human("Hello."), messages.AIMessage("Hi."), human("Bye.")])),
    "parameters": ({"temperature": 0, "max_tokens": 50, "top_p": 0.5}, lambda model: model.invoke("Hello.")),
    "a stop text": ({}, lambda model: model.invoke("Say one two three.", stop=["two"])),
    "a template and a parser": ({}, translated),
    "a batch": ({}, lambda model: model.batch(["One.", "Two.", "Three."])),
    "a stream": ({}, lambda model: summed(model, "Tell a story.")),
    "a stream with a system message": ({}, lambda model: summed(model, [messages.SystemMessage("Be brief."), human("Go.")])),
    "a forced tool": ({}, lambda model: model.bind_tools([ADD], tool_choice="any").invoke("Add.")),
    "a named tool": ({}, lambda model: model.bind_tools([ADD], tool_choice="add").invoke("Add.")),
    "two calls at once": ({}, lambda model: model.bind_tools([ADD]).invoke("Add. [[sim:tool=add;calls=2]]")),
    "a loop with a tool": ({}, tool_loop),
    "a streamed call": ({}, lambda model: summed(model.bind_tools([ADD], tool_choice="any"), "Add.")),
    "a parsed object": ({}, lambda model: model.with_structured_output(Point).invoke("Where?")),
    "a parsed dictionary": ({}, lambda model: model.with_structured_output(Point.model_json_schema()).invoke("Where?")),
    "a parsed object and its message": ({}, lambda model: model.with_structured_output(Point, include_raw=True).invoke("Hm?")),
    "a schema that Bedrock keeps": ({}, lambda model: model.with_structured_output(Point, method="json_schema").invoke("Where?")),
    "a picture": ({}, lambda model: model.invoke([human("What is this?", PICTURE)])),
    "a document": ({}, lambda model: model.invoke([human("What does it say?", PAPER)])),
    "reasoning": (THINK, lambda model: model.invoke("Think.")),
    "a streamed reasoning": (THINK, lambda model: summed(model, "Think.")),
    "a cached prompt": ({}, lambda model: model.invoke([messages.SystemMessage(["A long prompt.", CACHE]), human("Hello.")])),
    "a stream with citations": ({}, lambda model: summed(model, [human("Cite. [[sim:citations=1]]", PAPER)])),
}


def plain(value, names):
    """What must be equal: without transport, times and counts of caches; tool ids by their order."""
    if isinstance(value, BaseModel) and hasattr(value, "response_metadata"):
        value = {name: getattr(value, name) for name in ("content", "tool_calls", "invalid_tool_calls")} | {
            "stop": value.response_metadata.get("stopReason"),
            "tokens": (value.usage_metadata["output_tokens"])}
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, dict):
        return {key: names.setdefault(item, len(names)) if key == "id" and item else plain(item, names)
                for key, item in value.items()}
    return [plain(item, names) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("name", CASES, ids=[name.replace(" ", "-") for name in CASES])
def test_a_chain_gives_the_same_over_the_queue(models, name):
    options, run = CASES[name]
    theirs, ours = models(**options)
    assert plain(run(ours), {}) == plain(run(theirs), {})


def test_an_error_of_the_worker_is_raised_with_its_code(models):
    from bedrock_queue import BedrockError
    _, ours = models(temperature=-1)
    with pytest.raises(BedrockError) as raised:
        ours.invoke("Hello.")
    assert raised.value.code == "invalid" and not raised.value.retryable
    with pytest.raises(BedrockError):
        list(ours.stream("Hello."))

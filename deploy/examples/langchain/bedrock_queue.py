"""A chat model of LangChain whose calls go over Kafka: a chain moves to the queue by changing one line.

    from bedrock_queue import ChatBedrockQueue
    model = ChatBedrockQueue(bootstrap_servers="localhost:9092", model="anthropic.claude-3-5-sonnet-20241022-v2:0")

Needs langchain-core and confluent-kafka. Every other option is a field of the request (schema/README.md): temperature,
max_tokens, guardrail, reasoning … A process should keep one model object: it reads the answers of all its calls with one
consumer.
"""
import json
import queue
import threading
import uuid
from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableLambda
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import ConfigDict, PrivateAttr

OURS = {"run", "attempt", "seq", "last", "error"}         # members of a chunk that AIMessageChunk does not have


class BedrockError(RuntimeError):
    """The worker answered with an error; `code` is one of schema/README.md."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.retryable = error["code"], error["retryable"]


class Answers:
    """Reads responses and chunks from now on and hands each to the call that waits for its id."""

    def __init__(self, settings, topics):
        self.waiting, self.ends = {}, threading.Event()
        self.consumer = Consumer({**settings, "group.id": f"bedrock-queue-{uuid.uuid4()}", "enable.auto.commit": False,
                                  "isolation.level": "read_committed"})
        places = []
        for topic in topics:
            found = self.consumer.list_topics(topic, timeout=30).topics[topic].partitions
            # Offsets by number: a record that comes before the first poll is read, too.
            places += [TopicPartition(topic, number, self.consumer.get_watermark_offsets(
                TopicPartition(topic, number), timeout=30)[1]) for number in found]
        self.consumer.assign(places or [TopicPartition(topics[0], 0, OFFSET_END)])
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while not self.ends.is_set():
            record = self.consumer.poll(0.5)
            if record is None or record.error() or not record.value():
                continue
            value = json.loads(record.value())
            waiting = self.waiting.get(value.get("id"))
            if waiting is not None:
                waiting.put(value)
        self.consumer.close()


class ChatBedrockQueue(BaseChatModel):
    model_config = ConfigDict(extra="allow")              # the other fields of a request

    bootstrap_servers: str
    model: str
    requests_topic: str = "bedrock.requests"
    responses_topic: str = "bedrock.responses"
    chunks_topic: str = "bedrock.chunks"
    kafka: dict[str, Any] = {}                            # more librdkafka properties: security.protocol …
    timeout: float = 300                                  # seconds to wait for an answer, and between two chunks
    _producer: Producer = PrivateAttr()
    _answers: Answers = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        settings = {"bootstrap.servers": self.bootstrap_servers, **self.kafka}
        self._producer = Producer({**settings, "enable.idempotence": True})
        self._answers = Answers(settings, [self.responses_topic, self.chunks_topic])

    def close(self) -> None:
        """Ends the consumer; calls that wait get no answer."""
        self._answers.ends.set()

    @property
    def _llm_type(self) -> str:
        return "bedrock-queue"

    def _ask(self, messages, stop, stream, fields) -> tuple[str, queue.Queue]:
        name, waiting = str(uuid.uuid4()), queue.Queue()
        shown = [json.loads(message.model_dump_json(exclude_none=True)) for message in messages]
        request = {"id": name, "model": self.model, "messages": shown, "stream": stream, **(self.model_extra or {}), **fields}
        if stop:
            request["stop"] = stop
        self._answers.waiting[name] = waiting
        self._producer.produce(self.requests_topic, json.dumps(request, ensure_ascii=False).encode())
        self._producer.poll(0)
        return name, waiting

    def _generate(self, messages, stop=None, run_manager=None, **fields) -> ChatResult:
        name, waiting = self._ask(messages, stop, False, fields)
        try:
            response = waiting.get(timeout=self.timeout)
        finally:
            del self._answers.waiting[name]
        if response["status"] == "error":
            raise BedrockError(response["error"])
        message = AIMessage(**response["message"])
        for member in ("parsed", "parsing_error"):
            if member in response:
                message.response_metadata[member] = response[member]
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, messages, stop=None, run_manager=None, **fields) -> Iterator[ChatGenerationChunk]:
        name, waiting = self._ask(messages, stop, True, fields)
        run = None
        try:
            while True:
                value = waiting.get(timeout=self.timeout)
                if "run" not in value:                    # the response: it says the same once more, or why there is none
                    if value["status"] == "error":
                        raise BedrockError(value["error"])
                    continue
                if run not in (None, value["run"]):       # a retry began anew: what was yielded cannot be taken back
                    raise BedrockError({"code": "broken_stream", "message": "the answer began again", "retryable": True})
                run = value["run"]
                if "error" in value:
                    raise BedrockError(value["error"])
                chunk = ChatGenerationChunk(message=AIMessageChunk(**{k: v for k, v in value.items() if k not in OURS}))
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
                if value["last"]:
                    return
        finally:
            del self._answers.waiting[name]

    def bind_tools(self, tools, *, tool_choice=None, strict=None, **fields):
        known = ("toolSpec", "cachePoint", "input_schema")
        raw = [tool if isinstance(tool, str) or (isinstance(tool, dict) and any(member in tool for member in known))
               else convert_to_openai_tool(tool, strict=strict) for tool in tools]
        if tool_choice is not None:
            fields["tool_choice"] = "any" if tool_choice is True else tool_choice
        return self.bind(tools=raw, **fields)

    def with_structured_output(self, schema, *, method="function_calling", include_raw=False, strict=None, **fields):
        wanted = {"schema": convert_to_json_schema(schema), "method": method}
        if strict is not None:
            wanted["strict"] = strict

        def read(message):
            facts = message.response_metadata
            parsed, error = facts.get("parsed"), facts.get("parsing_error")
            try:
                if parsed is not None and isinstance(schema, type) and is_basemodel_subclass(schema):
                    parsed = schema.model_validate(parsed)
            except ValueError as wrong:
                parsed, error = None, wrong
            if include_raw:
                return {"raw": message, "parsed": parsed, "parsing_error": error}
            if error is not None:
                raise error if isinstance(error, Exception) else ValueError(error)
            return parsed

        return self.bind(structured_output=wanted, **fields) | RunnableLambda(read)

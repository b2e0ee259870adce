"""LangChain's ChatBedrock and ChatBedrockConverse beside the worker: the same conversation, the same answers of Bedrock,
what each sends and what each makes of it. LangChain runs with a real boto3 client whose network is a list of answers; the
worker is answer_requests, the real engine without Kafka."""
import base64
import io
import json
import struct
import subprocess
import threading
from binascii import crc32
from dataclasses import dataclass, field
from decimal import Decimal

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.session import Session
from botocore.validate import ParamValidator
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from outputs import faults

MODEL = Session().get_service_model("bedrock-runtime")
EVENT_STREAM = "application/vnd.amazon.eventstream"


# --- what Bedrock answers ---

@dataclass(eq=False)
class Answer:
    """A whole answer, or the events of a stream: of Converse (name, payload) or of InvokeModel (chunks)."""
    body: dict | None = None
    events: list | None = None
    chunks: list | None = None
    headers: dict = field(default_factory=dict)
    status: int = 200

    @property
    def type(self):
        return "application/json" if self.body is not None else EVENT_STREAM

    @property
    def bytes(self):
        if self.body is not None:
            return json.dumps(self.body, ensure_ascii=False).encode()
        if self.events is not None:
            return b"".join(frame(name, json.dumps(payload).encode()) for name, payload in self.events)
        chunks = (json.dumps(chunk) if not isinstance(chunk, str) else chunk for chunk in self.chunks)
        return b"".join(frame("chunk", json.dumps({"bytes": base64.b64encode(chunk.encode()).decode()}).encode())
                        for chunk in chunks)

    @property
    def head(self):
        headers = {"Content-Type": self.type, "x-amzn-RequestId": "r-1", **self.headers}
        return f"HTTP/1.1 {self.status} OK\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"


def frame(name, payload):
    """One message of application/vnd.amazon.eventstream."""
    headers = b""
    for key, value in ((":message-type", "event"), (":event-type", name), (":content-type", "application/json")):
        headers += bytes([len(key)]) + key.encode() + b"\7" + struct.pack(">H", len(value)) + value.encode()
    prelude = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return message + struct.pack(">I", crc32(message))


class Raw(io.BytesIO):
    def stream(self, amount=1 << 16, **_):
        while piece := self.read(amount):
            yield piece


# --- what both make of it ---

@dataclass(eq=False)
class Outcome:
    bodies: list                     # of the calls
    paths: list
    headers: list
    message: AIMessage | None = None
    chunks: list = field(default_factory=list)
    response: dict | None = None     # the worker's record
    usage: list = field(default_factory=list)
    parsed: object = None


def loads(text):
    return json.loads(text, parse_float=Decimal)


class LangChain:
    """One model object of LangChain's, whose calls are noted and answered."""

    def __init__(self, kind, answers, **options):
        self.calls, self.answers = [], list(answers)
        client = boto3.client("bedrock-runtime", region_name="us-east-1", aws_access_key_id="AKID",
                              aws_secret_access_key="secret", config=Config(retries={"max_attempts": 0}))
        client.meta.events.register("before-send.bedrock-runtime.*", self.answer)
        made = {"converse": ChatBedrockConverse, "invoke": ChatBedrock}[kind]
        self.model = made(client=client, bedrock_client=client, region_name="us-east-1", **options)

    def answer(self, request, **_):
        self.calls.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        headers = {"Content-Type": answer.type, "x-amzn-RequestId": "r-1", **answer.headers}
        return AWSResponse(request.url, answer.status, headers, Raw(answer.bytes))

    def run(self, messages, stream=False, bind=None, **call):
        model = bind(self.model) if bind else self.model
        outcome = Outcome([], [], [])
        if stream:
            outcome.chunks = list(model.stream(messages, **call))
            outcome.message = sum_of(outcome.chunks)
        else:
            outcome.message = model.invoke(messages, **call)
        self.note(outcome)
        return outcome

    def note(self, outcome):
        for call in self.calls:
            outcome.bodies.append(loads(call.body))
            outcome.paths.append(call.url.split("amazonaws.com", 1)[1])
            outcome.headers.append({k.lower(): v for k, v in call.headers.items()})


def sum_of(chunks):
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


class Worker:
    """answer_requests as a process that answers one request after the other."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL, encoding="utf-8")
        self.lock = threading.Lock()

    def run(self, request, answers):
        told = [{"status": a.status, "head": a.head, "hex": a.bytes.hex()} for a in answers]
        with self.lock:
            self.process.stdin.write(json.dumps({"request": request, "answers": told}, ensure_ascii=False) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        assert line, "answer_requests ended"
        return outcome_of(json.loads(line))

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0


def outcome_of(line):
    outcome = Outcome([], [], [])
    for call in line["calls"]:
        outcome.bodies.append(loads(call["body"]))
        outcome.paths.append("/" + call["url"].split("/", 3)[3])
        outcome.headers.append({k.lower(): v for k, v in
                                (header.split(": ", 1) for header in call["headers"].split("\r\n") if header)})
    for record in line["records"]:
        value = record["value"]
        assert faults(record["kind"], value) == [], value
        if record["kind"] == "response":
            outcome.response = value
        elif record["kind"] == "usage":
            outcome.usage.append(value["data"])
        else:
            known = {k: v for k, v in value.items() if k not in ("run", "attempt", "seq", "last", "error")}
            outcome.chunks.append(AIMessageChunk(**known))
    if "message" in (outcome.response or {}):
        outcome.message = AIMessage(**outcome.response["message"])
    return outcome


# --- the same conversation as a request ---

FIELDS = {                # LangChain's constructor → the request's field
    "model": "model", "model_id": "model", "provider": "provider", "base_model": "base_model",
    "base_model_id": "base_model", "temperature": "temperature", "top_p": "top_p", "max_tokens": "max_tokens",
    "stop_sequences": "stop", "stop": "stop", "top_k": "top_k", "model_kwargs": "model_kwargs",
    "additional_model_request_fields": "additional_model_request_fields",
    "additional_model_response_field_paths": "additional_model_response_field_paths",
    "guardrail_config": "guardrail", "guardrails": "guardrail", "performance_config": "performance",
    "service_tier": "service_tier", "request_metadata": "request_metadata", "output_config": "output_config",
    "cache_control": "cache_control",
}


def request_of(kind, options, messages, stream=False, **more):
    """A request that says what LangChain's model object and call say."""
    request = {"messages": [shown(message) for message in messages], "api": kind}
    if stream:
        request["stream"] = True
    for name, value in options.items():
        if name == "reasoning_effort":
            request["reasoning"] = {"effort": value}
        elif name == "guard_last_turn_only":
            request.setdefault("guardrail", {})["last_turn_only"] = value
        elif name in FIELDS:
            wanted = request.get(FIELDS[name])
            request[FIELDS[name]] = {**wanted, **value} if isinstance(wanted, dict) else value
    request.update(more)
    return request


def shown(message):
    """As LangChain prints it, or as it was given."""
    if isinstance(message, BaseMessage):
        return json.loads(message.model_dump_json(exclude_none=True))
    return list(message) if isinstance(message, tuple) else message


# --- what must be equal ---

def plain(value):
    """As JSON shows it: bytes, which LangChain has for redacted reasoning, in base64."""
    return loads(json.dumps(value, default=lambda odd: base64.b64encode(odd).decode() if isinstance(odd, bytes) else str(odd)))


def sent(body):
    """A body without the empty members that LangChain sends for what is not there."""
    return {name: value for name, value in body.items() if value or name not in ("system", "inferenceConfig")}


def mistakes(body, operation="Converse"):
    """What AWS's service model, as botocore has it, says against a body: wrong types, unknown and missing members."""
    shape = MODEL.operation_model(operation).input_shape
    report = ParamValidator().validate({"modelId": "m.x", **json.loads(json.dumps(body, default=float))}, shape)
    return report.generate_report().splitlines()


def compared(message):
    """The parts of a message that both must give, without what the transport adds. LangChain puts a whole answer's
    latencyMs into a list and counts caches that were not used."""
    metadata = {k: v for k, v in message.response_metadata.items() if k != "ResponseMetadata"}
    latency = (metadata.get("metrics") or {}).get("latencyMs")
    if isinstance(latency, list):
        metadata["metrics"] = {**metadata["metrics"], "latencyMs": latency[0]}
    usage = dict(message.usage_metadata or {})
    for details in ("input_token_details", "output_token_details"):
        usage[details] = {k: v for k, v in usage.get(details, {}).items() if v}
    return plain({"content": message.content, "tool_calls": message.tool_calls,
                  "invalid_tool_calls": [{k: v for k, v in call.items() if k != "error"}
                                         for call in message.invalid_tool_calls],
                  "usage_metadata": usage, "response_metadata": metadata,
                  "additional_kwargs": message.additional_kwargs})

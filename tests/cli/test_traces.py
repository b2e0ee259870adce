"""Spans of a running worker, read by OpenTelemetry's own messages from a collector with faults."""
import contextlib
import http.server
import json
import signal
import subprocess
import threading
import time
import urllib.request

import pytest
from confluent_kafka import Consumer, Producer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (ExportTraceServiceRequest,
                                                                      ExportTraceServiceResponse)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from programs import CLEAN, KEYS, PATIENCE, WORKER, demonstration, events, simulator, wait_for
from test_worker_pages import free_port

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
CANARY = "canary-of-a-prompt"
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


class Collector:
    """A collector that answers as `answers` says, one after another and the last one for ever:
    (status, headers, body), or None for a connection that closes without an answer."""

    def __init__(self, *answers, slow=0):
        collector = self
        self.answers, self.requests, self.headers = list(answers), [], []
        self.slow = slow

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append((self.path, ExportTraceServiceRequest.FromString(body)))
                collector.headers.append(self.headers)
                answer = collector.answers.pop(0) if len(collector.answers) > 1 else collector.answers[0]
                time.sleep(collector.slow)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": len(text)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self):
        return [span for _, request in self.requests for resource in request.resource_spans
                for scope in resource.scope_spans for span in scope.spans]

    def resource(self):
        return attributes(self.requests[0][1].resource_spans[0].resource)


def attributes(of):
    """Names and values of a span or a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


@pytest.fixture(scope="module")
def grounds():
    with demonstration(0) as broker, simulator() as endpoint:
        yield broker, endpoint


@contextlib.contextmanager
def worker(grounds, folder, *settings, **environment):
    """A worker with topics of its own: broker, topics' prefix, address of its pages, log."""
    broker, endpoint = grounds
    name, address, log = f"t{free_port()}", f"127.0.0.1:{free_port()}", folder / "log"
    words = [f"kafka.bootstrap_servers={broker}", f"kafka.group_id={name}", f"topics.requests=[{name}.requests]",
             f"topics.responses={name}.responses", f"topics.usage={name}.usage", f"topics.dead_letters={name}.letters",
             f"topics.chunks={name}.chunks", "delivery.guarantee=at_least_once", f"models.default={MODEL}",
             f"bedrock.endpoint_url={endpoint}", f"telemetry.http.address={address}",
             "bedrock.retry.throttle_base=10ms", "bedrock.retry.transient_base=10ms", *settings]
    with open(log, "wb") as file:
        process = subprocess.Popen([WORKER, "run", *(word for one in words for word in ("--set", one))], stderr=file,
                                   env={**CLEAN, **KEYS, **environment})
    try:
        wait_for(lambda: "pages_served" in events(log))
        yield broker, name, address, log
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def ask(broker, name, text, **headers):
    """Sends a request, and returns its response: value and headers."""
    producer = Producer({"bootstrap.servers": broker})
    value = {"id": "request", "messages": [["human", text]], "max_tokens": 77}
    producer.produce(f"{name}.requests", json.dumps(value).encode(), partition=0,
                     headers={key: value.encode() for key, value in headers.items()})
    assert producer.flush(PATIENCE) == 0
    consumer = Consumer({"bootstrap.servers": broker, "group.id": f"reader-{name}", "auto.offset.reset": "earliest"})
    consumer.subscribe([f"{name}.responses"])
    try:
        found = []
        wait_for(lambda: (record := consumer.poll(0.2)) and not record.error() and not found.append(record))
        return json.loads(found[0].value()), dict(found[0].headers())
    finally:
        consumer.close()


def counted(address, outcome):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=PATIENCE) as page:
        text = page.read().decode()
    found = [line for line in text.splitlines() if line.startswith(f'bedrock_worker_spans_total{{outcome="{outcome}"}}')]
    return int(float(found[0].split()[-1])) if found else 0


def of_kind(spans, word):
    return [span for span in spans if span.name.split()[0] == word]


def test_a_request_has_one_tree_of_spans_under_its_traceparent(grounds, tmp_path):
    collector = Collector((200, {}, b""))
    with worker(grounds, tmp_path, f"telemetry.traces.endpoint={collector.url}",
                "telemetry.traces.headers=${TRACE_HEADERS}", TRACE_HEADERS="x-key=a%20b") as (broker, name, _, log):
        _, headers = ask(broker, name, CANARY, traceparent=SAMPLED, tracestate="a=b")
        assert "spans_sent_to" in events(log)
    spans = collector.spans()
    process, = of_kind(spans, "process")
    chat, = of_kind(spans, "chat")
    posts = of_kind(spans, "POST")
    assert process.name == f"process {name}.requests" and process.kind == Span.SPAN_KIND_CONSUMER
    assert process.trace_id.hex() == TRACE and process.parent_span_id.hex() == PARENT
    assert process.flags & 0x301 == 0x301 and process.trace_state == "a=b"
    assert [link.span_id.hex() for link in process.links] == [PARENT]
    assert chat.name == f"chat {MODEL}" and chat.kind == Span.SPAN_KIND_CLIENT
    assert chat.parent_span_id == process.span_id and chat.trace_id == process.trace_id
    assert [post.parent_span_id for post in posts] == [chat.span_id]
    said = attributes(chat)
    assert said["gen_ai.operation.name"] == "chat" and said["gen_ai.provider.name"] == "aws.bedrock"
    assert said["gen_ai.request.model"] == MODEL and said["gen_ai.request.max_tokens"] == 77
    assert said["gen_ai.usage.input_tokens"] > 0 and said["gen_ai.usage.output_tokens"] > 0
    assert said["gen_ai.response.finish_reasons"].values[0].string_value == "end_turn"
    assert attributes(process)["messaging.kafka.offset"] == 0
    assert attributes(process)["messaging.destination.partition.id"] == "0"
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    assert collector.resource()["service.name"] == "bedrock-worker"
    assert {path for path, _ in collector.requests} == {"/v1/traces"}
    assert collector.headers[0]["x-key"] == "a b"
    assert collector.headers[0]["Content-Type"] == "application/x-protobuf"
    assert CANARY not in str(spans)
    sends = of_kind(spans, "send")
    assert [link.span_id for send in sends for link in send.links if link.trace_id == process.trace_id] \
        == [process.span_id]
    assert headers["traceparent"].decode() == f"00-{TRACE}-{process.span_id.hex()}-01"
    assert headers["tracestate"] == b"a=b"


def test_each_attempt_says_how_often_it_was_sent_again(grounds, tmp_path):
    collector = Collector((200, {}, b""))
    with worker(grounds, tmp_path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/own") as (broker, name, *_):
        ask(broker, name, "[[sim:fault=throttling;times=2]] hello")
    posts = sorted(of_kind(collector.spans(), "POST"), key=lambda span: span.start_time_unix_nano)
    said = [attributes(post) for post in posts]
    assert [one.get("http.request.resend_count", 0) for one in said] == [0, 1, 2]
    assert said[-1]["http.response.status_code"] == 200 and posts[-1].status.code == Status.STATUS_CODE_UNSET
    assert all(one["http.response.status_code"] == 429 for one in said[:-1])
    assert all(post.status.code == Status.STATUS_CODE_ERROR for post in posts[:-1])
    assert {path for path, _ in collector.requests} == {"/own"}


def test_unsampled_and_untraced_requests_go_as_they_came(grounds, tmp_path):
    collector = Collector((200, {}, b""))
    with worker(grounds, tmp_path, "telemetry.traces.sample=0",
                OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as (broker, name, *_):
        assert ask(broker, name, "hello", traceparent=UNSAMPLED)[1]["traceparent"].decode() == UNSAMPLED
    with worker(grounds, tmp_path) as (broker, name, *_):
        assert ask(broker, name, "hello", traceparent=SAMPLED)[1]["traceparent"].decode() == SAMPLED
    assert not collector.requests


def test_content_is_sent_only_when_asked_for_and_langsmith_may_hide_it(grounds, tmp_path):
    collector = Collector((200, {}, b""))
    with worker(grounds, tmp_path, "telemetry.traces.content=true", LANGSMITH_TRACING="true", LANGSMITH_API_KEY="key",
                LANGSMITH_PROJECT="project", LANGSMITH_ENDPOINT=collector.url,
                LANGSMITH_HIDE_OUTPUTS="true") as (broker, name, *_):
        _, headers = ask(broker, name, CANARY)
    chat, = of_kind(collector.spans(), "chat")
    assert CANARY in attributes(chat)["gen_ai.prompt"] and "gen_ai.completion" not in attributes(chat)
    assert attributes(chat)["langsmith.span.kind"] == "llm"
    assert collector.requests[0][0] == "/otel/v1/traces"
    assert collector.headers[0]["x-api-key"] == "key" and collector.headers[0]["Langsmith-Project"] == "project"
    assert headers["traceparent"].decode().split("-")[1] == chat.trace_id.hex()


PARTIAL = ExportTraceServiceResponse(partial_success={"rejected_spans": 1, "error_message": "no"}).SerializeToString()


@pytest.mark.parametrize("answers, outcome, times", [
    ([(503, {"Retry-After": "1"}, b"later"), (200, {}, b"")], "sent", 2),
    ([(429, {}, b""), None, (200, {}, b"")], "sent", 3),
    ([(400, {}, b"what?")], "rejected", 1),
    ([(200, {}, PARTIAL)], "rejected", 1),
    ([(200, {"Content-Type": "text/html"}, b"\xff\xfe<html>" * 5000)], "sent", 1),
], ids=["refuses", "throttles", "rejects", "takes a part", "garbage"])
def test_spans_are_counted_by_what_the_collector_does(grounds, tmp_path, answers, outcome, times):
    collector = Collector(*answers)
    with worker(grounds, tmp_path, f"telemetry.traces.endpoint={collector.url}") as (broker, name, address, log):
        ask(broker, name, "hello")
        wait_for(lambda: counted(address, outcome) > 0)
        assert "spans_lost" in events(log) or outcome == "sent"
        assert len(collector.requests) >= times
        repeated = collector.requests[:times]
        assert all(request == repeated[0] for request in repeated)


@pytest.mark.parametrize("collector", [Collector(None), Collector((200, {}, b""), slow=3600)], ids=["away", "silent"])
def test_a_collector_that_does_not_answer_delays_nothing(grounds, tmp_path, collector):
    with worker(grounds, tmp_path, f"telemetry.traces.endpoint={collector.url}") as (broker, name, _, log):
        ask(broker, name, "hello")
        begun = time.monotonic()
    assert time.monotonic() - begun < 30
    assert "stopped" in events(log)

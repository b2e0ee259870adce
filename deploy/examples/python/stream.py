"""Asks for a streamed answer, shows its pieces as they come, and ends with the response or when the time is up.

Needs confluent-kafka and KAFKA_BOOTSTRAP_SERVERS.
"""
import json
import os
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer

PATIENCE = float(os.environ.get("PATIENCE", "60"))            # seconds

brokers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
request_id = "chat-" + uuid.uuid4().hex[:8]
reader = Consumer({"bootstrap.servers": brokers, "group.id": request_id,
                   "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
reader.subscribe(["bedrock.chunks", "bedrock.responses"])

producer = Producer({"bootstrap.servers": brokers})
producer.produce("bedrock.requests", key=request_id, value=json.dumps({      # one key for each conversation
    "id": request_id, "stream": True,
    "messages": [["system", "You are a helpful assistant that translates English to French."],
                 ["human", "I love programming."]]}))
producer.flush(10)


def text_of(content):
    return content if isinstance(content, str) else "".join(b.get("text", "") for b in content)


run, shown, response = None, "", None
deadline = time.monotonic() + PATIENCE
while response is None:
    if time.monotonic() > deadline:
        sys.exit(f"no answer within {PATIENCE:.0f} s: is the worker running?")
    record = reader.poll(1.0)
    if record is None or record.error():
        continue
    value = json.loads(record.value())
    if value["id"] != request_id:
        continue
    if record.topic() == "bedrock.responses":
        response = value
    else:
        if value["seq"] == 0:                    # a new run: what was shown is void
            run, shown = value["run"], ""
        if value["run"] == run:
            piece = text_of(value["content"])
            shown += piece
            print(piece, end="|", flush=True)
print()
if response["status"] == "ok":                   # the response counts, whatever the chunks said
    answer = text_of(response["message"]["content"])
    print("complete" if answer == shown else "answer: " + answer)
else:
    print("failed:", response["error"]["code"])
reader.close()

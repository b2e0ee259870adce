"""Asks the worker twice by a template, and ends when both answers are there or the time is up.

Needs confluent-kafka, KAFKA_BOOTSTRAP_SERVERS, and the template `translate` of README.md.
"""
import json
import os
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer

PATIENCE = float(os.environ.get("PATIENCE", "60"))            # seconds

brokers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
job = uuid.uuid4().hex[:8]
answers = Consumer({"bootstrap.servers": brokers, "group.id": job, "auto.offset.reset": "earliest",
                    "isolation.level": "read_committed"})     # else you see aborted records
answers.subscribe(["bedrock.responses"])

producer, waiting = Producer({"bootstrap.servers": brokers}), set()
for customer, language in (("customer-7", "German"), ("customer-8", "French")):
    request_id = f"{job}-{language}"
    producer.produce("bedrock.requests", key=customer, value=json.dumps({
        "id": request_id, "tenant": "shop", "prompt": {"template": "translate", "variables": {
            "input_language": "English", "output_language": language, "input": "I love programming."}}}))
    waiting.add(request_id)
producer.flush(10)

deadline = time.monotonic() + PATIENCE
while waiting:
    if time.monotonic() > deadline:
        sys.exit(f"no answer within {PATIENCE:.0f} s: is the worker running?")
    record = answers.poll(1.0)
    response = json.loads(record.value()) if record and not record.error() else {}
    if response.get("id") in waiting:
        waiting.remove(response["id"])
        print(response["message"]["content"] if response["status"] == "ok" else response["error"])
answers.close()

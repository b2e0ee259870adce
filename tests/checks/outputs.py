"""Records as the auditor keeps them (one JSON object per line), and the schemas they are held against."""
import base64
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schema"
KINDS = ("responses", "chunks", "usage", "letters")


@cache
def schema(name):
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


@cache
def validator(name):
    return Draft202012Validator(schema(name), format_checker=FormatChecker())


def faults(name, value):
    """The faults of a value, as sentences."""
    return [f"{fault.json_path}: {fault.message[:300]}" for fault in validator(name).iter_errors(value)]


def decoded(text):
    return None if text is None else base64.b64decode(text, validate=True)


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple
    value: str | None

    @property
    def place(self):
        return f"{self.topic}/{self.partition}/{self.offset}"

    def json(self):
        return json.loads(self.value)

    def header(self, name):
        found = [value for header, value in self.headers if header == name]
        assert len(found) == 1, f"{self.place}: header {name} stands there {len(found)} times"
        return found[0]

    def shown_headers(self, schema_name):
        """As the header schemas see them: text, or base64 where the schema says so or nothing else is possible."""
        shown = {}
        properties = schema(schema_name)["properties"]
        for name, value in self.headers:
            if value is None:
                continue
            try:
                shown[name] = value.decode()
            except UnicodeDecodeError:
                shown[name] = base64.b64encode(value).decode()
            if properties.get(name, {}).get("contentEncoding") == "base64":
                shown[name] = base64.b64encode(value).decode()
        return shown


def record_of(line):
    fields = json.loads(line)
    headers = tuple((name, decoded(value)) for name, value in fields["headers"])
    return Record(fields["topic"], fields["partition"], fields["offset"], decoded(fields["key"]), headers,
                  fields["value"])


class Outputs:
    """The records of a folder with responses.jsonl, chunks.jsonl, usage.jsonl, letters.jsonl."""

    def __init__(self, folder):
        for kind in KINDS:
            path = Path(folder) / f"{kind}.jsonl"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            setattr(self, kind, [record_of(line) for line in lines])

    def answers(self):
        return [value for value in (record.json() for record in self.responses) if value["status"] == "ok"]

    def runs(self):
        """The chunks of each run, in the order in which they were sent."""
        runs = defaultdict(list)
        for record in sorted(self.chunks, key=lambda record: (record.topic, record.partition, record.offset)):
            value = record.json()
            runs[value["run"]].append(value)
        return runs


def has_outputs(folder):
    return bool(folder) and any((Path(folder) / f"{kind}.jsonl").exists() for kind in KINDS)

"""The worker's own validator says of thousands of schemas and values what Python's jsonschema says."""
import json
import random
import subprocess

import pytest
from jsonschema import Draft202012Validator

from conftest import built

DEFS = ["a", "b/c", "d~e"]
NAMES = ["x", "y", "naïve", "z z"]
NUMBERS = ["0", "-0", "1", "1.0", "10e-1", "2", "2.5", "-3", "1e2", "100", "0.1", "9007199254740993", "9007199254740992",
           "18446744073709551616", "18446744073709551617", "1.5e1", "15"]
STRINGS = ["", "a", "ab", "é", "\U0001f600x", "2024-01-01", "abc" * 3, "null", "1"]


class Numeral(float):
    """A number as it is written: json.dumps prints a float by its repr, of a subclass too."""
    def __new__(cls, text):
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __repr__(self):
        return self.text


def written(value):
    """JSON with the numbers as they were drawn."""
    if isinstance(value, Numeral):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


class Draw:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self, items):
        return self.random.choice(items)

    def some(self, items, most=3):
        return [self.one(items) for _ in range(self.random.randint(1, most))]

    def value(self, depth=0):
        kind = self.random.randrange(7 if depth < 3 else 5)
        if kind < 2:
            return Numeral(self.one(NUMBERS))
        if kind < 4:
            return self.one([*STRINGS, True, False, None])
        if kind == 4:
            return self.one([[], {}])
        if kind == 5:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {self.one(NAMES): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def schema(self, depth=0):
        if self.random.random() < 0.08:
            return self.one([True, False])
        made = {}
        for _ in range(self.random.randint(1, 3)):
            made.update(self.keyword(depth))
        return made

    def sub(self, depth):
        return self.schema(depth + 1) if depth < 3 else {"type": self.one(["string", "integer", "object"])}

    def keyword(self, depth):
        types = ["null", "boolean", "integer", "number", "string", "array", "object"]
        subs = lambda: [self.sub(depth) for _ in range(self.random.randint(1, 3))]
        number = lambda: Numeral(self.one(NUMBERS))
        makes = [
            lambda: {"type": self.one(types)}, lambda: {"type": sorted(set(self.some(types)))},
            lambda: {"properties": {name: self.sub(depth) for name in self.some(NAMES)}},
            lambda: {"required": sorted(set(self.some(NAMES)))},
            lambda: {"additionalProperties": self.sub(depth)}, lambda: {"items": self.sub(depth)},
            lambda: {"prefixItems": subs()}, lambda: {"enum": [self.value(1) for _ in range(3)]},
            lambda: {"const": self.value(1)}, lambda: {"anyOf": subs()}, lambda: {"oneOf": subs()},
            lambda: {"anyOf": [self.sub(depth), {"type": "null"}]},
            lambda: {"allOf": subs()}, lambda: {"minimum": number()}, lambda: {"maximum": number()},
            lambda: {"exclusiveMinimum": number()}, lambda: {"exclusiveMaximum": number()},
            lambda: {self.one(["minLength", "maxLength", "minItems", "maxItems"]): self.random.randrange(4)},
            lambda: {"title": "t", "description": "d", "default": self.value(2), "format": "date"},
            lambda: {"$ref": "#/$defs/" + self.one(DEFS).replace("~", "~0").replace("/", "~1")},
        ]
        return self.one(makes)()

    def whole(self):
        """A schema with definitions that refer on in one direction only, or through members and elements."""
        schema = self.schema()
        if not isinstance(schema, dict):
            schema = {}
        plain = {"type": self.one(["string", "integer", "array"])}
        schema["$defs"] = {"a": {"properties": {"x": {"$ref": "#"}, "y": self.sub(2)}, "items": {"$ref": "#/$defs/a"}},
                           "b/c": plain, "d~e": {"allOf": [{"$ref": "#/$defs/b~1c"}]}}
        return schema


@pytest.fixture(scope="module")
def verdicts():
    def ask(pairs):
        lines = "".join(f'{{"schema":{written(schema)},"value":{written(value)}}}\n' for schema, value in pairs)
        done = subprocess.run([built("validate_values")], input=lines, capture_output=True, text=True, check=True,
                              encoding="utf-8", timeout=120)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(told) == len(pairs)
        return told
    return ask


def test_values_are_valid_for_both_or_for_none(verdicts):
    draw = Draw(20261129)
    pairs = []
    for _ in range(1500):
        schema = draw.whole()
        pairs += [(schema, draw.value()) for _ in range(4)]
    apart, valid = [], 0
    for (schema, value), told in zip(pairs, verdicts(pairs), strict=True):
        theirs = list(Draft202012Validator(json.loads(written(schema))).iter_errors(json.loads(written(value))))
        valid += not theirs
        if bool(theirs) != bool(told) or any(fault.startswith("schema: ") for fault in told):
            apart.append(f"{written(schema)} {written(value)}: {told}, {[e.message for e in theirs][:2]}")
    assert apart == []
    assert 1000 < valid < 5000


REFUSED = [
    ({"pattern": "a"}, "pattern"), ({"properties": {"a": {"multipleOf": 2}}}, "properties.a.multipleOf"),
    ({"type": "text"}, "type"), ({"type": ["null", 1]}, "type[1]"), ({"type": []}, "type"),
    ({"items": [{}]}, "items"), ({"anyOf": []}, "anyOf"), ({"anyOf": [1]}, "anyOf[0]"), ({"enum": 1}, "enum"),
    ({"properties": []}, "properties"), ({"required": "a"}, "required"), ({"required": [1]}, "required[0]"),
    ({"minimum": "1"}, "minimum"), ({"minLength": -1}, "minLength"), ({"minItems": 1.5}, "minItems"),
    ({"$ref": "#"}, "$ref"), ({"$ref": "#/$defs/a"}, "$ref"), ({"$ref": "other.json"}, "$ref"), ({"$ref": 1}, "$ref"),
    ({"$ref": "#/properties/a", "properties": {"a": {}}}, "$ref"),
    ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [True, {"$ref": "#/$defs/a"}]}}}, "$defs.a.$ref"),
    ({"$defs": {"a": {"allOf": [{"$ref": "#"}]}}, "oneOf": [{"$ref": "#/$defs/a"}]}, "$defs.a.allOf[0].$ref"),
    ({"$defs": {str(i): {"$ref": f"#/$defs/{i + 1}"} for i in range(99)} | {"99": {}}}, "$defs.0.$ref"),
    ({"$defs": {str(i): {"anyOf": [{"$ref": f"#/$defs/{i + 1}"}] * 2} for i in range(30)} | {"30": {}}},
     "$defs.0.anyOf[0].$ref"),
]


@pytest.mark.parametrize(("schema", "place"), REFUSED, ids=[place for _, place in REFUSED])
def test_a_schema_that_cannot_be_checked_against_is_refused_with_its_place(verdicts, schema, place):
    (told,), = verdicts([(schema, 1)])
    assert told.startswith(f"schema: {place} "), told


def test_what_only_describes_is_ignored(verdicts):
    schema = {"title": "t", "description": 1, "default": 2, "examples": 3, "format": "date", "$comment": "c", "$schema": "s",
              "deprecated": True, "readOnly": True, "writeOnly": True}
    assert verdicts([(schema, "x")]) == [[]]


FAULTS = [
    ({"properties": {"items": {"items": {"properties": {"name": {"type": "string"}}}}}},
     {"items": [{"name": "a"}, {}, {"name": 1}]}, ["$.items[2].name: must be a string"]),
    ({"required": ["a", "b"], "additionalProperties": False}, {"c": 1},
     ['$: must have the member "a"', '$: must have the member "b"', "$.c: must not be there"]),
    ({"type": ["string", "null"]}, 1, ["$: must be a string or null"]),
    ({"enum": ["a", 1]}, 2, ['$: must be one of ["a",1]']), ({"const": {"a": 1}}, 1, ['$: must be {"a":1}']),
    ({"exclusiveMinimum": 3, "maximum": 5}, 3, ["$: must be more than 3"]), ({"maximum": 5}, 6, ["$: must be at most 5"]),
    ({"minLength": 2}, "\U0001f600", ["$: must have at least 2 characters, has 1"]),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "a", ["$: must be a whole number"]),
    ({"oneOf": [{}, {}]}, 1, ["$: must match one of the schemas of oneOf, matches 2"]),
    ({"items": {"type": "string"}}, list(range(20)), [f"$[{i}]: must be a string" for i in range(8)]),
]


@pytest.mark.parametrize(("schema", "value", "faults"), FAULTS)
def test_a_fault_has_its_place_and_at_most_eight_are_listed(verdicts, schema, value, faults):
    assert verdicts([(schema, value)]) == [faults]


def test_a_schema_that_is_too_much_work_is_given_up(verdicts):
    """4 schemas for each member of each member …: the worker has other things to do."""
    schema = {"anyOf": [{"properties": {str(i): {"$ref": "#"}}} for i in range(2)] * 4}
    value = 1
    for _ in range(40):
        value = {"0": value, "1": value} if not isinstance(value, dict) else {"0": value}
    assert verdicts([(schema, value)]) == [["schema: too many steps"]]

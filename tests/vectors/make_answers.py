#!/usr/bin/env python3
"""Makes answers.inc: answers of Converse, and the messages that langchain-aws makes of them.

    python3 tests/vectors/make_answers.py            writes it beside itself
    python3 tests/vectors/make_answers.py --check    says whether it is up to date

The answers are those of tests/checks/answer_cases.py, where LangChain loses nothing of them. What it adds (the members of
its transport, counts of caches that were not used) is left out. unit/test_converse_vectors.c reads the vectors.
"""
import json
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "checks")]
warnings.simplefilter("ignore")

from langchain_core.messages import HumanMessage                                                       # noqa: E402

from answer_cases import BLOCKS, DIFFERENT, FIELDS, METADATA, NOVA, STREAMS, THOUGHTS, USAGES, text    # noqa: E402
from make import c_text                                                                                # noqa: E402
from parity import LangChain, compared                                                                 # noqa: E402
from test_parity import CLAUDE, streamed, text_events, whole                                           # noqa: E402

FILE = HERE / "answers.inc"


def cases():
    """(name, answer, model)"""
    for name, block in BLOCKS.items():
        if name != "a cited text without citations":
            yield name, whole(block, text("b")), CLAUDE
    for name, usage in USAGES.items():
        yield name, whole(text("a"), usage=usage), CLAUDE
    for name, more in METADATA.items():
        yield name, whole(text("a"), **more), CLAUDE
        yield f"{name}, streamed", streamed(*text_events("a|b"), **more), CLAUDE
    for name, more in FIELDS.items():
        yield name, whole(text("a"), additionalModelResponseFields=more), CLAUDE
    for said in THOUGHTS:
        yield f"thoughts in {said!r}", whole(text(said)), NOVA
    for name, events in STREAMS.items():
        if name not in DIFFERENT:
            yield name, streamed(*events), CLAUDE


def dumped(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=float)


def literal(value):
    """A C literal in lines that a page can hold."""
    data = value.encode()
    return "\n    ".join(c_text(data[at:at + 110]) for at in range(0, len(data), 110)) or '""'


def row(name, answer, model):
    message = LangChain("converse", [answer], model=model).run([HumanMessage("hi")], stream=answer.events is not None).message
    seen = compared(message)
    for told in ("model_name", "model_provider", "stopReason"):
        seen["response_metadata"].pop(told)
    usage = {name: value for name, value in seen["usage_metadata"].items() if value}
    said = dumped(answer.body) if answer.body else "".join(f"{kind} {dumped(payload)}\n" for kind, payload in answer.events)
    shown = [dumped(seen[member]) for member in ("content", "tool_calls", "response_metadata")] + [dumped(usage)]
    kind = "WHOLE" if answer.body else "STREAM"
    fields = [literal(name), "true" if model == NOVA else "false", literal(said), *map(literal, shown)]
    return f"{kind}(" + ",\n    ".join(fields) + ")\n"


def made():
    rows = "".join(row(*case) for case in cases())
    return ("/* WHOLE(name, reasons in its text, body, content, tool_calls, response_metadata, usage_metadata)\n"
            " * STREAM(…, a line for each event: type, payload; then as above). Made by make_answers.py. */\n"
            "/* clang-format off */\n" + rows + "/* clang-format on */\n")


def main():
    text_of_file = made()
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(text_of_file, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text_of_file:
        sys.exit(f"{FILE} is not what {Path(__file__).name} makes")


if __name__ == "__main__":
    main()

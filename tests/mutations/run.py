#!/usr/bin/env python3
"""Breaks the worker on purpose, one line at a time, and checks that the tests find each fault.

    tests/mutations/run.py                 all faults of faults.py that unit tests and worlds must find
    tests/mutations/run.py --only retry    those with this word in their name
    tests/mutations/run.py --kafka         those that only brokers and the real libraries show (takes long)

The tree is copied to build/mutations/tree, built there once, and built again for each fault. Closes with
`N planted, N found`; a fault that nothing finds, or whose old text is no longer in the source, is a failure.
"""
import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from faults import FAULTS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutations"
TREE = WORK / "tree"
BUILD = WORK / "out"
COPIED = ["CMakeLists.txt", "worker", "tests", "schema", "config", "deploy"]
# The quick ones first: the first that fails is the one that is named.
UNITS = ["offset_map", "retry", "share", "fair", "fairness", "settings_tenants", "ledger", "ledger_map", "engine_shares", "engine_scale", "engine_partitions", "engine_batches", "engine_refusals", "engine_sizes",
         "beginning", "engine_lost", "engine_marks", "engine_shelf", "engine_adopt", "engine_requests", "engine_answers", "engine_count", "http", "presets", "effort", "traits",
         "stops", "invoke", "invoke_anthropic", "invoke_texts", "engine_invalid", "json_schema", "json_partial", "structured", "parsed",
         "hash", "output_chunk", "lane", "fetch_turns", "target", "dispatch", "reply", "pacing", "outage", "noise", "quota", "quota_sim", "sim_plan", "ledger_orders", "secrets", "proxy", "msk_token", "route", "route_requests", "substitute", "settings_fallback",
         "sigv4", "event", "fault", "settings_relations", "json_scan", "entry", "books", "redrive", "budget", "budgets", "reconcile", "quota_row", "token_cost", "day_budget", "lag_share", "settings_quotas", "engine_quotas", "lag_life", "output_sums"]
TEST_SECONDS = 120
MEMORY_BYTES = 2 << 30


def copy_tree():
    """Only what has changed gets a new time, so that only that is built again."""
    fresh = {}
    for name in COPIED:
        top = ROOT / name
        for path in [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file()):
            if "__pycache__" not in path.parts:
                fresh[path.relative_to(ROOT)] = path
    for path in [p for p in TREE.rglob("*") if p.is_file()] if TREE.exists() else []:
        if path.relative_to(TREE) not in fresh:
            path.unlink()
    for relative, path in fresh.items():
        target = TREE / relative
        if not target.exists() or target.read_bytes() != path.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            shutil.copymode(path, target)


def small():
    """A fault may take memory without end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def run(command, seconds, **keywords):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, text=True,
                              errors="replace", **keywords)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        out = late.stdout or ""
        return 124, out if isinstance(out, str) else out.decode(errors="replace")


def build(targets):
    return run(["ninja", "-C", str(BUILD), "-j", str(os.cpu_count() or 1), *targets], 1800)


def configure():
    # Warnings are allowed: a fault may leave something unused.
    code, out = run(["cmake", "-S", str(TREE), "-B", str(BUILD), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                     "-DBEDROCK_TESTS=ON"], 300)
    if code != 0:
        sys.exit(f"{out}\nmutations: the tree cannot be configured")


def failed_names(out):
    names = [line.split("]", 1)[1].strip() for line in out.splitlines() if line.startswith("[  FAILED  ]")]
    return sorted({name for name in names if " " not in name})


def unit_killer():
    """The first unit test that fails, and how many of its cases do."""
    for name in UNITS:
        code, out = run([str(BUILD / "tests" / f"unit_{name}")], TEST_SECONDS, preexec_fn=small)
        if code == 0:
            continue
        cases = failed_names(out)
        if not cases:
            return f"unit_{name} ({'hangs' if code == 124 else 'a check fails'})"
        return f"unit_{name}: {cases[0]}" + (f" and {len(cases) - 1} more" if len(cases) > 1 else "")
    return ""


def world_killer(worlds):
    code, out = run([str(BUILD / "tests" / "world"), "--worlds", str(worlds)], TEST_SECONDS, preexec_fn=small)
    if code == 0:
        return ""
    words = [line for line in out.splitlines() if line.strip()]
    if code == 124:
        return "worlds: they hang"
    return "worlds: " + (words[-2] if len(words) > 1 and words[-1].startswith("replay") else "\n".join(words[-1:]))


def pace_killer():
    code, out = run([str(BUILD / "tests" / "pace_worlds")], 3 * TEST_SECONDS, preexec_fn=small)
    if code == 0:
        return ""
    wrong = [line.strip() for line in out.splitlines() if "missed:" in line or "broken" in line]
    return f"worlds of quotas: {wrong[0] if wrong else 'they hang or crash'}"


def kafka_killer(expression):
    environment = dict(os.environ, BEDROCK_PROGRAMS=str(BUILD), PYTHONDONTWRITEBYTECODE="1")
    python = ROOT / "build" / "venv" / "bin" / "python"
    code, out = run([str(python if python.exists() else sys.executable), "-m", "pytest", "-p", "no:cacheprovider", "-x",
                     "-q", "tests/kafka", "-k", expression], 1200, cwd=ROOT, env=environment)
    if code == 0:
        return ""
    failed = [line for line in out.splitlines() if line.startswith("FAILED")]
    return "kafka: " + (failed[0] if failed else out[-200:])


def io_killer(name):
    code, out = run([str(BUILD / "tests" / f"io_{name}")], TEST_SECONDS)
    return "" if code == 0 else f"io_{name}: {(failed_names(out) or ['it hangs or a check fails'])[0]}"


def killers(fault, arguments):
    """The tests that find the planted fault."""
    targets = ["bedrock-worker", "bedrock-sim"] if fault.kafka else [f"io_{fault.io}"] if fault.io else \
        [f"unit_{name}" for name in UNITS] + ["world", "pace_worlds"]
    code, out = build(targets)
    if code != 0:
        print(f"{out[-3000:]}\n'{fault.name}' does not build: it is no fault")
        return []
    if fault.kafka:
        found = [kafka_killer(fault.kafka)]
    elif fault.io:
        found = [io_killer(fault.io)]
    elif arguments.all:
        found = [unit_killer(), world_killer(arguments.worlds), pace_killer()]
    else:
        found = [unit_killer() or world_killer(arguments.worlds) or pace_killer()]
    return [name for name in found if name]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults with this word in their name")
    parser.add_argument("--from", dest="first", type=int, default=1, help="begin with this number")
    parser.add_argument("--kafka", action="store_true", help="the faults that need brokers and the real libraries")
    parser.add_argument("--all", action="store_true", help="ask the worlds even when a unit test has found it")
    parser.add_argument("--worlds", type=int, default=400)
    arguments = parser.parse_args()
    faults = [f for f in FAULTS if arguments.only in f.name and bool(f.kafka or f.io) == arguments.kafka]
    WORK.mkdir(parents=True, exist_ok=True)
    copy_tree()
    configure()
    code, out = build(["all"] if arguments.kafka else [f"unit_{name}" for name in UNITS] + ["world", "pace_worlds"])
    if code != 0:
        sys.exit(f"{out[-3000:]}\nmutations: the tree does not build")
    healthy = "" if arguments.kafka else unit_killer() or world_killer(arguments.worlds) or pace_killer()
    if healthy:
        sys.exit(f"mutations: nothing is planted, and yet: {healthy}")
    found = 0
    faults = faults[arguments.first - 1:]
    for number, fault in enumerate(faults, 1):
        began = time.monotonic()
        places = [(TREE / file, old, new) for file, old, new in (fault[1:4], *fault.also)]
        sound = [path.read_text() for path, _, _ in places]
        times = [text.count(old) for text, (_, old, _) in zip(sound, places)]
        who = []
        if set(times) == {1}:
            for text, (path, old, new) in zip(sound, places):
                path.write_text(text.replace(old, new))
            who = killers(fault, arguments)
            for text, (path, _, _) in zip(sound, places):
                path.write_text(text)
        found += bool(who)
        verdict = " · ".join(who) if who else "NOT FOUND" if set(times) == {1} else \
            f"NOT PLANTED: its old texts are {times} times in their files"
        print(f"{number:3}/{len(faults)} {fault.name}: {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{len(faults)} planted, {found} found")
    return 0 if found == len(faults) and faults else 1


if __name__ == "__main__":
    sys.exit(main())

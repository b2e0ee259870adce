#!/usr/bin/env python3
"""Budgets with a real Kafka and the local Bedrock: what a group spends of one, beside what config/README.md promises.

  tests/bench/budgets.py [--runs N] [--seed N] [--quiet] [--calls N]

Four workers make up to 200 calls at once for one tenant, whose budget is worth 1,500 calls (--calls) of 200 tokens that
last from 0.1 s to many seconds. Meanwhile workers are killed (kill -9) and started again every few seconds, unless
--quiet. When the group has stopped spending (after kills it waits longer than a killed worker's reservations stay), a
run prints what the usage topic has, replaced records left out:

  over        what was spent beyond the limit, in calls: 0, for each call costs what is expected of it
  left        what nobody has spent in the end, when requests still wait: no more than workers × the largest call
  estimated   records of calls that a killed worker had begun, with what is known of them: their input
  unrecorded  what Bedrock billed beyond that, in calls

It ends with 1 when a run breaks the promise. Programs: $BEDROCK_PROGRAMS, else build/release.
"""
import argparse
import os
import random
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kafka"))
VENV = ROOT / "build" / "venv" / "bin" / "python"
if VENV.exists() and sys.prefix == sys.base_prefix:
    os.execv(VENV, [str(VENV), *sys.argv])

from kit import records                                          # noqa: E402
from kit.broker import Broker, fetch_jars                        # noqa: E402
from kit.processes import WORK                                   # noqa: E402
from kit.world import World                                      # noqa: E402

FOLDER = WORK / "budgets"
WORKERS, PARALLEL, TOKENS = 4, 200, 200
QUIET_S, KILLED_S = 12, 45      # nothing new for so long: the group has stopped spending
KILLS_S = 4, 9


def recorded(world):
    """The usage records, without those that others replace."""
    found = [record.json() for record in world.read(world.topics.usage)]
    replaced = {record["data"].get("replaces") for record in found}
    return [record for record in found if record["id"] not in replaced]


def tokens(records):
    return sum(record["data"]["usage"]["total_tokens"] for record in records)


def settings(limit):
    return {"tenants": {"acme": {"budget": {"tokens": limit, "per": "month"}}},
            "delivery": {"max_in_flight": PARALLEL // WORKERS, "ordering": "none"},
            "kafka": {"session_timeout": "6s"}}


def spend(world, chance, is_quiet):
    """Lets the group spend, with kills; returns when each worker was killed or started."""
    moved, seen, changed = [time.time()], -1, time.time()
    next_kill = time.time() + chance.uniform(*KILLS_S)
    quiet_s = QUIET_S if is_quiet else KILLED_S 
    while seen < 1 or time.time() < changed + quiet_s:
        time.sleep(0.5)
        if world.watcher.count(world.topics.usage) != seen:
            seen, changed = world.watcher.count(world.topics.usage), time.time()
        if not is_quiet and time.time() > next_kill and time.time() < changed + 2:
            name = f"w{chance.randrange(WORKERS)}"
            world.kill(name)
            time.sleep(chance.uniform(0, 2))
            world.worker(name)
            moved.append(time.time())
            next_kill = time.time() + chance.uniform(*KILLS_S)
    return moved


def run(broker, number, options):
    chance = random.Random(options.seed + number)
    limit = options.calls * TOKENS
    shutil.rmtree(FOLDER / f"run{number}", ignore_errors=True)
    with World(broker, FOLDER / f"run{number}", simulator={"latency": "lognormal(900ms, 0.9)"}, partitions=8,
               settings=settings(limit)) as world:
        records.create_topic(broker.bootstrap, world.topics.budgets, 1, {"cleanup.policy": "compact"})
        world.ask_many(options.calls * 2, keys=400, tenant="acme", max_tokens=TOKENS,
                       directive="input_tokens=100;output_tokens=100")
        for worker in range(WORKERS):
            world.worker(f"w{worker}")
        moved = spend(world, chance, options.quiet)
        found = recorded(world)
        world.end()
        served = sum(call.input_tokens + call.output_tokens for call in world.calls if call.billed)
    return report(number, limit, found, served, moved, options)


def report(number, limit, found, served, moved, options):
    spent, largest = tokens(found), max(record["data"]["usage"]["total_tokens"] for record in found)
    estimated = sum(record["data"]["estimated"] for record in found)
    lost = max(0, served - spent)
    over, left = max(0, spent - limit), max(0, limit - spent)
    is_good = left <= WORKERS * largest and over == 0
    print(f"run {number}: spent {spent} of {limit} (ledger {served}), over {over / TOKENS:.1f} calls "
          f"({100 * over / limit:.2f} %), left {left / TOKENS:.1f} calls, {len(moved) - 1} kills, "
          f"{estimated} estimated, unrecorded {lost / TOKENS:.1f} calls{'' if is_good else '   BROKEN'}", flush=True)
    return is_good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=1500)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    missing = fetch_jars()
    if missing:
        sys.exit(missing)
    broker = Broker(FOLDER / "broker")
    broker.format()
    broker.start()
    try:
        good = [run(broker, number, options) for number in range(options.runs)]
    finally:
        broker.stop()
        broker.wipe()
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()

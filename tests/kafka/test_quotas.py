"""Four workers on one quota, which the local Bedrock enforces: they share it by their lag, without a coordinator."""
import time
import urllib.request

from kit.broker import free_ports
from kit.processes import wait_for
from kit.services import MODEL
from kit.world import World

A_MINUTE = 2400                     # requests
SECONDS = 4


def metered(port):
    return {"telemetry": {"http": {"address": f"127.0.0.1:{port}"}}}


def share(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return float(next(line for line in text.splitlines() if line.startswith("bedrock_worker_quota_share ")).split()[1])


def begun(world):
    """Calls that the quota let through, by the partition of their request, which is in its name."""
    counts = {}
    for call in world.simulator.lines("end"):
        if call["status"] == 200:
            partition = call["tag"].split("-")[0]
            counts[partition] = counts.get(partition, 0) + 1
    return counts


def within(world, seconds):
    before, at = begun(world), time.monotonic()
    time.sleep(seconds)
    after = begun(world)
    seconds = time.monotonic() - at
    return {name: (after[name] - before.get(name, 0)) / seconds for name in after}


def ask_all(world, count, partitions=4):
    for number in range(count):
        for partition in range(partitions):
            world.ask(f"p{partition}-{len(world.asked)}", partition=partition)
    world.writer.flush()


def jain(rates):
    return sum(rates) ** 2 / (len(rates) * sum(rate ** 2 for rate in rates))


def test_four_workers_share_a_quota_and_one_with_all_the_work_has_nearly_all_of_it(broker, folder):
    ports = free_ports(4)
    quota = {"model": MODEL, "requests": A_MINUTE, "burst": "10s"}
    known = {"quotas": [{"model": MODEL, "requests_per_minute": A_MINUTE, "burst": "0"}]}
    with World(broker, folder, simulator={"quotas": [quota]}, settings=known) as world:
        for index, port in enumerate(ports):
            world.worker(f"w{index}", **metered(port))
        ask_all(world, 20)
        assert wait_for(lambda: all(0.2 < share(port) < 0.3 for port in ports))
        ask_all(world, 70)
        time.sleep(1.5)                                    # a second's quota was saved up
        rates = within(world, SECONDS)
        assert len(rates) == 4 and jain(list(rates.values())) >= 0.99, rates
        assert sum(rates.values()) <= 1.05 * A_MINUTE / 60, rates
        ask_all(world, 400, partitions=1)                  # the other partitions run dry before
        assert wait_for(lambda: max(share(port) for port in ports) > 0.95)
        rates = within(world, SECONDS)
        assert rates["p0"] >= 0.95 * 0.99 * A_MINUTE / 60, rates
        throttled = [call for call in world.simulator.lines("end") if call["status"] == 429]
        assert len(throttled) <= 0.02 * world.simulator.begun(), len(throttled)


def test_the_part_of_a_killed_worker_goes_to_the_others_before_its_session_ends(broker, folder):
    ports = dict(zip(["w0", "w1"], free_ports(2)))
    known = {"quotas": [{"model": MODEL, "requests_per_minute": A_MINUTE, "burst": "0"}],
             "kafka": {"session_timeout": "45s"}}
    with World(broker, folder, partitions=2, settings=known) as world:
        for name, port in ports.items():
            world.worker(name, **metered(port))
        ask_all(world, 2000, partitions=2)
        assert wait_for(lambda: all(0.4 < share(port) < 0.6 for port in ports.values()))
        assert world.members() == 2
        world.kill("w0")
        # Its partition counts as idle: 1 / (1 + 0.005). The group still has it.
        assert wait_for(lambda: share(ports["w1"]) > 0.99)
        assert world.members() == 2

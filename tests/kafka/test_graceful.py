"""Clean stops: no call is repeated, ever."""
import random
import signal
import subprocess
import time
from datetime import datetime

import pytest

from kit.auditor import Blow
from kit.processes import wait_for
from kit.storm import Stream
from kit.world import World


def test_stops_starts_and_scaling_from_one_to_four_and_back_repeat_no_call(broker, folder):
    with World(broker, folder, partitions=6, simulator={"latency": "uniform(50ms, 800ms)"}) as world:
        world.worker("w0")
        stream = Stream(world, 80, keys=500)
        stream.start()
        assert wait_for(lambda: world.answered() > 50)
        chance = random.Random(7)
        for name in ("w1", "w2", "w3"):
            world.worker(name, is_named=name == "w3")
            time.sleep(1.5)
        for _ in range(4):
            name = f"w{chance.randrange(4)}"
            world.workers[name].stop()
            time.sleep(chance.uniform(0, 1))
            world.workers[name].start()
            time.sleep(chance.uniform(0.5, 2))
        for name in ("w3", "w2", "w1"):
            world.workers[name].stop()
            time.sleep(0.5)
        stream.end()
        world.await_answers()
        world.must_be_graceful()


@pytest.mark.core
def test_a_stop_lets_running_calls_finish_and_starts_none(broker, folder):
    with World(broker, folder, partitions=1, simulator={"latency": "8s"},
               settings={"delivery": {"max_in_flight": 20}}) as world:
        worker = world.worker("w0")
        world.ask_many(60)
        assert wait_for(lambda: world.simulator.begun() >= 20)
        worker.stop()
        world.simulator.stop()
        calls = world.simulator.calls()
        assert len(calls) == 20 and all(call.is_answer for call in calls)
        assert max(call.started_ms for call in calls) < min(call.ended_ms for call in calls)
        assert wait_for(lambda: world.answered() == 20)


def test_a_drain_does_not_retry_and_the_next_worker_completes_its_requests(broker, folder):
    with World(broker, folder, partitions=1) as world:
        worker = world.worker("w0", bedrock={"retry": {"transient_base": "10m", "throttle_base": "10m",
                                                       "max_delay": "10m", "max_elapsed": "1h"}})
        world.ask_many(20, directive="fault=throttling;times=1")
        assert wait_for(lambda: world.simulator.begun() >= 20)
        worker.stop()                   # a stop that waited for the retries would never return
        draining = datetime.fromisoformat(worker.events("draining")[0]["time"]).timestamp() * 1000
        late = [call for call in world.simulator.calls() if call.started_ms > draining + 1000]
        assert not late, "a retry began during the drain"
        world.worker("w0")
        world.await_answers()
        world.must_be_graceful()


def test_calls_longer_than_the_drain_are_cancelled_recorded_and_repeated(broker, folder):
    with World(broker, folder, partitions=1, settings={"delivery": {"drain_timeout": "1s"}}) as world:
        worker = world.worker("w0")
        world.ask("long", directive="latency=10m;times=1")
        world.ask("short")
        world.writer.flush()
        world.await_answers(1)
        assert wait_for(lambda: world.simulator.begun("long") == 1)
        worker.process.signal(signal.SIGTERM)
        assert worker.process.wait() in (0, 1)
        world.worker("w0")
        world.await_answers()
        world.end()
        booked = world.usage_by_request()["long"]
        assert sorted((data.get("reason", "-"), data["final"]) for data in booked) == [("-", True),
                                                                                        ("cancelled", False)]
        assert world.responses()["long"]["status"] == "ok"


SILENT_RESOLVER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **found)
{
    if (name != NULL && strcmp(name, "silent.example") == 0) {
        sleep(3600);
        return EAI_AGAIN;
    }
    return ((look_up *)dlsym(RTLD_NEXT, "getaddrinfo"))(name, port, hints, found);
}
"""


def test_a_resolver_that_does_not_answer_does_not_delay_a_stop(broker, folder, tmp_path):
    source, library = tmp_path / "silent.c", tmp_path / "silent.so"
    source.write_text(SILENT_RESOLVER, encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    with World(broker, folder, partitions=1, settings={"delivery": {"drain_timeout": "3s"}}) as world:
        worker = world.worker("w0", environment={"LD_PRELOAD": str(library)},
                              bedrock={"endpoint_url": "http://silent.example:9"})
        world.ask("one")
        world.writer.flush()
        assert wait_for(lambda: worker.events("partition_earliest"))
        time.sleep(2)
        worker.process.signal(signal.SIGTERM)
        assert worker.process.wait() == 0
        assert worker.events("stopped")
        world.worker("w1")
        world.await_answers()
        world.must_be_clean()


def test_a_second_sigterm_records_the_cancelled_call_and_ends_within_a_second(broker, folder):
    with World(broker, folder, partitions=1, settings={"delivery": {"drain_timeout": "1h"},
                                                          "kafka": {"max_poll_interval": "2h"}}) as world:
        worker = world.worker("w0")
        world.ask("long", directive="latency=1h;times=1")
        world.writer.flush()
        assert wait_for(lambda: world.simulator.begun("long") == 1)
        assert wait_for(lambda: world.has_begun(1))
        worker.process.signal(signal.SIGTERM)
        assert wait_for(lambda: worker.events("draining"))
        [draining] = worker.events("draining")
        assert draining["calls"] == 1 and draining["until"].startswith("20")
        before = time.monotonic()
        worker.process.signal(signal.SIGTERM)
        assert worker.process.wait(60) == 1
        took = time.monotonic() - before
        [hurried] = worker.events("stop_hurried")
        assert hurried["calls"] == 1 and worker.events("stopped")
        # Its timer ends it after 0.9 s, even where its loop hangs; the rest is this machine's.
        assert took < 30, took
        world.worker("w0")
        world.await_answers()
        world.end()
        booked = world.usage_by_request()["long"]
        assert sorted((data.get("reason", "-"), data["final"]) for data in booked) == [("-", True), ("cancelled", False)]
        assert world.responses()["long"]["status"] == "ok"


def test_a_worker_says_what_it_waits_for_until_it_has_partitions(broker, folder):
    with World(broker, folder, partitions=1, settings={"kafka": {"session_timeout": "6s"}}) as world:
        world.worker("w0")
        assert wait_for(lambda: world.workers["w0"].events("ready"))
        world.kill("w0")
        second = world.worker("w1")         # waits for the session of the dead one
        assert wait_for(lambda: second.events("ready"))
        [waits] = second.events("join_waits")
        assert waits["waited_ms"] >= 2000 and waits["session_ms"] == 6000
        assert second.events("ready")[0]["partitions"] == 1
        third = world.worker("w2")          # more workers than partitions
        assert wait_for(lambda: third.events("ready_idle"))
        assert "its topics have 1 partitions, and other members have them" in third.events("ready_idle")[0]["message"]
        assert not third.events("ready")
        second.stop()
        assert wait_for(lambda: third.events("ready"))
        world.ask("one")
        world.writer.flush()
        world.await_answers()


@pytest.mark.core
def test_a_second_sigterm_ends_a_worker_whose_brokers_do_not_answer(own_broker, folder):
    with World(own_broker, folder, partitions=1, settings={"delivery": {"drain_timeout": "1h"},
                                                          "kafka": {"max_poll_interval": "2h"}}) as world:
        worker = world.worker("w0")
        world.ask("long", directive="latency=1h;times=1")
        world.writer.flush()
        assert wait_for(lambda: world.has_begun(1))
        own_broker.process.signal(signal.SIGSTOP)
        try:
            worker.process.signal(signal.SIGTERM)
            assert wait_for(lambda: worker.events("draining"))
            worker.process.signal(signal.SIGTERM)
            assert worker.process.wait(60) == 1
            assert worker.events("stop_hurried")
        finally:
            own_broker.process.signal(signal.SIGCONT)
        world.blows.append(Blow("w0", time.time() * 1000))
        world.worker("w0")
        world.await_answers()
        world.must_be_clean()

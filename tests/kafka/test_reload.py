"""New settings while requests are under way: each request keeps those with which it was read."""
import json
import signal
import time

import pytest

from kit.processes import wait_for
from kit.services import MODEL, merged
from kit.world import World


def aliases(*names):
    return {"models": {"aliases": {name: {"id": MODEL, "defaults": {"max_tokens": 7}} for name in names}}}


def change(worker, settings):
    worker.file.write_text(json.dumps(merged(json.loads(worker.file.read_text()), settings)))


@pytest.mark.core
def test_requests_keep_the_aliases_with_which_they_were_read(broker, folder):
    with World(broker, folder, partitions=2, settings=aliases("old")) as world:
        worker = world.worker("w0", settings={"watch": 0}, bedrock={"retry": {"throttle_base": "4s", "max_delay": "8s"}})
        world.ask("early", model="old", directive="fault=throttling;times=2")
        assert wait_for(lambda: world.simulator.begun("early") >= 1)
        text = json.loads(worker.file.read_text())
        text["models"] = aliases("new")["models"]
        worker.file.write_text(json.dumps(text))
        worker.process.signal(signal.SIGHUP)
        assert wait_for(lambda: worker.events("settings_reloaded"))
        world.ask("late", model="new")
        world.ask("gone", model="old")
        world.await_answers()
        worker.stop()
        answers = world.responses()
        assert {name: answer["status"] for name, answer in answers.items()} == {
            "early": "ok", "late": "ok", "gone": "error"}
        assert answers["gone"]["error"]["code"] == "unknown_model"
        assert worker.events("settings_reloaded")[0]["names"] == "models.aliases"


def test_a_storm_of_changes_answers_every_request_once(broker, folder):
    with World(broker, folder, partitions=4, simulator={"latency": "uniform(20ms, 400ms)"},
               settings=aliases("name")) as world:
        worker = world.worker("w0", settings={"watch": "100ms"})
        assert wait_for(lambda: worker.events("started"))
        for number in range(15):
            world.ask_many(10, prefix=f"s{number}-", model="name")
            change(worker, {"bedrock": {"retry": {"max_attempts": 3 + number % 5}}})
            worker.process.signal(signal.SIGHUP)
            time.sleep(0.4)
        world.await_answers()
        assert wait_for(lambda: len(worker.events("settings_reloaded")) >= 2)
        world.must_be_graceful()

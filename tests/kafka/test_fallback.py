"""An alias whose model is in an outage: its fallback answers, and the model again when it works."""
import time

from kit.services import MODEL
from kit.world import World

SPARE = "anthropic.claude-3-haiku-20240307-v1:0"
ALIASES = {"main": {"id": MODEL, "fallback": ["spare"]},
           "spare": {"id": SPARE, "api": "invoke", "region": "us-west-2", "defaults": {"max_tokens": 64}}}


def test_a_fallback_answers_during_an_outage_and_the_first_choice_after_it(broker, folder):
    """The model fails for prompts that say so, and answers others."""
    outage = {"rules": [{"model": MODEL, "prompt": "Fail there.", "fault": "service_unavailable"}]}
    settings = {"models": {"aliases": ALIASES}, "bedrock": {"retry": {"max_attempts": 200}}}
    with World(broker, folder, simulator=outage, settings=settings) as world:
        worker = world.worker()
        for number in range(8):
            world.ask(f"out{number}", "Fail there.", model="main", stream=number % 2 == 1)
        world.writer.flush()
        world.await_answers()
        after, model = 0, SPARE
        while model == SPARE and after < 60:        # one request a while tries the first choice
            world.ask(f"back{after}", model="main")
            world.writer.flush()
            world.await_answers()
            model = world.watcher.of(world.topics.responses)[-1].json()["model"]
            after += 1
            time.sleep(0.5)
        for number in range(8):
            world.ask(f"well{number}", model="main")
        world.writer.flush()
        world.await_answers()
        world.must_be_graceful()
        responses = world.responses()
        for name, response in responses.items():
            assert response["status"] == "ok" and response["model_requested"] == "main", response
            if name.startswith("out"):
                assert response["model"] == SPARE, response
                tried = [attempt["model"] for attempt in response["attempts"]]
                assert tried[-1] == SPARE and response["attempts"][-1]["region"] == "us-west-2", tried
            if name.startswith("well"):
                assert response["model"] == MODEL, response
        assert any(MODEL in [attempt["model"] for attempt in responses[f"out{number}"]["attempts"]] for number in range(8))
        for name, booked in world.usage_by_request().items():
            assert [data["model"] for data in booked] == [responses[name]["model"]], booked
            assert [data["model_requested"] for data in booked] == ["main"], booked
            assert booked[0]["api"] == ("invoke" if responses[name]["model"] == SPARE else "converse"), booked
        moved = worker.events("request_moved")
        assert {event["from"].split(" ")[0] for event in moved} >= {MODEL}, moved
        assert len(moved) <= 4, moved          # at most one a minute for each pair

"""Services that misbehave: the worker refuses in time, names the provider and what to do, follows no redirect and quotes
no secret."""
import dataclasses

import pytest

import chain_kit as kit
from environments import NAMES
from servers import MODES

# The environment in which each service is asked, and a word of the refusal that names it.
ASKED = {
    "container": ("a_container", "container's"),
    "imds": ("an_instance", "instance|metadata service"),
    "sso": ("a_login", "SSO"),
    "oidc": ("a_login_that_is_renewed_after_its_end", "SSO"),
    "signin": ("a_console_login_is_renewed_after_its_end", "aws login|AWS Sign-In"),
    "sts": ("a_role_by_a_source_profile", "role_arn"),
}
# What is no reason to refuse: the service has no such member, or its keys are used on.
GOOD = {("container", "numbers"), ("imds", "numbers"), ("imds", "old"), ("sts", "numbers"), ("oidc", "old"), ("oidc", "nul")}
STATUSES = (204, 302, 400, 401, 403, 404, 429, 500, 503)
# One that hangs costs its time-outs: those of two providers show them.
CASES = [(name, mode) for name in ASKED for mode in (*MODES, *STATUSES)
         if mode != "well" and (mode != "hang" or name in ("container", "imds"))]
REMEDIES = ("check", "try again", "run aws", "correct", "set ", "is there", "give", "renew", "hop limit", "not set", "see ")


@pytest.mark.parametrize("name,mode", CASES)
def test_a_service_that_misbehaves_is_refused_with_the_remedy(name, mode):
    environment, words = ASKED[name]
    case = dataclasses.replace(NAMES[environment])
    usual = case.world

    def world(services):
        usual(services)
        services.services[name].mode = mode
    case.world = world
    found = kit.ask_worker(case)
    assert found["trapped"] == 0, "the worker followed a redirect"
    if (name, mode) in GOOD:
        assert "key" in found
        return
    said = found["refused"]
    assert any(word in said for word in words.split("|")), f"the provider is not named: {said}"
    assert any(remedy in said for remedy in REMEDIES), f"no remedy: {said}"
    assert "canary" not in said + found["log"]
    assert len(said) < 2048 and said.isprintable()


@pytest.mark.parametrize("name", [name for name in ASKED if name != "imds"])
def test_a_service_that_fails_once_is_asked_again(name):
    case = dataclasses.replace(NAMES[ASKED[name][0]])
    usual = case.world

    def world(services):
        usual(services)
        services.services[name].modes = [503]
    case.world = world
    assert "key" in kit.ask_worker(case)


def test_the_metadata_service_may_fail_twice_at_each_step():
    case = dataclasses.replace(NAMES["an_instance"])
    usual = case.world

    def world(services):
        usual(services)
        services.imds.modes = [500, 503, "well", "close", 500, "well", 500, 429, "well"]
    case.world = world
    assert "key" in kit.ask_worker(case)

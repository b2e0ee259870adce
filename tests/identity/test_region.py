"""Where nothing names a region, an EC2 instance does."""
import re
import subprocess

import chain_kit as kit
from cases import Case

HERE = {"AWS_DEFAULT_REGION": None}


def check(case, prepare=lambda world: None):
    """The line about the region, and how often the metadata service was asked."""
    with kit.made(case) as (env, world):
        prepare(world)
        done = subprocess.run([kit.built("bedrock-worker"), "check"], env=env, capture_output=True, text=True,
                              timeout=kit.SECONDS, check=False)
        return re.search(r"^(ok|FAIL) +region: (.*)$", done.stdout, re.M).groups(), len(world.imds.requests)


def test_an_instance_names_its_region():
    assert check(Case("x", HERE))[0] == ("ok", "eu-central-1")


def test_an_older_metadata_service_names_only_the_zone():
    assert check(Case("x", HERE), lambda world: setattr(world.imds, "knows_region", False))[0] == ("ok", "eu-central-1")


def test_a_region_that_is_set_asks_nothing():
    assert check(Case("x")) == (("ok", "us-east-1"), 0)
    assert check(Case("x", HERE, config="[default]\nregion = ap-south-1\n")) == (("ok", "ap-south-1"), 0)


def test_metadata_that_are_disabled_are_not_asked():
    (verdict, words), asked = check(Case("x", {**HERE, "AWS_EC2_METADATA_DISABLED": "true"}))
    assert (verdict, asked) == ("FAIL", 0) and words.startswith("no AWS region: set bedrock.region")


def test_a_text_that_is_no_region_is_none():
    (verdict, words), _ = check(Case("x", HERE), lambda world: setattr(world.imds, "modes", ["well", "html"]))
    assert verdict == "FAIL" and words.startswith("no AWS region")

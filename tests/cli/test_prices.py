"""bedrock-worker prices, as a user calls it; what it makes of a list is compared with Python's decimals."""
import json
import re
from decimal import Decimal

import pytest
import yaml

from programs import ROOT, call

SHIPPED = ROOT / "config" / "prices.yaml"
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
FIXTURES = ROOT / "tests" / "fuzz" / "corpus" / "price_imports"
MEMBERS = {"input_cost_per_token": "input", "output_cost_per_token": "output",
           "cache_read_input_token_cost": "cache_read", "cache_creation_input_token_cost": "cache_write_5m",
           "cache_creation_input_token_cost_above_1hr": "cache_write_1h"}


class Exact(yaml.SafeLoader):
    """YAML whose numbers are decimals."""


for tag in ("float", "int"):
    Exact.add_constructor(f"tag:yaml.org,2002:{tag}", lambda loader, node: Decimal(node.value))


# LiteLLM's price map as published then: its chat models at Bedrock, the members that are prices of tokens.
MAP = ROOT / "tests" / "vectors" / "prices.2026-08-06.json"
VENDORS = "anthropic amazon meta mistral deepseek openai qwen ai21 cohere writer".split()


def prices_of_map():
    """What the map says, at the first place that says it, by (model, region, tier, context_over, class), in decimals for a million tokens."""
    found = {}
    for key, members in json.loads(MAP.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal).items():
        model, region = key, None
        if match := re.fullmatch(r"bedrock/([a-z]+(?:-[a-z]+)+-\d)/(.*)", key):
            region, model = match.groups()
        elif key.startswith("global."):
            model, region = key.removeprefix("global."), "global"
        model = model.removeprefix("bedrock/")
        if "/" in model or "." not in model or all(members.get(f"{side}_cost_per_token") == 0 for side in ("input", "output")):
            continue
        for name, value in members.items():
            match = re.fullmatch(f"({'|'.join(MEMBERS)})(?:_above_(\\d+)k_tokens|_(batches|flex|priority))?", name)
            if match:
                tier = {"batches": "batch"}.get(match[3], match[3])
                over = Decimal(match[2]) * 1000 if match[2] else None
                found.setdefault((model, region, tier, over, MEMBERS[match[1]]), value * 10**6)
    return found


def prices_of_file(text):
    return {(row["model"], row.get("region"), row.get("tier"), row.get("context_over"), name): row[name]
            for row in yaml.load(text, Exact)["prices"] for name in MEMBERS.values() if name in row}


def vendor(model):
    return re.sub(r"^(us-gov|us|eu|apac|jp|au|ca)\.", "", model).split(".")[0]


def show(*arguments, **environment):
    return call("prices", "show", *arguments, "--file", SHIPPED, **environment)


def applies(done):
    return yaml.load(re.search(r"^applies +line \d+: (.*)$", done.stdout, re.M).group(1), Exact)


def test_show_names_the_row_that_applies_by_profile_region_and_input():
    done = show(MODEL, "--region", "us-east-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert applies(done)["input"] == Decimal("3.3")
    done = show(MODEL.replace("us.", "global."), "--input", 200001, AWS_REGION="us-east-1")
    assert (applies(done)["region"], applies(done)["output"]) == ("global", Decimal("22.5"))
    assert "because the call is by a global profile" in done.stdout


def test_show_says_when_no_row_applies_and_ends_with_1():
    done = show(MODEL, "--region", "us-east-1", "--tier", "priority")
    assert done.returncode == 1
    assert "applies   no row: such a call has no cost in its records" in done.stdout
    assert "because the call's tier is priority" in done.stdout


def test_show_takes_an_alias_and_the_price_file_of_the_settings(tmp_path):
    (tmp_path / "p.yaml").write_text("date: 2026-08-06\ncurrency: EUR\nprices:\n"
                                     "  - {model: a.b, to: 2026-09-01, input: 1}\n"
                                     "  - {model: a.b, from: 2026-09-01, input: 2}\n")
    (tmp_path / "w.yaml").write_text(f"prices: {{file: {tmp_path}/p.yaml}}\n"
                                     "models: {aliases: {mine: {id: us.a.b, region: eu-west-1}}}\n")
    for moment, price in (("2026-08-31", 1), ("2026-09-01T01:00:00+02:00", 1), ("2026-09-01", 2), ("2026-08", 1), ("2026-09", 2)):
        done = call("prices", "show", "mine", "-c", tmp_path / "w.yaml", "--at", moment)
        assert (done.returncode, applies(done)["input"]) == (0, price), moment
        assert "us.a.b, which is also a.b\n          in eu-west-1, tier default" in done.stdout


@pytest.mark.parametrize("arguments, words", [
    ((), "a word is missing: one of show|check|import"),
    (("shwo",), "'shwo' is none of show|check|import (did you mean show?)"),
    (("show",), "no model is named"),
    (("show", "a.b"), "no price file: name it with --file, or as prices.file in the settings"),
    (("show", "a.b", "--file", SHIPPED), "no region is known"),
    (("show", "a.b", "--file", SHIPPED, "--region", "x", "--at", "soon"), "soon: is no time; write 2026-11-22T10:00:00Z"),
    (("check",), "no file is named"),
    (("check", "/nowhere"), "/nowhere: No such file or directory; check path and permissions"),
    (("import", ROOT), "is not a regular file"),
    (("import", SHIPPED), "prices.yaml:1:1: is no JSON: expected a value"),
    (("import", FIXTURES / "offer", "--name", "x"), "x: is not NAME=MODEL"),
], ids=lambda value: " ".join(map(str, value))[:40] if isinstance(value, tuple) else None)
def test_a_wrong_use_says_what_to_write(arguments, words):
    done = call("prices", *arguments)
    assert done.returncode in (1, 2) and words in done.stderr, done.stderr


def test_check_names_every_mistake_of_a_file_with_its_place(tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("date: 2026-08-06\ncurrency: USD\nprices:\n"
                    "  - {model: a.b, input: 3.1234567}\n  - {model: c.d, to: 2026-01-01}\n"
                    "  - {model: c.d, from: 2026-02-01}\n")
    done = call("prices", "check", file)
    assert done.returncode == 2
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [f"{file}:4:25", f"{file}:6:5"]
    done = call("prices", "check", SHIPPED)
    assert re.fullmatch(r"\S+/prices.yaml: \d+ rows in USD, version 2026-08-06-[0-9a-f]{12}\n", done.stdout)
    assert done.returncode == 0
    done = call("check", "--set", f"prices.file={SHIPPED}", AWS_REGION="us-east-1")
    assert re.search(r"^ok +prices: \S+: \d+ rows in USD, version 2026-08-06-", done.stdout, re.M)


def test_import_makes_a_right_file_of_litellms_map_by_its_digits(tmp_path):
    done = call("prices", "import", FIXTURES / "litellm")
    assert done.returncode == 0
    assert "x.free is left out" in done.stderr and "x.noise: input 3.0000000000000004e-06 is left out" in done.stderr
    rows = {(row["model"], row.get("region"), row.get("tier"), row.get("context_over")): row
            for row in yaml.load(done.stdout, Exact)["prices"]}
    listed = json.loads((FIXTURES / "litellm").read_text(), parse_float=Decimal)
    for key, row in (("us.x.one-v1:0", rows["us.x.one-v1:0", None, None, None]),
                     ("global.x.one-v1:0", rows["x.one-v1:0", "global", None, None]),
                     ("bedrock/eu-west-1/x.one-v1:0", rows["x.one-v1:0", "eu-west-1", None, None])):
        wanted = {MEMBERS[name]: value * 10**6 for name, value in listed[key].items() if name in MEMBERS}
        assert {name: row[name] for name in MEMBERS.values() if name in row} == wanted
    (tmp_path / "p.yaml").write_text(done.stdout)
    assert call("prices", "check", tmp_path / "p.yaml").returncode == 0


def test_the_shipped_file_has_the_maps_prices_of_its_vendors_and_no_other_ones():
    shipped = prices_of_file(SHIPPED.read_text(encoding="utf-8"))
    assert shipped == {key: value for key, value in prices_of_map().items() if vendor(key[0]) in VENDORS}
    assert {key[2] for key in shipped} == {None, "batch"} and {key[3] for key in shipped} == {None, 200_000}
    assert {key[1] for key in shipped} > {None, "global", "eu-west-2", "us-gov-west-1"} and len(shipped) > 800


def test_import_of_the_whole_map_is_a_right_file_with_each_of_its_prices(tmp_path):
    done = call("prices", "import", MAP)
    notes = [line for line in done.stderr.splitlines() if "left out" in line]
    assert done.returncode == 0 and notes == [
        "anthropic.claude-mythos-preview is left out: the map has 0 for both of its prices",
        "moonshotai.kimi-k2.5: output 3e-06 is left out: another price came before"], done.stderr
    assert prices_of_file(done.stdout) == prices_of_map()
    (tmp_path / "p.yaml").write_text(done.stdout)
    assert call("prices", "check", tmp_path / "p.yaml").returncode == 0


def test_import_of_an_offer_names_models_by_option_and_shows_the_others_as_comments(tmp_path):
    done = call("prices", "import", FIXTURES / "offer", "--name", "Claude4.6Sonnet=anthropic.claude-sonnet-4-6*")
    assert done.returncode == 0
    rows = yaml.load(done.stdout, Exact)["prices"]
    assert rows[0] == {"model": "anthropic.claude-sonnet-4-6*", "region": "us-east-1", "input": Decimal("3.3"),
                       "output": Decimal("16.5"), "cache_read": Decimal("0.33"), "cache_write_5m": Decimal("4.125"),
                       "cache_write_1h": Decimal("6.6")}
    assert "#   Llama 3.1: use1-llama-input-tokens, input 0.22" in done.stdout
    (tmp_path / "p.yaml").write_text(done.stdout)
    assert call("prices", "check", tmp_path / "p.yaml").returncode == 0

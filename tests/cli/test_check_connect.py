"""`check --connect` tests the settings of Bedrock with a call that is not billed."""
import contextlib
import http.server
import json
import re
import threading
import time

import pytest
from programs import KEYS, call, simulator

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
MODELS = ["--set", "models.default=fast", "--set", f"models.aliases={{fast: {{id: '{HAIKU}'}}}}"]


def check(url, *more, **environment):
    """The lines about Bedrock: (verdict, subject, message)."""
    done = call("check", "--connect", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set",
                f"bedrock.endpoint_url={url}", *more, **{**KEYS, **environment})
    assert done.returncode == 1, "there is no broker"
    assert "secret+key" not in done.stdout + done.stderr
    return re.findall(r"^(ok|warn|FAIL) +(credentials|endpoint|models\b.*?): (.*)$", done.stdout, re.M)


def verdicts(lines):
    return [(verdict, about) for verdict, about, _ in lines]


def test_valid_credentials_and_a_callable_model_are_reported_without_a_bill(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with simulator("--ledger", ledger) as url:
        lines = check(url, *MODELS)
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models fast")]
    assert lines[1][2].startswith(f"{url} answers (")
    assert f"{HAIKU}: the credentials are accepted" in lines[2][2]
    calls = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert calls and not any(call.get("billed") for call in calls)


def test_each_model_is_tried_with_the_api_that_its_requests_take(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    arn = "arn:aws:bedrock:us-east-1:111122223333:imported-model/abc"
    aliases = (f"{{a: {{id: '{HAIKU}'}}, b: {{id: '{HAIKU}', api: invoke}}, c: {{id: '{arn}', defaults: "
               "{provider: meta}}, d: {id: meta.llama3-70b-instruct-v1:0, api: invoke}}")
    with simulator("--ledger", ledger) as url:
        lines = check(url, "--set", f"models.aliases={aliases}")
    assert verdicts(lines)[2:] == [("ok", f"models {name}") for name in "abcd"]
    calls = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert not any(call.get("billed") for call in calls)
    asked = [call["operation"] for call in calls if call["event"] == "end" and call["operation"] != "CountTokens"]
    assert asked == ["Converse"] + 3 * ["InvokeModel"]


def test_a_simulator_with_a_settings_file_knows_the_key_of_the_pages(tmp_path):
    settings = tmp_path / "sim.yaml"
    settings.write_text("latency: 5ms\n", encoding="utf-8")
    with simulator("-c", settings) as url:
        good = check(url, *MODELS)
        bad = check(url, *MODELS, AWS_SECRET_ACCESS_KEY="wrong/secret+key")
    assert (verdicts(good)[-1], verdicts(bad)[-1]) == (("ok", "models fast"), ("FAIL", "credentials"))


def test_bearer_tokens_are_checked_too():
    with simulator() as url:
        good = check(url, *MODELS, AWS_BEARER_TOKEN_BEDROCK="simulated-bearer-token")
        bad = check(url, *MODELS, AWS_BEARER_TOKEN_BEDROCK="canary-of-a-token")
    assert verdicts(good) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models fast")]
    assert bad[-1][0] == "FAIL" and "canary" not in str(bad)


def test_rejected_credentials_are_reported_with_source_and_reason():
    with simulator() as url:
        lines = check(url, *MODELS, AWS_SECRET_ACCESS_KEY="wrong/secret+key")
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("FAIL", "credentials")]
    assert lines[2][2].startswith("Bedrock rejects those from the environment: InvalidSignatureException: ")


def test_without_credentials_the_endpoint_is_still_checked(tmp_path):
    with simulator() as url:
        lines = check(url, *MODELS, AWS_ACCESS_KEY_ID="", HOME=str(tmp_path))
    assert verdicts(lines) == [("FAIL", "credentials"), ("ok", "endpoint")]


def test_without_models_in_the_settings_the_credentials_are_still_checked():
    with simulator() as url:
        good = check(url)
        bad = check(url, AWS_SECRET_ACCESS_KEY="wrong/secret+key")
    assert verdicts(good) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models")]
    assert verdicts(bad) == [("ok", "credentials"), ("ok", "endpoint"), ("FAIL", "credentials")]


class Answering(http.server.BaseHTTPRequestHandler):
    """Gives every request the same answer."""
    status, kind, body, seen = 400, "ValidationException", b'{"message": "no"}', []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(self.path)
        self.send_response(self.status)
        self.send_header("x-amzn-errortype", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def answering(**attributes):
    """A server that is not Bedrock: its URL, and the requested paths."""
    handler = type("Handler", (Answering,), {"seen": [], **attributes})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler.seen
        server.shutdown()


@pytest.mark.parametrize(("status", "kind", "words"), [
    (403, "AccessDeniedException", "access denied; grant bedrock:InvokeModel"),
    (404, "ResourceNotFoundException", "check the id and the region; Bedrock answers 404 ResourceNotFoundException: no"),
    (500, "InternalServerException", "check again later; Bedrock answers 500 InternalServerException: no")])
def test_a_model_that_cannot_be_called_is_reported_with_bedrocks_error(status, kind, words):
    with answering(status=status, kind=kind) as (url, _):
        lines = check(url, *MODELS)
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("FAIL", "models fast")]
    assert words in lines[2][2]


def test_a_rejected_bearer_token_is_named_as_a_possible_cause():
    with answering(status=403, kind="AccessDeniedException") as (url, _):
        for models in (MODELS, []):
            lines = check(url, *models, AWS_BEARER_TOKEN_BEDROCK="canary-of-a-token")
            assert verdicts(lines)[:2] == [("ok", "credentials"), ("ok", "endpoint")]
            assert lines[2][0] == "FAIL" and "AWS_BEARER_TOKEN_BEDROCK may be wrong or expired" in lines[2][2]
            assert "canary" not in str(lines)


def test_invalid_keys_are_reported_and_never_shown():
    with simulator() as url:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"):
            lines = check(url, *MODELS, **{name: "canary\x1bof a key"})
            assert verdicts(lines) == [("FAIL", "credentials"), ("ok", "endpoint")]
            assert lines[0][2].startswith("none that can be used: ")
            assert f"{name} holds a blank, a control character" in lines[0][2]
            assert "canary" not in str(lines)


COUNTED = "anthropic.claude-sonnet-4-20250514-v1:0"
UNCOUNTED = "meta.llama3-8b-instruct-v1:0"      # the simulator counts no tokens for Llama


def of_models(url, ids):
    """The lines of these models, by alias."""
    aliases = ", ".join(f"{name}: {{id: '{model}'}}" for name, model in ids.items())
    lines = check(url, "--set", f"models.aliases={{{aliases}}}")
    return {about.split()[1]: (verdict, words) for verdict, about, words in lines if about.startswith("models ")}


def ruled(tmp_path, rules):
    """The options of a simulator with these rules: (model, operation, fault)."""
    settings = tmp_path / "sim.yaml"
    settings.write_text("rules:\n" + "".join(
        f"  - {{model: '{model}', operation: {operation}, fault: {fault}}}\n" for model, operation, fault in rules),
        encoding="utf-8")
    return "-c", settings


REFUSALS = {
    "invalid_model": ("FAIL", "check the id and the region"),
    "profile_only": ("FAIL", "use a profile's id, such as us."),
    "access_denied": ("FAIL", "the account has no access to this model; request it"),
    "not_authorized": ("FAIL", "grant bedrock:InvokeModel"),
    "not_allowed": ("FAIL", "Bedrock does not let this account call the model"),
    "use_case": ("FAIL", "fill in its form"),
    "retired": ("FAIL", "Bedrock has retired this model"),
    "quota_exceeded": ("FAIL", "Service Quotas"),
    "throttling": ("warn", "was not checked: throttled"),
    "service_unavailable": ("warn", "was not checked: Bedrock has no capacity"),
    "validation": ("warn", "was not checked: this answer says nothing about the model"),
}


def test_each_refusal_is_named_with_its_remedy(tmp_path):
    ids = {fault: f"anthropic.claude-{number}" for number, fault in enumerate(REFUSALS)}
    rules = [(ids[fault], operation, fault) for fault in REFUSALS for operation in ("converse", "count-tokens")]
    with simulator(*ruled(tmp_path, rules)) as url:
        lines = of_models(url, ids)
    for fault, (verdict, remedy) in REFUSALS.items():
        assert lines[fault][0] == verdict and remedy in lines[fault][1], lines[fault]
        assert "; Bedrock answers " in lines[fault][1]


def test_a_model_that_the_endpoint_lacks_fails(tmp_path):
    settings = tmp_path / "sim.yaml"
    settings.write_text("models: ['us.*']\n", encoding="utf-8")
    with simulator("-c", settings) as url:
        lines = of_models(url, {"plain": HAIKU, "profile": f"us.{HAIKU}", "other": f"eu.{HAIKU}"})
    assert (lines["plain"][0], lines["profile"][0], lines["other"][0]) == ("FAIL", "ok", "FAIL")
    assert "called from regions eu-…, and the region is us-" in lines["other"][1]
    assert "called from" not in lines["plain"][1]


def test_counted_tokens_tell_where_the_answer_cannot(tmp_path):
    rules = [("*sonnet*", "converse", "throttling"), ("*opus*", "converse", "validation"), ("meta*", "converse", "throttling")]
    ids = {"sonnet": COUNTED, "opus": COUNTED.replace("sonnet", "opus"), "llama": UNCOUNTED}
    with simulator(*ruled(tmp_path, rules)) as url:
        lines = of_models(url, ids)
    for name, answer in (("sonnet", "429 ThrottlingException"), ("opus", "400 ValidationException")):
        assert lines[name][0] == "ok" and "Bedrock counts tokens for it" in lines[name][1]
        assert lines[name][1].endswith(f"the free test call gets {answer}")
    assert lines["llama"][0] == "warn"


def test_a_form_that_is_refused_first_is_no_proof(tmp_path):
    """What AWS checks first is unknown: an answer about the empty request may come before one about the model."""
    rules = [("*opus*", "count-tokens", "not_allowed")]
    opus = COUNTED.replace("sonnet", "opus")
    with simulator(*ruled(tmp_path, rules)) as url:
        lines = of_models(url, {"sonnet": COUNTED, "llama": UNCOUNTED, "opus": opus, "profile": f"us.{opus}"})
    assert lines["sonnet"][0] == "ok" and "first request" not in lines["sonnet"][1]
    assert lines["llama"][0] == "ok" and "the first request tells" in lines["llama"][1]
    assert lines["opus"][0] == "FAIL"
    assert lines["profile"][0] == "ok", "the model of a profile need not be in the region"


def test_a_region_that_the_endpoint_does_not_serve_is_named(tmp_path):
    settings = tmp_path / "sim.yaml"
    settings.write_text("auth: {region: eu-west-1}\n", encoding="utf-8")
    with simulator("-c", settings) as url:
        lines = check(url, *MODELS, AWS_REGION="us-east-1")
    assert lines[-1][:2] == ("FAIL", "credentials") and "the endpoint belongs to another region" in lines[-1][2]


@pytest.mark.parametrize("status", [200, 403, 502])
def test_an_html_page_in_place_of_an_answer_is_not_bedrock(status):
    with answering(status=status, kind="", body=b"<html><body>Sign in to the network</body></html>") as (url, _):
        lines = check(url, *MODELS)
    assert verdicts(lines) == [("ok", "credentials"), ("FAIL", "endpoint")]
    assert "bedrock.proxy" in lines[1][2]


def test_calls_pass_through_the_configured_proxy():
    with answering() as (url, seen):
        lines = check("http://bedrock.invalid", *MODELS, "--set", f"bedrock.proxy={url}")
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("warn", "models fast")]
    path = f"http://bedrock.invalid/model/{HAIKU.replace(':', '%3A')}"
    assert [asked for asked in seen if "bedrock.invalid" in asked] == [f"{path}/converse", f"{path}/count-tokens"]


def test_a_wrong_clock_is_reported_and_corrected(tmp_path):
    settings = tmp_path / "sim.yaml"
    settings.write_text("auth: {clock_skew: 20m}\n", encoding="utf-8")
    with simulator("-c", settings) as url:
        begun = time.monotonic()
        lines = check(url, *MODELS)
        took = time.monotonic() - begun
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models fast")]
    behind = int(re.search(r"clock is (\d+) s behind", lines[1][2]).group(1))
    assert 1200 - 1 - took <= behind <= 1201


def test_every_region_of_an_alias_is_checked_at_its_endpoint():
    done = call("check", "--connect", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set",
                f"models.aliases={{a: {{id: '{HAIKU}', region: us-nowhere-1}}, b: {{id: '{HAIKU}', region: us-nowhere-2}}, "
                "c: {id: amazon.nova-micro-v1:0, region: us-nowhere-1}}", **KEYS)
    assert re.findall(r"^FAIL  endpoint: https://bedrock-runtime.us-nowhere-(\d)", done.stdout, re.M) == ["1", "2"]


def test_each_identity_is_checked_with_its_own_keys(tmp_path):
    keys = tmp_path / "credentials"
    keys.write_text("[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = canary\n", encoding="utf-8")
    models = f"models.aliases={{fast: {{id: '{HAIKU}'}}, slow: {{id: '{HAIKU}', identity: {{profile: other}}}}}}"
    with simulator() as url:
        done = call("check", "--connect", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set",
                    f"bedrock.endpoint_url={url}", "--set", models, **KEYS, AWS_SHARED_CREDENTIALS_FILE=str(keys))
    lines = re.findall(r"^(ok|warn|FAIL) +((?:credentials|models)\b.*?): (.*)$", done.stdout, re.M)
    assert [line[:2] for line in lines] == [("ok", "credentials"), ("ok", "models fast"), ("ok", "credentials of slow"),
                                            ("FAIL", "credentials of slow")]
    assert lines[2][2] == "from the shared credentials file" and "Bedrock rejects those from" in lines[3][2]
    assert "canary" not in done.stdout + done.stderr


def test_the_default_identity_may_lack_keys_when_no_model_needs_it(tmp_path):
    keys = tmp_path / "credentials"
    secret = KEYS["AWS_SECRET_ACCESS_KEY"]
    keys.write_text(f"[other]\naws_access_key_id = {KEYS['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = {secret}\n",
                    encoding="utf-8")
    models = f"models.aliases={{slow: {{id: '{HAIKU}', identity: {{profile: other}}}}}}"
    with simulator() as url:
        done = call("check", "--connect", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set",
                    f"bedrock.endpoint_url={url}", "--set", models, AWS_SHARED_CREDENTIALS_FILE=str(keys), AWS_REGION="us-east-1")
    lines = re.findall(r"^(ok|warn|FAIL) +((?:credentials|models)\b.*?): (.*)$", done.stdout, re.M)
    assert [line[:2] for line in lines] == [("warn", "credentials"), ("ok", "credentials of slow"), ("ok", "models slow")]

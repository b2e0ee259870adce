"""The commands of bedrock-worker as a user calls them: real binaries, real files, exit codes and messages."""
import json
import os
import re
import signal
import socket
import subprocess
import time

import jsonschema
import pytest
import yaml

from programs import (CLEAN, KEYS, PATIENCE, ROOT, SIMULATOR, WORKER, call, demonstration, events, hears_signals,
                      simulator, wait_for)
from terminal import on_terminal

COMMANDS = ["run", "check", "topics", "ask", "load", "usage", "status", "explain", "health", "reference", "demo", "map", "prices", "redrive", "version"]


def settings_file(folder, text):
    file = folder / "worker.yaml"
    file.write_text(text, encoding="utf-8")
    return file


# ---- help ----

def test_without_a_command_the_help_goes_to_stderr_and_the_code_is_2():
    done = call()
    assert done.returncode == 2
    assert done.stdout == ""
    assert "COMMANDS" in done.stderr


def test_help_names_every_command():
    done = call("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", done.stdout, re.M)


def test_the_version_command_prints_the_projects_version():
    version = re.search(r"^project\(bedrock-worker VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)
    for word in ("version", "--version", "-V"):
        done = call(word)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == f"bedrock-worker {version}"


def test_the_version_names_the_libraries_too():
    assert re.fullmatch(r"bedrock-worker \S+\nlibrdkafka \S+\nlibcurl/\S+ .*\n", call("version").stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page(command):
    pages = [call(command, "--help"), call(command, "-h"), call("help", command)]
    for done in pages:
        assert done.returncode == 0
        assert done.stdout == pages[0].stdout
    for part in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS"):
        assert re.search(rf"^{part}$", pages[0].stdout, re.M), part
    for line in pages[0].stdout.splitlines():
        assert len(line) <= 80, line


def test_the_simulators_help_is_80_columns_wide():
    done = subprocess.run([SIMULATOR, "--help"], capture_output=True, text=True, timeout=60, check=True, env=CLEAN)
    assert "FAULTS" in done.stdout and "--throttle-rate RATE" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("arguments, words", [
    (["chek"], "unknown command 'chek' (did you mean check?); see bedrock-worker --help"),
    (["worker.yaml"], "unknown command 'worker.yaml'; see bedrock-worker --help"),
    (["check", "--conect"], "unknown option --conect (did you mean --connect?); see bedrock-worker check --help"),
    (["check", "-c"], "--config needs a value: --config FILE;"),
    (["check", "a.yaml", "b.yaml"], "'b.yaml' is a second FILE;"),
    (["check", "-c", "a.yaml", "b.yaml"], "two settings files, a.yaml and b.yaml; name one"),
    (["check", "--connect=yes"], "--connect takes no value"),
    (["ask", "--timeout", "5", "x"], "--timeout 5: the unit is missing; write 5s, 5m or 5h;"),
    (["ask", "-t", "soon", "x"], "--timeout soon: is not a duration; write one such as 30s, 10m;"),
    (["ask", "-t2d", "x"], "--timeout 2d: is too long; the longest duration is 24h;"),
    (["ask", "a", "b"], "'b' is a second TEXT; write one, in quotes if it has blanks;"),
    (["demo", "--requests", "many"], "--requests many: is not a whole number from 0 to 10000;"),
    (["demo", "x"], "'x' is one word too many; the command takes options only;"),
    (["usage", "--by", "tenat"], "--by: unknown column 'tenat' (did you mean tenant?);"),
    (["usage", "--by", "a,day"], "--by: unknown column 'a'; columns are tenant, model, "),
    (["usage", "--by", "day", "--by", "day"], "--by: day stands twice;"),
    (["usage", "--since", "soon"], "--since soon is no time; write 2026-11-22T10:00:00Z, 2026-11-22, 2026-11 or a"),
    (["usage", "--month", "2026-13"], "--month 2026-13 is no month; write one such as 2026-11;"),
    (["usage", "--month", "2026-11", "--since", "1h"], "--month says both ends; leave --since and --until out;"),
    (["usage", "--since", "2026-12", "--until", "2026-11"], "--since is not before --until;"),
    (["redrive", "--since", "2026-11-22", "--until", "2026-11"], "--until 2026-11: expected a time after that of --since"),
    (["redrive", "--since", "2026-11-31"], "--since 2026-11-31: expected 2026-11-22T10:00:00Z, 2026-11-22, 2026-11 or a"),
    (["usage", "--watch", "--format", "csv"], "--watch draws tables only; leave --format out;"),
    (["usage", "--watch", "--month", "2026-11"], "--watch has no end; leave --until and --month out;"),
    (["usage", "--format", "xml"], "--format xml: formats are table, csv, json and focus;"),
    (["usage", "--format", "focus", "--by", "day"], "--format focus has columns of its own; leave --by out;"),
    (["usage", "--currency", "usd"], "--currency usd is no currency; write a code such as USD;"),
    (["run", "--stream"], "unknown option --stream; see bedrock-worker run --help"),
])
def test_an_invalid_command_line_is_explained_and_the_code_is_2(arguments, words):
    done = call(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [
    [WORKER, "--help"], [WORKER, "check", "--help"], [WORKER, "--version"], [WORKER, "reference"], [WORKER, "check"],
    [SIMULATOR, "--check"], [SIMULATOR, "--help"]], ids=lambda arguments: " ".join(map(str, arguments[1:])))
def test_output_that_cannot_be_written_is_a_failure(arguments):
    for redirection in (">/dev/full", ">&-"):
        done = subprocess.run(["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *arguments], text=True, check=False,
                              stderr=subprocess.PIPE, timeout=PATIENCE, env={**CLEAN, "AWS_REGION": "us-east-1"})
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.endswith(": standard output could not be written\n")


def test_settings_from_a_closed_input_are_rejected():
    done = subprocess.run(["/bin/sh", "-c", f'exec "{WORKER}" check -c - <&-'], capture_output=True, text=True,
                          check=False, timeout=PATIENCE, env={**CLEAN, "AWS_REGION": "us-east-1"})
    assert (done.returncode, done.stderr.split(";")[0]) == (2, "-: cannot be read: Bad file descriptor")


# ---- check ----

def test_the_defaults_the_shipped_file_and_an_empty_file_are_valid(tmp_path):
    for arguments in ([], ["-c", ROOT / "config" / "worker.yaml"], ["-c", settings_file(tmp_path, "")]):
        done = call("check", *arguments, AWS_REGION="us-east-1")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("ok    settings: ")
        assert done.stdout.endswith("\nno errors\n")


def test_settings_come_from_the_environments_file_or_standard_input(tmp_path):
    bad = settings_file(tmp_path, "kafka: 5\n")
    assert call("check", BEDROCK_WORKER_CONFIG=str(bad)).returncode == 2
    assert call("check", "-c", "-", text="delivery: {max_held: 300}\n", AWS_REGION="us-east-1").returncode == 0
    done = call("check", "-c", "-", text="delivery: {max_helt: 300}\n")
    assert done.stdout == "1 error\n"
    assert done.stderr == "-:1:12: delivery.max_helt: unknown setting; did you mean delivery.max_held?\n"


@pytest.mark.parametrize("command", ["check", "run"])
def test_the_settings_file_may_be_the_argument(tmp_path, command):
    bad = settings_file(tmp_path, "kafka: 5\n")
    done = call(command, bad)
    assert (done.returncode, done.stderr) == (2, call(command, "-c", bad).stderr)
    assert done.stderr.startswith(f"{bad}:1:8: kafka: ")


def test_an_empty_settings_file_name_is_rejected():
    done = call("check", "", AWS_REGION="us-east-1")
    assert (done.returncode, "name a file" in done.stderr) == (2, True)
    for command in ("check", "run", "ask"):
        for arguments, environment in ((["-c", ""], {}), (["--config="], {}), ([], {"BEDROCK_WORKER_CONFIG": ""})):
            done = call(command, *arguments, text="x", AWS_REGION="us-east-1", **environment)
            assert (done.returncode, done.stdout, "name a file" in done.stderr) == (2, "", True)
    assert call("check", "-c", ROOT / "config" / "worker.yaml", AWS_REGION="us-east-1",
                BEDROCK_WORKER_CONFIG="").returncode == 0


def test_a_group_of_settings_cannot_be_set_on_the_command_line():
    for group, first in (("kafka", "kafka.bootstrap_servers"), ("bedrock.retry", "bedrock.retry.max_attempts")):
        done = call("check", "--set", group + "={}")
        assert done.stderr == (f"--set:1:1: {group}: is a group of settings; set its members one by one, e.g. --set "
                               f"{first}=VALUE\n")


def test_one_mistake_does_not_hide_another(tmp_path):
    done = call("check", "-c", settings_file(tmp_path, "kafka: {group_idd: x}\ndelivery: {max_in_flight: 9000}\n"
                "models: {default: 'arn:aws:bedrock', aliases: {a: {id: x.y, defaults: {top_p: 3}}}}\n"
                "templates: {t: [[robot, x]]}\n"))
    assert done.returncode == 2
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == [
        "kafka.group_idd", "delivery.max_in_flight", "models.default", "models.aliases.a.defaults.top_p", "templates.t"]


def test_a_property_that_librdkafka_rejects_is_reported_with_its_place(tmp_path):
    done = call("check", "-c", settings_file(tmp_path, "kafka:\n  producer:\n    max.in.flight: 9\n"))
    assert done.returncode == 2
    assert re.fullmatch(r"\S+worker.yaml:3:20: kafka.producer.max.in.flight: librdkafka creates no client with it: .*\n",
                        done.stderr)


def test_check_reports_a_missing_region_in_the_words_of_run(tmp_path):
    done = call("check", "-c", settings_file(tmp_path, ""))
    assert done.returncode == 2
    message = re.search(r"^FAIL  region: (no AWS region: set bedrock.region, .*)$", done.stdout, re.M).group(1)
    done = call("run", "-c", settings_file(tmp_path, ""))
    assert (done.returncode, done.stderr) == (2, f"bedrock-worker: cannot start: {message}\n")
    assert call("check", "-c", settings_file(tmp_path, "bedrock: {region: eu-west-1}\n")).returncode == 0


def test_an_invalid_environment_variable_is_reported_by_name(tmp_path):
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = junk\n[profile ca]\nca_bundle = /nope\n", encoding="utf-8")
    endpoint = "is not an endpoint; write https://host[:port][/path], or http://…, at most 2047 bytes"
    unread = "names a file that cannot be read; check path and permissions"
    for environment, line in (
            ({"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "junk"},
             f"endpoint: AWS_ENDPOINT_URL_BEDROCK_RUNTIME of the environment {endpoint}"),
            ({"AWS_ENDPOINT_URL": "junk"}, f"endpoint: AWS_ENDPOINT_URL of the environment {endpoint}"),
            ({"AWS_CONFIG_FILE": str(config)}, f"endpoint: endpoint_url of profile default in {config} {endpoint}"),
            ({"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "ca"}, f"ca_bundle: ca_bundle of profile ca in {config} {unread}"),
            ({"AWS_CA_BUNDLE": "/nope"}, f"ca_bundle: AWS_CA_BUNDLE of the environment {unread}"),
            ({"AWS_CA_BUNDLE": str(tmp_path)}, f"ca_bundle: AWS_CA_BUNDLE of the environment {unread}"),
            ({"AWS_REGION": "US_EAST"},
             "region: AWS_REGION of the environment is not an AWS region; write one such as us-east-1"),
            ({"AWS_PROFILE": "nobody"}, "environment: profile nobody is neither in ")):
        done = call("check", HOME=str(tmp_path), **{"AWS_REGION": "us-east-1", **environment})
        assert done.returncode == 2
        assert f"\nFAIL  {line}" in done.stdout
    done = call("check", "--set", f"bedrock.ca_bundle={config}", AWS_REGION="us-east-1", AWS_CA_BUNDLE="/nope")
    assert done.returncode == 0


def test_a_truncated_setting_is_recognized():
    done = call("check", "-c", "-", text="kafka: {bootstrap: x:9092}\n")
    assert done.stderr == "-:1:9: kafka.bootstrap: unknown setting; did you mean kafka.bootstrap_servers?\n"
    done = call("check", "-c", "-", text="delivery: {max: 5}\n")
    assert "did you mean" not in done.stderr


def test_every_problem_has_file_line_and_column(tmp_path):
    file = settings_file(tmp_path, "kafka:\n  group_idd: x\n  client: {acks: 1}\n"
                                   "delivery:\n  commit_interval: 5\n  ordering: [key]\n")
    done = call("check", "-c", file)
    assert done.returncode == 2
    assert done.stdout == "4 errors\n"
    places = [line.split(": ")[0] for line in done.stderr.splitlines()]
    assert places == [f"{file}:{place}" for place in ("2:3", "3:18", "5:20", "6:13")]
    assert all(";" in line or "not" in line for line in done.stderr.splitlines())


@pytest.mark.parametrize("command", ["run", "ask", "check"])
def test_invalid_settings_stop_every_command_before_it_begins(tmp_path, command):
    done = call(command, "-c", settings_file(tmp_path, "delivery: {max_begun: 99}\n"))
    assert done.returncode == 2
    assert "worker.yaml:1:23: delivery.max_begun: '99' is outside of its limits; write 1 to 9" in done.stderr


def test_a_missing_file_is_reported():
    done = call("check", "-c", "/no/such.yaml")
    assert done.returncode == 2
    assert done.stderr == "/no/such.yaml: cannot be read: No such file or directory; name another file with -c\n"


def test_secrets_of_the_settings_are_never_shown(tmp_path):
    file = settings_file(tmp_path, "kafka:\n  client: {sasl.password: '${SECRET}', security.protocol: '${SECRET}'}\n"
                                   "delivery: {max_held: '${SECRET}'}\n")
    done = call("check", "-c", file, "--connect", SECRET="canary-of-a-secret")
    assert done.returncode == 2
    assert "canary" not in done.stdout + done.stderr


def test_connect_reports_what_it_cannot_reach():
    done = call("check", "--connect", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set",
                "bedrock.endpoint_url=http://127.0.0.1:1", AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="AKIAEXAMPLE",
                AWS_SECRET_ACCESS_KEY="canary-of-a-secret")
    assert done.returncode == 1
    assert re.search(r"^FAIL  brokers: .*refused.*kafka.bootstrap_servers$", done.stdout, re.M)
    assert re.search(r"^FAIL  endpoint: http://127.0.0.1:1: .*refused", done.stdout, re.M)
    assert re.search(r"^ok    credentials: ", done.stdout, re.M)
    assert re.search(r"^warn  identity: not known: .*refused", done.stdout, re.M)
    assert done.stdout.endswith("\n2 errors, 1 warning\n")
    assert "canary" not in done.stdout + done.stderr


def test_check_wraps_its_lines_to_the_window():
    arguments = ["check", "--connect", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set",
                 "bedrock.endpoint_url=http://127.0.0.1:1"]
    piped = call(*arguments, **KEYS)
    for columns in (80, 120):
        shown = on_terminal(*arguments, columns=columns, **KEYS)
        assert shown.code == piped.returncode == 1
        assert max(map(len, shown.lines)) <= columns
        assert re.sub(r"\d+ ?ms", "", shown.words) == re.sub(r"\d+ ?ms", "", " ".join(piped.stdout.split()))
        assert any(line.startswith("      ") for line in shown.lines), "further lines are indented"
    assert all(line.startswith(("ok    ", "warn  ", "FAIL  ", "2 errors")) for line in piped.stdout.splitlines())


# ---- installation ----

def install(prefix):
    done = subprocess.run(["cmake", "--install", WORKER.parent, "--prefix", prefix], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr


def test_an_installation_adds_settings_and_keeps_existing_ones(tmp_path):
    install(tmp_path)
    settings = tmp_path / "etc" / "bedrock-worker" / "worker.yaml"
    shipped = (ROOT / "config" / "worker.yaml").read_text(encoding="utf-8")
    assert settings.read_text(encoding="utf-8") == shipped
    assert (tmp_path / "share" / "bedrock-worker" / "schema" / "request.schema.json").exists()
    settings.write_text("kafka: {group_id: mine}\n")
    install(tmp_path)
    assert settings.read_text() == "kafka: {group_id: mine}\n"
    assert (tmp_path / "share" / "bedrock-worker" / "worker.yaml").read_text(encoding="utf-8") == shipped


# ---- reference ----

def test_the_reference_describes_every_setting_of_the_shipped_file():
    page = call("reference").stdout
    shipped = yaml.safe_load((ROOT / "config" / "worker.yaml").read_text(encoding="utf-8"))

    def paths(node, prefix=""):
        for name, value in node.items():
            if isinstance(value, dict) and value:
                yield from paths(value, f"{prefix}{name}.")
            else:
                yield prefix + name
    seen = list(paths(shipped))
    assert len(seen) > 40
    for path in seen:
        assert f"\n  {path}\n" in page, path
    assert max(map(len, page.splitlines())) <= 130


def test_the_schema_has_the_defaults_of_the_shipped_file():
    shipped = yaml.safe_load((ROOT / "config" / "worker.yaml").read_text(encoding="utf-8"))

    def compare(schema, settings, path):
        for name, value in settings.items():
            below = schema["properties"][name]
            if "default" in below:
                assert below["default"] == value, path + name
            else:
                compare(below, value, f"{path}{name}.")
    compare(json.loads(call("reference", "--schema").stdout), shipped, "")


def test_the_schema_is_valid_and_accepts_the_files_that_the_reader_accepts(tmp_path):
    schema = json.loads(call("reference", "--schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = ["{}", (ROOT / "config" / "worker.yaml").read_text(encoding="utf-8"), "kafka:\n",
            "delivery: {max_held: '${HELD:-5000}', drain_timeout: 1m30s, dead_letters: false}",
            "delivery: {commit_interval: 0.5s, batch_size: 1MB, max_held_bytes: 268435456}", "bedrock: {retry: {max_elapsed: 0}}",
            "models: {aliases: {a: {id: x.y, defaults: {temperature: 0, stop: [END]}}}}",
            "templates: {t: [[system, 'a {b}'], [human, '{c}']]}", "kafka: {client: {linger.ms: 5}}",
            "kafka: {instance: 0, group_id: true}", "topics: {requests: [5], responses: 6.5}", "templates: {t: [[human, 5]]}",
            "quotas: [{model: 'us.*', region: us-east-1, tokens_per_minute: 5, requests_per_minute: '${X:-5}', tokens_per_day: 5, "
            "burndown: 5, share: 12.5%, burst: 1m}, {model: '*', burndown: 1}]",
            "tenants: {default: {weight: 2}, 'team-*': {weight: '${X:-5}'}, 'a b': {weight: 1000}}",
            "models: {aliases: {a: {id: 5.5, region: us-east-1, defaults: {stop: [5]}}}}"]
    bad = ["wrong: 1", "delivery: {max_held: many}", "delivery: {max_begun: 16}", "delivery: {ordering: keys}",
           "delivery: {commit_interval: 5}", "delivery: {commit_interval: 0}", "delivery: {batch_size: 1}",
           "models: {aliases: {a: {api: auto}}}", "models: {aliases: {a: {id: x.y, api: other}}}", "templates: {t: [[human, {x}]]}",
           "topics: {requests: []}", "topics: {requests: a}",
           "models: {aliases: {a: {idd: x}}}", "templates: {t: [[robot, x]]}", "bedrock: {timeouts: 5s}",
           "quotas: {model: a.b}", "quotas: [{model: a.b, burst: 2}]", "quotas: [{tokens_per_minute: 5}]",
           "quotas: [{model: a.b, tokens_per_minute: -1}]", "quotas: [{model: a.b, tokens_per_minute: 5, share: half}]",
           "quotas: [{model: a.b, rpm: 5}]", "tenants: [a]", "tenants: {a: 5}", "tenants: {a: {}}",
           "tenants: {a: {weight: 0}}", "tenants: {a: {weight: 1001}}", "tenants: {a: {wieght: 5}}"]
    for text in good:
        assert call("check", "-c", settings_file(tmp_path, text), AWS_REGION="us-east-1").returncode == 0, text
        assert validator.is_valid(yaml.safe_load(text)), text
    for text in bad:
        assert call("check", "-c", settings_file(tmp_path, text)).returncode == 2, text
        assert not validator.is_valid(yaml.safe_load(text)), text


# ---- run ----

def test_run_needs_a_region():
    done = call("run", HOME="/nonexistent")
    assert done.returncode == 2
    assert "no AWS region: set bedrock.region, AWS_REGION in the environment" in done.stderr


def test_run_stops_on_sigterm_without_a_broker(tmp_path):
    file = tmp_path / "log"
    with open(file, "wb") as log:
        worker = subprocess.Popen([WORKER, "run", "--set", "kafka.bootstrap_servers=127.0.0.1:1"], stderr=log,
                                  env={**CLEAN, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
                                       "AWS_SECRET_ACCESS_KEY": "canary-of-a-secret"})
    wait_for(lambda: "brokers_down" in events(file))
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) in (0, 1)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    names = events(file)
    assert "started" in names and "stopped" in names
    bound = lines[names.index("memory_bound")]
    assert bound["bytes"] >= bound["held_bytes"] + bound["calls_bytes"] + bound["kafka_bytes"]
    assert "canary" not in json.dumps(lines)


@pytest.mark.parametrize("client", ["kafka.client={security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512}",
                                    "kafka.client={security.protocol: ssl, ssl.ca.location: /nope}",
                                    "kafka.producer={message.timeout.ms: 5, linger.ms: 100}"])
def test_run_rejects_the_kafka_properties_that_check_rejects(client):
    checked = call("check", "--set", client, AWS_REGION="us-east-1")
    done = call("run", "--set", client, AWS_REGION="us-east-1")
    assert checked.returncode == done.returncode == 2
    assert done.stderr == checked.stderr != ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_run_stops_cleanly_with_standard_files_closed(closed):
    worker = subprocess.Popen(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", WORKER, "run", "--set",
                               "kafka.bootstrap_servers=127.0.0.1:1"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={**CLEAN, "AWS_REGION": "us-east-1"})
    wait_for(lambda: hears_signals(worker))
    files = {fd: os.readlink(f"/proc/{worker.pid}/fd/{fd}") for fd in range(3)}
    assert files == {0: "/dev/null", 1: "/dev/null", 2: "/dev/null"}
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) in (0, 1)


def test_a_low_limit_of_open_files_is_logged_before_calls_fail(tmp_path):
    limited = ["/bin/sh", "-c", 'ulimit -n 300 && exec "$@"', "sh", WORKER]
    environment = {**CLEAN, "AWS_REGION": "us-east-1"}
    done = subprocess.run([*limited, "check"], capture_output=True, text=True, check=False, timeout=PATIENCE, env=environment)
    assert done.returncode == 0
    assert "\nwarn  open files: this process may open 300, and delivery.max_in_flight needs some 384; " in done.stdout
    assert re.search(r"\nno errors, \d warnings?\n$", done.stdout)
    done = subprocess.run([*limited, "check", "--set", "delivery.max_in_flight=172"], capture_output=True, text=True,
                          check=False, timeout=PATIENCE, env=environment)
    assert "open files" not in done.stdout
    file = tmp_path / "log"
    with open(file, "wb") as log, subprocess.Popen(
            [*limited, "run", "--set", "kafka.bootstrap_servers=127.0.0.1:1"], stderr=log, env=environment) as worker:
        wait_for(lambda: "brokers_down" in events(file))
        worker.terminate()
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["limit"], line["needed"]) for line in lines if line["event"] == "file_limit_low"] == [(300, 384)]


# ---- demo and ask ----

def test_the_demo_shows_answers_usage_and_retries_and_checks_them():
    done = call("demo", "--requests", 150, seconds=2 * PATIENCE)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "at_least_once, because the in-memory cluster drops transactional offsets" in words
    assert "Ich liebe Programmieren." in words
    assert "|Vo|ici| la| tra|duction| en| français| :|" in words
    assert "157 requests, 157 answers: one for each" in words
    assert re.search(r"(\d+) billed calls, \1 usage records: \d+ equal the local Bedrock's ledger", words)
    assert "Usage by model" in words and "that the worker retried: " in words
    tokens = re.findall(r"^working .* ([\d,]+) tokens$", done.stdout, re.M)[-1]
    sums = re.search(r"^  all +\d+ +\d+ +([\d,]+) +([\d,]+)$", done.stdout, re.M).groups()
    assert int(tokens.replace(",", "")) == sum(int(count.replace(",", "")) for count in sums)


def test_the_demo_plots_a_flood_through_a_quota():
    done = call("demo", "--quota", 300, "--requests", 90, seconds=2 * PATIENCE)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^ +(\d+) s +(\d+) +(\d+)  (#*)(x*)$", done.stdout, re.M)
    served, refused = (sum(int(row[column]) for row in rows) for column in (1, 2))
    assert len(rows) >= 2 and served == 97 and all(bool(row[3]) == (int(row[1]) > 0) for row in rows)
    assert f"97 calls served and {refused} refused" in " ".join(done.stdout.split())


def test_a_demo_that_cannot_start_says_which_stage_why_and_what_to_check():
    done = call("demo", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert done.returncode == 1
    assert re.match(r"broker failed: .* refused .*; check KAFKA_BOOTSTRAP_SERVERS$", " ".join(done.stderr.split()))


@pytest.fixture(scope="module")
def demo():
    """A demo that keeps running: its broker's address."""
    with demonstration(20) as address:
        yield address


def ask(address, *arguments, **options):
    return call("ask", "--set", f"kafka.bootstrap_servers={address}", *arguments, **options)


def ask_for_long(address, *arguments):
    """One that goes on for five minutes: whoever ends before it was quick."""
    return subprocess.Popen([WORKER, "ask", "--set", f"kafka.bootstrap_servers={address}", "--timeout", "5m", *arguments],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=CLEAN)


TRANSLATE = ["--model", "sonnet", "--system", "You are a helpful assistant that translates English to French.",
             "I love programming."]
FRENCH = "Voici la traduction en français :\n\nJ'aime la programmation."


def test_ask_prints_the_record_when_piped(demo):
    done = ask(demo, *TRANSLATE)
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(done.stdout)
    assert record["status"] == "ok"
    assert record["usage"]["input_tokens"] == 29
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("more", [[], ["--json"], ["--stream"]])
def test_ask_fails_when_the_answer_cannot_be_written(demo, more):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([WORKER, "ask", "--set", f"kafka.bootstrap_servers={demo}", *more, *TRANSLATE], check=False,
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, env=CLEAN)
    assert (done.returncode, done.stderr) == (1, "bedrock-worker: standard output could not be written\n")


def test_ask_streams_chunks_and_then_the_record(demo):
    done = ask(demo, "--stream", *TRANSLATE)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    chunks = [line for line in lines if line.get("type") == "AIMessageChunk"]
    assert done.returncode == 0
    assert lines[-1]["status"] == "ok"
    last_run = [chunk for chunk in chunks if chunk["run"] == chunks[-1]["run"]]
    assert [chunk["seq"] for chunk in last_run] == list(range(len(last_run)))
    assert last_run[-1]["last"]
    assert "".join(block.get("text", "") for chunk in last_run for block in chunk["content"]) == FRENCH


def test_ask_reads_standard_input(demo):
    done = ask(demo, "-", "--model", "haiku", text="Hello!\n")
    assert done.returncode == 0
    done = ask(demo, "-", text="  \n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bedrock-worker ask: the message is empty; write it as TEXT, or pipe it in\n"


def test_ask_prints_errors_and_exits_with_a_code(demo):
    done = ask(demo, "--model", "nosuch", "x")
    assert done.returncode == 1
    assert done.stderr.startswith("error unknown_model: ")
    assert json.loads(done.stdout)["error"]["code"] == "unknown_model"


def test_ask_times_out_and_says_so(demo):
    question = ["--set", "topics.requests=[bedrock.dead-letters]", "--set", "topics.dead_letters=other", "x"]
    with ask_for_long(demo, *question) as patient:
        begun = time.monotonic()
        done = ask(demo, "--timeout", "2s", *question)
        assert time.monotonic() - begun >= 2
        assert patient.poll() is None
        patient.kill()
    assert done.returncode == 1
    assert done.stderr == ("no answer within 2s; a call that is running may still answer on topic bedrock.responses; check "
                           "that a worker reads topic bedrock.dead-letters, or wait longer (--timeout)\n")


def test_the_time_out_of_ask_bounds_the_search_for_a_broker_too():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (1, silent.getsockname()[1]):
            begun = time.monotonic()
            done = ask(f"127.0.0.1:{port}", "--timeout", "1s", "x")
            assert done.returncode == 1 and "brokers: 127.0.0.1" in done.stderr
            assert time.monotonic() - begun > 0.9
        short = subprocess.Popen([WORKER, "ask", "--set", f"kafka.bootstrap_servers=127.0.0.1:{port}", "--timeout", "1s",
                                  "x"], stderr=subprocess.DEVNULL, env=CLEAN)
        with ask_for_long(f"127.0.0.1:{port}", "x") as patient:     # the search takes ten seconds
            assert short.wait(PATIENCE) == 1
            assert patient.poll() is None
            patient.kill()


def test_ask_without_a_broker_says_what_follows_and_what_to_check():
    done = ask("127.0.0.1:1", "x")
    assert done.returncode == 1
    assert re.fullmatch(r"no broker answers: .* refused .*; the request was not sent; check kafka\.bootstrap_servers "
                        r"\(brokers: 127\.0\.0\.1:1\)\n", done.stderr)


def test_ask_without_a_topic_says_which_to_create(demo):
    for name, more in (("responses", []), ("chunks", ["--stream"])):
        done = ask(demo, "--set", f"topics.{name}=not.there", *more, "x")
        assert done.returncode == 1
        assert re.fullmatch(r"not\.there: .*Unknown topic or partition; the request was not sent; create the topic "
                            rf"not\.there, or correct topics\.{name}\n", done.stderr)


def test_ask_over_the_size_limit_names_size_and_limit():
    done = ask("127.0.0.1:1", "-", text="x" * 5_000_000)
    assert (done.returncode, done.stdout) == (2, "")
    size = int(re.match(r"the request has ([\d,]+) bytes, and delivery\.max_request_size allows 4,194,304; it was not sent;",
                        done.stderr).group(1).replace(",", ""))
    assert 5_000_000 < size < 5_001_000


def test_ask_sends_requests_up_to_the_limit(demo):
    done = ask(demo, "-", "--model", "haiku", text="x" * 4_000_000)
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "ok")


def test_ask_shows_text_and_progress_on_a_terminal(demo):
    shown = on_terminal("ask", "--set", f"kafka.bootstrap_servers={demo}", "--stream", *TRANSLATE)
    assert shown.code == 0
    assert "waiting for the answer" in shown.raw
    assert FRENCH in "\n".join(shown.lines)
    assert "29 tokens in, 21 out" in shown.raw
    assert "AIMessageChunk" not in shown.raw


def test_ask_writes_plain_lines_where_the_user_asks_for_them(demo):
    shown = on_terminal("ask", "--set", f"kafka.bootstrap_servers={demo}", *TRANSLATE, TERM="dumb")
    assert shown.code == 0
    assert shown.escapes == set() and "\r" not in shown.raw.replace("\r\n", "\n")
    assert shown.lines.count("waiting for the answer") == 1


def test_an_answer_cannot_control_the_terminal(demo):
    text = "say \x1b]0;owned\x07 and \u009b31m"
    assert "\x1b]0;owned" in json.loads(ask(demo, "--model", "haiku", text).stdout)["message"]["content"]
    for more in (["--stream"], [], ["--json"]):
        shown = on_terminal("ask", "--set", f"kafka.bootstrap_servers={demo}", "--model", "haiku", *more, text)
        assert shown.code == 0
        assert "owned" in shown.raw
        answer = shown.raw.replace("\r\n", "\n").replace("\r", "").replace("\x1b[K", "")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", answer), repr(answer)


def test_check_connect_passes_against_the_demo(demo):
    with simulator() as url:
        done = call("check", "--connect", "--set", f"kafka.bootstrap_servers={demo}", "--set",
                    f"bedrock.endpoint_url={url}", **KEYS)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^ok    topics.requests: bedrock.requests, 8 partitions$", done.stdout, re.M)

"""The compose files without a daemon: every combination can be read, ports are on the loopback, settings are valid."""
import itertools
import re
import subprocess

import pytest
import yaml

import containers
from containers import ROOT, compose, configuration

FOLDER = ROOT / "deploy" / "compose"
VARIABLES = {"AWS_REGION": "us-east-1", "KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9093", "KAFKA_USER": "me", "KAFKA_PASSWORD": "x"}
OVERRIDES = ("deploy/compose/aws.yaml", "deploy/compose/own-kafka.yaml")
PROFILES = ("--profile", "observe", "--profile", "ui")
SERVICES = {"kafka", "topics", "sim", "worker-1", "worker-2", "load"}


@pytest.fixture(scope="module", autouse=True)
def plugins():
    containers.WORK.mkdir(parents=True, exist_ok=True)
    containers.fetch_plugins()


def with_files(*overrides, profiles=()):
    return configuration(*profiles, files=("docker-compose.yml", *overrides), variables=VARIABLES)["services"]


@pytest.mark.parametrize("overrides", [chosen for count in range(3) for chosen in itertools.combinations(OVERRIDES, count)],
                         ids=lambda chosen: "+".join(chosen) or "alone")
def test_every_combination_of_files_can_be_read(overrides):
    gone = {"deploy/compose/aws.yaml": "sim", "deploy/compose/own-kafka.yaml": "kafka"}
    assert set(with_files(*overrides)) == SERVICES - {gone[name] for name in overrides}
    assert set(with_files(*overrides, profiles=PROFILES)) >= {"prometheus", "grafana", "ui"}


def test_what_a_file_needs_is_named_when_it_is_missing():
    for file, name in zip(OVERRIDES, ("AWS_REGION", "KAFKA_BOOTSTRAP_SERVERS"), strict=True):
        done = compose("config", "-q", files=("docker-compose.yml", file), check=False)
        assert done.returncode and f"set {name}" in done.stderr


def test_ports_are_on_the_loopback_only():
    ports = [port for service in with_files(profiles=PROFILES).values() for port in service.get("ports", [])]
    assert len(ports) == 7
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_workers_have_no_rights_and_no_files_to_write():
    for overrides in ((), OVERRIDES):
        for name, service in with_files(*overrides).items():
            if service["image"].startswith("bedrock-worker:"):
                assert service["read_only"] and service["cap_drop"] == ["ALL"], name
                assert service["security_opt"] == ["no-new-privileges:true"], name


def test_with_bedrock_itself_no_worker_is_killed_and_the_load_ends():
    services = with_files("deploy/compose/aws.yaml")
    assert services["worker-2"]["entrypoint"] == ["bedrock-worker"]
    assert services["load"]["command"][:5] == ["load", "--rate", "1", "--requests", "12"]
    for name in ("topics", "worker-1", "worker-2", "load"):
        assert services[name]["environment"]["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] == ""
        assert services[name]["environment"]["AWS_ACCESS_KEY_ID"] == ""


def test_every_variable_of_the_files_is_in_the_example():
    used = set()
    for file in [ROOT / "docker-compose.yml", *FOLDER.glob("*.yaml")]:
        text = re.sub(r"^ *#.*$", "", file.read_text(), flags=re.M)
        used |= set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    inside = {"WORKER_NAME", "SONNET", "HAIKU", "NOVA"}             # set by the files themselves
    versions = {"KAFKA_VERSION", "PROMETHEUS_VERSION", "GRAFANA_VERSION", "UI_VERSION", "SOURCE_DATE_EPOCH", "REVISION"}
    named = set(re.findall(r"^#?(\w+)=", (FOLDER / "env.example").read_text(), re.M))
    assert used - inside - versions == named


def test_the_stop_times_are_above_what_the_programs_take():
    settings = yaml.safe_load((FOLDER / "worker.yaml").read_text())
    assert settings["delivery"]["drain_timeout"] == "20s"
    assert {with_files()[name]["stop_grace_period"] for name in ("worker-1", "worker-2")} == {"40s"}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("worker*.yaml")), ids=lambda file: file.name)
def test_the_settings_are_valid_and_differ_only_in_the_way_to_the_brokers(file):
    done = subprocess.run([ROOT / "build" / "release" / "bedrock-worker", "check", file], capture_output=True, text=True,
                          env=containers.environment(AWS_REGION="us-east-1", KAFKA_USER="me", KAFKA_PASSWORD="x"), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    ours, plain = (yaml.safe_load(path.read_text()) for path in (file, FOLDER / "worker.yaml"))
    ours["kafka"].pop("client", None)
    assert ours == plain


def test_grafana_and_prometheus_get_their_files_from_the_tree():
    services = with_files(profiles=PROFILES)
    for name in ("prometheus", "grafana"):
        for volume in services[name]["volumes"]:
            source = volume["source"]
            assert source.startswith(str(ROOT)) and volume["read_only"], source
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]["static_configs"][0]["targets"]
    assert scraped == ["worker-1:9464", "worker-2:9464"]

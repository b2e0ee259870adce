"""What runs the worker elsewhere: the systemd unit and the Kubernetes files, against the tools and schemas that read them."""
import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from pages import PROGRAMS, ROOT                                              # noqa: E402

UNIT = ROOT / "deploy" / "bedrock-worker.service"
KUBERNETES = ROOT / "deploy" / "kubernetes"
WORKER = PROGRAMS / "bedrock-worker"
METRICS_PORT = 9464


def run(*arguments, **environment):
    return subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False, timeout=120,
                          env={**os.environ, **environment})


def minutes(text):
    return int(re.fullmatch(r"(\d+)m", text).group(1)) * 60


# ---- systemd ----

def service():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(UNIT.read_text(encoding="utf-8"))
    assert unit["Install"]["WantedBy"] == "multi-user.target"
    return unit["Service"]


def test_the_unit_names_the_installed_files_and_outlasts_the_drain():
    unit = service()
    assert unit["Type"] == "notify"
    assert unit["ExecStart"] == "/usr/local/bin/bedrock-worker run -c /usr/local/etc/bedrock-worker/worker.yaml"
    assert unit["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert unit["EnvironmentFile"] == "-/usr/local/etc/bedrock-worker/environment"
    shipped = yaml.safe_load((ROOT / "config" / "worker.yaml").read_text(encoding="utf-8"))
    assert int(unit["TimeoutStopSec"]) >= minutes(shipped["delivery"]["drain_timeout"]) + 60
    assert unit["RestartPreventExitStatus"] == "2"       # wrong settings


def test_systemd_finds_the_unit_safe():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT)
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout).group(1))
    assert exposure <= 2.0 and done.stderr == ""


def test_systemd_understands_every_line_of_the_unit(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    text = UNIT.read_text(encoding="utf-8")
    text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M).replace("/usr/local/bin/bedrock-worker", "/bin/true")
    (tmp_path / UNIT.name).write_text(text, encoding="utf-8")
    done = run("systemd-analyze", "verify", "--man=no", tmp_path / UNIT.name)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


# ---- Kubernetes ----

def documents(folder):
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))}


FILES = documents(KUBERNETES)
EXAMPLES = documents(KUBERNETES / "examples")
SET = FILES["statefulset.yaml"]
POD = SET["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("kustomization.yaml", "worker.yaml")] + ["secret.yaml"])
def test_kubernetes_takes_the_file_in_old_and_new_versions(name):
    document = FILES.get(name) or EXAMPLES[name]
    for version in ("1.27", "1.32", "1.37"):
        kubernetes_validate.validate(document, version, strict=True)


def test_the_validator_finds_an_unknown_field():
    wrong = {**SET, "spec": {**SET["spec"], "podManagmentPolicy": "Parallel"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.32", strict=True)


def test_kustomize_builds_all_files():
    resources = FILES["kustomization.yaml"]["resources"]
    assert sorted([*resources, "kustomization.yaml", "worker.yaml"]) == sorted(FILES)
    if not shutil.which("kubectl"):
        return
    done = run("kubectl", "kustomize", KUBERNETES)
    assert done.returncode == 0, done.stderr
    built = {document["kind"]: document for document in yaml.safe_load_all(done.stdout)}
    assert set(built) == {FILES[name]["kind"] for name in resources} | {"ConfigMap"}
    for document in built.values():
        kubernetes_validate.validate(document, "1.32", strict=True)
    pod = built["StatefulSet"]["spec"]["template"]
    assert pod["spec"]["volumes"][0]["configMap"]["name"] == built["ConfigMap"]["metadata"]["name"]
    for selector in (built["Service"]["spec"]["selector"], built["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
                     built["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]):
        assert selector.items() <= pod["metadata"]["labels"].items()


def test_the_worker_accepts_the_settings_of_the_pods():
    variables = {row["name"]: row.get("value", "bedrock-worker-0") for row in CONTAINER["env"]}
    done = run(WORKER, "check", "-c", KUBERNETES / "worker.yaml", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = set(re.findall(r"\$\{(\w+)\}", (KUBERNETES / "worker.yaml").read_text(encoding="utf-8")))
    assert asked <= set(variables)


def test_each_pod_has_its_identity_and_time_to_drain():
    settings = FILES["worker.yaml"]
    assert settings["kafka"]["instance"] == "${POD_NAME}" and settings["kafka"]["static_membership"] is True
    assert SET["spec"]["podManagementPolicy"] == "Parallel"
    assert POD["terminationGracePeriodSeconds"] == minutes(settings["delivery"]["drain_timeout"]) + 60
    assert FILES["poddisruptionbudget.yaml"]["spec"]["maxUnavailable"] == 1


def test_a_pod_has_no_right_that_it_does_not_need():
    assert POD["securityContext"]["runAsNonRoot"] is True and POD["securityContext"]["runAsUser"] > 0
    assert CONTAINER["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                            "capabilities": {"drop": ["ALL"]}}
    assert POD["automountServiceAccountToken"] is False


def test_probes_and_metrics_have_the_workers_port():
    settings = FILES["worker.yaml"]
    assert settings["telemetry"]["http"]["address"] == f"0.0.0.0:{METRICS_PORT}"
    assert [port["containerPort"] for port in CONTAINER["ports"]] == [METRICS_PORT]
    assert FILES["service.yaml"]["spec"]["ports"][0]["port"] == METRICS_PORT
    pages = (ROOT / "worker" / "app" / "pages" / "pages.c").read_text(encoding="utf-8")
    for probe in ("livenessProbe", "readinessProbe"):
        assert CONTAINER[probe]["httpGet"]["port"] == "metrics"
        assert f'"{CONTAINER[probe]["httpGet"]["path"]}"' in pages


def test_keda_scales_the_set_by_metrics_that_there_are():
    spec = EXAMPLES["scaledobject.yaml"]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": SET["apiVersion"], "kind": SET["kind"], "name": SET["metadata"]["name"]}
    prometheus, kafka = (trigger["metadata"] for trigger in spec["triggers"])
    for metadata in (prometheus, kafka):
        assert all(isinstance(value, str) for value in metadata.values()), "KEDA takes texts only"
    metrics = (ROOT / "worker" / "telemetry" / "metrics.def").read_text(encoding="utf-8")
    names = set(re.findall(r"bedrock_worker_(\w+)", prometheus["query"]))
    assert names == {"requests", "partition_backlog"}
    assert all(f'"{name}"' in metrics for name in names)
    waits = (ROOT / "worker" / "engine" / "waits.def").read_text(encoding="utf-8")
    for state in re.search(r'state=~"([^"]+)"', prometheus["query"]).group(1).split("|"):
        assert f'"{state}"' in waits
    assert int(prometheus["threshold"]) == FILES["worker.yaml"]["delivery"]["max_in_flight"]
    assert kafka["consumerGroup"] == FILES["worker.yaml"]["kafka"]["group_id"]

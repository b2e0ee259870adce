"""The image: who runs in it, what it says of itself, and that its program is the same bytes wherever it is built."""
import json
import os
import re
import shutil
import subprocess

import pytest

from containers import BASE, ROOT, docker

IMAGE = "bedrock-worker:local"
COPIED = ("CMakeLists.txt", "CMakePresets.json", "CHANGELOG.md", "LICENSE", "README.md", "config", "deploy", "schema", "worker")


@pytest.fixture(scope="module")
def config(images):
    return json.loads(docker("image", "inspect", IMAGE).stdout)[0]["Config"]


def run(*words, entrypoint=None):
    more = ["--entrypoint", entrypoint] if entrypoint else []
    return docker("run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt",
                  "no-new-privileges:true", *more, IMAGE, *words, check=False)


def test_the_image_runs_as_a_user_of_no_name_and_starts_no_shell(config):
    user, group = config["User"].split(":")
    assert int(user) > 0 and int(group) > 0
    assert (config["Entrypoint"], config["Cmd"]) == (["bedrock-worker"], ["run"])
    assert config["Healthcheck"]["Test"] == ["CMD", "bedrock-worker", "health"]
    assert run("-u", entrypoint="id").stdout == f"{user}\n"


def test_the_image_has_the_labels_of_oci(config):
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    version = re.search(r"^project\(bedrock-worker VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)
    assert (labels["version"], labels["licenses"], labels["title"]) == (version, "Apache-2.0", "bedrock-worker")
    assert labels["base.name"] == BASE and labels["description"] and labels["revision"]


def test_the_programs_of_the_image_run_with_no_rights_and_no_files_to_write(config):
    said = run("version").stdout
    assert re.fullmatch(r"bedrock-worker \S+\nlibrdkafka 2\.8\.0\nlibcurl/8\.14\S+ .*\n", said), said
    assert run("check", "--set", "bedrock.region=us-east-1").stdout.endswith("no errors\n")
    assert run("--version", entrypoint="bedrock-sim").returncode == 0
    assert run("check", "--set", "bedrock.region=us-east-1", "--set",
               "prices.file=/etc/bedrock-worker/prices.yaml").stdout.endswith("no errors\n")
    assert "address: 0.0.0.0:9464" in run("/etc/bedrock-worker/worker.yaml", entrypoint="cat").stdout


def test_the_image_lists_its_packages(config):
    listed = dict(line.split()[:2] for line in run("/usr/local/share/packages", entrypoint="cat").stdout.splitlines())
    assert listed["librdkafka1"].startswith("2.8.0") and "libcjson1" in listed
    assert not [name for name in listed if name.endswith("-dev") or name in ("gcc", "cmake")]


def test_two_builds_in_two_folders_are_the_same_bytes(tmp_path):
    """No daemon: the release that is there, and one from a copy elsewhere, by the same compiler."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    cache = (ROOT / "build" / "release" / "CMakeCache.txt").read_text()
    assert "CMAKE_BUILD_TYPE:STRING=Release\n" in cache
    programs = ("bedrock-worker", "bedrock-sim")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1"}
    for words in (["cmake", "-S", ".", "-B", "else/where", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"],
                  ["cmake", "--build", "else/where", "-j", str(os.cpu_count()), "--target", *programs]):
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for name in programs:
        assert (tmp_path / "else/where" / name).read_bytes() == (ROOT / "build" / "release" / name).read_bytes(), name

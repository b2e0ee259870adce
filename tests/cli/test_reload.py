"""Changes of the settings while a worker runs, as an operator makes them: an editor, SIGHUP, a ConfigMap's links."""
import contextlib
import json
import os
import signal
import subprocess
import urllib.request

import pytest

from programs import CLEAN, KEYS, PATIENCE, WORKER, call, hears_signals, wait_for

BASE = "kafka: {bootstrap_servers: '127.0.0.1:1'}\nsettings: {watch: 100ms}\n"


class Running:
    def __init__(self, process, log):
        self.process, self.log = process, log

    def events(self, name):
        lines = [json.loads(line) for line in self.log.read_text().splitlines(True) if line.endswith("\n")]
        return [line for line in lines if line["event"] == name]

    def await_event(self, name, count=1):
        wait_for(lambda: len(self.events(name)) >= count)
        return self.events(name)[-1]

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def metric(self, name):
        port = self.await_event("pages_served")["address"].rpartition(":")[2]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        return [line.split()[1] for line in lines if line.startswith(f"bedrock_worker_{name} ")]


@contextlib.contextmanager
def running(file, log, **environment):
    with open(log, "wb") as out, subprocess.Popen([WORKER, "run", "-c", file], stderr=out, text=True,
                                                  env={**CLEAN, **KEYS, **environment}) as process:
        worker = Running(process, log)
        try:
            wait_for(lambda: worker.events("started") and hears_signals(process))
            yield worker
        finally:
            process.kill()


@pytest.fixture(name="file")
def settings_file(tmp_path):
    file = tmp_path / "worker.yaml"
    file.write_text(BASE)
    return file


def test_a_changed_file_is_taken_and_named(file, tmp_path):
    with running(file, tmp_path / "log") as worker:
        file.write_text(BASE + "models: {aliases: {a: {id: m.a}}}\nbedrock: {retry: {max_attempts: 2}}\n")
        changed = worker.await_event("settings_reloaded")
        assert changed["names"] == "bedrock.retry.max_attempts, models.aliases" and changed["file"] == str(file)
        assert worker.metric("settings_reload_success") == ["1"]
        assert not worker.events("settings_need_restart")


def test_nonsense_changes_nothing_and_is_logged_with_its_places(file, tmp_path):
    with running(file, tmp_path / "log") as worker:
        file.write_text(BASE + "models: {aliases: {a: {id: m.a}}}\nbedrok: {}\ndelivery: {ordering: what}\n")
        wrong = worker.await_event("settings_not_reloaded")
        assert wrong["level"] == "error" and wrong["mistakes"] == 2
        assert f"{file}:4:1: bedrok: unknown setting" in wrong["first"]
        assert f"{file}:5:22: delivery.ordering" in wrong["first"]
        assert worker.metric("settings_reload_success") == ["0"]
        file.write_text(BASE + "models: {aliases: {a: {id: m.a}}}\n")
        assert worker.await_event("settings_reloaded")["names"] == "models.aliases"
        assert worker.metric("settings_reload_success") == ["1"]
        assert len(worker.events("settings_not_reloaded")) == 1


def test_what_needs_a_restart_is_named_and_not_applied(file, tmp_path):
    with running(file, tmp_path / "log") as worker:
        file.write_text(BASE + "delivery: {max_held: 999, commit_interval: 50ms}\n")
        worker.hang_up()
        assert worker.await_event("settings_need_restart")["names"] == "delivery.max_held"
        assert worker.await_event("settings_reloaded")["names"] == "delivery.commit_interval"


def test_an_interval_over_the_running_transactions_is_a_mistake(file, tmp_path):
    with running(file, tmp_path / "log") as worker:
        file.write_text(BASE.replace("}", ", transaction_timeout: 60s}", 1) + "delivery: {commit_interval: 20s}\n")
        worker.hang_up()
        assert "12000 ms until a restart" in worker.await_event("settings_not_reloaded")["first"]


def test_a_swapped_link_is_a_change_of_content(tmp_path):
    """As Kubernetes does it: worker.yaml -> ..data/worker.yaml, ..data -> a folder of the day, swapped by rename."""
    for day, more in (("monday", ""), ("tuesday", "models: {default: m.b}\n")):
        (tmp_path / day).mkdir()
        (tmp_path / day / "worker.yaml").write_text(BASE + more)
    (tmp_path / "..data").symlink_to("monday")
    file = tmp_path / "worker.yaml"
    file.symlink_to("..data/worker.yaml")
    with running(file, tmp_path / "log") as worker:
        (tmp_path / "..data_tmp").symlink_to("tuesday")
        os.rename(tmp_path / "..data_tmp", tmp_path / "..data")
        assert worker.await_event("settings_reloaded")["names"] == "models.default"


def test_sighup_alone_reloads_when_watching_is_off(file, tmp_path):
    file.write_text(BASE.replace("100ms", "0"))
    with running(file, tmp_path / "log") as worker:
        file.write_text(BASE.replace("100ms", "0") + "telemetry: {log: {level: debug}}\n")
        worker.hang_up()
        assert worker.await_event("settings_reloaded")["names"] == "telemetry.log.level"
        worker.hang_up()
        assert worker.await_event("settings_reloaded", 2)["names"] == "nothing"
        file.unlink()
        worker.hang_up()
        assert "cannot be read" in worker.await_event("settings_not_reloaded")["first"]
        worker.process.terminate()
        assert worker.process.wait(PATIENCE) == 0


def test_a_variable_is_the_content_of_its_file(tmp_path):
    secret, file = tmp_path / "secret", tmp_path / "worker.yaml"
    file.write_text("kafka: {group_id: '${GROUP}', bootstrap_servers: '127.0.0.1:1'}\n")
    secret.write_text("of-a-file\n")
    with running(file, tmp_path / "log", GROUP_FILE=str(secret)) as worker:
        assert worker.events("started")[0]["group"] == "of-a-file"
    both = call("check", file, GROUP="a", GROUP_FILE=str(secret), **KEYS)
    assert both.returncode == 2 and "GROUP and GROUP_FILE are both set" in both.stderr + both.stdout
    none = call("check", file, GROUP_FILE=str(tmp_path / "missing"), **KEYS)
    assert none.returncode == 2 and "the file that GROUP_FILE names cannot be read" in none.stderr + none.stdout
    secret.write_text("x" * 70000)
    large = call("check", file, GROUP_FILE=str(secret), **KEYS)
    assert large.returncode == 2 and "over 64 KiB" in large.stderr + large.stdout

"""The worker under a service manager: what systemd hears from it, on a socket in systemd's place."""
import contextlib
import signal
import socket
import subprocess
import time

from programs import CLEAN, KEYS, PATIENCE, WORKER, demonstration


class Manager:
    """A worker that runs with NOTIFY_SOCKET, and its datagrams."""

    def __init__(self, folder, *arguments):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(str(folder / "notify"))
        self.heard = []
        self.process = subprocess.Popen(
            [WORKER, "run", "--set", "delivery.guarantee=at_least_once", "--set", "bedrock.endpoint_url=http://127.0.0.1:1",
             "--set", "telemetry.http.address=''", "--set", "delivery.drain_timeout=2s", *arguments],
            stderr=subprocess.DEVNULL, env={**CLEAN, **KEYS, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "400000"})

    def until(self, words):
        """Reads on until a datagram begins with these words: the datagram."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.heard.append(self.socket.recv(4096).decode())
            if self.heard[-1].startswith(words):
                return self.heard[-1]
        raise AssertionError((words, self.heard))

    def stop(self):
        """What it says when a SIGTERM comes, and its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.until("STOPPING=1"), self.process.wait(PATIENCE)


@contextlib.contextmanager
def managed(folder, *arguments):
    manager = Manager(folder, *arguments)
    try:
        yield manager
    finally:
        manager.process.kill()
        manager.process.wait()
        manager.socket.close()


def test_a_worker_that_has_joined_is_ready_lives_and_says_how_it_stands(tmp_path):
    with demonstration(0) as address, managed(tmp_path, "--set", f"kafka.bootstrap_servers={address}", "--set",
                                              "kafka.group_id=managed") as manager:
        manager.until("READY=1")
        began = time.monotonic()
        for _ in range(3):
            manager.until("WATCHDOG=1")
        assert time.monotonic() - began < 10, "a sign of life every 200 ms"
        assert "calls open" in manager.until("STATUS=")
        stopping, code = manager.stop()
        assert int(stopping.split("EXTEND_TIMEOUT_USEC=")[1]) >= 2000000
        assert code == 0


def test_a_worker_without_brokers_waits_and_is_not_ready(tmp_path):
    with managed(tmp_path, "--set", "kafka.bootstrap_servers=127.0.0.1:1") as manager:
        assert manager.until("STATUS=") == "STATUS=Waits for the brokers before it joins its group."
        manager.until("WATCHDOG=1")
        manager.stop()
        assert "READY=1" not in manager.heard

"""Runs an environment of the table with botocore and with the worker. As a program: `chain_kit.py NAME…` prints what both find."""
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import USUAL, fill
from environments import NAMES
from servers import World

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Addresses of the loopback in a network namespace, and who answers there.
REAL = {"container": [("169.254.170.2", 80), ("169.254.170.23", 80), ("fd00:ec2::23", 80)],
        "imds": [("169.254.169.254", 80), ("fd00:ec2::254", 80)]}
SECONDS = 90                                            # generous: of one question


def built(name):
    """The newest program with this name."""
    found = sorted((*ROOT.glob(f"build/*/tests/{name}"), *ROOT.glob(f"build/*/{name}")),
                   key=lambda path: path.stat().st_mtime)
    assert found, f"{name} is not built: cmake --preset dev && cmake --build --preset dev"
    return found[-1]


@contextlib.contextmanager
def made(case):
    """(variables, world) of the environment, in a new home."""
    with tempfile.TemporaryDirectory() as home, World(REAL if case.real else None) as world:
        files = {".aws/config": case.config, ".aws/credentials": case.credentials}
        texts = {path: fill(text, home, world) for path, text in files.items() if text is not None}
        for path, text in {**texts, **case.files}.items():
            file = Path(home, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        env = {name: fill(value, home, world) for name, value in {**USUAL, **case.env}.items() if value is not None}
        for key in re.findall(r"AKIA\w+", json.dumps([env, texts, case.files])):
            world.keys.add(key, token="canary-token-of-AKIAX" if "canary-token-of-" + key in str(texts) else None)
        case.world(world)
        yield {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "BOTO_CONFIG": "/nowhere", **env}, world


class Oracle:
    """A running oracle.py."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, HERE / "oracle.py"], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE)

    def ask(self, env, profile):
        self.process.stdin.write(json.dumps({"env": env, "profile": profile}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(SECONDS)


def ask_botocore(case, oracle=None):
    asked = oracle or Oracle()
    try:
        with made(case) as (env, world):
            return {**asked.ask(env, case.profile), "regions": world.sts.regions}
    finally:
        if oracle is None:
            asked.end()


def ask_worker_in(env, world, profile=None):
    done = subprocess.run([built("find_identity"), *([profile] if profile else [])], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0 and done.stdout, f"exit code {done.returncode}: {done.stderr}"
    return {**json.loads(done.stdout), "log": done.stderr, "regions": world.sts.regions,
            "trapped": len(world.trap.requests)}


def ask_worker(case):
    with made(case) as (env, world):
        return ask_worker_in(env, world, case.profile)


def namespaced(name, who):
    """The answer from a new network namespace, where the services have their real addresses."""
    add = "".join(f"ip addr add {host}/{128 if ':' in host else 32} dev lo nodad && " if ":" in host
                  else f"ip addr add {host}/32 dev lo && " for hosts in REAL.values() for host, _ in hosts)
    done = subprocess.run(["unshare", "-rn", "sh", "-c", f'ip link set lo up && {add} exec "$@"', "sh", sys.executable,
                           __file__, "--here", who, name], capture_output=True, text=True, timeout=2 * SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def can_make_namespaces():
    return subprocess.run(["unshare", "-rn", "sh", "-c", "ip link set lo up && ip addr add 169.254.170.2/32 dev lo"],
                          capture_output=True, check=False).returncode == 0


ASK = {"botocore": ask_botocore, "worker": ask_worker}


def found(name, who, *oracle):
    return namespaced(name, who) if NAMES[name].real else ASK[who](NAMES[name], *oracle)


if __name__ == "__main__":
    if sys.argv[1] == "--here":
        print(json.dumps(ASK[sys.argv[2]](NAMES[sys.argv[3]])))
    else:
        for each in sys.argv[1:] or NAMES:
            for asked in ASK:
                try:
                    said = found(each, asked)
                except AssertionError as error:
                    said = {"failed": str(error)[-300:]}
                said.pop("log", None)
                print(f"{each:60} {asked:9} {json.dumps(said)}", flush=True)

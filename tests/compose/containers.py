"""A Docker daemon of the tests' own, and images for it on a machine that reaches no image registry.

The daemon has its data, socket and log in build/docker; other daemons of the machine are left alone, and what this one
changes in the network is undone when it stops. Stand-ins, which carry the official names because docker-compose.yml is
used as it is:

  debian:trixie-slim   made by debootstrap from Debian 13's packages
  apache/kafka:…       made from Apache Kafka's published jars (tests/kafka/jars) and this machine's Java; its entry script
                       turns KAFKA_… variables into server.properties as the official image does

bedrock-worker itself is built from deploy/Dockerfile, as it is. Nothing here is a stand-in for it.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kafka"))
from kit.broker import LIBS, fetch_jars     # noqa: E402

WORK = ROOT / "build" / "docker"
SOCKET = WORK / "socket"
PATIENCE = 180
BASE = "debian:trixie-slim"
KAFKA = "apache/kafka:" + re.search(r"KAFKA_VERSION:-([\d.]+)", (ROOT / "docker-compose.yml").read_text()).group(1)
STAND_INS = f"stand-ins: {BASE} is made by debootstrap, {KAFKA} from the published jars; no registry was asked"
PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MODULES = ("java.base,java.desktop,java.logging,java.management,java.naming,java.security.jgss,java.security.sasl,java.sql,"
           "java.xml,jdk.crypto.ec,jdk.management,jdk.security.auth,jdk.unsupported,jdk.zipfs")
# Debian 13's, which run on Debian 12 too; its Docker has neither.
PLUGINS = {"compose": "docker-compose", "buildx": "docker-buildx"}


class Unavailable(Exception):
    """The daemon cannot run here; the text is its own reason."""


class Failed(Exception):
    """A command failed; the text has its output."""


def say(words):
    print(f"compose: {words}", file=sys.stderr, flush=True)


def environment(**more):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("DOCKER_", "COMPOSE_", "KAFKA_", "AWS_", "BEDROCK_"))}
    return {**clean, "DOCKER_HOST": f"unix://{SOCKET}", "DOCKER_CONFIG": str(WORK / "config"), "PATH": f"{PATHS}:{clean['PATH']}",
            **{name: str(value) for name, value in more.items()}}


def call(*words, seconds=1800, check=True, variables=None, folder=ROOT):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=seconds, cwd=folder,
                          stdin=subprocess.DEVNULL, env=environment(**(variables or {})), check=False)
    if check and done.returncode:
        raise Failed(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done


def docker(*words, **options):
    return call("docker", *words, **options)


def wait_for(fact, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not (found := fact()):
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds} s it is not there: {what() if callable(what) else what}")
        time.sleep(0.5)
    return found


# ---- programs ----

def mirror():
    """The address from which apt takes this machine's packages."""
    lines = call("apt-get", "--print-uris", "update").stdout
    codename = re.search(r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text()).group(1)
    return re.search(rf"^'(\S+)/dists/(?:{codename}|stable|oldstable)/InRelease'", lines, re.M).group(1)


def plugin_there(name):
    return call("docker", name, "version", check=False).returncode == 0


def fetch_plugins():
    """docker compose and docker buildx, where the machine has none: Debian 13's, unpacked into build/docker."""
    missing = [package for name, package in PLUGINS.items() if not plugin_there(name)]
    if not missing:
        return
    say(f"fetching Debian 13's {' and '.join(missing)}")
    folder = WORK / "apt"
    for name in ("lists/partial", "cache/archives/partial", "packages"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb {mirror()} trixie main\n")
    (folder / "conf").write_text(f'Dir::Etc::SourceList "{folder}/sources.list"; Dir::Etc::SourceParts "-";\n'
                                 f'Dir::State::Lists "{folder}/lists"; Dir::State::status "{folder}/status";\n'
                                 f'Dir::Cache "{folder}/cache"; APT::Sandbox::User "root";\n')
    for words in (["update", "-q"], ["download", "-q", *missing]):
        call("apt-get", *words, variables={"APT_CONFIG": folder / "conf"}, folder=folder / "packages")
    (WORK / "config" / "cli-plugins").mkdir(parents=True, exist_ok=True)
    for package in (folder / "packages").glob("*.deb"):
        call("dpkg-deb", "-x", package, folder / "files")
    for found in (folder / "files").rglob("cli-plugins/docker-*"):
        shutil.copy2(found, WORK / "config" / "cli-plugins")
    shutil.rmtree(folder)


# ---- the daemon ----

class Daemon:
    def __init__(self):
        self.process = None
        self.log = WORK / "dockerd.log"

    def start(self):
        """Unavailable: it cannot run here."""
        WORK.mkdir(parents=True, exist_ok=True)
        if os.geteuid():
            raise Unavailable("dockerd needs root")
        if not shutil.which("dockerd", path=environment()["PATH"]):
            raise Unavailable("dockerd is not installed (deploy/packages.sh compose)")
        self._end_left_over()
        self.had_bridge = Path("/sys/class/net/docker0").exists()
        self.forwarded = Path("/proc/sys/net/ipv4/ip_forward").read_text()
        self.rules = call("iptables-save", check=False).stdout
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["dockerd", "--data-root", WORK / "data", "--exec-root", WORK / "exec", "--pidfile", WORK / "pid",
                 "-H", f"unix://{SOCKET}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment(),
                start_new_session=True)
        end = time.monotonic() + 60
        while docker("info", check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                reason = self._reason()
                self.stop()
                raise Unavailable(f"dockerd does not run here: {reason}")
            time.sleep(0.2)

    def _reason(self):
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        bad = [line for line in lines if re.search(r"level=(fatal|error)|^failed", line)]
        return (bad or lines or ["it wrote nothing"])[-1][-400:]

    def _end_left_over(self):
        """Ends a daemon that an earlier run of this checkout left behind."""
        note = WORK / "pid"
        if not note.exists():
            return
        pid = int(note.read_text() or 0)
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and str(SOCKET).encode() in command.read_bytes():
            os.kill(pid, signal.SIGTERM)
            wait_for(lambda: not command.exists(), "the end of an earlier daemon")
        note.unlink(missing_ok=True)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        if not self.had_bridge:         # the first daemon of this machine: as it was before
            call("ip", "link", "delete", "docker0", check=False)
            subprocess.run(["iptables-restore"], input=self.rules, text=True, check=False, env=environment())
            forward = Path("/proc/sys/net/ipv4/ip_forward")
            if forward.read_text() != self.forwarded:
                forward.write_text(self.forwarded)


# ---- images ----

def has_image(name):
    return docker("image", "inspect", name, check=False).returncode == 0


def make_base():
    if has_image(BASE):
        return
    packed = WORK / "trixie.tar"
    if not packed.exists():
        say(f"making {BASE} with debootstrap (once)")
        root = WORK / "trixie"
        shutil.rmtree(root, ignore_errors=True)
        call("debootstrap", "--variant=minbase", "--include=ca-certificates", "trixie", root, mirror())
        certificates = Path("/etc/ssl/certs/ca-certificates.crt")
        if certificates.exists():       # this machine's packages may come by a proxy of its own
            shutil.copy(certificates, root / "etc/ssl/certs/ca-certificates.crt")
        for folder in ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/lib/apt/lists", "var/cache/apt"):
            shutil.rmtree(root / folder)
        for folder in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
            (root / folder).mkdir(parents=True)
        call("tar", "-C", root, "--numeric-owner", "-cf", f"{packed}.new", ".")
        os.rename(f"{packed}.new", packed)
        shutil.rmtree(root)
    docker("import", "--change", 'CMD ["bash"]', "--change", f"ENV PATH={PATHS}", packed, BASE)


def make_kafka():
    if has_image(KAFKA):
        return
    missing = fetch_jars(say)
    if missing:
        raise Failed(f"no Kafka: {missing}")
    say(f"making {KAFKA} from the jars (once)")
    folder = WORK / "kafka"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "compose" / "kafka", folder)
    shutil.copytree(LIBS, folder / "libs")
    call("jlink", "--add-modules", MODULES, "--strip-debug", "--no-header-files", "--no-man-pages", "--output", folder / "jre")
    docker("build", "-q", "-t", KAFKA, folder)
    shutil.rmtree(folder)


def reach_packages():
    """Unavailable: containers here reach no Debian packages, so no image can be built."""
    if has_image("bedrock-worker:local"):
        return
    done = docker("run", "--rm", BASE, "apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any", check=False)
    if done.returncode:
        raise Unavailable(f"containers here reach no Debian packages: {(done.stdout + done.stderr).strip()[-400:]}")


def make_images():
    """Unavailable: this machine lacks what the images are made of. Failed: ours cannot be built."""
    try:
        fetch_plugins()
        make_base()
        make_kafka()
    except Failed as why:
        raise Unavailable(f"the stand-ins for images cannot be made here: {why}") from why
    reach_packages()
    say("building bedrock-worker from deploy/Dockerfile")
    compose("--progress", "plain", "build")


# ---- compose ----

def compose(*words, files=("docker-compose.yml",), project="bedrock-worker", **options):
    names = [word for file in files for word in ("-f", file)]
    return docker("compose", "--project-directory", ROOT, "-p", project, "--env-file", "/dev/null", *names, *words, **options)


def configuration(*words, **options):
    return json.loads(compose(*words, "config", "--format", "json", **options).stdout)

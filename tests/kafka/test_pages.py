"""The pages' commands, as a reader types them: one shell for each page, a broker started by tests/kafka/broker, a local
Bedrock and a worker. The output in a page must be what its command prints."""
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from kit import records                                                     # noqa: E402
from kit.broker import fetch_jars, free_ports                               # noqa: E402
from kit.processes import ROOT, WORK, started_at, wait_for                  # noqa: E402
from kit.services import PROGRAMS                                           # noqa: E402
from pages import blocks_of, checkout, page_names, shows                    # noqa: E402

SPRING_LIBS = WORK / "pages-spring-libs"      # not those of test_spring.py, which may fetch its own meanwhile
WAYS = {"try", "read", "alone"}
LIMIT = 120             # seconds for one block; also how long a `read` block is repeated until its output matches
SETUP = [block for block in blocks_of("README.md") if "setup" in block.way]


def is_session(page):
    return any(WAYS & set(block.way) for block in blocks_of(page))


class Shell:
    """Runs blocks one after the other; environment, functions and folder carry over, as in a reader's shell."""

    def __init__(self, folder, name):
        self.folder = folder / "checkout"
        self.folder.mkdir()
        checkout(self.folder)
        self.state = folder / "state.sh"
        self.log = folder
        self.port = free_ports(1)[0]
        self.groups = []
        self.count = 0
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith(("AWS_", "KAFKA_", "BEDROCK_WORKER_"))}
        self.environment = {**clean, "BROKER_NAME": name, "PYTHONDONTWRITEBYTECODE": "1",
                            "PATH": f"{Path(sys.executable).parent}:{clean['PATH']}"}
        self.state.write_text(f"PATH={shlex.quote(str(PROGRAMS))}:$PATH\n")

    def call(self, script, seconds=LIMIT):
        """Exit code and standard output. Processes in the background continue, and write to files."""
        self.count += 1
        out, errors = (self.log / f"{self.count}.{kind}" for kind in ("out", "err"))
        script = f". {self.state}\nset -eo pipefail\n{script}\nset +e +o pipefail\n" \
                 f"{{ export -p; declare -f; }} >{self.state}.new && mv {self.state}.new {self.state}\n"
        with open(out, "wb") as out_file, open(errors, "wb") as errors_file:
            child = subprocess.Popen(["bash", "-c", script], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out_file,
                                     stderr=errors_file, env=self.environment, start_new_session=True)
        self.groups.append(child.pid)
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            code = f"none within {seconds} s"
        return code, out.read_text(errors="replace"), errors.read_text(errors="replace")

    def script_of(self, block):
        text = block.text.replace(":9911", f":{self.port}").replace("--port 9911", f"--port {self.port}")
        if block.language == "sh":
            return text
        (self.folder / "block.py").write_text(text)
        return "python block.py"

    def run(self, block):
        code, out, errors = self.call(self.script_of(block))
        assert code == 0, f"{block.place} ended with exit code {code}\n{out}{errors}{self.logs()}"
        return out

    def read(self, block, expected):
        """A block that a reader repeats until the output is there."""
        last = []

        def is_there():
            last[:] = self.call(self.script_of(block))
            return shows(expected, last[1])
        assert wait_for(is_there, LIMIT, 1), f"{block.place}: {last}{self.logs()}"

    def logs(self):
        return "".join(f"\n--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
                       for path in sorted(self.log.glob("*.err")))

    def end(self):
        for group in self.groups:
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(group, number)
                except ProcessLookupError:
                    break
                wait_for(lambda pid=group: not group_lives(pid), 30)
        subprocess.run([ROOT / "tests" / "kafka" / "broker", "wipe"], env=self.environment, check=False)


def group_lives(group):
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            return True
    return False


@pytest.fixture
def shell(folder):
    missing = fetch_jars()
    if missing:
        pytest.skip(f"no Apache Kafka: {missing}")
    made = Shell(folder, f"pages-{os.getpid()}-{started_at(os.getpid())}")
    yield made
    made.end()


def follow(shell, page):
    """Runs a page from top to bottom; returns the output of each block."""
    printed = []
    blocks = blocks_of(page)
    begin = [] if any("alone" in block.way for block in blocks) or page == "README.md" else SETUP
    steps = begin + [block for block in blocks if {"setup", *WAYS} & set(block.way)]
    for block in steps:
        after = [other for other in blocks if other.line > block.line]
        expected = after[0].text if after and block.page == page and after[0].way == ("output",) else None
        if "read" in block.way:
            shell.read(block, expected)
            continue
        printed.append(shell.run(block))
        if expected is not None:
            assert shows(expected, printed[-1]), f"{block.place} printed\n{printed[-1]}"
    return printed


@pytest.mark.parametrize("page", [page for page in page_names() if is_session(page)])
def test_the_commands_of_a_page_give_what_it_shows(shell, page):
    if any("mvn " in block.text for block in blocks_of(page)):
        missing = fetch_jars(pom=ROOT / "deploy" / "examples" / "spring" / "pom.xml", folder=SPRING_LIBS)
        if missing:
            pytest.skip(f"no Spring Kafka: {missing}")
    printed = "".join(follow(shell, page))
    if page == "README.md":
        assert "Ich liebe Programmieren." in printed and "Voici la traduction" in printed


PYTHON = [block for page in page_names() for block in blocks_of(page) if block.language == "python"]


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.page)
def test_a_python_example_ends_when_no_worker_runs(shell, block):
    shell.run(SETUP[0])
    assert "+ 60\n" in block.text
    (shell.folder / "block.py").write_text(block.text.replace("+ 60\n", "+ 3\n"))
    code, _, errors = shell.call("python block.py")
    assert code == 1 and "is the worker running?" in errors, errors


def test_the_examples_end_when_no_worker_runs(shell):
    shell.run(SETUP[0])
    for command in ("python deploy/examples/python/ask.py", "python deploy/examples/python/stream.py",
                    "deploy/examples/kcat/ask.sh Hello."):
        code, _, errors = shell.call(f"export PATIENCE=2; {command}")
        assert code == 1 and "is the worker running?" in errors, (command, errors)


def test_the_topics_section_creates_the_five_topics(shell):
    """README's broker has them already, so here they get other names."""
    shell.run(SETUP[0])
    [block] = [block for block in blocks_of("deploy/README.md") if "bedrock-worker topics" in block.text]
    names = ("requests", "responses", "chunks", "usage", "dead_letters")
    others = " ".join(f"--set topics.{name}={f'[made.{name}]' if name == 'requests' else f'made.{name}'}" for name in names)
    script = re.sub(r"^bedrock-worker check.*\n", "", block.text.replace("--create", f"--create {others}"), flags=re.M)
    code, out, errors = shell.call(script)
    assert code == 0, out + errors
    _, address, _ = shell.call("echo $KAFKA_BOOTSTRAP_SERVERS")
    for name in names:
        made = f"made.{name}"
        assert wait_for(lambda made=made: len(records.partitions_of(address.strip(), made)) == 16), out


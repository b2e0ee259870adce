"""The pages are true: their blocks run or are checked, their links lead somewhere, their tables are the lists of the
source, and the map of the code names the files that are there. tests/kafka/test_pages.py runs what needs a broker.

The words after a fenced block's language say how it is checked:

  sh setup             README's broker, local Bedrock and worker: runs before the blocks of every other page   (kafka)
  sh try, python try   runs in the page's shell; an `output` block behind it is what it prints                 (kafka)
  sh read              the same, repeated until the `output` behind it is there                                (kafka)
  sh alone             runs without README's setup                                                             (kafka)
  sh run               runs here, in a folder like a checkout, and ends with exit code 0
  sh long              too long for here: its scripts know the parts, its presets the targets, its tests exist
  sh docker            what tests/compose runs on a daemon of its own: its files, profiles and services exist
  sh two-commands      README's two: the demo runs here, tests/run.sh is what runs this test
  json SCHEMA          is valid by that schema of schema/
  yaml worker          settings that `bedrock-worker check` accepts, beside the shipped files
  yaml prices          a price file that it accepts
  c rows LIST          rows for that .def file: each has the columns of those that are there
  c picture            nothing runs
  text output          what the block before prints
  text picture         nothing runs
  text demo            lines that the demo prints
"""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from outputs import SCHEMAS, faults                                           # noqa: E402
from pages import PROGRAMS, ROOT, all_blocks, blocks_of, checkout, page_names, text_of     # noqa: E402

IN_KAFKA_RING = {("sh", "setup"), ("sh", "try"), ("sh", "read"), ("sh", "alone"), ("python", "try")}
HERE = {("sh", "run"), ("sh", "long"), ("sh", "docker"), ("sh", "two-commands"), ("yaml", "worker"), ("yaml", "prices"), ("c", "rows"), ("c", "picture"),
        ("text", "output"), ("text", "picture"), ("text", "demo")}
LIMIT = 120
BLOCKS = all_blocks()
WORKER = PROGRAMS / "bedrock-worker"
CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith(("AWS_", "KAFKA_", "BEDROCK_WORKER_"))}


def of(language, way):
    return [block for block in BLOCKS if (block.language, block.way[:1]) == (language, (way,))]


def named(blocks):
    return pytest.mark.parametrize("block", blocks, ids=[block.place for block in blocks])


def call(script, folder, **environment):
    return subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True,
                          timeout=LIMIT, stdin=subprocess.DEVNULL, check=False,
                          env={**CLEAN, "PATH": f"{PROGRAMS}:{CLEAN['PATH']}", **environment})


# ---- blocks ----

@named(BLOCKS)
def test_every_block_names_its_check(block):
    if block.language == "json":
        assert block.way[:1] and (SCHEMAS / f"{block.way[0]}.schema.json").exists()
    else:
        assert (block.language, *block.way[:1]) in IN_KAFKA_RING | HERE


@named([block for block in BLOCKS if block.language == "json"])
def test_a_json_example_is_valid(block):
    assert faults(block.way[0], json.loads(block.text)) == []


@named(of("yaml", "worker"))
def test_settings_in_a_page_are_accepted(block, tmp_path):
    shutil.copy(ROOT / "config" / "prices.yaml", tmp_path)
    (tmp_path / "worker.yaml").write_text(block.text, encoding="utf-8")
    variables = {name: "x" for name in re.findall(r"\$\{(\w+)\}", block.text)}
    done = call("bedrock-worker check -c worker.yaml", tmp_path, AWS_REGION="us-east-1", **variables)
    assert done.returncode == 0, done.stdout + done.stderr


@named(of("yaml", "prices"))
def test_a_price_file_in_a_page_is_accepted(block, tmp_path):
    (tmp_path / "prices.yaml").write_text(block.text, encoding="utf-8")
    done = call("bedrock-worker check --set prices.file=prices.yaml", tmp_path, AWS_REGION="us-east-1")
    assert done.returncode == 0, done.stdout + done.stderr


@named(of("sh", "run"))
def test_a_command_of_a_page_runs(block, tmp_path):
    done = call(block.text, checkout(tmp_path), AWS_REGION="us-east-1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


def commands_of(block):
    """Its lines without comments, continued ones joined."""
    text = re.sub(r"\s+#.*$", "", block.text, flags=re.MULTILINE).replace("\\\n", " ")
    return [line.strip() for line in re.split(r"\n|&&", text) if line.strip()]


def dry(command):
    """A quick command that shows that a long one can begin, or None."""
    command = re.sub(r"^(\w+=\S+ )+", "", command)
    words = command.split()
    if words[0] == "tests/compose/docker":
        return f"{words[0]} --help | grep 'compose/docker {words[1]} '"
    if words[0] in ("tests/run.sh", "deploy/packages.sh"):
        text = (ROOT / words[0]).read_text(encoding="utf-8")
        parts = re.findall(r"^part_(\w+)\(\)|^(\w+)\) wanted", text, re.MULTILINE)
        assert set(words[1:]) <= {"", "all", *[a or b for a, b in parts]}, command
        return f"bash -n {words[0]}"
    if words[:3] == ["cmake", "--build", "--preset"]:
        preset = words[3]
        presets = json.loads((ROOT / "CMakePresets.json").read_text())["buildPresets"]
        assert preset in {row["name"] for row in presets}, command
        targets = words[words.index("--target") + 1:] if "--target" in words else []
        return f"ninja -C build/{preset} -n {' '.join(targets)}" if (ROOT / "build" / preset).exists() else "true"
    if words[:2] == ["cmake", "--preset"]:
        return f"cmake --list-presets | grep -q '\"{words[2]}\"'"
    if words[:2] == ["cmake", "--install"]:
        return f"DESTDIR=$PWD/installed {command} && test -x installed/usr/local/bin/bedrock-worker"
    if words[0] == "cpack":
        return f"test -s {words[2]}"                # tests/cli/test_package.py builds the package
    if words[0] == "ctest":
        return f"{command} -N | grep -q 'Total Tests: [1-9]'"
    if words[0].endswith("python"):
        return f"{sys.executable} {command.split(' ', 1)[1]} --collect-only -q"
    return None


@named(of("sh", "long"))
def test_a_long_command_of_a_page_can_begin(block, tmp_path):
    checkout(tmp_path)
    for command in commands_of(block):
        shorter = dry(command)
        assert shorter, f"{block.place}: no test knows how to try `{command}`"
        done = call(shorter, tmp_path)
        assert done.returncode == 0, shorter + "\n" + done.stdout + done.stderr


@named(of("sh", "docker"))
def test_a_command_for_docker_names_what_is_there(block):
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", [])}
    for command in commands_of(block):
        words = command.split()
        assert words[:2] in (["docker", "compose"], ["docker", "build"], ["docker", "run"]), command
        for option, word in zip(words, words[1:], strict=False):
            assert option != "-f" or (ROOT / word).is_file(), command
            assert option != "--profile" or word in profiles, command
        if words[1] == "compose":
            assert {"up", "down"} & set(words), command


def plain(line):
    return re.sub(r"\d+", "0", " ".join(line.split()))


def test_the_first_page_shows_what_the_demo_prints(tmp_path):
    [commands], [picture] = of("sh", "two-commands"), of("text", "demo")
    assert [line.split()[0] for line in commands_of(commands)] == ["deploy/demo.sh", "tests/run.sh"]
    done = call("deploy/demo.sh", ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = [plain(line) for line in done.stdout.splitlines()]
    for line in picture.text.splitlines():
        assert len(line) <= 80, line
        parts = plain(line).split("…")
        pattern = ".*".join(re.escape(part.strip()) for part in parts)
        assert any(re.fullmatch(pattern, other) for other in printed), line


def rows_of(text, name=r"[A-Z_]+"):
    """(macro, how many arguments) of each row of a list."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    found = []
    for match in re.finditer(rf"^({name})\(", text, re.MULTILINE):
        depth, commas, quoted, at = 1, 0, False, match.end()
        while depth and at < len(text):
            char = text[at]
            if char == '"' and text[at - 1] != "\\":
                quoted = not quoted
            elif not quoted:
                depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(char, 0)
                commas += char == "," and depth == 1
            at += 1
        found.append((match.group(1), commas + 1))
    return found


@named(of("c", "rows"))
def test_a_row_in_a_recipe_has_the_columns_of_its_list(block):
    there = set(rows_of((ROOT / block.way[1]).read_text(encoding="utf-8")))
    shown = rows_of(block.text)
    assert shown and set(shown) <= there, (shown, sorted(there))


# ---- pages ----

def anchors(page):
    """GitHub's names for the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("page", page_names())
def test_every_link_has_a_target(page):
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors(os.path.relpath(path, ROOT)), link


@pytest.mark.parametrize("page", page_names())
def test_every_row_of_a_table_has_the_cells_of_its_head(page):
    cells = 0
    for line in re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL).splitlines():
        now = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert cells in (0, now) or now == 0, line
        cells = now


@pytest.mark.parametrize("page", page_names())
def test_a_page_has_each_heading_once_and_a_blank_line_around_it(page):
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    for part in re.split(r"^## ", text, flags=re.MULTILINE):
        headings = re.findall(r"^### .*$", part, re.MULTILINE)
        assert len(headings) == len(set(headings)), headings
    assert re.findall(r"[^\n]\n(#+ .*)", text) == []


def test_the_first_page_is_short_and_names_all_pages():
    text = text_of("README.md")
    assert text.count("\n") <= 180
    for page in page_names():
        assert page == "README.md" or f"]({page})" in text, page


def test_the_pages_for_users_are_installed(tmp_path):
    """Below the documents' folder they lie as in the source, so that their links work."""
    release = ROOT / "build" / "release"
    if not (release / "cmake_install.cmake").exists():
        pytest.fail("preset release is not built")
    done = call(f"DESTDIR={tmp_path} cmake --install {release}", ROOT)
    assert done.returncode == 0, done.stderr
    [first] = tmp_path.rglob("doc/bedrock-worker/README.md")
    for page in ("CHANGELOG.md", "schema/README.md", "config/README.md", "deploy/README.md", "deploy/GUARANTEES.md"):
        assert (first.parent / page).read_text(encoding="utf-8") == text_of(page)
    shutil.rmtree(tmp_path)


def test_the_policy_grants_what_the_worker_calls_and_nothing_else():
    policy = json.loads((ROOT / "deploy" / "examples" / "iam-policy.json").read_text(encoding="utf-8"))
    [statement] = policy["Statement"]
    assert (policy["Version"], statement["Effect"]) == ("2012-10-17", "Allow")
    said = section("config/README.md", "Credentials")
    assert set(statement["Action"]) == set(re.findall(r"bedrock:\w+", said)) - {
        "bedrock:CallWithBearerToken", "bedrock:ApplyGuardrail"}
    assert all(re.fullmatch(r"arn:aws:bedrock:\*:\*?:[\w-]+/\*", resource) for resource in statement["Resource"])


STRUCK = ["anew", "nobody", "so long", "told", "in words", "of its own", "of their own", "of one's own"]


@pytest.mark.parametrize("page", page_names())
def test_a_page_contains_no_struck_word(page):
    """The voice of worker/HACKING.md strikes these words."""
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    assert [word for word in STRUCK if re.search(rf"\b{word}\b", " ".join(text.split()))] == []


# ---- tables against the lists of the source ----

def section(page, heading):
    return re.search(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", text_of(page), re.MULTILINE | re.DOTALL).group(1)


def first_column(text):
    return [row.split("|")[1] for row in text.splitlines() if row.startswith("| ")][1:]


def codes(text):
    return re.findall(r"`([^`]+)`", text)


def test_the_table_of_fields_has_the_fields_of_a_request():
    there = set(re.findall(r"^(?:FIELD|VALUE|PRESET|PARAMETER)\((\w+),",
                           (ROOT / "worker/wire/chat/request_fields.def").read_text(encoding="utf-8"), re.MULTILINE))
    schema = json.loads((SCHEMAS / "request.schema.json").read_text(encoding="utf-8"))
    there |= {name for name, value in schema["properties"].items() if value.get("type") != "null"}
    assert {code for cell in first_column(section("schema/README.md", "Request")) for code in codes(cell)} == there


def test_the_table_of_errors_has_the_codes_of_the_list():
    there = set(re.findall(r'^ERR\(\w+,\s*\w+,\s*"(\w+)"', (ROOT / "worker/base/err.def").read_text(), re.MULTILINE))
    assert {code for cell in first_column(section("schema/README.md", "Errors")) for code in codes(cell)} == there


def events():
    return {name.lower(): level.lower() for name, level in re.findall(
        r"^EVENT\((\w+),\s*(\w+),", (ROOT / "worker/telemetry/events.def").read_text(encoding="utf-8"), re.MULTILINE)}


def test_the_alarms_are_events_with_their_level():
    there = events()
    rows = [row.split("|") for row in section("deploy/README.md", "Logs").splitlines() if row.startswith("| `")]
    assert rows
    for row in rows:
        for name in codes(row[1]):
            assert there.get(name) == row[2].strip(), name


def test_the_troubleshooting_table_names_events():
    there = events()
    signs = [code for cell in first_column(section("deploy/README.md", "Troubleshooting")) for code in codes(cell)]
    errors = {code for cell in first_column(section("schema/README.md", "Errors")) for code in codes(cell)}
    assert len(signs) > 10
    for name in signs:
        assert name in there or name in errors or name == "exit code 1", name


def source(name):
    return (ROOT / "worker" / name).read_text(encoding="utf-8")


def test_every_name_in_the_pages_is_one_of_the_worker():
    """A name with `_` in it is an event, an error code, a setting, a member of a record, or one of others."""
    others = {"read_committed", "credential_process", "content_blocks", "with_structured_output", "bind_tools",
              "get_num_tokens_from_messages"}
    names = set(events()) | set(re.findall(r'"(\w+)"', source("base/err.def")))
    for word in re.findall(r'"([\w.|]+)"', source("app/settings/settings.def") + source("app/settings/topics.def")):
        names |= set(re.split(r"[.|]", word))
    for name in ("wire/chat/foreign_names.def", "app/books/measures.def", "app/books/focus.c", "app/books/rows.c",
                 "app/commands/usage_reconcile.c"):
        names |= set(re.findall(r'"(\w+)"', source(name)))
    names |= set(re.findall(r'ROW\("(\w+)"', source("app/settings/aliases.c")))
    names |= set(re.findall(r'MEMBER\((\w+)', source("app/settings/quotas.c")))
    names |= set(re.findall(r'MEMBER\((\w+)', source("app/settings/tenants.c")))
    for path in (ROOT / "worker/io/aws/providers").glob("*.c"):        # properties of profiles
        names |= set(re.findall(r'"(\w+)"', path.read_text(encoding="utf-8")))
    for name in re.findall(r'^METRIC\(.*?"(\w+)"', source("telemetry/metrics.def"), re.M):
        names |= {name, f"bedrock_worker_{name}"}
    names |= set(re.findall(r'"(\w+)"', source("policy/price.def") + source("app/prices/price_file.c")))
    for path in SCHEMAS.glob("*.schema.json"):
        names |= set(re.findall(r'"(\w+)"', path.read_text(encoding="utf-8")))
    for page in ("README.md", "schema/README.md", "config/README.md", "deploy/README.md", "deploy/GUARANTEES.md"):
        said = {code for code in codes(re.sub(r"^```.*?^```$", "", text_of(page), flags=re.M | re.S))
                if re.fullmatch(r"[a-z]+(_[a-z]+)+", code)}
        assert said - names - others == set(), page


def test_the_tests_page_lists_every_part():
    text = (ROOT / "tests" / "run.sh").read_text(encoding="utf-8")
    parts = " ".join(re.findall(r'^(?:ALL|NAMED)="(.*)"$', text, re.MULTILINE))
    table = " ".join(first_column(section("tests/README.md", "The tests")))
    assert sorted(re.findall(r"\w+", table)) == sorted(parts.split())


def test_the_renamed_events_have_their_new_names():
    there = events()
    rows = [codes(row) for row in section("CHANGELOG.md", "Log events").splitlines() if row.startswith("| `")]
    assert len(rows) > 10
    for old, new in rows:
        assert old not in there and new in there, (old, new)
        assert not any(re.search(rf"`{old}`", text_of(page)) for page in page_names() if page != "CHANGELOG.md"), old


def test_the_table_of_waits_has_every_reason():
    there = re.findall(r'^WAIT\((?!NOTHING)\w+, *"\w+", *\w+, *"(.*)"\)', source("engine/waits.def"), re.MULTILINE)
    assert [cell.strip() for cell in first_column(section("deploy/README.md", "Why requests wait"))] == there


def test_the_table_of_programs_has_every_command():
    there = re.findall(r"^COMMAND\((\w+)\)", source("app/commands/commands.def"), re.MULTILINE)
    table = [code for cell in first_column(section("config/README.md", "Commands and settings")) for code in codes(cell)]
    assert sorted(table) == sorted([f"bedrock-worker {name}" for name in there] + ["bedrock-sim"])


def test_the_table_of_settings_has_settings_of_the_reference():
    page = subprocess.run([WORKER, "reference"], capture_output=True, text=True, check=True).stdout
    paths = re.findall(r"^  ([a-z_.]+)$", page, re.MULTILINE)
    for cell in first_column(section("config/README.md", "Settings")):
        for name in codes(cell):
            pattern = re.escape(name).replace(r"\*", r"\w+")
            assert any(re.fullmatch(rf"(\w+\.)?{pattern}", path) for path in paths), name


# ---- the map of the code ----

MAPS = ["worker/README.md", "worker/HACKING.md"]
FILE = re.compile(r"(?:[\w.-]+/)+[\w.*-]*|[\w-]+\.(?:c|h|def|sh|py|md|yaml|txt)")


@pytest.mark.parametrize("page", [page for page in MAPS if (ROOT / page).exists()])
def test_every_file_that_the_map_names_exists(page):
    named_files = [token for code in codes(re.sub(r"^```\w.*?^```$", "", text_of(page), flags=re.M | re.S))
                   for token in code.split() if FILE.fullmatch(token)]
    named_files += [line.split()[0] for block in blocks_of(page) for line in block.text.splitlines()
                    if re.match(r"\w+/\S+\.c ", line)]
    assert len(named_files) > 10
    for name in named_files:
        if Path(name).stem == "example":        # what a recipe adds
            continue
        assert any((folder / name).exists() for folder in (ROOT / "worker", ROOT)) or name.startswith("build/"), name


@pytest.mark.parametrize("page", MAPS)
def test_every_name_in_the_map_is_in_the_source(page):
    source = {word for folder in ("worker", "tests") for path in (ROOT / folder).rglob("*") if path.is_file()
              and path.suffix in (".c", ".h", ".def", ".py", ".cmake", ".txt")
              for word in [path.stem, *re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace"))]}
    said = {code for code in codes(re.sub(r"^```.*?^```$", "", text_of(page), flags=re.M | re.S))
            if re.fullmatch(r"[A-Za-z]+(_[A-Za-z]+)+", code)}
    assert len(said) > 3 and said - source == set()


def test_the_map_lists_every_list():
    there = {str(path.relative_to(ROOT / "worker")) for path in (ROOT / "worker").rglob("*.def")}
    assert {name for cell in first_column(section("worker/README.md", "Lists")) for name in codes(cell)} == there


def wings():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    found = [folder for folders in re.findall(r"^wing\([\w-]+ (?:PURE )?FOLDERS ([^\n]*?)(?: SEES| LINKS|\))", text, re.M)
             for folder in folders.split()]
    assert len(found) > 15
    return found


def test_the_map_names_every_wing_and_every_file():
    """A row names each file of its folder, and no other."""
    lines = [row for row in section("worker/README.md", "Rooms").splitlines() if row.startswith("| `")]
    rows = {codes(row.split("|")[1])[0]: codes("|".join(row.split("|")[2:])) for row in lines}
    assert len(rows) == len(lines), "a folder has two rows"
    assert set(rows) == {f"{folder}/" for folder in wings()}
    for folder, names in rows.items():
        there = [path for path in (ROOT / "worker" / folder).iterdir() if path.suffix in (".c", ".h", ".def")]
        rooms = {path.stem for path in there}
        words = {name for name in names if re.fullmatch(r"[a-z]\w*", name)}
        assert rooms - words == set(), f"{folder}: the map lacks these rooms"
        assert words - {path.stem for path in there} == set(), f"{folder}: the map names what is not there"

"""Manual pages and shell completion: made from the tables of the help, taken by the tools that read them."""
import re
import shutil
import subprocess

import pytest

from programs import CLEAN, PATIENCE, SIMULATOR, WORKER, call

PAGES = {"bedrock-worker.1": [WORKER, "reference", "--man", "1"], "bedrock-worker.yaml.5": [WORKER, "reference", "--man", "5"],
         "bedrock-sim.1": [SIMULATOR, "--man"]}


def output(arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=PATIENCE, env=CLEAN).stdout


def formatted(page):
    """The page as man shows it in a terminal."""
    done = subprocess.run(["groff", "-man", "-Tutf8", "-K", "utf8", "-ww", "-P-c", "-rHY=0"], input=page, capture_output=True,
                          text=True, check=True, timeout=PATIENCE)
    assert done.stderr == ""
    return re.sub(r".\x08", "", done.stdout)


def plain(text):
    """Without the layout: blanks, and the signs that typesetting changes."""
    return re.sub(r"[\s`]", "", text.replace("‐", "-").replace("−", "-"))


@pytest.mark.parametrize("name", PAGES)
def test_a_manual_page_has_no_fault_and_its_name(name):
    page = output(PAGES[name])
    assert re.match(r'\.TH "[A-Z.\\-]+" [15] "" "bedrock-worker \d', page.replace("\\-", "-"))
    assert f"{name[:-2]} - " in page.replace("\\-", "-")
    assert not re.search(r"^\.(?!TH |SH |SS |TP$|PP$|sp$|nf$|fi$|br$|EX$|EE$)", page, re.M), "an unknown request"
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page, capture_output=True, text=True, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if "missing date" not in line] == []


def test_the_page_of_the_commands_says_what_their_help_says():
    page = formatted(output(PAGES["bedrock-worker.1"]))
    for name in re.findall(r"^  ([a-z]+) ", call("--help").stdout.split("COMMANDS")[1].split("ENVIRONMENT")[0], re.M):
        parts = re.split(r"^([A-Z ]+)$\n", call(name, "--help").stdout, flags=re.M)
        for heading, text in zip(parts[1::2], parts[2::2]):
            if heading == "DESCRIPTION":
                assert plain(text) in plain(page), name
            if heading == "OPTIONS":
                for option in re.findall(r"--[a-z-]+", text):
                    assert option in page, (name, option)


def test_the_page_of_the_settings_names_each_with_its_default():
    page = output(PAGES["bedrock-worker.yaml.5"]).replace("\\-", "-")
    settings = re.findall(r"^  ([a-z_.]+)\n    .*; default (.*)$", call("reference").stdout, re.M)
    assert len(settings) > 40
    for name, default in settings:
        assert f"\\fB{name}\\fR\n" in page, name
        assert f"; default {default}\n".replace("'", "\\(aq").replace('"', "\\(dq") in page, name


@pytest.mark.parametrize("arguments, words", [
    (["--man", "2"], "2 is not a page of --man; write 1 (commands) or 5 (settings)"),
    (["--completion", "fish"], "fish is not a shell that --completion knows; write bash or zsh"),
    (["--man", "1", "--schema"], "--schema, --man and --completion exclude each other; write one")])
def test_what_reference_cannot_print_is_explained(arguments, words):
    done = call("reference", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"bedrock-worker reference: {words}; see bedrock-worker reference --help\n"


# ---- completion ----

COMPLETE = """
. completion.bash
while IFS= read -r line; do
    read -ra COMP_WORDS <<<"$line"
    [[ $line != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _bedrock_worker
    echo "${COMPREPLY[*]}"
done
"""


def test_bash_completes_commands_options_settings_and_files(tmp_path):
    (tmp_path / "completion.bash").write_text(output([WORKER, "reference", "--completion", "bash"]))
    (tmp_path / "worker one.yaml").write_text("")
    cases = {
        "bedrock-worker r": "run redrive reference",
        "bedrock-worker help ve": "version",
        "bedrock-worker run --": "--config --set --help",
        "bedrock-worker run -c wor": "worker one.yaml",
        "bedrock-worker run --config = wor": "worker one.yaml",
        "bedrock-worker check wor": "worker one.yaml",
        "bedrock-worker run --set kafka.se": "kafka.session_timeout=",
        "bedrock-worker reference --completion ": "bash zsh",
        "bedrock-worker reference --completion = z": "zsh",
        "bedrock-worker ask --timeout ": "",
        "bedrock-worker version wor": "",
        "bedrock-worker nothing --": "",
    }
    done = subprocess.run(["bash", "--norc", "-uc", COMPLETE], input="\n".join(cases) + "\n", capture_output=True, text=True,
                          cwd=tmp_path, check=False, timeout=PATIENCE)
    assert done.stderr == ""
    assert dict(zip(cases, done.stdout.split("\n"))) == cases


def test_zsh_completes_with_every_option(tmp_path):
    code = output([WORKER, "reference", "--completion", "zsh"])
    for name in re.findall(r"^  ([a-z]+) ", call("--help").stdout.split("COMMANDS")[1].split("ENVIRONMENT")[0], re.M):
        specification = re.search(rf"^    {name}\)\n(.*?);;", code, re.M | re.S).group(1)
        for option in re.findall(r"^ .*(--[a-z-]+)", call(name, "--help").stdout.split("OPTIONS")[1].split("EXAMPLES")[0], re.M):
            assert re.search(rf"'[^']*{option}=?\[", specification), (name, option)
    if shutil.which("zsh"):
        (tmp_path / "_bedrock-worker").write_text(code)
        done = subprocess.run(["zsh", "-fc", "autoload -Uz compinit && compinit -u -D && . ./_bedrock-worker && "
                               "print $_comps[bedrock-worker]"], cwd=tmp_path, capture_output=True, text=True, check=False,
                              env={**CLEAN, "HOME": str(tmp_path)})
        assert (done.stdout, done.stderr) == ("_bedrock_worker\n", "")

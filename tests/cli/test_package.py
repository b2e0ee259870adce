"""The Debian package, built from the release tree and looked into."""
import gzip
import re
import shutil
import subprocess

import pytest

from programs import PROGRAMS, ROOT

SCRIPTS = ("postinst", "prerm", "postrm")


def output(*arguments, **options):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False, timeout=300,
                          **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    if not shutil.which("dpkg-deb"):
        pytest.skip("dpkg-deb is not installed")
    folder = tmp_path_factory.mktemp("package")
    output("cpack", "--config", PROGRAMS / "CPackConfig.cmake", "-G", "DEB", "-B", folder, cwd=folder)
    [found] = folder.glob("*.deb")
    return found


def test_the_package_depends_on_the_libraries_that_the_programs_are_linked_with(package):
    control = output("dpkg-deb", "-f", package)
    version = re.search(r"^project\(bedrock-worker VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)
    assert "\nPackage: bedrock-worker\n" in control and f"\nVersion: {version}-1\n" in control
    depends = re.search(r"^Depends: (.*)$", control, re.M).group(1)
    for library in ("libc6", "libcurl", "libcjson", "libyaml", "libuv1", "libmicrohttpd", "libssl"):
        assert library in depends, library


def test_the_package_has_programs_pages_completion_settings_and_unit(package, tmp_path):
    output("dpkg-deb", "-R", package, tmp_path)
    for name in ("usr/bin/bedrock-worker", "usr/bin/bedrock-sim", "usr/share/man/man1/bedrock-worker.1.gz",
                 "usr/share/man/man5/bedrock-worker.yaml.5.gz", "usr/share/man/man1/bedrock-sim.1.gz",
                 "usr/share/bash-completion/completions/bedrock-worker", "usr/share/zsh/site-functions/_bedrock-worker",
                 "usr/share/bedrock-worker/schema/request.schema.json", "usr/share/doc/bedrock-worker/copyright",
                 "usr/share/doc/bedrock-worker/changelog.Debian.gz",
                 "usr/share/doc/bedrock-worker/deploy/kubernetes/kustomization.yaml"):
        assert (tmp_path / name).stat().st_size > 0, name
    assert not (tmp_path / "usr" / "etc").exists() and not (tmp_path / "usr" / "local").exists()
    settings = tmp_path / "etc" / "bedrock-worker" / "worker.yaml"
    assert settings.read_bytes() == (ROOT / "config" / "worker.yaml").read_bytes()
    prices = settings.with_name("prices.yaml")
    assert prices.read_bytes() == (ROOT / "config" / "prices.yaml").read_bytes()
    assert (tmp_path / "DEBIAN" / "conffiles").read_text() == "".join(
        f"/etc/bedrock-worker/{name}\n" for name in ("worker.yaml", "prices.yaml"))
    unit = (tmp_path / "usr/lib/systemd/system/bedrock-worker.service").read_text()
    assert "\nExecStart=/usr/bin/bedrock-worker run -c /etc/bedrock-worker/worker.yaml\n" in unit
    assert "/usr/local" not in unit
    page = gzip.decompress((tmp_path / "usr/share/man/man1/bedrock-worker.1.gz").read_bytes()).decode()
    assert page == output(tmp_path / "usr/bin/bedrock-worker", "reference", "--man", "1")
    output(tmp_path / "usr/bin/bedrock-worker", "check", "-c", settings, "--set", f"prices.file={prices}", env={"AWS_REGION": "us-east-1"})


def test_the_packages_scripts_run_without_systemd_and_files_belong_to_root(package, tmp_path):
    output("dpkg-deb", "-e", package, tmp_path)
    for name in SCRIPTS:
        output("sh", "-n", tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o755
    for line in output("dpkg-deb", "-c", package).splitlines():
        mode, owner = line.split()[:2]
        assert owner == "root/root" and mode[5] != "w" and mode[8] != "w", line

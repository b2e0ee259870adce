#!/usr/bin/env python3
"""Instructions that one Converse request costs the engine and wire, and one chunk of a stream the wire, by callgrind.

  tests/bench/instructions.py [BUILD]      a build tree with tests (default build/instructions, made here)

bare_engine runs twice, with few and with many requests, and so does bare_stream with chunks; the difference has no start
and no end in it. The count depends on the compiler and its options, not on the machine's speed: compare two commits with
the same compiler. bare_media runs beside them: a picture of 3 MB from its record to the signed call, in bytes per second
of CPU.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 640, 2560


def build():
    folder = ROOT / "build" / "instructions"
    subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBEDROCK_TESTS=ON"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder, "--target", "bare_engine", "bare_stream", "bare_media"], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def count(program, many, *more):
    with tempfile.NamedTemporaryFile() as unused:
        run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={unused.name}", program, str(many), *more],
                             check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1)), run.stdout.strip()


def each(program, *more):
    few, _ = count(program, FEW, *more)
    many, printed = count(program, MANY, *more)
    return (many - few) / (MANY - FEW), printed


def untraced(program):
    """Instructions per request in the functions of engine/trace.c and telemetry/trace while traces are off."""
    with tempfile.NamedTemporaryFile() as profile:
        subprocess.run(["valgrind", "--tool=callgrind", "--compress-strings=no", f"--callgrind-out-file={profile.name}", program,
                        str(MANY)], check=True, capture_output=True)
        spent, name, is_call = 0, "", False
        for line in Path(profile.name).read_text(encoding="utf-8").splitlines():
            if line.startswith("fn="):
                name = line[3:]
            elif line.startswith("calls="):
                is_call = True          # the next line is the cost of what it calls
            elif re.match(r"[+*\d-]", line):
                if not is_call and re.match(r"trace_|span|otlp_", name):
                    spent += int(line.split()[1])
                is_call = False
    return spent / MANY


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else build()
    request, memory = each(folder / "tests" / "bare_engine")
    tools, _ = each(folder / "tests" / "bare_engine", "20")
    metered, _ = each(folder / "tests" / "bare_engine", "metrics")
    priced, _ = each(folder / "tests" / "bare_engine", "prices")
    traced, _ = each(folder / "tests" / "bare_engine", "traces")
    chunk, _ = each(folder / "tests" / "bare_stream")
    print(f"{request:,.0f} instructions per request, {metered - request:,.0f} more with metrics, "
          f"{priced - request:,.0f} more with prices")
    print(f"{traced - request:,.0f} instructions more per request with traces, all sampled, "
          f"{(traced - request) / request:.1%}; {untraced(folder / 'tests' / 'bare_engine'):,.1f} of the {request:,.0f} ask whether there are any")
    print(f"{tools:,.0f} instructions per request with 20 tools, 8 kB of schemas")
    print(f"{chunk:,.0f} instructions per chunk of a stream")
    print(memory)
    scrape = subprocess.run([folder / "tests" / "bare_engine", str(FEW), "metrics"], check=True, capture_output=True,
                            text=True)
    print(scrape.stdout.splitlines()[0])
    subprocess.run([folder / "tests" / "bare_media", "100"], check=True)


if __name__ == "__main__":
    main()

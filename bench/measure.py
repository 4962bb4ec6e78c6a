"""Runs commands and says what they took, and on which machine."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

# Starts a command from a small process: the peak memory of a process begins with that of its parent.
LAUNCHER = """
import json, os, sys, time
start = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(json.dumps([status, time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024]),
      file=sys.stderr)
"""


def markdown_table(headings, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in
                     [headings, ["---", *["--:"] * (len(headings) - 1)], *rows])


def replace_table(path, name, text):
    """Replaces the table between a document's marks."""
    begin, end = f"<!-- {name} begin -->", f"<!-- {name} end -->"
    document = path.read_text()
    if begin not in document:
        sys.exit(f"{path}: no {begin}")
    path.write_text(re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n{text}\n{end}", document, flags=re.S))


prefix = []  # what commands are started by: ["chrt", "-f", "1"] keeps other programs off the processors


def run(*command, **environment):
    """Runs a command; returns its standard output, seconds and peak resident memory in bytes."""
    out, seconds, _, memory = run_counted(*command, **environment)
    return out, seconds, memory


def run_counted(*command, **environment):
    """The same with the processors' seconds after those of the clock."""
    process = subprocess.run([*prefix, sys.executable, "-S", "-c", LAUNCHER, *map(str, command)], capture_output=True, text=True,
                             env={**os.environ, **environment})
    *errors, last = process.stderr.strip().splitlines()
    status, seconds, work, memory = json.loads(last)
    if status:
        sys.exit(f"{command[0]} failed: {(errors or process.stdout.splitlines())[-1:]}")
    return process.stdout, seconds, work, memory


def cpuinfo(field):
    return re.search(rf"{field}\s*: (.*)", Path("/proc/cpuinfo").read_text()).group(1)


def simd():
    """The best instructions that the processor has, as a file's name has them."""
    flags = cpuinfo("flags").split()
    names = {"amx_bf16": "amx", "avx512f": "avx512", "avx2": "avx2"}
    return next((name for flag, name in names.items() if flag in flags), "sse2")


def machine():
    names = {"avx512_bf16": "BF16", "avx512_vnni": "VNNI", "avx_vnni": "AVX-VNNI"}
    extensions = "".join(f", {name}" for flag, name in names.items() if flag in cpuinfo("flags").split())
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 2**20
    return f"{os.cpu_count()} cores of {cpuinfo('model name')} ({simd()}{extensions}), {memory:.0f} GiB"

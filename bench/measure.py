"""Runs commands and says what they took."""
import json
import os
import subprocess
import sys

# Starts a command from a small process: the peak memory of a process begins with that of its parent.
LAUNCHER = """
import json, os, sys, time
start = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(json.dumps([status, time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024]),
      file=sys.stderr)
"""


def run(*command, **environment):
    """Runs a command; returns its standard output, seconds and peak resident memory in bytes."""
    out, seconds, _, memory = run_counted(*command, **environment)
    return out, seconds, memory


def run_counted(*command, **environment):
    """The same with the processors' seconds after those of the clock."""
    process = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, *map(str, command)], capture_output=True, text=True,
                             env={**os.environ, **environment})
    *errors, last = process.stderr.strip().splitlines()
    status, seconds, work, memory = json.loads(last)
    if status:
        sys.exit(f"{command[0]} failed: {(errors or process.stdout.splitlines())[-1:]}")
    return process.stdout, seconds, work, memory

"""Runs commands within limits of time and memory, from a process of its own, which is small.

  python -S limits.py SECONDS BYTES     a line of JSON on standard input for each command: its folder and its arguments;
                                        on standard output its status, processors' seconds, peak memory and outputs
"""
import json
import os
import resource
import select
import subprocess
import sys
import tempfile

WALL = 6  # the clock may take so many times the processors' seconds: others use the machine too


def restrict(seconds, memory):
    """Of this process: seconds of processors, and bytes of address space."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def own_memory():
    """Bytes of address space that this process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def run(seconds, memory, folder, command):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                 preexec_fn=lambda: restrict(seconds, memory))
        handle = os.pidfd_open(child.pid)
        if not select.select([handle], [], [], seconds * WALL)[0]:
            child.kill()
        os.close(handle)
        _, status, usage = os.wait4(child.pid, 0)
        texts = [(file.seek(0), file.read(1 << 16).decode(errors="replace"))[1] for file in (out, err)]
    return {"status": os.waitstatus_to_exitcode(status), "seconds": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * 1024, "out": texts[0], "err": texts[1]}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), *json.loads(line))), flush=True)

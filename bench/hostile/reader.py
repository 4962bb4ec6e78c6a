"""Reads files as people do, each in a process of its own that is forked when the package has been imported.

  python reader.py READER SECONDS BYTES     a path a line on standard input; a line of JSON for each on standard output

Memory is counted on top of what the imported package takes. A process that is lost says how.
"""
import json
import os
import resource
import select
import signal
import sys
import warnings

import limits
import references

OUT_OF_MEMORY = ["bad_alloc", "not enough memory", "can't allocate memory", "Failed to allocate memory"]
SIGNALS_OF_TIME = {signal.SIGXCPU, signal.SIGKILL}  # a limit that is ignored kills


def verdict_of(error):
    """What an exception says: memory, or a refusal."""
    name, text = type(error).__name__, " ".join(str(error).split())
    memory = isinstance(error, MemoryError) or any(words in text for words in OUT_OF_MEMORY)
    return {"verdict": "out of memory" if memory else "refused", "text": f"{name}: {text}"[:4000], "class": name}


def child(read, path, pipe, seconds, memory):
    """Reads one file, and writes what came of it."""
    os.chdir(os.path.dirname(path))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    used = resource.getrusage(resource.RUSAGE_SELF)
    limits.restrict(seconds + int(used.ru_utime + used.ru_stime), memory + limits.own_memory())
    warnings.simplefilter("ignore")
    try:
        result = {"verdict": "read", "text": read(os.path.basename(path)) or ""}
    except BaseException as error:
        result = verdict_of(error)
    os.write(pipe, json.dumps(result).encode())
    os._exit(0)


def guarded(read, path, seconds, memory):
    mine, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(mine)
        child(read, path, its, seconds, memory)
    os.close(its)
    late = not select.select([mine], [], [], seconds * limits.WALL)[0]
    if late:
        os.kill(pid, signal.SIGKILL)
    text = os.read(mine, 1 << 16)
    os.close(mine)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if text:
        return json.loads(text)
    if late or (status < 0 and -status in SIGNALS_OF_TIME):
        return {"verdict": "over time", "text": ""}
    return {"verdict": "crashed", "text": signal.Signals(-status).name if status < 0 else f"exit code {status}"}


def main():
    read = references.reader(sys.argv[1])
    seconds, memory = int(sys.argv[2]), int(sys.argv[3])
    for line in sys.stdin:
        print(json.dumps(guarded(read, line.rstrip("\n"), seconds, memory)), flush=True)


if __name__ == "__main__":
    main()

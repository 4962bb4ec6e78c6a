"""`effdet serve` as a process of a script's own, and load_generator, which sends it requests. Standard library alone."""
import json
import os
import pathlib
import re
import socket
import subprocess
import urllib.request


def request_bytes(path, body, fields=""):
    return f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body


def processor_seconds(pid):
    """Of a process so far: user and system."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def hurried():
    """Above the priority of this program, where it runs with chrt -f."""
    return os.sched_param(os.sched_getparam(0).sched_priority + 1)


class Server:
    """Serves a model as 'm' on a free port; ends with the with statement."""

    def __init__(self, effdet, model, *flags):
        self.process = subprocess.Popen([effdet, "serve", f"m={model}", "--port", "0", "--log-format", "none", *flags],
                                        stdout=subprocess.PIPE, text=True)
        line = "start"
        while "ready on" not in line:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the server did not start")
        self.port = int(line.rsplit(":", 1)[1])
        if os.sched_getscheduler(0) == os.SCHED_FIFO:  # with chrt: the thread of the connections goes first
            for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
                if (task / "comm").read_text().strip() == "effdet-io":
                    os.sched_setscheduler(int(task.name), os.SCHED_FIFO, hurried())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as reply:
            return reply.read()

    def post(self, path, body):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data=body) as reply:
            return reply.read()

    def processor_seconds(self):
        return processor_seconds(self.process.pid)

    def memory(self):
        """MB that are resident."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def metrics(self):
        return {name: float(value) for name, value in re.findall(r"^([^#\n]\S*) (\S+)$", self.get("/metrics").decode(), re.M)}


def generate_load(generator, server, requests, *flags):
    """Runs load_generator on files of requests; what it measured."""
    chrt = ["chrt", "-f", str(hurried().sched_priority)] if os.sched_getscheduler(0) == os.SCHED_FIFO else []
    out = subprocess.run([*chrt, generator, str(server.port), *map(str, flags), *map(str, requests)], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)

"""The programs that people read such files with, each in a process that forks another for each file."""
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path

SECONDS, MEMORY = 20, 4 << 30
HEADINGS = {"torch": "`torch.load(weights_only=True)`", "safetensors": "`safetensors.numpy.load_file`",
            "onnx": "`onnx.checker`, `onnx.load`", "onnxruntime": "ONNX Runtime: load, run", "pillow": "Pillow",
            "pycocotools": "pycocotools", "numpy": "`numpy.load`"}


PACKAGES = ["torch", "safetensors", "onnx", "onnxruntime", "pillow", "pycocotools", "numpy"]


def versions():
    """A line that says which versions the tables are of."""
    packages = ", ".join(f"{name} {importlib.metadata.version(name).split('+')[0]}" for name in PACKAGES)
    return f"Versions: {packages}; Python {platform.python_version()}, Linux {platform.release().split('-')[0]}."


class Peer:
    def __init__(self, name):
        command = [sys.executable, Path(__file__).with_name("reader.py"), name, str(SECONDS), str(MEMORY)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self, path):
        """What became of it: a verdict of verdict.py, and a text."""
        print(path, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()

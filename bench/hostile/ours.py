"""Gives files to effdet, and looks whether it keeps its promises."""
import json
import re
import subprocess
import sys
from pathlib import Path

import archives
import models
from case import LEGAL
from peers import MEMORY, SECONDS
from verdict import CRASHED, READ, REFUSED, TIME, WARNED
from verdict import MEMORY as OUT_OF_MEMORY

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs/exit-codes.md"
MOST_SECONDS = 5  # of the processors
NO_DETECTOR = "is not an EfficientDet checkpoint: of its"
MOST_MEMORY = 256 << 20  # beside twice the file


def files_below(folder):
    return {path for path in folder.rglob("*") if not path.is_dir()}


class Effdet:
    def __init__(self, binary, work):
        self.binary, self.work = Path(binary).resolve(), Path(work).resolve()
        self.codes = {int(code) for codes in re.findall(r"^\| ([\d, ]+) \|", DOCUMENT.read_text(), re.M)
                      for code in codes.split(",")}
        self.work.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-S", Path(__file__).with_name("limits.py"), str(SECONDS), str(MEMORY)]
        self.runner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def detector(self):
        """A small compiled detector with random weights."""
        path = self.work / "model.om"
        if not path.exists():
            for command in (["init", "tf_efficientdet_d0", "--num-classes", "3", "--out", "model.pth"],
                            ["pth2onnx", "--checkpoint", "model.pth", "--model", "tf_efficientdet_d0",
                             "--img-size", "128", "--out", "model.onnx"],
                            ["atc", "--framework=5", "--model=model.onnx", "--output=model", "--soc_version=native"]):
                subprocess.run([self.binary, *command], cwd=self.work, check=True, stdout=subprocess.DEVNULL)
        return path

    def addition(self):
        """A model of one node with an input of six numbers."""
        path = self.work / "addition.onnx"
        if not path.exists():
            path.write_bytes(models.weighted(models.raw_tensor([6], archives.STORAGE)).SerializeToString())
        return path

    def read(self, command, summary, path):
        """Runs the command in the file's folder; the result has a verdict, and what a table can say of it."""
        arguments = command(self, path)
        before = files_below(path.parent)
        print(json.dumps([str(path.parent), [str(self.binary), *arguments]]), file=self.runner.stdin, flush=True)
        result = json.loads(self.runner.stdout.readline())
        status, lines = result["status"], result["err"].splitlines()
        warnings = [line.removeprefix("[WARNING] ") for line in lines if line.startswith("[WARNING]")]
        errors = [line for line in lines if not line.startswith(("[INFO]", "[WARNING]"))]
        result |= {"command": " ".join(arguments), "errors": errors, "left": files_below(path.parent) - before,
                   "size": path.stat().st_size, "class": f"code {status}" if status else None}
        said = re.sub(r"^.*?error: ", "", errors[-1]) if errors else ""
        result["text"] = f"code {status}: {said}"
        if status == 0:
            said = [text for text in warnings if not text.startswith("no --input")]
            result["verdict"] = WARNED if said else READ
            result["text"] = "; ".join(filter(None, [summary(result), *said[:1]]))
        elif NO_DETECTOR in said:  # all tensors were read, before it was seen that they are of something else
            result["verdict"] = READ
            result["text"] = f"{re.search(r'of its (.*?) none', said).group(1)}, none of a detector (code {status})"
        elif status < 0:
            result["verdict"] = TIME if -status in (9, 24) else CRASHED
            result["text"] = f"signal {-status}"
        else:
            result["verdict"] = {7: OUT_OF_MEMORY, 152: TIME}.get(status, REFUSED)
        return result

    def faults(self, case, result):
        """What it did that it must not."""
        if result["status"] not in self.codes:
            yield f"exit code {result['status']}, which {DOCUMENT.name} does not have"
        expected = 0 if result["status"] == 0 else 1
        if len(result["errors"]) != expected:
            yield f"{len(result['errors'])} lines of error instead of {expected}: {result['errors'][:3]}"
        if case.status == LEGAL and result["verdict"] not in (READ, WARNED):
            yield f"has to be read: {result['text']}"
        if result["seconds"] > MOST_SECONDS:
            yield f"{result['seconds']:.1f} seconds of the processors"
        if result["peak"] > 2 * result["size"] + MOST_MEMORY:
            yield f"{result['peak'] >> 20} MiB of memory"
        if result["status"] != 0 and result["left"]:
            yield f"left behind: {', '.join(sorted(map(str, result['left'])))}"

"""The kinds of files: their cases, who else reads them, and effdet's command for them."""
import dataclasses
import re
from typing import Callable

import cases_external
import cases_images
import cases_json
import cases_npy
import cases_onnx
import cases_pickle
import cases_safetensors
import cases_zip


@dataclasses.dataclass
class Kind:
    """The table shows the first command; the others have to keep the same promises."""
    cases: list
    readers: list
    commands: list  # functions of Effdet and a path that return arguments
    summary: Callable  # of a run that succeeded: what was read


def nothing(_):
    return ""


def size(result):
    return re.search(r" (\d+)x(\d+):", result["out"]).expand(r"\1 x \2")


def tensors(result):
    return ", ".join(f"{name} {kind}[{shape.replace('x', ', ')}]"
                     for name, kind, shape in re.findall(r"(?m)^(\S+): (\w+) (\S+)", result["out"]))


def precision(result):
    return "AP " + re.search(r"all \| maxDets=100 \] = (\S+)", result["out"]).group(1)


def checkpoint(cases, reader):
    return Kind(cases, [reader],
                [info, lambda _, path: ["pth2onnx", "--checkpoint", path.name, "--out", "export.onnx"]], nothing)


def info(_, path):
    return ["info", path.name]


def onnx(cases):
    return Kind(cases, ["onnx", "onnxruntime"],
                [lambda _, path: ["run", path.name, "--out", "out"], info,
                 lambda _, path: ["onnxsim", path.name, "simplified.onnx"]], tensors)


KINDS = {
    "pickle": checkpoint(cases_pickle.case, "torch"),
    "zip": checkpoint(cases_zip.case, "torch"),
    "safetensors": checkpoint(cases_safetensors.case, "safetensors"),
    "external": onnx(cases_external.case),
    "onnx": onnx(cases_onnx.case),
    "images": Kind(cases_images.case, ["pillow"],
                   [lambda effdet, path: ["detect", path.name, "--model-file", str(effdet.detector())]], size),
    "json": Kind(cases_json.case, ["pycocotools"],
                 [lambda _, path: ["evaluate", "annotations.json", "results.json"]], precision),
    "npy": Kind(cases_npy.case, ["numpy"],
                [lambda effdet, path: ["run", str(effdet.addition()), "--input", path.name, "--out", "out"]], tensors),
}

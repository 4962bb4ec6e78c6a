#!/bin/bash
# Given a fixed size and folded, a detector that PyTorch wrote with open sizes fails, or divides its boxes by other numbers.
#
# Guess before it was run: constant folding changes no result. For this script: what PyTorch's exporter of today writes fails
# or is wrong, what the one before it (dynamo=False) writes is right.
# Seen: onnx-graphsurgeon 0.6.1 takes Shape for the whole shape, whatever its "start" and "end" (opset 15) say. PyTorch 2.15.0
# writes each open size as such a Shape, start=2 and end=3 for the rows. With the input's size set, fold_constants puts four
# numbers where one belongs: a map that is flattened is to get 12 dimensions, as many sizes are given to the Resize of a
# pyramid, and ONNX Runtime 1.32.0 refuses both. Boxes by the picture's height are divided by 2, 3, 60 and 100, all its sizes,
# without an error. Polygraphy 0.53.6, "surgeon sanitize --fold-constants --override-input-shapes", as guides to TensorRT have
# it, writes the same. Where sizes stay open, and with dynamo=False, all are right. The same slip is public of OnnxSlim, mended
# since, and of ONNX Runtime's shape inference (microsoft/onnxruntime#28075); of graphsurgeon no report was found.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx-graphsurgeon==0.6.1 polygraphy==0.53.6 torch==2.15.0 onnx==1.23.2 onnxscript==0.7.2 \
    onnxruntime==1.32.0 numpy==2.4.6
cat > fold.py <<'P'
import contextlib
import io
import subprocess

import numpy as np
import onnx
import onnx_graphsurgeon
import onnxruntime
import torch
import torch.nn.functional as F


def exported(function, picture, dynamo):
    model = type("Model", (torch.nn.Module,), {"forward": lambda self, picture: function(picture)})().eval()
    new, old = {"dynamic_shapes": (dict.fromkeys((0, 2, 3), torch.export.Dim.AUTO),)}, {"dynamic_axes": {"picture": [0, 2, 3]}}
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(model, (picture,), "model.onnx", input_names=["picture"], dynamo=dynamo, **(new if dynamo else old))
    return "model.onnx"


def folded(path, shape=None):
    graph = onnx_graphsurgeon.import_onnx(onnx.load(path))
    graph.inputs[0].shape = shape or graph.inputs[0].shape
    onnx.save(onnx_graphsurgeon.export_onnx(graph.fold_constants().cleanup().toposort()), "folded.onnx")
    return "folded.onnx"


def sanitized(path, shape):
    subprocess.run(["venv/bin/polygraphy", "surgeon", "sanitize", path, "--fold-constants", "--override-input-shapes",
                    f"picture:{shape}", "-o", "sanitized.onnx"], check=True, stdout=subprocess.DEVNULL)
    return "sanitized.onnx"


def given(path, picture, meant):
    try:
        result = onnxruntime.InferenceSession(path).run(None, {"picture": picture.numpy()})[0]
    except Exception:
        return "fails"
    as_meant = result.shape == meant.shape and np.allclose(result, meant)
    return "right" if as_meant else " ".join(f"{x:g}" for x in result.ravel()[:4])


picture = torch.full((2, 3, 60, 100), 30.0)
CASES = {"flattened map": lambda picture: picture.flatten(2).transpose(1, 2),
         "pyramid's step up": lambda picture: picture + F.interpolate(F.max_pool2d(picture, 2), size=picture.shape[2:]),
         "boxes / height": lambda picture: picture[0, 0, :2, :4] / picture.shape[2]}
WRONG = {"flattened map": "fails", "pyramid's step up": "fails", "boxes / height": "15 10 0.5 0.3"}
as_seen = True
for name, function in CASES.items():
    for dynamo in (True, False):
        path, meant = exported(function, picture, dynamo), function(picture).numpy()
        seen = [given(path, picture, meant), given(folded(path), picture, meant)]
        seen += [given(tool(path, list(picture.shape)), picture, meant) for tool in (folded, sanitized)]
        print(f"{name}, dynamo={dynamo}: as exported, folded, with a fixed size, by Polygraphy: {seen}")
        as_seen = as_seen and seen == ["right"] * 2 + ([WRONG[name]] * 2 if dynamo else ["right"] * 2)
raise SystemExit(0 if as_seen else 1)
P
venv/bin/python fold.py 2> log || { tail -3 log; exit 1; }

#!/bin/bash
# PyTorch's exporter writes the mean of points as the last point, and other numbers for what the exporter before it refused.
#
# Guess before it was run: torch.onnx.export gives a model that computes the same within 1e-4, or an error that names what
# ONNX lacks, as its predecessor (dynamo=False) does: "ONNX does not support mean reduction for scatter_reduce".
# Seen: PyTorch 2.15.0 with onnxscript 0.7.2 writes scatter_reduce(..., "mean"), by which detectors for point clouds make
# pillars or voxels of points, as ScatterElements with reduction="none": ONNX Runtime 1.32.0 gives each pillar its last
# point, [2, 4], for the means [1.5, 3.5]. interpolate(antialias=True, scale_factor=0.6) loses the factor: a ramp from 0 to
# 8 begins with 0.57 in place of 0.43 and ends with 7.43 in place of 7. avg_pool2d(divisor_override=1), a sum, becomes the
# mean, 10 in place of 90. No warning of any of them. The reductions "sum" and "amax", and interpolate without antialias,
# are right.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet torch==2.15.0 onnxscript==0.7.2 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > export.py <<'P'
import contextlib
import io
import logging
import warnings

import onnxruntime
import torch
import torch.nn.functional as F

logging.disable(logging.WARNING)
warnings.simplefilter("ignore")


class Model(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def both(function, *inputs):
    """What PyTorch and ONNX Runtime compute."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        model = torch.onnx.export(Model(function), inputs, dynamo=True).model_proto.SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    feeds = {one.name: values.numpy() for one, values in zip(session.get_inputs(), inputs)}
    return [[round(float(value), 2) for value in y.ravel()]
            for y in (function(*inputs).numpy(), session.run(None, feeds)[0])]


def pillars(reduce):
    return lambda points, pillar: torch.zeros(2).scatter_reduce(0, pillar, points, reduce, include_self=False)


points, pillar = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0, 0, 1, 1])
ramp, picture = torch.arange(9.0).repeat(1, 1, 9, 1), torch.arange(81.0).reshape(1, 1, 9, 9)
seen = {f"pillars, {reduce}": both(pillars(reduce), points, pillar) for reduce in ("mean", "sum", "amax")}
for antialias in (True, False):
    rows = both(lambda x: F.interpolate(x, scale_factor=0.6, mode="bilinear", antialias=antialias)[:, :, 0], ramp)
    seen[f"ramp, antialias={antialias}"] = rows
seen["pool, divisor_override=1"] = both(lambda x: F.avg_pool2d(x, 3, divisor_override=1)[:, :, 0, 0], picture)
for name, (torch_gives, runtime_gives) in seen.items():
    print(f"{name}: PyTorch {torch_gives}, ONNX Runtime {runtime_gives}")
try:
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(Model(pillars("mean")), (points, pillar), io.BytesIO(), dynamo=False)
    refused = ""
except RuntimeError as error:
    refused = str(error)
print("dynamo=False:", refused)
expected = {"pillars, mean": [[1.5, 3.5], [2.0, 4.0]], "pillars, sum": [[3.0, 7.0]] * 2, "pillars, amax": [[2.0, 4.0]] * 2,
            "ramp, antialias=True": [[0.43, 2.0, 3.75, 5.25, 7.0], [0.57, 2.12, 4.0, 5.88, 7.43]],
            "ramp, antialias=False": [[0.33, 2.0, 3.67, 5.33, 7.0]] * 2, "pool, divisor_override=1": [[90.0], [10.0]]}
raise SystemExit(0 if seen == expected and "mean reduction" in refused else 1)
P
venv/bin/python export.py 2> log | grep -E '^(pillars|ramp|pool|dynamo)' || { tail -3 log; exit 1; }

#!/bin/bash
# Read back into PyTorch, positions count from the wrong end, and the boxes that pass a threshold are one number.
#
# Guess before it was run: what onnx2torch converts gives ONNX Runtime's numbers within 1e-4, or it refuses the operator; where
# PyTorch has no such mode it warns, as it does for Resize. A model that PyTorch exported itself comes back as it was.
# Seen: onnx2torch 1.5.15 takes reverse=1 for CumSum's default, which is 0, and PyTorch's exporter leaves it out: the positions
# of a DETR's pixels, mask.cumsum(2), are 4 3 2 1 for 1 2 3 4. NonZero comes out transposed: boxes[scores > 0.5], two boxes of
# three, is the one number 2 in place of two rows; where one box passes, it is right, and three or more end with an error.
# amax((-2, -1)) takes dimension -2 and then the -1 that is left: 20 21 22 23, the maxima over the channels and rows, for the
# channels' 11 and 23. No warning of any of them. Means, sums, and amax((2, 3)) are right. CumSum and amax are the same in
# 1.5.13, which refuses GatherND. No public report of them was found.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx2torch==1.5.15 torch==2.15.0 torchvision==0.29.2 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > back.py <<'P'
import contextlib
import io
import warnings

import onnx
import onnx2torch
import onnxruntime
import torch


class Model(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def three(function, *inputs):
    """What PyTorch, ONNX Runtime and the model that is read back give, and how many warnings the reading has."""
    file = io.BytesIO()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Model(function), inputs, file, dynamo=False, opset_version=13)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    feeds = {one.name: values.numpy() for one, values in zip(session.get_inputs(), inputs)}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = onnx2torch.convert(onnx.load_from_string(file.getvalue())).eval()
        back = model(*inputs).tolist()
    return function(*inputs).tolist(), session.run(None, feeds)[0].tolist(), back, len(told)


mask, picture = torch.ones(1, 1, 4), torch.arange(24.0).reshape(1, 2, 3, 4)
boxes, scores = torch.arange(12.0).reshape(3, 4), torch.tensor([0.9, 0.1, 0.8])
CASES = {"mask.cumsum(2)": (lambda mask: mask.cumsum(2), mask),
         "boxes[scores > 0.5]": (lambda boxes, scores: boxes[scores > 0.5], boxes, scores),
         "boxes[scores > 0.85]": (lambda boxes, scores: boxes[scores > 0.85], boxes, scores),
         "amax((-2, -1))": (lambda x: x.amax((-2, -1)), picture), "amax((2, 3))": (lambda x: x.amax((2, 3)), picture),
         "mean((-2, -1))": (lambda x: x.mean((-2, -1)), picture), "sum((-2, -1))": (lambda x: x.sum((-2, -1)), picture)}
WRONG = {"mask.cumsum(2)": [[[4, 3, 2, 1]]], "boxes[scores > 0.5]": [2], "amax((-2, -1))": [[20, 21, 22, 23]]}
as_seen = True
for name, case in CASES.items():
    meant, runtime, back, told = three(*case)
    print(f"{name}: PyTorch {meant}, ONNX Runtime {runtime}, read back {back}, {told} warnings")
    as_seen = as_seen and meant == runtime and back == WRONG.get(name, meant) and not told
raise SystemExit(0 if as_seen else 1)
P
venv/bin/python back.py 2> log || { tail -3 log; exit 1; }

#!/bin/bash
# AveragePool with ceil_mode: quantized, ONNX Runtime gives a half of the mean at the last row and column.
#
# Guess before it was run: AveragePool between DequantizeLinear and QuantizeLinear gives what the float one gives, within a
# step of the scale. torch.nn.AvgPool2d(2, 2, ceil_mode=True), as RT-DETR's backbone has it, is exported with
# count_include_pad=1 and no padding, so that a window that reaches over the edge is divided by its pixels within.
# Seen: ONNX Runtime 1.32.0 makes it com.microsoft's QLinearAveragePool, which divides by the whole window: a map of 10 at
# 7 x 7 becomes 5 at the last row and column and 2.5 in the corner, 10 before them. Maps of even size are right, and so is
# count_include_pad=0. PyTorch 2.15.0, ONNX Runtime in float32 or without optimisations, and onnx 1.23.2's reference give 10.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > pool.py <<'P'
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

LEVEL = onnxruntime.GraphOptimizationLevel


def make(side, count_include_pad, dtype):
    """AveragePool of 2 x 2 in steps of 2, between quantizers of that type where there is one."""
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1, "count_include_pad": count_include_pad}
    nodes, constants = [helper.make_node("AveragePool", ["x"], ["y"], **attributes)], {}
    if dtype:
        constants = {"s": np.float32(0.1), "z": np.array(20, dtype)}
        nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
                 helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
                 helper.make_node("AveragePool", ["xd"], ["a"], **attributes),
                 helper.make_node("QuantizeLinear", ["a", "s", "z"], ["aq"]),
                 helper.make_node("DequantizeLinear", ["aq", "s", "z"], ["y"])]
    graph = helper.make_graph(nodes, "pool", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, side, side])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1] + [(side + 1) // 2] * 2)],
                              [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(model, full_check=True)
    return model


def run(model, side, level):
    """First pixel, last one of the first row, corner."""
    x = {"x": np.full([1, 1, side, side], 10, np.float32)}
    if level is None:
        y = ReferenceEvaluator(model).run(None, x)[0]
    else:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        y = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, x)[0]
    return [round(float(y[0, 0, i, j]), 3) for i, j in ((0, 0), (0, -1), (-1, -1))]


same = True
for side, count_include_pad, dtype in ((7, 1, None), (7, 1, np.uint8), (7, 1, np.int8), (7, 0, np.uint8), (8, 1, np.uint8)):
    model = make(side, count_include_pad, dtype)
    seen = {name: run(model, side, level) for name, level in
            {"ONNX Runtime": LEVEL.ORT_ENABLE_ALL, "unoptimized": LEVEL.ORT_DISABLE_ALL, "reference": None}.items()}
    print(f"{side} x {side}, count_include_pad={count_include_pad}, {dtype.__name__ if dtype else 'float32'}: {seen}")
    wrong = dtype and side == 7 and count_include_pad == 1
    same = same and seen.pop("ONNX Runtime") == ([10.0, 5.0, 2.5] if wrong else [10.0] * 3)
    same = same and all(values == [10.0] * 3 for values in seen.values())
raise SystemExit(0 if same else 1)
P
venv/bin/python pool.py

#!/bin/bash
# A head that all levels of a pyramid share has the wrong bias at all levels but one, once ONNX Runtime has quantized it.
#
# Guess before it was run: each Conv gets the bias in the step of its own input and weights, also where two of them share
# one initializer, as exporters write the heads of EfficientDet and RetinaNet.
# Seen: quantize_static of ONNX Runtime 1.32.0 with QuantFormat.QOperator rounds a shared bias once, in the step of the first
# Conv, and the others read it in their own. A class head begins with a bias of -4.595, for scores of 0.01; where the second
# level's numbers are a quarter as large, its bias is a quarter: the background has scores of 0.24, without a word. The
# default format, QDQ, gives each Conv a bias of its own: 0.01 at both levels.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > head.py <<'P'
import math

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SHAPES = {"p3": [1, 4, 16, 16], "p4": [1, 4, 8, 8]}
random = np.random.RandomState(0)
weights = (random.randn(8, 4, 3, 3) * 0.01).astype(np.float32)
bias = np.full(8, -math.log(0.99 / 0.01), np.float32)
nodes = [helper.make_node("Conv", [level, "w", "b"], [f"{level}_logits"], pads=[1] * 4, name=level) for level in SHAPES]
nodes += [helper.make_node("Sigmoid", [f"{level}_logits"], [f"{level}_scores"]) for level in SHAPES]
graph = helper.make_graph(nodes, "head", [helper.make_tensor_value_info(level, TensorProto.FLOAT, shape)
                                          for level, shape in SHAPES.items()],
                          [helper.make_tensor_value_info(f"{level}_scores", TensorProto.FLOAT, [1, 8, *shape[2:]])
                           for level, shape in SHAPES.items()],
                          [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
checker.check_model(model)
onnx.save(model, "float.onnx")
inputs = [{level: (random.uniform(-1, 1, shape) * (4 if level == "p3" else 1)).astype(np.float32)
           for level, shape in SHAPES.items()} for _ in range(8)]


class Reader(CalibrationDataReader):
    def __init__(self):
        self.left = iter(inputs)

    def get_next(self):
        return next(self.left, None)


def scores(file):
    """The median score of each level, which is the background's."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return [round(float(np.median(values)), 2) for values in session.run(None, inputs[0])]


seen = {"float": scores("float.onnx")}
for kind in (QuantFormat.QDQ, QuantFormat.QOperator):
    for per_channel in (False, True):
        quantize_static("float.onnx", "int8.onnx", Reader(), quant_format=kind, per_channel=per_channel,
                        op_types_to_quantize=["Conv"], activation_type=QuantType.QUInt8)
        seen[f"{kind}, per_channel={per_channel}"] = scores("int8.onnx")
for name, (first, second) in seen.items():
    print(f"{name}: scores of the background {first} and {second}")
same = all(value == ([0.01, 0.24] if "QOperator" in name else [0.01, 0.01]) for name, value in seen.items())
raise SystemExit(0 if same else 1)
P
venv/bin/python head.py 2> log || { tail -3 log; exit 1; }

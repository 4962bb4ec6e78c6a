#!/bin/bash
# Quantized, a network has numbers below 0 behind its Relu.
#
# Guess before it was run: quantize_static leaves out a Relu or Clip only where the rounding to codes limits numbers in the same
# way, as it does behind a Conv whose codes begin at 0; everywhere else it stays.
# Seen: ONNX Runtime 1.32.0 with QuantFormat.QOperator leaves it out wherever its input is quantized: behind Transpose, Reshape
# and MaxPool, which pass on the codes of the Conv before them, and behind a Conv whose output is used elsewhere, too, as
# in a residual block. A Conv that adds a ramp from -1 to 1 and its mirror behind a Relu gives their magnitude, 0.5 in the mean;
# quantized it gives 0 everywhere, as without Relu. In both formats, QDQ, the default, as well, a Clip that begins above 0 is
# left out for a range from 0: behind Clip from 0.25 to 1 the mean is 0.5 and not 0.78. No warning, and the same after ONNX
# Runtime's own pre-processing. In QDQ a Relu is right, and ActivationSymmetric keeps all of them.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > relu.py <<'P'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

ramp = np.linspace(-1, 1, 256, dtype=np.float32).reshape(1, 1, 16, 16)
x = np.concatenate([ramp, -ramp], 1)
node = helper.make_node
LIMITS = {"Relu": ("Relu", []), "Clip from 0.25": ("Clip", ["quarter", "one"])}
CONSTANTS = {"quarter": np.float32(0.25), "one": np.float32(1), "same": np.eye(2, dtype=np.float32)[:, :, None, None],
             "sum": np.ones([1, 2, 1, 1], np.float32), "shape": np.int64([1, 2, 8, 32])}
BETWEEN = {"Conv": [], "Reshape": [node("Reshape", ["a", "shape"], ["b"])],
           "Transpose": [node("Transpose", ["a"], ["b"], perm=[0, 1, 3, 2])],
           "MaxPool": [node("MaxPool", ["a"], ["b"], kernel_shape=[1, 1])], "Conv, used twice": [node("Sigmoid", ["a"], ["z"])]}


class Ramps(CalibrationDataReader):
    def __init__(self):
        self.left = [{"x": x}]

    def get_next(self):
        return self.left.pop() if self.left else None


def mean(file):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(["y"], {"x": x})[0].mean()


def means(between, limit):
    """The mean of a ramp's and its mirror's sum behind the limit: in float, by QOperator, QDQ, and symmetric QOperator."""
    nodes, (operator, ends) = [node("Conv", ["x", "same"], ["a"])] + BETWEEN[between], LIMITS[limit]
    nodes += [node(operator, ["b" if nodes[-1].output[0] == "b" else "a"] + ends, ["r"]), node("Conv", ["r", "sum"], ["y"])]
    outputs = [name for name in ("y", "z") if any(name in one.output for one in nodes)]
    graph = helper.make_graph(nodes, "limit", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
                              [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in outputs],
                              [numpy_helper.from_array(value, name) for name, value in CONSTANTS.items()
                               if any(name in one.input for one in nodes)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model, full_check=True)
    onnx.save(model, "float.onnx")
    result = [mean("float.onnx")]
    for kind, symmetric in ((QuantFormat.QOperator, False), (QuantFormat.QDQ, False), (QuantFormat.QOperator, True)):
        quantize_static("float.onnx", "int8.onnx", Ramps(), kind, activation_type=QuantType.QUInt8,
                        extra_options={"ActivationSymmetric": symmetric}, reduce_range=True)  # no saturation without VNNI
        result.append(mean("int8.onnx"))
    return [round(float(value), 2) for value in result]


same = True
for between in BETWEEN:
    for limit in LIMITS:
        seen = means(between, limit)
        print(f"{between}, {limit}: mean {seen[0]}, QOperator {seen[1]}, QDQ {seen[2]}, QOperator symmetric {seen[3]}")
        right = 0.78 if limit == "Clip from 0.25" else 0.5
        expected = [right, 0.5 if between == "Conv" else 0, right if between == "Conv, used twice" else 0.5, right]
        same = same and np.allclose(seen, expected, rtol=0, atol=0.03)
raise SystemExit(0 if same else 1)
P
venv/bin/python relu.py 2> log || { tail -3 log; exit 1; }

#!/bin/bash
# ONNX Runtime rounds float weights to int8, with one scale for all channels, where only the activations are quantized.
#
# Guess before it was run: a Conv with float32 weights between DequantizeLinear and QuantizeLinear is computed in float32,
# since nothing in the file gives the weights a scale. Folding DequantizeLinear of int8 weights into float32 changes no
# result by more than a step of the last scale.
# Seen: ONNX Runtime 1.32.0 makes it com.microsoft's QLinearConv. It rounds the weights itself, to int8 with one scale for
# the whole tensor, without a word: where one channel's weights are large, all others lose digits. Outputs move by up to
# seven steps. With the optimisations switched off the result is that of float32 weights. So whoever keeps a layer's
# weights in float to keep its accuracy, or folds int8 weights with a scale for each channel, gets int8 with one scale.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > weights.py <<'P'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper

random = np.random.RandomState(0)
weights = random.randn(8, 3, 3, 3).astype(np.float32)
weights[0] *= 20
STEP = np.float32(0.25)
constants = {"w": weights, "xs": np.float32(0.02), "xz": np.uint8(128), "ys": STEP, "yz": np.uint8(128)}
nodes = [helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
         helper.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
         helper.make_node("Conv", ["xd", "w"], ["c"], pads=[1] * 4),
         helper.make_node("QuantizeLinear", ["c", "ys", "yz"], ["yq"]),
         helper.make_node("DequantizeLinear", ["yq", "ys", "yz"], ["y"])]
graph = helper.make_graph(nodes, "conv", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, 16, 16])],
                          [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
checker.check_model(model)
x = random.randn(1, 3, 16, 16).astype(np.float32)


def run(level, path=""):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = level
    options.optimized_model_filepath = path
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


level = onnxruntime.GraphOptimizationLevel
plain, optimized = run(level.ORT_DISABLE_ALL), run(level.ORT_ENABLE_ALL, "optimized.onnx")
# What float32 weights give, in float64.
read = np.pad(np.clip(np.rint(x / np.float32(0.02)), -128, 127) * 0.02, ((0, 0), (0, 0), (1, 1), (1, 1)))
windows = np.lib.stride_tricks.sliding_window_view(read, (3, 3), axis=(2, 3))
sums = np.einsum("nchwij,ocij->nohw", windows, weights.astype(np.float64))
expected = np.clip(np.rint(sums / STEP), -128, 127) * STEP
steps = [float(np.abs(y - expected).max() / STEP) for y in (plain, optimized)]
made = onnx.load("optimized.onnx").graph
rounded = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.initializer}
operators = [node.op_type for node in made.node]
int8 = [name for name, value in rounded.items() if value.dtype == np.int8 and value.shape == weights.shape]
print(f"without optimisations {steps[0]:.0f} steps from float32 weights, with them {steps[1]:.0f}: {operators}, int8 weights {int8}")
scales = [value.size for name, value in rounded.items() if name.endswith("_weight_scale")]
same = steps[0] <= 1 and steps[1] >= 4 and "QLinearConv" in operators and len(int8) == 1 and scales == [1]
raise SystemExit(0 if same else 1)
P
venv/bin/python weights.py

#!/bin/bash
# ONNX Runtime cannot load an int8 model of opset 21 or 22 whose MaxPool has no QuantizeLinear after it.
#
# Guess before it was run: where a quantizer's model loads at opset 13, the same nodes load at opset 21; the version adds
# types and attributes and takes nothing away. NNCF leaves a MaxPool between DequantizeLinear and the next layer.
# Seen: ONNX Runtime 1.32.0 stops with "output_dtype INT8 does not match y_zero_point type UINT8" and names a node that
# the file does not have. It puts a QuantizeLinear after the pool itself, with the output_dtype that opset 21 brought, and
# then turns int8 into uint8, in the zero point alone. Only int8, only from opset 21 on; without optimisations it loads.
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

onnxruntime.set_default_logger_severity(4)
LEVEL = onnxruntime.GraphOptimizationLevel


def load(opset, zero_point, level=LEVEL.ORT_ENABLE_ALL):
    """Why a model of QuantizeLinear, DequantizeLinear and MaxPool does not load; "loads" where it does."""
    constants = {"s": np.float32(0.05), "z": zero_point}
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
             helper.make_node("MaxPool", ["d"], ["p"], kernel_shape=[2, 2], name="pool"),
             helper.make_node("Relu", ["p"], ["y"])]
    graph = helper.make_graph(nodes, "pool", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 7, 7])],
                              [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base
        return str(error)
    return "loads"


same = True
for opset in (13, 20, 21, 22):
    for zero_point in (np.int8(0), np.uint8(128)):
        text = load(opset, zero_point)
        print(f"opset {opset}, {zero_point.dtype}: {text}")
        expected = opset < 21 or zero_point.dtype == np.uint8
        same = same and (text == "loads" if expected else "output_dtype INT8 does not match y_zero_point type UINT8" in text)
same = same and load(21, np.int8(0), LEVEL.ORT_DISABLE_ALL) == "loads"
raise SystemExit(0 if same else 1)
P
venv/bin/python pool.py

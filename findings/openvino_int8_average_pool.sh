#!/bin/bash
# AveragePool over an edge: quantized, OpenVINO takes the padding for the smallest number of the range and not for 0.
#
# Guess before it was run: torch.nn.AvgPool2d(3, 1, 1) counts zeros around the map (count_include_pad=1), so that a map of 2
# has 0.89 in a corner; between quantizers of a range that holds 0, it is within a step of that.
# Seen: where 0 has a code other than 0, as behind SiLU, OpenVINO 2026.4.1 pools the codes and pads with code 0. For a range
# from -0.28 to 2.27 the corner is 0.73 and the edge 1.24 in place of 1.33; for -0.64 to 1.91 a map of 1 has 0.09 in the
# corner in place of 0.44. It is the same in ONNX files with DequantizeLinear, as ONNX Runtime's quantizers write them, and
# with FakeQuantize, as NNCF writes them. Ranges from 0 on (ReLU), symmetric int8, and count_include_pad=0 are right, and ONNX
# Runtime 1.32.0 and onnx 1.23.2's reference are always. No hint changes it, only LP_TRANSFORMS_MODE=NO, which is in float.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > pool.py <<'P'
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from openvino import opset13

STEP, SHAPE = np.float32(0.01), [1, 16, 8, 8]


def onnx_file(zero, include):
    nodes = [helper.make_node("QuantizeLinear", ["x", "step", "zero"], ["q"]),
             helper.make_node("DequantizeLinear", ["q", "step", "zero"], ["d"]),
             helper.make_node("AveragePool", ["d"], ["a"], kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=include),
             helper.make_node("QuantizeLinear", ["a", "step", "zero"], ["aq"]),
             helper.make_node("DequantizeLinear", ["aq", "step", "zero"], ["y"])]
    graph = helper.make_graph(nodes, "pool", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, SHAPE)],
                              [numpy_helper.from_array(STEP, "step"), numpy_helper.from_array(zero, "zero")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(model, full_check=True)
    return model


def fake_quantize(zero, include):
    low, high = (float(STEP * (limit - int(zero))) for limit in (np.iinfo(zero.dtype).min, np.iinfo(zero.dtype).max))
    x = opset13.parameter(SHAPE, np.float32, name="x")
    ends = [opset13.constant(np.full([1] * 4, end, np.float32)) for end in (low, high, low, high)]
    pool = opset13.avg_pool(opset13.fake_quantize(x, *ends, 256), [1, 1], [1, 1], [1, 1], [3, 3], not include)
    return openvino.Model([opset13.fake_quantize(pool, *ends, 256)], [x])


def corner_and_edge(y):
    return [round(float(y[0, 0, 0, column]), 2) for column in (0, 4)]


core = openvino.Core()
same = True
for value, zero, include, wrong in ((2, np.uint8(28), 1, [0.73, 1.24]), (1, np.uint8(64), 1, [0.09, 0.45]),
                                    (2, np.uint8(28), 0, None), (2, np.uint8(0), 1, None), (1, np.int8(0), 1, None)):
    zero, x = np.array(zero), np.full(SHAPE, value, np.float32)
    model = onnx_file(zero, include)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    seen = {"ONNX Runtime": session.run(None, {"x": x})[0], "reference": ReferenceEvaluator(model).run(None, {"x": x})[0]}
    for name, network in (("OpenVINO", core.read_model(model.SerializeToString())),
                          ("OpenVINO, FakeQuantize", fake_quantize(zero, include))):
        seen[name] = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})({"x": x})[0]
    seen = {name: corner_and_edge(y) for name, y in seen.items()}
    print(f"a map of {value}, {zero.dtype} with zero at {zero}, count_include_pad={include}: {seen}")
    right = [round(value * count / 9, 2) for count in (4, 6)] if include else [value] * 2
    same = same and seen == {name: wrong if wrong and name.startswith("OpenVINO") else right for name in seen}
raise SystemExit(0 if same else 1)
P
venv/bin/python pool.py

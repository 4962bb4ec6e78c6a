#!/bin/bash
# Four operators for which onnx's own reference evaluator is the one that is wrong.
#
# Guess before it was run: where an engine differs from onnx.reference by more than rounding, the engine is wrong; what the
# reference has not got ends with an error.
# Seen: onnx 1.23.2 runs a Loop whose condition is left out (it then goes by its count alone) not once, and gives back what it
# began with: 1 in place of 2 * 2 * 2. MaxPool with auto_pad SAME_LOWER gives a map of 2 x 2 for 5 x 5 in steps of 2 (3 x 3 are
# due, as onnx's own shape inference says), and for 6 x 6 the numbers of SAME_UPPER. MaxPool's second output, by which
# MaxUnpool puts values back, is wrong at a stride of 1: the places have other numbers than the maxima. LpNormalization with
# p=1 divides by the sum and not by the sum of magnitudes: [1, -2, 3, -4] becomes [-0.5, 1, -1.5, 2]. No warning of any of
# them. ONNX Runtime 1.32.0 and OpenVINO 2026.4.1 are right in all four.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6
cat > operators.py <<'P'
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, checker, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
core = openvino.Core()
node, info = helper.make_node, helper.make_tensor_value_info


def run(nodes, x, outputs=1, **constants):
    """The outputs of onnx's reference, ONNX Runtime and OpenVINO, and the shape that is inferred."""
    graph = helper.make_graph(nodes, "one", [info("x", FLOAT, x.shape)],
                              [info("y", FLOAT, [None] * x.ndim), info("places", INT64, [None] * x.ndim)][:outputs],
                              [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    model = shape_inference.infer_shapes(model)
    checker.check_model(model)
    data = model.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    network = core.compile_model(core.read_model(data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    shape = [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim]
    return [ReferenceEvaluator(model).run(None, {"x": x}), session.run(None, {"x": x}), list(network({"x": x}).values())], shape


def pool(side, auto_pad):
    x = np.random.RandomState(0).permutation(side * side).reshape(1, 1, side, side).astype(np.float32)
    return run([node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], auto_pad=auto_pad)], x)


body = helper.make_graph([node("Add", ["value", "value"], ["twice"]), node("Identity", ["go"], ["on"])], "body",
                         [info("i", INT64, []), info("go", BOOL, []), info("value", FLOAT, [1])],
                         [info("on", BOOL, []), info("twice", FLOAT, [1])])
results, _ = run([node("Loop", ["count", "", "x"], ["y"], body=body)], np.float32([1]), count=np.array(3, np.int64))
loops = [float(one[0][0]) for one in results]
print("Loop of three steps: reference, ONNX Runtime, OpenVINO", loops)
holds = loops == [1, 8, 8]

results, shape = pool(5, "SAME_LOWER")
shapes = [list(one[0].shape) for one in results]
print("MaxPool of 5 x 5, SAME_LOWER:", shapes, "inferred", shape)
holds = holds and shapes == [[1, 1, 2, 2], [1, 1, 3, 3], [1, 1, 3, 3]] and shape == [1, 1, 3, 3]
lower, upper = pool(6, "SAME_LOWER")[0], pool(6, "SAME_UPPER")[0]
holds = holds and np.array_equal(lower[0][0], upper[0][0]) and np.array_equal(lower[1][0], lower[2][0])
holds = holds and not np.array_equal(lower[1][0], upper[1][0])

x = np.random.RandomState(0).permutation(36).reshape(1, 1, 6, 6).astype(np.float32)
results, _ = run([node("MaxPool", ["x"], ["y", "places"], kernel_shape=[3, 3])], x, outputs=2)
missed = [int((x.ravel()[places.ravel()] != y.ravel()).sum()) for y, places in results]
print("MaxPool at a stride of 1: places that do not hold their maximum", missed, "of 16")
holds = holds and missed[0] > 8 and missed[1:] == [0, 0]

results, _ = run([node("LpNormalization", ["x"], ["y"], axis=1, p=1)], np.float32([[1, -2, 3, -4]]))
rows = [[round(float(value), 3) for value in one[0][0]] for one in results]
print("LpNormalization, p=1:", rows)
holds = holds and rows[0] == [-0.5, 1, -1.5, 2] and np.allclose(rows[1:], [0.1, -0.2, 0.3, -0.4])
raise SystemExit(0 if holds else 1)
P
venv/bin/python operators.py

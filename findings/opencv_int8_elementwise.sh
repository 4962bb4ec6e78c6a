#!/bin/bash
# In a quantized network, OpenCV 5 adds where the file says subtract, divide, take the smaller, the larger or the mean.
#
# Guess before it was run: Sub between DequantizeLinear and QuantizeLinear, by which a detector's head makes corners of
# centres and sizes, gives what float numbers give, within a step of the scale, or is refused.
# Seen: OpenCV 5.0.0 makes one int8 layer of such nodes, in which all operators but Mul are Add: the difference 4 - 1 is 5,
# and so are 4 / 1 and the smaller, the larger and the mean of 4 and 1. Boxes with centres at 40 and 60 and half sizes of 10
# and 5 have their left edges at 50 and 65 in place of 30 and 55. It is the same for int8 and uint8, with constants, and in its
# new and its classic engine. No warning. Without a QuantizeLinear behind it, the node is right. ONNX Runtime 1.32.0, OpenVINO
# 2026.4.1 and onnx 1.23.2's reference are right in all of them.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet opencv-python-headless==5.0.0.93 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6
cat > elementwise.py <<'P'
import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

SHAPE = [1, 1, 1, 4]
A, B = np.float32([4, 40, 60, 9]).reshape(SHAPE), np.float32([1, 10, 5, 2]).reshape(SHAPE)
core = openvino.Core()


def make(operator, kind, constant, quantized):
    """a and b, both quantized in steps of 1, and what the operator makes of them, quantized or not."""
    zero, nodes = np.array(0 if kind == np.int8 else 128, kind), []
    constants = {"step": np.float32(1), "zero": zero}
    for name in "ab":
        if name == "b" and constant:
            constants["bq"] = (B + zero).astype(kind)
        else:
            nodes.append(helper.make_node("QuantizeLinear", [name, "step", "zero"], [name + "q"]))
        nodes.append(helper.make_node("DequantizeLinear", [name + "q", "step", "zero"], [name + "d"]))
    nodes.append(helper.make_node(operator, ["ad", "bd"], ["o" if quantized else "y"]))
    if quantized:
        nodes += [helper.make_node("QuantizeLinear", ["o", "step", "zero"], ["oq"]),
                  helper.make_node("DequantizeLinear", ["oq", "step", "zero"], ["y"])]
    graph = helper.make_graph(nodes, operator, [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in ("a" if constant else "ab")],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, SHAPE)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(model, full_check=True)
    return model


def by_opencv(model, feeds, engine):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8), engine)
    for name, values in feeds.items():
        network.setInput(values, name)
    return network.forward("y").ravel().tolist()


same = True
for operator in ("Add", "Mul", "Sub", "Div", "Min", "Max", "Mean"):
    for kind, constant, quantized in ((np.int8, False, True), (np.uint8, True, True), (np.int8, False, False)):
        model, feeds = make(operator, kind, constant, quantized), {"a": A} if constant else {"a": A, "b": B}
        right = ReferenceEvaluator(model).run(None, feeds)[0].ravel().tolist()
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        network = core.compile_model(core.read_model(model.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        assert session.run(None, feeds)[0].ravel().tolist() == right == network(feeds)[0].ravel().tolist()
        engines = [by_opencv(model, feeds, engine) for engine in (cv2.dnn.ENGINE_NEW, cv2.dnn.ENGINE_CLASSIC)]
        print(f"{operator}, {kind.__name__}, {'' if quantized else 'not '}quantized after it: {right}, OpenCV {engines[0]}")
        wrong = quantized and operator not in ("Add", "Mul")
        same = same and all(y == ((A + B).ravel().tolist() if wrong else right) for y in engines)
raise SystemExit(0 if same else 1)
P
venv/bin/python elementwise.py

#!/usr/bin/env python3
"""Writes testdata/om: a small network, compiled and run by the program of the day. Run once for each format version.

Usage: testdata/make_om_golden.py EFFDET VERSION   (EFFDET: the command; needs onnx and numpy)
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(3)
nodes, constants = [], []


def constant(name, *shape):
    constants.append(numpy_helper.from_array(random.uniform(-0.5, 0.5, shape).astype(np.float32), name))
    return name


def node(op, out, inputs, **attributes):
    nodes.append(helper.make_node(op, inputs, [out], **attributes))
    return out


def swish(x):
    return node("Mul", x + "_swish", [x, node("Sigmoid", x + "_gate", [x])])


def conv(out, x, inputs, outputs, kernel, group=1, stride=1):
    pad = kernel // 2
    return node("Conv", out, [x, constant(out + "_w", outputs, inputs // group, kernel, kernel), constant(out + "_b", outputs)],
                group=group, strides=[stride] * 2, pads=[pad] * 4)


x = swish(conv("stem", "x", 3, 16, 3, stride=2))
x = swish(conv("depthwise", x, 16, 16, 3, group=16))
gate = node("GlobalAveragePool", "mean", [x])
gate = node("Sigmoid", "gate", [conv("expand", swish(conv("reduce", gate, 16, 4, 1)), 4, 16, 1)])
x = node("Mul", "gated", [x, gate])
x = conv("project", x, 16, 8, 1)
x = node("MaxPool", "pooled", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
node("Identity", "y", [x])
graph = helper.make_graph(nodes, "golden", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, 4, 4])], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)

folder = pathlib.Path(__file__).parent / "om"
folder.mkdir(exist_ok=True)
with tempfile.TemporaryDirectory() as name:
    place = pathlib.Path(name)
    onnx.save(model, place / "m.onnx")
    np.save(folder / "input.npy", random.uniform(-1, 1, (1, 3, 16, 16)).astype(np.float32))
    subprocess.run([sys.argv[1], "atc", "--framework=5", "--soc_version=native", f"--model={place}/m.onnx", f"--output={folder}/version_{sys.argv[2]}"], check=True)
    subprocess.run([sys.argv[1], "run", place / "m.onnx", "--engine", "reference", "--input", folder / "input.npy", "--out", place], check=True)
    (place / "y.npy").rename(folder / "output.npy")

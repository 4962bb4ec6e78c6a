#!/bin/bash
# Five operators that MNN takes from an ONNX file without a word, and computes otherwise.
#
# Guess before it was run: what MNN's converter accepts gives what the file says, within 1e-4; it refuses attributes that it
# does not have.
# Seen: of MNN 3.6.1, in float32 on a CPU: Cast to bool cuts off, so that of the scores 0.5, 2.7 and -3 one counts as 0, one
# as 2, and one as -3, and the mask's sum is not the number of objects; Round goes away from zero at a half, as a step of
# fake quantization does not; GridSample's reflection repeats the border; MaxPool with SAME_LOWER pads at the end, which moves
# a map by a pixel; ArgMax passes over select_last_index. ONNX Runtime 1.32.0 and OpenVINO 2026.4.1 agree on all of them. (The
# command mnnconvert is not used here: as it starts, it lets the first pip that it finds install a package for logs.)
#
# Needs Python 3.10 or newer, Linux, and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet MNN==3.6.1 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6
cat > operators.py <<'P'
import _tools
import MNN.expr
import MNN.nn
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, checker, helper

MAP = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
GRID = np.float32([[[[-1.5, 0], [1.5, 0], [0, 1.4]]]])
POOL = {"kernel_shape": [3, 3], "strides": [2, 2]}


def make(nodes, feeds, kind):
    graph = helper.make_graph(nodes, "operators", [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, values.shape) for name, values in feeds.items()],
        [helper.make_tensor_value_info("y", kind, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    model = onnx.shape_inference.infer_shapes(model)
    checker.check_model(model)
    return model


def by_mnn(model, feeds):
    onnx.save(model, "model.onnx")
    _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", "model.onnx", "--MNNModel", "model.mnn"])
    manager = MNN.nn.create_runtime_manager(({"backend": 0, "precision": "high", "numThread": 1},))
    network = MNN.nn.load_module_from_file("model.mnn", list(feeds), ["y"], runtime_manager=manager)
    inputs = []
    for values in feeds.values():
        inputs.append(MNN.expr.placeholder(list(values.shape), MNN.expr.NCHW, MNN.expr.float))
        inputs[-1].write(values)
    return MNN.expr.convert(network.forward(inputs)[0], MNN.expr.NCHW).read()


node, vector = helper.make_node, np.float32([-2.5, -1.5, -0.5, 0.5, 2.5, 3.4])
CASES = {
    "Cast": ([node("Cast", ["x"], ["b"], to=TensorProto.BOOL), node("Cast", ["b"], ["y"], to=TensorProto.FLOAT)],
             {"x": np.float32([0, 0.5, 2.7, -3])}, [0, 1, 1, 1], [0, 0, 2, -3]),
    "Round": ([node("Round", ["x"], ["y"])], {"x": vector}, [-2, -2, 0, 0, 2, 3], [-3, -2, -1, 1, 3, 3]),
    "GridSample": ([node("GridSample", ["x", "grid"], ["y"], mode="linear", padding_mode="reflection")],
                   {"x": MAP, "grid": GRID}, [6.5, 8.5, 12.3], [6, 9, 13.5]),
    "MaxPool": ([node("MaxPool", ["x"], ["y"], auto_pad="SAME_LOWER", **POOL)], {"x": MAP}, [5, 7, 13, 15], [10, 11, 14, 15]),
    "ArgMax": ([node("ArgMax", ["x"], ["y"], axis=1, keepdims=0, select_last_index=1)],
               {"x": np.float32([[1, 3, 3, 0]])}, [2], [1]),
}
same, core = True, openvino.Core()
for name, (nodes, feeds, right, wrong) in CASES.items():
    model = make(nodes, feeds, TensorProto.INT64 if name == "ArgMax" else TensorProto.FLOAT)
    data = model.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    openvino_gives = core.compile_model(core.read_model(data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(feeds)[0]
    for engine, values, expected in (("ONNX Runtime", session.run(None, feeds)[0], right), ("OpenVINO", openvino_gives, right),
                                     ("MNN", by_mnn(model, feeds), wrong)):
        values = [round(float(value), 2) for value in np.ravel(values)]
        print(f"{name}, {engine}: {values}")
        same = same and values == expected
raise SystemExit(0 if same else 1)
P
venv/bin/python operators.py 2> log | grep -E '^(Cast|Round|GridSample|MaxPool|ArgMax), ' || { tail -3 log; exit 1; }

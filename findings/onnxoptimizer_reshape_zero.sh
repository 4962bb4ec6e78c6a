#!/bin/bash
# onnxoptimizer joins two Reshapes, after which a 0 in the second one's shape means another dimension.
#
# Guess before it was run: of Reshape to [1, -1, 126] and Reshape to [0, 0, 6, -1], where 0 keeps the dimension before it,
# either both stay or one Reshape to [1, -1, 6, 21] takes their place; results are the same.
# Seen: onnxoptimizer 0.4.2, with the passes that it takes by default, leaves out the first one and keeps [0, 0, 6, -1], so
# that the zeros take the rows of the map before both: [1, 5, 6, 147] in place of [1, 35, 6, 21]. A softmax over 21 classes
# of each anchor, as SSD's heads have it, goes over 7 pixels' classes together: the scores of an anchor add up to 0.14 in
# the mean and not to 1, the best one is 0.03 and not 0.2. The output's shape is as before, and ONNX Runtime 1.32.0 runs
# the file without an error. onnxsim 0.8.1 and onnxslim 0.1.98 are right.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnxoptimizer==0.4.2 onnxsim==0.8.1 onnxslim==0.1.98 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > head.py <<'P'
import numpy as np
import onnxoptimizer
import onnxruntime
import onnxsim
import onnxslim
from onnx import TensorProto, checker, helper, numpy_helper

ANCHORS, CLASSES = 6, 21
HEIGHT, WIDTH = 5, 7
constants = {"pixels": np.int64([1, -1, ANCHORS * CLASSES]), "anchors": np.int64([0, 0, ANCHORS, -1]),
             "all": np.int64([1, -1, CLASSES])}
nodes = [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]),
         helper.make_node("Reshape", ["t", "pixels"], ["f"]),
         helper.make_node("Reshape", ["f", "anchors"], ["a"]),
         helper.make_node("Softmax", ["a"], ["p"], axis=-1),
         helper.make_node("Reshape", ["p", "all"], ["y"])]
SHAPE = [1, ANCHORS * CLASSES, HEIGHT, WIDTH]
graph = helper.make_graph(nodes, "head", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, HEIGHT * WIDTH * ANCHORS, CLASSES])],
                          [numpy_helper.from_array(value, name) for name, value in constants.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
checker.check_model(model, full_check=True)
x = np.random.RandomState(0).randn(*SHAPE).astype(np.float32)


def run(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


seen = {}
for name, made in {"the file": model, "onnxoptimizer": onnxoptimizer.optimize(model), "onnxsim": onnxsim.simplify(model)[0],
                   "onnxslim": onnxslim.slim(model)}.items():
    y = run(made)
    seen[name] = y.shape, round(float(y.sum(-1).mean()), 2), round(float(y.max(-1).mean()), 2)
    print(f"{name}: {y.shape}, scores of an anchor add up to {seen[name][1]}, the best is {seen[name][2]}, both in the mean")
wrong = seen.pop("onnxoptimizer")
raise SystemExit(0 if wrong == ((1, 210, 21), 0.14, 0.03) and set(seen.values()) == {((1, 210, 21), 1.0, 0.2)} else 1)
P
venv/bin/python head.py

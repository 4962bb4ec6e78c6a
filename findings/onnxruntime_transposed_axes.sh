#!/bin/bash
# ONNX Runtime does not load a channels-last Pad or Resize that names its axes, or pads other axes than the file says.
#
# Guess before it was run: Pad and Resize that name two axes (possible from opset 18 on) give what they give with numbers for
# all four, also between two Transposes, as networks with channels last have them; at most, optimisations find less to do.
# Seen: ONNX Runtime 1.32.0 moves the Transpose behind them and sorts the two pads or factors as if there were four: the file
# is refused with "Gather ... indices element out of data bounds, idx=3", a node that it does not have. Where all four axes
# are named in another order, it is loaded, and a map of 6 x 8 whose rows and columns are to grow by 3 comes out with 3 more
# pictures and 3 more channels, 4 x 7 x 6 x 8 in place of 1 x 4 x 9 x 11, which the file declares; its log warns of "lenient
# merge". Without optimisations, without the second Transpose, and in onnx 1.23.2's reference all of them are right.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > pad.py <<'P'
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)
LEVEL = onnxruntime.GraphOptimizationLevel
SHAPE = [1, 4, 6, 8]
x = np.random.RandomState(0).randn(*SHAPE).astype(np.float32)


def make(operator, axes):
    """Transpose to channels last, Pad or Resize of height (axis 1) and width (axis 2), Transpose to channels first."""
    if operator == "Pad":
        before, after = {1: 1, 2: 1}, {1: 2, 2: 2}
        number = [ends.get(axis, 0) for ends in (before, after) for axis in axes or range(4)]
        constants, shape = {"number": np.array(number, np.int64)}, [1, 4, 9, 11]
        if axes:
            constants["axes"] = np.array(axes, np.int64)
        node = helper.make_node("Pad", ["nhwc", "number"] + (["", "axes"] if axes else []), ["grown"])
    else:
        factor = {1: 1.5, 2: 2}
        constants, shape = {"number": np.float32([factor.get(axis, 1) for axis in axes or range(4)])}, [1, 4, 9, 16]
        node = helper.make_node("Resize", ["nhwc", "", "number"], ["grown"], mode="nearest", **({"axes": axes} if axes else {}))
    nodes = [helper.make_node("Transpose", ["x"], ["nhwc"], perm=[0, 2, 3, 1]), node,
             helper.make_node("Transpose", ["grown"], ["y"], perm=[0, 3, 1, 2])]
    graph = helper.make_graph(nodes, operator, [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
                              [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model, full_check=True)
    return model


def run(model, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": x})[0]
    except Exception as error:
        return str(error)


seen = {}
for operator in ("Pad", "Resize"):
    for axes in (None, [1, 2], [0, 1, 2, 3], [3, 2, 1, 0]):
        model = make(operator, axes)
        right = ReferenceEvaluator(model).run(None, {"x": x})[0]
        assert np.array_equal(run(model, LEVEL.ORT_DISABLE_ALL), right)
        y = run(model, LEVEL.ORT_ENABLE_ALL)
        got = y[y.index("indices"):] if isinstance(y, str) else "right" if np.array_equal(y, right) else y.shape
        seen[operator, str(axes)] = got
        print(f"{operator}, axes {axes}: {got}")
bounds = "indices element out of data bounds, idx={} must be within the inclusive range [-{},{}]"
expected = {"None": ("right", "right"), "[1, 2]": (bounds.format(4, 4, 3), bounds.format(3, 2, 1)),
            "[0, 1, 2, 3]": ("right", "right"), "[3, 2, 1, 0]": ((4, 7, 6, 8), (1, 8, 6, 8))}
same = all(seen[operator, axes] == values[operator == "Resize"] for operator, axes in seen for values in [expected[axes]])
raise SystemExit(0 if same else 1)
P
venv/bin/python pad.py

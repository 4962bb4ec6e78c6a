#!/bin/bash
# Resize with antialias loses every negative number of an int8 tensor in ONNX Runtime.
#
# Guess before it was run: int8 is resized like uint8 and int32, rounded and limited to the type's own range; a picture
# of -100 everywhere stays one of -100.
# Seen: ONNX Runtime 1.32.0 gives 0 for it with antialias=1, linear and cubic, without a word: it limits to 0 to 255, and
# 100 stays 100. Without antialias, and for int32, it gives -100, as onnx 1.23.2's reference does for all of them.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > resize.py <<'P'
import numpy as np
import onnxruntime
from onnx import checker, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def resized(dtype, value, antialias, mode="linear"):
    """A map of that value, made smaller: what ONNX Runtime and onnx's reference make of it."""
    x = np.full([1, 1, 8, 8], value, dtype)
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode=mode, antialias=antialias)
    graph = helper.make_graph([node], "resize", [helper.make_tensor_value_info("x", kind, x.shape)],
                              [helper.make_tensor_value_info("y", kind, [1, 1, 4, 4])],
                              [numpy_helper.from_array(np.array([1, 1, 4, 4], np.int64), "sizes")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"x": x})[0], ReferenceEvaluator(model).run(None, {"x": x})[0]
    return tuple(sorted(set(y.ravel().tolist())) for y in outputs)


seen = {}
for dtype, value, antialias, mode in ((np.int8, -100, 1, "linear"), (np.int8, -100, 1, "cubic"), (np.int8, 100, 1, "linear"),
                                      (np.int8, -100, 0, "linear"), (np.int32, -100, 1, "linear")):
    runtime, reference = resized(dtype, value, antialias, mode)
    print(f"{dtype.__name__} {value}, {mode}, antialias={antialias}: ONNX Runtime {runtime}, onnx's reference {reference}")
    seen[dtype.__name__, value, antialias, mode] = runtime, reference
wrong = {("int8", -100, 1, "linear"), ("int8", -100, 1, "cubic")}
same = all(seen[key] == (([0] if key in wrong else [key[1]]), [key[1]]) for key in seen)
raise SystemExit(0 if same else 1)
P
venv/bin/python resize.py

#!/bin/bash
# Converted to a newer opset, a model keeps its number, or gets the number alone, or other numbers.
#
# Guess before it was run: of 250 nodes of opsets 7 to 18, each converted to 13, 16, 18, 21 and 25 gives the same numbers in ONNX
# Runtime within 1e-5, or is refused; if one is wrong it is RoiAlign, whose default mode changed in 16 (it is right).
# Seen: onnxscript 0.7.2's convert_version, given an onnx.ModelProto, leaves the old number in the file, also where it has made
# the nodes new: with fallback=True a ReduceMean has its axes as an input under opset 17, which ONNX Runtime does not load. Given
# an onnx_ir.Model below 18 and no fallback, it writes the new number and leaves the nodes, though its source has a warning ("The
# model was not modified") for that: Softmax over axis 1 and all behind it is taken over axis 1 alone. onnx 1.23.2's own
# converter does that to Hardmax, not to Softmax, and gives Resize of opset 10 and a linear Upsample the places of pixels that
# newer opsets have as default (this one is reported, onnx/onnx#8480). Of the others no report was found.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnxscript==0.7.2 onnx-ir==1.1.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > versions.py <<'P'
import copy
import logging

import numpy as np
import onnx
import onnx_ir
import onnxruntime
from onnx import helper, numpy_helper
from onnxscript import version_converter

logging.disable(logging.WARNING)  # onnxscript says that it falls back to onnx's converter
onnxruntime.set_default_logger_severity(4)
x = np.random.RandomState(0).randn(1, 3, 8, 8).astype(np.float32)


def made(opset, kind, **attributes):
    scales = [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")] if kind == "Resize" else []
    node = helper.make_node(kind, ["x"] + [one.name for one in scales], ["y"], **attributes)
    values = [helper.make_tensor_value_info("x", 1, x.shape), helper.make_tensor_value_info("y", 1, [None] * 4)]
    graph = helper.make_graph([node], "one", values[:1], values[1:], scales)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model):
    model.ir_version = 8
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception as error:
        return str(error).split(" : ")[2]
    return session.run(None, {"x": x})[0]


def converted(model, way):
    if way == "onnx":
        return onnx.version_converter.convert_version(model, 18)
    changed = copy.deepcopy(model) if "Proto" in way else onnx_ir.from_proto(model)
    version_converter.convert_version(changed, 18, fallback="fallback" in way)
    return changed if "Proto" in way else onnx_ir.to_proto(changed)


seen = {}
for model in (made(17, "ReduceMean", axes=[1]), made(12, "Softmax", axis=1), made(12, "Hardmax", axis=1),
              made(10, "Resize", mode="linear")):
    kind, before, seen_here = model.graph.node[0].op_type, run(model), []
    for way in ("onnx", "ModelProto", "ModelProto, fallback", "onnx_ir", "onnx_ir, fallback"):
        after = converted(model, way)
        off = result if isinstance(result := run(after), str) else round(float(np.abs(result - before).max()), 2)
        seen_here.append((after.opset_import[0].version, off))
        print(f"{kind}, opset {model.opset_import[0].version} to 18 by {way}: opset {seen_here[-1][0]}, differs by {off}")
    seen[kind] = seen_here
bad = "INVALID_GRAPH"
expected = {"ReduceMean": [(18, 0.0), (17, 0.0), (17, bad), (18, bad), (18, 0.0)],
            "Softmax": [(18, 0.0), (12, 0.0), (12, 0.0), (18, 0.91), (18, 0.0)],
            "Hardmax": [(18, 1.0), (12, 0.0), (12, 0.0), (18, 1.0), (18, 1.0)],
            "Resize": [(18, 1.24), (10, 0.0), (10, bad), (18, "FAIL"), (18, 1.24)]}
raise SystemExit(0 if seen == expected else 1)
P
venv/bin/python versions.py

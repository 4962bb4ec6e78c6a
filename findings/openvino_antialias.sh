#!/bin/bash
# A network that makes its picture smaller itself sees moire in OpenVINO, where the file asks for antialias.
#
# Guess before it was run: Resize with antialias=1, by which a network takes pictures of any size as Pillow would resize them,
# gives the same within 1e-4 in ONNX Runtime and OpenVINO, as it does without antialias.
# Seen: OpenVINO 2026.4.1 reads the attribute and its CPU computes as if it were 0, linear and cubic, by sizes and by scales,
# without a word. Stripes of one pixel, 0 and 1, that are to be a third as large stay 0 and 1, where ONNX Runtime 1.32.0, onnx
# 1.23.2's reference and Pillow 13.0.0 have grey between 0.42 and 0.58. (At the border ONNX Runtime has Pillow's numbers only
# with exclude_outside=1: without it, the first row is 0.444 and not 0.5.)
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.32.0 pillow==13.0.0 numpy==2.4.6
cat > stripes.py <<'P'
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from PIL import Image

SIDE, SMALL = 48, 16
x = np.tile(np.arange(SIDE, dtype=np.float32) % 2, [1, 1, SIDE, 1]).swapaxes(2, 3).copy()
core = openvino.Core()


def make(mode, antialias, by, exclude_outside=0):
    values = np.int64([1, 1, SMALL, SMALL]) if by == "sizes" else np.float32([1, 1, SMALL / SIDE, SMALL / SIDE])
    node = helper.make_node("Resize", ["x", "", "", "by"] if by == "sizes" else ["x", "", "by"], ["y"], mode=mode,
                            antialias=antialias, exclude_outside=exclude_outside)
    graph = helper.make_graph([node], "resize", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, SMALL, SMALL])],
                              [numpy_helper.from_array(values, "by")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(model)
    return model


def column(y):
    return y.reshape(SMALL, SMALL)[:, 5].tolist()


def by_runtime(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return column(session.run(None, {"x": x})[0])


def by_openvino(model):
    network = core.read_model(model.SerializeToString())
    return column(core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})({"x": x})[0])


def by_pillow(mode):
    method = Image.Resampling.BILINEAR if mode == "linear" else Image.Resampling.BICUBIC
    return column(np.asarray(Image.fromarray(x[0, 0]).resize([SMALL, SMALL], method)))


def same(one, other):
    return np.allclose(one, other, rtol=0, atol=1e-4)


holds = True
for mode in ("linear", "cubic"):
    for by in ("sizes", "scales"):
        plain, smooth = make(mode, 0, by), make(mode, 1, by)
        runtime, openvino_gives = by_runtime(smooth), by_openvino(smooth)
        for name, values in (("ONNX Runtime", runtime), ("OpenVINO", openvino_gives), ("Pillow", by_pillow(mode))):
            print(f"{mode}, {by}, {name}: {np.round(values[:4], 3).tolist()}")
        holds = holds and same(by_runtime(plain), openvino_gives) and set(np.round(openvino_gives, 4)) == {0, 1}
        holds = holds and same(ReferenceEvaluator(smooth).run(None, {"x": x})[0][0, 0, :, 5], runtime)
        holds = holds and same(runtime[2:-2], by_pillow(mode)[2:-2]) and 0.4 < min(runtime) < max(runtime) < 0.6
edge = by_runtime(make("linear", 1, "sizes"))[0], by_runtime(make("linear", 1, "sizes", 1))[0]
print(f"first row: ONNX Runtime {edge[0]:.3f}, with exclude_outside {edge[1]:.3f}, Pillow {by_pillow('linear')[0]:.3f}")
raise SystemExit(0 if holds and same(edge[1], by_pillow("linear")[0]) and abs(edge[0] - edge[1]) > 0.03 else 1)
P
venv/bin/python stripes.py

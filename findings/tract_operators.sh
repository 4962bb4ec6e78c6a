#!/bin/bash
# Objects lie a pixel lower in tract where a file gives the size of an upsampled map, and a network's NaN become numbers.
#
# Guess before it was run: of 637 small graphs of what detectors use, each that tract accepts gives ONNX Runtime's numbers.
# Seen: tract 0.23.9 refuses 32 and gives other numbers than ONNX Runtime 1.24.3 for 16, without a word; some of the 16 (Resize
# at halves, AveragePool with ceil_mode) are ONNX Runtime's own ways. ConvTranspose with output_shape says by how much the full
# map is cut on both sides; tract cuts it at the end alone, so that the whole map is shifted (3 x 3 from 15 to 14 rows, 4 x 4
# from 16 to 14: by one pixel; 6 x 6: by two). Relu, Clip, Max and Min of NaN give the other number, 0 for Relu, so that a
# network that overflowed looks healthy. Celu is not multiplied by alpha below 0, GlobalLpPool of 2 is divided by the root of
# the count, ReduceLogSumExp of 100 is infinite. onnx.reference has the NaN, Celu and ReduceLogSumExp as ONNX Runtime has. Of
# other runtimes there are reports of NaN in Relu (apache/tvm#19579); of tract none of these was found among issues.
#
# Needs Python 3.10 or newer, Linux, and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tract==0.23.9 onnx==1.21.0 onnxruntime==1.24.3 numpy==2.4.6
cat > operators.py <<'P'
import numpy as np
import onnx
import onnxruntime
import tract
from onnx import helper, numpy_helper

random = np.random.RandomState(0)


def both(kind, arrays, constants=(), **attributes):
    """What ONNX Runtime and tract give for one node; the first inputs are the graph's, the last are its constants."""
    arrays = [np.asarray(array) for array in arrays]
    names = [f"x{i}" for i in range(len(arrays))] + [f"c{i}" for i in range(len(constants))]
    inputs = [helper.make_tensor_value_info(f"x{i}", 1, array.shape) for i, array in enumerate(arrays)]
    weights = [numpy_helper.from_array(np.float32(constant), f"c{i}") for i, constant in enumerate(constants)]
    node = helper.make_node(kind, names, ["y"], **attributes)
    graph = helper.make_graph([node], "one", inputs, [helper.make_empty_tensor_value_info("y")], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, "one.onnx")
    session = onnxruntime.InferenceSession("one.onnx", providers=["CPUExecutionProvider"])
    right = session.run(None, {f"x{i}": array for i, array in enumerate(arrays)})[0]
    return right, tract.onnx().load("one.onnx").into_model().into_runnable().run(arrays)[0].to_numpy()


seen = {}
x = random.randn(1, 2, 7, 7).astype(np.float32)
for kernel, shift in ((3, 1), (4, 1), (6, 2)):
    right, given = both("ConvTranspose", [x], [random.randn(2, 3, kernel, kernel)], strides=[2, 2], output_shape=[14, 14])
    same = right.shape == given.shape and not np.allclose(right, given, atol=0.1)
    same = same and np.allclose(right[:, :, :-shift, :-shift], given[:, :, shift:, shift:], atol=1e-4)
    seen[f"ConvTranspose {kernel}"] = bool(same)
    print(f"ConvTranspose {kernel} x {kernel}, output_shape 14: shifted by {shift} pixel(s): {same}")
broken = np.array([np.nan, -1, 2], np.float32)
low, high = np.float32([-5, -5, -5]), np.float32([9, 9, 9])
for kind, others, constants in (("Relu", [], []), ("Clip", [], [-3, 3]), ("Max", [low], []), ("Min", [high], [])):
    right, given = both(kind, [broken, *others], constants)
    print(f"{kind} of {broken.tolist()}: ONNX Runtime {right.tolist()}, tract {given.tolist()}")
    seen[kind] = bool(np.isnan(right[0]) and np.isfinite(given).all() and np.array_equal(right[1:], given[1:]))
low = np.float32([-3, -1, 1])
right, given = both("Celu", [low], alpha=2.0)
seen["Celu"] = bool(np.allclose(right[:2], 2 * given[:2]) and right[2] == given[2])
print("Celu, alpha 2:", right.tolist(), given.tolist())
right, given = both("GlobalLpPool", [x], p=2)
seen["GlobalLpPool"] = bool(np.allclose(right, given * 7, rtol=1e-3))
print("GlobalLpPool of 7 x 7:", right.ravel().tolist(), given.ravel().tolist())
right, given = both("ReduceLogSumExp", [np.float32([[99, 100]])], axes=[1])
seen["ReduceLogSumExp"] = bool(np.isinf(given).all() and np.allclose(right, 100.3133))
print("ReduceLogSumExp of 99 and 100:", right.ravel().tolist(), given.ravel().tolist())
raise SystemExit(0 if all(seen.values()) else f"another behaviour: {seen}")
P
venv/bin/python operators.py

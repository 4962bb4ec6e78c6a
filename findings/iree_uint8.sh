#!/bin/bash
# IREE reads uint8 as signed in MaxPool, Clip, Div and Cast: what is above 127 is lost, in pictures and in int8 files.
#
# Guess before it was run: uint8 nodes with a Cast to float behind them give ONNX Runtime's numbers, and a small network that ONNX
# Runtime's quantize_static quantized comes within two steps of the output in each form and type.
# Seen: IREE 3.13.0 on a CPU. MaxPool counts 200 less than 100; Div gives 238 for 200 / 3; Clip from 20 to 200 gives 200 for
# everything; Cast of float to uint8 stops at 127, so that a picture made in the graph loses all that is bright. Conv, Relu,
# MaxPool, Conv is off by half of its range as QOperator of uint8, which has MaxPool in uint8; as QOperator of int8 and as QDQ it
# is right, as are Max, Min, ReduceMax, Greater, Add, Resize, QLinearConv of uint8. onnx.reference agrees with ONNX Runtime
# 1.24.3. Reported are outputs that come as int8 (iree-org/iree#16916), MatMulInteger (#24583), casts of numbers beyond the type
# (#24591), Add and Sub (llvm/torch-mlir#4601), but none of these four.
#
# Needs Python 3.10 or newer, Linux, and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "iree-base-compiler[onnx]==3.13.0" iree-base-runtime==3.13.0 onnx==1.21.0 onnxruntime==1.24.3 numpy==2.4.6
cat > unsigned.py <<'P'
import subprocess
import iree.runtime
import numpy as np
import onnx.parser
import onnxruntime
from onnx.reference import ReferenceEvaluator
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

TARGET = "--iree-hal-target-device=local --iree-hal-local-target-device-backends=llvm-cpu --iree-llvmcpu-target-cpu=generic"
seen = []


def save(path, text, **weights):
    model = onnx.parser.parse_model('<ir_version: 8, opset_import: ["": 17]> one ' + text)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in weights.items())
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def both(path, x):
    """What ONNX Runtime and IREE give for a file."""
    options = onnxruntime.SessionOptions()  # QDQ stays in float: its int8 kernels saturate where a processor has no VNNI
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    right = onnxruntime.InferenceSession(path, options).run(None, {"x": x})[0]
    subprocess.run(["venv/bin/iree-import-onnx", path, "-o", "one.mlir"], check=True)
    subprocess.run(["venv/bin/iree-compile", "one.mlir", "-o", f"{len(seen)}.vmfb", *TARGET.split()], check=True)
    module = iree.runtime.load_vm_flatbuffer_file(f"{len(seen)}.vmfb", driver="local-sync")
    name = next(name for name in module.vm_module.function_names if name[:2] != "__" and not name.endswith("$async"))
    return right, module[name](x).to_host()


class Once(list, CalibrationDataReader):
    get_next = lambda self: self.pop() if self else None


x = np.uint8([[[[3, 100], [127, 100], [120, 200], [7, 90]]]])
for node, kind, rows, columns, want in (
        ("MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x)", "uint8", 2, 1, [127, 120]),
        ("Div(x, three)", "uint8", 4, 2, [1, 33, 42, 33, 40, 238, 2, 30]),
        ("Clip(x, low, high)", "uint8", 4, 2, [200] * 8),
        ("Cast<to = 2>(x)", "float", 4, 2, [3, 100, 127, 100, 120, 127, 7, 90])):
    limits = {name: np.uint8(value) for name, value in (("low", 20), ("high", 200), ("three", 3)) if name in node}
    save("one.onnx", f"({kind}[1, 1, 4, 2] x) => (float[1, 1, {rows}, {columns}] y) {{ q = {node} y = Cast<to = 1>(q) }}", **limits)
    right, given = both("one.onnx", array := x.astype(np.float32 if kind == "float" else np.uint8))
    assert np.array_equal(right, ReferenceEvaluator("one.onnx").run(None, {"x": array})[0])
    print(f"{node}: ONNX Runtime {right.ravel().tolist()}, IREE {given.ravel().tolist()}")
    seen.append(given.ravel().tolist() == want and right.ravel().tolist() != want)
random = np.random.RandomState(0)
x, w, v = (random.randn(*shape).astype(np.float32) / 2 for shape in ((1, 3, 18, 18), (8, 3, 3, 3), (4, 8, 1, 1)))
network = "p = Conv(x, w) q = Relu(p) r = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(q) y = Conv(r, v)"
save("float.onnx", f"(float[1, 3, 18, 18] x) => (float[1, 4, 8, 8] y) {{ {network} }}", w=w, v=v)
for form, kind in (("QDQ", "QUInt8"), ("QDQ", "QInt8"), ("QOperator", "QInt8"), ("QOperator", "QUInt8")):
    kinds = dict(quant_format=QuantFormat[form], activation_type=QuantType[kind], weight_type=QuantType.QInt8)
    quantize_static("float.onnx", "int8.onnx", Once([{"x": x}]), **kinds)
    right, given = both("int8.onnx", x)
    print(f"{form}, {kind[1:].lower()}: {(off := 100 * np.abs(given - right).max() / np.ptp(right)):.1f} % of the range off")
    seen.append(off > 25 if (form, kind) == ("QOperator", "QUInt8") else off < 1)
raise SystemExit(0 if all(seen) else f"another behaviour: {seen}")
P
venv/bin/python unsigned.py

#!/usr/bin/env python3
"""Models that other tools quantize, run here and in ONNX Runtime: the table of docs/onnx.md.

    bench/quantized/run                                   # makes the models, compares, prints the table
    bench/quantized/run --write docs/onnx.md              # replaces it in the document
    bench/quantized/run --only NNCF ModelOpt --work q     # some of the tools; the models stay in that folder
    bench/quantized/run --model d0.onnx --only ORT        # also quantizes a float model of your own

Differences are in steps: the scale of the last DequantizeLinear before an output; where a Conv follows it, what a step in
each of the codes that it reads can move; of other float outputs 1/255 of their range in ONNX Runtime. The script ends with an error where a model fails here that ONNX Runtime runs,
where an output is more than a step away from ONNX Runtime's, or where `onnxsim` fails or changes an output by more.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import networks
import numpy as np
import onnx
import onnxruntime
import quantizers
from onnx import numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAYS = ["itself", "reference", "compiled", "onnxsim"]
BEGIN, END = "<!-- quantized_table begin -->", "<!-- quantized_table end -->"
onnxruntime.set_default_logger_severity(4)


class Failed(Exception):
    """A program's last line."""


def program(binaries, *arguments):
    result = subprocess.run([str(binaries / "effdet"), *map(str, arguments)], capture_output=True, text=True, check=False)
    if result.returncode:
        raise Failed((result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1])
    return result.stdout


def run_here(binaries, path, image, engine):
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/image.npy", image)
        program(binaries, "run", path, "--engine", engine, "--input", f"{folder}/image.npy", "--out", f"{folder}/out", "--quiet")
        return {file.stem: np.load(file) for file in pathlib.Path(folder, "out").glob("*.npy")}


def run_onnx_runtime(path, image, optimized=True):
    try:
        return onnx_runtime_session(path, image, optimized)
    except Exception as error:  # its exceptions have no common base
        raise Failed(str(error).splitlines()[-1]) from None


def onnx_runtime_session(path, image, optimized):
    options = onnxruntime.SessionOptions()
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: image})))


class Quantized:
    """What a quantized graph says of its values."""

    def __init__(self, graph):
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.makers = {name: node for node in graph.node for name in node.output}

    def scale(self, name):
        """Of the codes that the value stands for, the largest where parts have their own; None of others."""
        node = self.makers.get(name)
        if node is not None and node.op_type in ("Concat", "MaxPool", "Resize"):
            scales = [self.scale(part) for part in (node.input if node.op_type == "Concat" else node.input[:1])]
            return None if any(scale is None for scale in scales) else np.max(scales)
        return self.constants.get(node.input[1]) if node is not None and node.op_type == "DequantizeLinear" else None

    def weights(self, name):
        """Constants, whichever way they are stored."""
        node, scale = self.makers.get(name), self.scale(name)
        if node is not None and node.op_type in ("QuantizeLinear", "Identity"):
            return self.weights(node.input[0])
        if scale is None:
            return self.constants.get(name)
        if node.input[0] not in self.constants:
            return self.weights(node.input[0])
        codes = self.constants[node.input[0]].astype("f8")
        if len(node.input) > 2:
            zero = self.constants[node.input[2]].astype("f8")
            codes = codes - zero.reshape(zero.shape + (1,) * (codes.ndim - 1) if zero.size > 1 else ())
        return codes * scale.reshape(scale.shape + (1,) * (codes.ndim - 1) if scale.size > 1 else ())

    def step(self, name, array):
        node, scale = self.makers.get(name), self.scale(name)
        if scale is not None:
            return float(np.max(scale))
        if node is not None and node.op_type == "Conv" and self.scale(node.input[0]) is not None:
            weights = self.weights(node.input[1])
            if weights is not None:
                return float(self.scale(node.input[0])) * float(np.abs(weights).reshape(len(weights), -1).sum(1).max())
        return float(np.ptp(array)) / 255


def steps_of(path, outputs):
    """One step of each output."""
    graph = Quantized(onnx.load(path).graph)
    return {name: graph.step(name, array) for name, array in outputs.items()}


def most_steps(ours, theirs, steps):
    if set(ours) != set(theirs):
        raise Failed(f"outputs {sorted(ours)} instead of {sorted(theirs)}")
    worst = 0.0
    for name, array in theirs.items():
        if ours[name].shape != array.shape or ours[name].dtype != array.dtype:
            raise Failed(f"output {name} has another shape or type")
        if array.size:
            worst = max(worst, float(np.abs(ours[name].astype("f8") - array).max()) / max(steps[name], 1e-12))
    return worst


def compare(binaries, path):
    """What is printed of one model: a dictionary of numbers and of reasons for failure."""
    tensor = onnx.load(path).graph.input[0]
    side = tensor.type.tensor_type.shape.dim[-1].dim_value
    row = {}
    simple = path.with_suffix(".simple.onnx")
    for image in networks.images(2, 100, side):
        theirs = run_onnx_runtime(path, image)
        steps = steps_of(path, theirs)
        ways = {"itself": lambda: run_onnx_runtime(path, image, optimized=False),
                "reference": lambda: run_here(binaries, path, image, "reference"),
                "compiled": lambda: run_here(binaries, path, image, "native")}
        if "onnxsim" not in row:
            row["onnxsim"] = simplified(binaries, path, simple)
        if simple.exists():
            ways["onnxsim"] = lambda: run_onnx_runtime(simple, image)
        for way, call in ways.items():
            if isinstance(row.get(way), str):
                continue
            try:
                row[way] = max(row.get(way, 0.0), most_steps(call(), theirs, steps))
            except Failed as failure:
                row[way] = str(failure)
    return row


def simplified(binaries, path, target):
    """0 where `onnxsim` wrote the target, else its last line."""
    target.unlink(missing_ok=True)
    command = [str(binaries / "onnxsim"), str(path), str(target)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stderr.strip().splitlines()[-1] if result.returncode else 0.0


def wrong_ways(row):
    """What fails, or is further from ONNX Runtime's result than a step and than ONNX Runtime's other result. Steps of 16
    bits are hardly larger than float32's rounding errors: there it is two steps."""
    other = row["itself"] if isinstance(row["itself"], float) else 0
    most = max(2 if row["wide"] else 1, other) * 1.01
    return [way for way in WAYS if isinstance(row[way], str) or row[way] > most]


def cell(rows, way):
    failures = sum(isinstance(row[way], str) for row in rows)
    numbers = [row[way] for row in rows if not isinstance(row[way], str)]
    text = f"{max(numbers):.2g}" if numbers else ""
    return (text + f" ({failures} fail)") if failures else text


def table(results):
    lines = ["| quantized by | opsets | models | " + " | ".join(WAYS) + " |", "|---|---|--:|" + "--:|" * len(WAYS)]
    for name, rows in results.items():
        opsets = ", ".join(str(opset) for opset in sorted({row["opset"] for row in rows}))
        lines.append(f"| {name} | {opsets} | {len(rows)} | " + " | ".join(cell(rows, way) for way in WAYS) + " |")
    return "\n".join(lines)


def models(work, options):
    """Name of the case, opset, float model (made where it is one of ours) and the path of the quantized one."""
    for name, (_, _, opsets, names) in quantizers.CASES.items():
        if not any(name.startswith(only) for only in options.only):
            continue
        for opset in opsets:
            for network in names or networks.NETWORKS:
                source = work / f"float_{network}_{opset}.onnx"
                if network in networks.NETWORKS and not source.exists():
                    onnx.save(networks.NETWORKS[network](opset), source)
                yield name, opset, source, work / f"{name.replace(' ', '_')}__{network}_{opset}.onnx"
            for source in [] if names else options.model:
                if onnx.load(source).opset_import[0].version == opset:
                    yield name, opset, source, work / f"{name.replace(' ', '_')}__{source.stem}_{opset}.onnx"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[""], help="beginnings of names of cases")
    parser.add_argument("--model", nargs="*", default=[], type=pathlib.Path, help="further float models")
    parser.add_argument("--work", type=pathlib.Path, help="keeps the models there, and takes those that are there")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--write", type=pathlib.Path, help="the document whose table is replaced")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        results, wrong = {}, False
        for name, opset, source, target in models(work, options):
            what = f"{name}, {target.stem}"
            try:
                if not target.exists():
                    quantizers.make(name, source, target)
                row = compare(options.bin, target)
            except (RuntimeError, Failed) as error:
                print(f"{what}: left out: {error}", file=sys.stderr)
                continue
            row.update(opset=opset, wide="int16" in name)
            results.setdefault(name, []).append(row)
            for way in wrong_ways(row):
                wrong = True
                print(f"{what}: {way}: {row[way]}", file=sys.stderr)
    text = table(results)
    print(text)
    if options.write:
        document = options.write.read_text()
        options.write.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{text}\n{END}", document, flags=re.S))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

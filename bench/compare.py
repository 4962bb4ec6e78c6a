#!/usr/bin/env python3
"""effdet against its peers, interleaved in one run: each figure is a median, each claim a ratio.

Run it through bench/compare, which installs the peers. Every model gets a random checkpoint (effdet init), which PyTorch
loads too. ONNX Runtime runs PyTorch's own export after onnxsim where --pytorch is given, else our export after onnxsim.
"""
import argparse
import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--models", nargs="+", default=["tf_efficientdet_d0", "tf_efficientdet_d7"])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seconds", type=float, default=20, help="measuring time for each model and side")
parser.add_argument("--pytorch", action="store_true", help="export with PyTorch instead of with effdet")
parser.add_argument("--json", metavar="FILE", help="write the figures here too")
args = parser.parse_args()


# Starts a command from a small process: the peak memory of a process begins with that of its parent.
LAUNCHER = """
import json, os, sys, time
start = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(json.dumps([status, time.perf_counter() - start, usage.ru_maxrss * 1024]), file=sys.stderr)
"""


def run(*command, **environment):
    """A command of ours; returns its standard output, seconds and peak resident memory in bytes."""
    process = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, *map(str, command)], capture_output=True, text=True,
                             env={**os.environ, "EFFDET_NUM_THREADS": str(args.threads), **environment})
    *errors, last = process.stderr.strip().splitlines()
    status, seconds, memory = json.loads(last)
    if status:
        sys.exit(f"{command[0]} failed: {(errors or process.stdout.splitlines())[-1:]}")
    return process.stdout, seconds, memory


def work(task, *arguments):
    """Runs a function of this file in a process of its own, which gives its memory back and can be measured."""
    code = f"import sys; sys.argv = ['compare.py']; sys.path.insert(0, {str(ROOT / 'bench')!r}); import compare; "
    return run(sys.executable, "-W", "ignore", "-c", code + f"compare.{task.__name__}(*{arguments!r})")


def pytorch_export(model, checkpoint, path):
    import effdet
    import torch

    config = effdet.get_efficientdet_config(model)
    net = effdet.EfficientDet(config, pretrained_backbone=False)
    net.load_state_dict(torch.load(checkpoint, weights_only=True))
    dummy = torch.zeros(1, 3, *config.image_size)
    with torch.no_grad():  # or D7 takes more than 20 GB
        torch.onnx.export(net.eval(), dummy, path, opset_version=11, dynamo=False, input_names=["x.1"])


def simplify(source, target):
    import onnx
    import onnxsim

    model, ok = onnxsim.simplify(onnx.load(source))
    assert ok
    onnx.save(model, target)
    print(",".join(str(d.dim_value) for d in model.graph.input[0].type.tensor_type.shape.dim))


def onnx_runtime(path, threads, seconds):
    """Prints milliseconds as JSON."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    info = session.get_inputs()[0]
    x = np.random.default_rng(0).standard_normal(info.shape, dtype=np.float32)
    session.run(None, {info.name: x})
    times, end = [], time.perf_counter() + seconds
    while len(times) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, {info.name: x})
        times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps(times))


def network(model, folder):
    """Inference of one model: milliseconds and peak memory of both sides, in alternating slices."""
    checkpoint, own, peer = f"{folder}/{model}.pth", f"{folder}/own.onnx", f"{folder}/peer.onnx"
    run(BIN / "effdet", "init", model, "--out", checkpoint)
    _, export_seconds, export_memory = run(BIN / "pth2onnx", f"--checkpoint={checkpoint}", f"--model={model}", f"--out={own}")
    if args.pytorch:
        work(pytorch_export, model, checkpoint, f"{folder}/torch.onnx")
    shape = work(simplify, f"{folder}/torch.onnx" if args.pytorch else own, peer)[0].splitlines()[-1]
    run(BIN / "onnxsim", own, f"{folder}/own_sim.onnx")
    run(BIN / "atc", "--framework=5", f"--model={folder}/own_sim.onnx", f"--output={folder}/own", "--input_format=NCHW",
        f"--input_shape=x.1:{shape}", "--soc_version=native", "--log=error")
    ours, peers, memory, peer_memory = [], [], 0, 0
    rounds, slices = 3, 4
    for _ in range(slices):
        out, _, used = work(onnx_runtime, peer, args.threads, args.seconds / slices)
        peers += json.loads(out.splitlines()[-1])
        peer_memory = max(peer_memory, used)
        out, _, used = run(BIN / "benchmark.x86_64", f"-round={rounds}", "-batch_size=1", f"-om_path={folder}/own.om")
        times = [float(t) for t in re.findall(r"finished cost ([\d.]+)ms", out)]
        ours += times
        memory = max(memory, used)
        rounds = max(3, min(1024, int(1e3 * args.seconds / slices / statistics.median(times))))
    return {"model": model, "ort_ms": statistics.median(peers), "effdet_ms": statistics.median(ours),
            "ort_best_ms": min(peers), "effdet_best_ms": min(ours), "ort_rss": peer_memory, "effdet_rss": memory,
            "export_seconds": export_seconds, "export_rss": export_memory}


def pillow_preprocess(root, size, folder):
    """What the original preprocess.py does, with Pillow and NumPy."""
    mean = np.array([255 * m for m in (0.485, 0.456, 0.406)], np.float32)
    std = np.array([255 * s for s in (0.229, 0.224, 0.225)], np.float32)
    for path in sorted((root / "val2017").iterdir()):
        image = Image.open(path).convert("RGB")
        scale = min(size / image.height, size / image.width)
        canvas = Image.new("RGB", (size, size), (124, 116, 104))
        canvas.paste(image.resize((int(image.width * scale), int(image.height * scale)), Image.BILINEAR))
        ((np.asarray(canvas, np.float32) - mean) / std).transpose(2, 0, 1).tofile(folder / f"{path.stem}.bin")


def preprocessing(root, folder):
    """One thread, files included, in alternating runs."""
    images = len(list((root / "val2017").iterdir()))
    (folder / "pillow").mkdir()
    ours, peers = [], []
    for _ in range(5):
        start = time.perf_counter()
        pillow_preprocess(root, 512, folder / "pillow")
        peers.append(1e3 * (time.perf_counter() - start) / images)
        _, seconds, _ = run(BIN / "preprocess", f"--root={root}", f"--bin-save={folder}/bins", "--model=tf_efficientdet_d0",
                            "--img-size", 512, EFFDET_NUM_THREADS="1")
        ours.append(1e3 * seconds / images)
    return {"pillow_ms": statistics.median(peers), "effdet_ms": statistics.median(ours)}


def validation(root, folder):
    """The share of validate's time that the network does not take."""
    overheads = []
    for _ in range(3):
        out, _, _ = run(BIN / "validate", root, f"--checkpoint={folder}/tf_efficientdet_d0.pth", "--model=tf_efficientdet_d0",
                        "--json")
        report = json.loads(out)
        overheads.append(report["seconds"] / report["inference_seconds"])
    return statistics.median(overheads)


def main():
    figures = {"threads": args.threads, "networks": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = "PyTorch's export" if args.pytorch else "our export"
        print(f"Inference, batch 1, {args.threads} threads; ONNX Runtime {importlib.metadata.version('onnxruntime')} on {source} after onnxsim")
        print(f"{'model':28}{'ORT ms':>10}{'effdet ms':>11}{'ratio':>8}{'ratio of bests':>16}{'ORT MB':>9}{'effdet MB':>11}{'export s':>10}")
        for model in args.models:
            r = network(model, folder)
            figures["networks"].append(r)
            print(f"{model:28}{r['ort_ms']:10.1f}{r['effdet_ms']:11.1f}{r['ort_ms'] / r['effdet_ms']:8.2f}"
                  f"{r['ort_best_ms'] / r['effdet_best_ms']:16.2f}{r['ort_rss'] / 1e6:9.0f}{r['effdet_rss'] / 1e6:11.0f}"
                  f"{r['export_seconds']:10.2f}", flush=True)
        scenes = folder / "scenes"
        run(BIN / "effdet", "scenes", "--out", scenes, "--images", 60, "--min-side", 420, "--max-side", 640)
        figures["preprocessing"] = preprocessing(scenes, folder)
        p = figures["preprocessing"]
        print(f"Preprocessing to 512 px, 1 thread: Pillow {p['pillow_ms']:.2f} ms, effdet {p['effdet_ms']:.2f} ms an image, "
              f"ratio {p['pillow_ms'] / p['effdet_ms']:.2f}")
        if (folder / "tf_efficientdet_d0.pth").exists():
            figures["validate_over_inference"] = validation(scenes, folder)
            print(f"validate, D0: {figures['validate_over_inference']:.3f} x its inference time")
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""effdet against its peers, interleaved in one run: each time is a median, each claim the median of the slices' ratios.

Run it through bench/compare, which installs the peers. Every model gets a random checkpoint (effdet init), which PyTorch
loads too. ONNX Runtime and OpenVINO run PyTorch's own export after onnxsim where --pytorch is given, else our export after
onnxsim; in 8 bits what ONNX Runtime's quantizer makes of our export (QDQ, uint8 maps, scales by channel). --write replaces
the page of this processor's instructions, docs/performance-SIMD.md, by what was measured.
"""
import argparse
import importlib.metadata
import json
import re
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
from PIL import Image

import measure

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--models", nargs="+", default=["tf_efficientdet_d0", "tf_efficientdet_d7"])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seconds", type=float, default=20, help="measuring time for each model and side")
parser.add_argument("--slices", type=int, default=6, help="turns that the sides take in that time")
parser.add_argument("--pytorch", action="store_true", help="export with PyTorch instead of with effdet")
parser.add_argument("--json", metavar="FILE", help="write the figures here too")
parser.add_argument("--write", action="store_true", help="write docs/performance-SIMD.md")
args = parser.parse_args()


def run(*command, **environment):
    """A command of ours; returns its standard output, seconds and peak resident memory in bytes."""
    return measure.run(*command, **{"EFFDET_NUM_THREADS": str(args.threads), **environment})


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


def quantize_peer(source, target):
    """The peers' 8-bit model. Its ranges are of noise: they do not change how long it takes."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Noise(CalibrationDataReader):
        def __init__(self):
            import onnx

            info = onnx.load(source).graph.input[0]
            shape = [d.dim_value for d in info.type.tensor_type.shape.dim]
            random = np.random.default_rng(0)
            self.inputs = iter([{info.name: random.standard_normal(shape, dtype=np.float32)} for _ in range(2)])

        def get_next(self):
            return next(self.inputs, None)

    quantize_static(source, target, Noise(), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)


def repeat(infer, shape, seconds):
    """Prints the milliseconds of runs on one input as JSON; the first run is not counted."""
    x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    infer(x)
    times, end = [], time.perf_counter() + seconds
    while len(times) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        infer(x)
        times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps(times))


def onnx_runtime(path, threads, seconds):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    info = session.get_inputs()[0]
    repeat(lambda x: session.run(None, {info.name: x}), info.shape, seconds)


def openvino(path, threads, seconds, precision="f32"):
    import openvino

    model = openvino.Core().compile_model(path, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"})
    request = model.create_infer_request()
    repeat(lambda x: request.infer([x], share_inputs=True), tuple(model.input(0).shape), seconds)


def openvino_bf16(path, threads, seconds):
    openvino(path, threads, seconds, "bf16")


# How each peer infers, and its file.
PEERS = {"ONNX Runtime": (onnx_runtime, "peer"), "OpenVINO": (openvino, "peer"), "OpenVINO bf16": (openvino_bf16, "peer"),
         "ONNX Runtime int8": (onnx_runtime, "peer_int8"), "OpenVINO int8": (openvino, "peer_int8")}
PACKAGES = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}
# Our sides: atc's --precision_mode or int8, and the peers that each is compared with. ONNX Runtime has no bfloat16 on CPUs.
OWN = {"effdet": ("force_fp32", ("ONNX Runtime", "OpenVINO")),
       "effdet bf16": ("force_fp16", ("ONNX Runtime", "OpenVINO bf16")),
       "effdet int8": ("int8", ("ONNX Runtime int8", "OpenVINO int8"))}
PRECISIONS = {"effdet": "fp32", "effdet bf16": "bf16", "effdet int8": "int8"}


def own(path, rounds, batch=1, **environment):
    """Milliseconds of each round, and the peak memory."""
    out, _, memory = run(BIN / "benchmark.x86_64", f"-round={rounds}", f"-batch_size={batch}", f"-om_path={path}",
                         f"-result={Path(path).parent}/result", **environment)
    return [float(t) for t in re.findall(r"finished cost ([\d.]+)ms", out)], memory


def compile_model(folder, name, shape, mode):
    source, mode = ("own_int8", "force_fp32") if mode == "int8" else ("own_sim", mode)
    run(BIN / "atc", "--framework=5", f"--model={folder}/{source}.onnx", f"--output={folder}/{name}", "--input_format=NCHW",
        f"--input_shape=x.1:{shape}", "--soc_version=native", f"--precision_mode={mode}", "--log=error")


def scaling(folder, shape, ms):
    """Our float32 side against itself, in turn: a process from its start to its end with one inference, one thread, and
    a batch of 8 where that takes no more than a few seconds."""
    path = f"{folder}/force_fp32.om"
    rounds = max(2, min(20, int(1000 / ms)))
    batch = 8 if ms < 300 else None
    if batch:
        compile_model(folder, "batch", ",".join([str(batch), *shape.split(",")[1:]]), "force_fp32")
    cold, speed_up, batched, memory = [], [], [], None
    for _ in range(5 if ms < 1000 else 2):
        warm = statistics.median(own(path, rounds)[0])
        _, seconds, _ = run(BIN / "benchmark.x86_64", "-round=1", "-warmup=0", "-batch_size=1", f"-om_path={path}",
                            f"-result={folder}/result")
        cold.append(1e3 * seconds / warm)
        speed_up.append(statistics.median(own(path, rounds, EFFDET_NUM_THREADS="1")[0]) / warm)
        if batch:
            times, memory = own(f"{folder}/batch.om", max(2, rounds // batch), batch)
            batched.append(batch * warm / statistics.median(times))
    return {"cold": statistics.median(cold), "speed_up": statistics.median(speed_up), "batch_rss": memory,
            "batched": statistics.median(batched) if batch else None}


def network(model, folder):
    """Inference of one model: milliseconds and peak memory of all sides, in alternating slices."""
    checkpoint, exported = f"{folder}/{model}.pth", f"{folder}/own.onnx"
    run(BIN / "effdet", "init", model, "--out", checkpoint)
    _, export_seconds, export_memory = run(BIN / "pth2onnx", f"--checkpoint={checkpoint}", f"--model={model}",
                                           f"--out={exported}")
    if args.pytorch:
        work(pytorch_export, model, checkpoint, f"{folder}/torch.onnx")
    shape = work(simplify, f"{folder}/torch.onnx" if args.pytorch else exported,
                 f"{folder}/peer.onnx")[0].splitlines()[-1]
    run(BIN / "onnxsim", exported, f"{folder}/own_sim.onnx")
    run(BIN / "effdet", "scenes", "--out", f"{folder}/calibration", "--images", 8)
    run(BIN / "effdet", "quantize", exported, "--calibration", f"{folder}/calibration", "--out", f"{folder}/own_int8.onnx")
    run(BIN / "pth2onnx", f"--checkpoint={checkpoint}", f"--model={model}", "--opset=13", f"--out={folder}/opset13.onnx")
    run(BIN / "onnxsim", f"{folder}/opset13.onnx", f"{folder}/opset13_sim.onnx")
    work(quantize_peer, f"{folder}/opset13_sim.onnx", f"{folder}/peer_int8.onnx")
    for mode, _ in OWN.values():
        compile_model(folder, mode, shape, mode)
    times = {name: [] for name in (*OWN, *PEERS)}  # by slice
    memory = dict.fromkeys(times, 0)
    rounds, slices = dict.fromkeys(OWN, 3), args.slices
    for _ in range(slices):
        for name, (infer, file) in PEERS.items():
            out, _, used = work(infer, f"{folder}/{file}.onnx", args.threads, args.seconds / slices)
            times[name].append(json.loads(out.splitlines()[-1]))
            memory[name] = max(memory[name], used)
        for name, (mode, _) in OWN.items():
            costs, used = own(f"{folder}/{mode}.om", rounds[name])
            times[name].append(costs)
            memory[name] = max(memory[name], used)
            rounds[name] = max(3, min(1024, int(1e3 * args.seconds / slices / statistics.median(costs))))
    medians = {name: [statistics.median(t) for t in of_slices] for name, of_slices in times.items()}
    # By slices, not of all medians: a shared machine changes its speed every few minutes.
    ratios = {own_name: {name: statistics.median(p / o for p, o in zip(medians[name], medians[own_name]))
                         for name in ("effdet", "effdet bf16", *peers)} for own_name, (_, peers) in OWN.items()}
    return {"model": model, "size": shape, "export_seconds": export_seconds, "export_rss": export_memory,
            "scaling": scaling(folder, shape, statistics.median(medians["effdet"])),
            "ms": {name: statistics.median(sum(t, [])) for name, t in times.items()},
            "best_ms": {name: min(sum(t, [])) for name, t in times.items()}, "ratio": ratios, "rss": memory}


def rows(r):
    """A network's rows, one for each of our sides: time and memory, and how much faster effdet is (by best runs)."""
    for own_name, (_, peers) in OWN.items():
        row = [r["model"], r["size"].split(",")[-1], PRECISIONS[own_name], f"{r['ms'][own_name]:.1f}",
               *[f"{r['ratio'][own_name][name]:.2f}" for name in ("effdet", "effdet bf16")]]
        for name in peers:
            row += [f"{r['ms'][name]:.1f}",
                    f"{r['ratio'][own_name][name]:.2f} ({r['best_ms'][name] / r['best_ms'][own_name]:.2f})"]
        yield row + [f"{r['rss'][name] / 1e6:.0f}" for name in (own_name, *peers)] + [f"{r['export_seconds']:.2f}"]


HEADINGS = ["model", "px", "precision", "effdet ms", "our fp32, ratio", "our bf16, ratio", "ONNX Runtime ms (never bf16)",
            "ratio (of bests)", "OpenVINO ms", "ratio (of bests)", "effdet MB", "ONNX Runtime MB", "OpenVINO MB", "export s"]


SCALING_HEADINGS = ["model", "start to first result / one inference", f"{args.threads} threads / 1",
                    "images a second, batch 8 / 1", "MB, batch 8"]


def scaling_row(r):
    s = r["scaling"]
    batch = [f"{s['batched']:.2f}", f"{s['batch_rss'] / 1e6:.0f}"] if s["batched"] else ["", ""]
    return [r["model"], f"{s['cold']:.2f}", f"{s['speed_up']:.2f}", *batch]


def table(headings, lines):
    return ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)] + ["| " + " | ".join(row) + " |" for row in lines]


def source():
    return "PyTorch's own export" if args.pytorch else "our export"


def report(figures):
    """docs/performance-SIMD.md, which docs/performance.md explains."""
    flags = ["--pytorch"] * args.pytorch + ["--write", f"--seconds {args.seconds:g}", f"--slices {args.slices}", "--models",
                                            *args.models]
    command = " \\\n".join(textwrap.wrap(" ".join(["bench/compare", *flags]), 110, subsequent_indent="    "))
    versions = ", ".join(f"{name} {importlib.metadata.version(package)}" for name, package in PACKAGES.items())
    p = figures["preprocessing"]
    lines = [f"# Performance: {measure.simd().upper()}", "", "```", command, "```", "",
             "wrote this page; [performance.md](performance.md) tells how to read it.", "",
             f"- Machine: {measure.machine()}; {figures['threads']} threads, batch 1.",
             f"- Peers: {versions}, on {source()} after onnxsim.", "",
             *table(HEADINGS, [row for r in figures["networks"] for row in rows(r)]), "",
             "effdet in float32 against itself (a process from its start to its end; threads; a batch):", "",
             *table(SCALING_HEADINGS, [scaling_row(r) for r in figures["networks"]])]
    lines += ["", f"Preprocessing to 512 px with 1 thread, files included: {p['effdet_ms']:.2f} ms an image, Pillow "
              f"{p['pillow_ms']:.2f} ms, ratio {p['pillow_ms'] / p['effdet_ms']:.2f}."]
    if "validate_over_inference" in figures:
        lines += ["", f"`validate` with D0 takes {figures['validate_over_inference']:.3f} of the time of its inference alone."]
    (ROOT / f"docs/performance-{measure.simd()}.md").write_text("\n".join(lines) + "\n")


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
        print("  ".join(HEADINGS))
        for model in args.models:
            figures["networks"].append(network(model, folder))
            for row in rows(figures["networks"][-1]):
                print("  ".join(row), flush=True)
            print("  ".join(f"{h}: {v}" for h, v in zip(SCALING_HEADINGS[1:], scaling_row(figures["networks"][-1])[1:])), flush=True)
        scenes = folder / "scenes"
        run(BIN / "effdet", "scenes", "--out", scenes, "--images", 60, "--min-side", 420, "--max-side", 640)
        figures["preprocessing"] = preprocessing(scenes, folder)
        p = figures["preprocessing"]
        print(f"Preprocessing to 512 px, 1 thread: Pillow {p['pillow_ms']:.2f} ms, effdet {p['effdet_ms']:.2f} ms an image, "
              f"ratio {p['pillow_ms'] / p['effdet_ms']:.2f}")
        if (folder / "tf_efficientdet_d0.pth").exists():
            figures["validate_over_inference"] = validation(scenes, folder)
            print(f"validate, D0: {figures['validate_over_inference']:.3f} x its inference time")
    if args.write:
        report(figures)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

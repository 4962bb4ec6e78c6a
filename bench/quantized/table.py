#!/usr/bin/env python3
"""EfficientDet in float32, bfloat16 and 8 bits, here and in other programs: the tables of docs/int8.md.

    bench/quantized/table --checkpoint d0.pth --size 256 --data coco_data     # mAP of a trained network
    bench/quantized/table --models d0 d7 --seconds 20 --rounds 5              # errors of random ones
    bench/quantized/table ... --write docs/int8.md                            # replaces the tables in the document

Run it through bench/quantized/table, which installs the other programs. A trained network is calibrated on every other image
of the data set and measured on the rest, and the other way round; `postprocess` evaluates what each program's outputs give.
Random networks (effdet init) are calibrated on drawn scenes; what is compared are their outputs on other scenes: mean square
of the difference from effdet's float32 outputs, relative to their variance, mean over the outputs. Times are medians of
processes that take turns.
"""
import argparse
import json
import pathlib
import re
import shutil
import statistics
import sys
import tempfile

import numpy as np

import peers  # puts bench/ on the path
import measure
from measure import markdown_table, replace_table

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/release/bin"
# Name: engine, and its file. Ours run .om files; the last two run the file that effdet quantized.
SIDES = {
    "effdet float32": ("effdet", "float32.om"),
    "effdet bfloat16": ("effdet", "bfloat16.om"),
    "effdet int8": ("effdet", "int8.om"),
    "ONNX Runtime float32": ("onnx_runtime", "float32.onnx"),
    "ONNX Runtime QDQ, uint8 maps": ("onnx_runtime", "uint8.onnx"),
    "ONNX Runtime QDQ, defaults": ("onnx_runtime", "defaults.onnx"),
    "NNCF in OpenVINO": ("openvino", "nncf.xml"),
    "effdet's file in ONNX Runtime": ("onnx_runtime", "int8.onnx"),
    "effdet's file in OpenVINO": ("openvino", "int8.onnx"),
}
ALWAYS = ("effdet float32", "effdet bfloat16", "effdet int8", "ONNX Runtime float32")  # where others are left out for their time
QUANTITIES = ("error", "ms", "file MB", "peak MB")


def run(*command, threads):
    return measure.run(*command, EFFDET_NUM_THREADS=str(threads))


class Network:
    """A network's files in a folder, quantized with the samples of a folder."""

    def __init__(self, folder, variant, checkpoint, size, options):
        self.folder, self.variant, self.size, self.options = folder, variant, size, options
        self.run = lambda *command: run(*command, threads=options.threads)
        self.flags = [f"--model={variant}", *([f"--img-size={size}"] if size else [])]
        self.checkpoint, self.names = checkpoint, tuple(SIDES)
        folder.mkdir(parents=True)

    def preprocess(self, root, name):
        """Samples of a data set's images."""
        self.run(BIN / "preprocess", f"--root={root}", f"--bin-save={self.folder / name}", *self.flags)
        return self.folder / name

    def make(self, images, samples, peers_too):
        """All models. images: of the calibration; samples: the same after preprocessing."""
        file = lambda name: self.folder / name
        self.run(BIN / "pth2onnx", f"--checkpoint={self.checkpoint}", *self.flags, "--opset=13", f"--out={file('export.onnx')}")
        self.run(BIN / "onnxsim", file("export.onnx"), file("float32.onnx"))
        self.run(BIN / "effdet", "quantize", self.checkpoint, *self.flags, "--calibration", images, "--out", file("int8.onnx"))
        for name, source, mode in (("float32", "float32", "force_fp32"), ("bfloat16", "float32", "force_fp16"),
                                   ("int8", "int8", "force_fp32")):
            self.run(BIN / "atc", "--framework=5", f"--model={file(source)}.onnx", f"--output={file(name)}",
                     "--soc_version=native", f"--precision_mode={mode}", "--log=error")
        if not peers_too:
            self.names = ALWAYS
        else:
            peers.call(peers.quantize_onnx_runtime, file("float32.onnx"), file("uint8.onnx"), samples, "QUInt8")
            peers.call(peers.quantize_onnx_runtime, file("float32.onnx"), file("defaults.onnx"), samples, "QInt8")
            peers.call(peers.quantize_nncf, file("float32.onnx"), file("nncf.xml"), samples)

    def dump(self, name, samples):
        """The folder of a side's outputs for the samples."""
        engine, file = SIDES[name]
        target = self.folder / "dump" / file.replace(".", "_") / engine
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if engine != "effdet":
            peers.call(peers.dump, engine, self.folder / file, self.options.threads, samples, target)
            return target
        side = self.size or round((next(samples.glob("*.bin")).stat().st_size / 12) ** 0.5)
        self.run(BIN / "get_info", "bin", samples, self.folder / "samples.info", side, side)
        self.run(BIN / "benchmark.x86_64", "-batch_size=1", f"-om_path={self.folder / file}", "-output_binary=true",
                 f"-input_text_path={self.folder / 'samples.info'}", f"-result={target}")
        return target / "dumpOutput_device0"

    def file_bytes(self, name):
        path = self.folder / SIDES[name][1]
        weights = path.with_suffix(".bin") if path.suffix == ".xml" else None
        return path.stat().st_size + (weights.stat().st_size if weights else 0)

    def times(self, samples):
        """Median milliseconds and peak memory of each side."""
        options, costs, memory = self.options, {}, {}
        rounds = dict.fromkeys(SIDES, 3)
        measure.prefix[:] = ["chrt", "-f", "1"] if options.alone else []
        for _ in range(options.rounds):
            for name in self.names:
                engine, file = SIDES[name]
                seconds = options.seconds / options.rounds
                if engine == "effdet":
                    out, _, used = self.run(BIN / "benchmark.x86_64", f"-round={rounds[name]}", "-batch_size=1",
                                            f"-om_path={self.folder / file}", f"-result={self.folder / 'result'}")
                    times = [float(t) for t in re.findall(r"finished cost ([\d.]+)ms", out)]
                    rounds[name] = max(3, min(1024, int(1e3 * seconds / statistics.median(times))))
                else:
                    lines, used = peers.call(peers.repeat, engine, self.folder / file, options.threads, samples, seconds)
                    times = json.loads(lines[-1])
                costs.setdefault(name, []).append(statistics.median(times))
                memory[name] = max(memory.get(name, 0), used)
        measure.prefix.clear()
        return {name: statistics.median(of_rounds) for name, of_rounds in costs.items()}, memory


def outputs_in(folder):
    """By number of output: those of all samples, one after the other."""
    by_output = {}
    for path in sorted(folder.glob("*_*.bin")):
        by_output.setdefault(int(path.stem.rsplit("_", 1)[1]), []).append(np.fromfile(path, np.float32))
    return {k: np.concatenate(arrays) for k, arrays in by_output.items()}


def error(reference, folder):
    """Mean square of the difference, relative to the variance, mean over the outputs."""
    ours, theirs = outputs_in(reference), outputs_in(folder)
    if sorted(ours) != sorted(theirs):
        sys.exit(f"{folder}: outputs {sorted(theirs)} instead of {sorted(ours)}")
    return statistics.mean(float(np.square(theirs[k] - array).mean() / array.var()) for k, array in ours.items())


def error_text(value):
    return f"{value:.1e}" if value else "0"


def halves(root, folder):
    """Two data sets, each of every other image of one."""
    annotations = json.loads((root / "annotations/instances_val2017.json").read_text())
    images = sorted(annotations["images"], key=lambda image: image["file_name"])
    for part in range(2):
        chosen = images[part::2]
        ids = {image["id"] for image in chosen}
        half = folder / f"half{part}"
        (half / "val2017").mkdir(parents=True)
        (half / "annotations").mkdir()
        for image in chosen:
            (half / "val2017" / image["file_name"]).symlink_to((root / "val2017" / image["file_name"]).resolve())
        text = json.dumps({**annotations, "images": chosen,
                           "annotations": [a for a in annotations["annotations"] if a["image_id"] in ids]})
        (half / "annotations/instances_val2017.json").write_text(text)
        yield half


def trained(folder, options):
    """mAP of each side, calibrated and measured both ways: a row for each side."""
    sets = list(halves(options.data, folder))
    scores, distances = [], []
    for calibration, validation in (sets, sets[::-1]):
        network = Network(folder / calibration.name / "network", options.variant, options.checkpoint, options.size, options)
        network.make(calibration / "val2017", network.preprocess(calibration, "calibration"), peers_too=True)
        samples = network.preprocess(validation, "validation")
        scores.append({})
        distances.append({})
        for name in network.names:
            dumped = network.dump(name, samples)
            out, _, _ = network.run(BIN / "postprocess", f"--root={validation}", f"--omfile={dumped}", *network.flags, "--json")
            scores[-1][name] = json.loads(out)["stats"]["AP"]
            if name == "effdet float32":
                exact = dumped
            elif name == "effdet int8":
                compiled = dumped
            distances[-1][name] = [error(exact, dumped), error(compiled, dumped) if "effdet's file" in name else None]
            print(f"{name}: mAP {scores[-1][name]:.4f}", file=sys.stderr, flush=True)
    costs, memory = network.times(samples)
    rows = []
    for name in scores[0]:
        kept = [score[name] / score["effdet float32"] for score in scores]
        worst = error_text(max(d[name][0] for d in distances))
        compiled_text = error_text(max(d[name][1] for d in distances)) if distances[0][name][1] is not None else ""
        rows.append([name, *[f"{score[name]:.4f}" for score in scores], *[f"{100 * k:.1f} %" for k in kept], worst,
                     compiled_text, f"{costs[name]:.1f}", f"{network.file_bytes(name) / 1e6:.1f}", f"{memory[name] / 1e6:.0f}"])
    return markdown_table(["", "mAP, first half", "second half", "kept", "kept", "error", "from effdet int8", "ms", "file MB",
                           "peak MB"], rows)


def measured(short, folder, options):
    """Of a random network: its images' side, and each quantity of each side as text."""
    network = Network(folder / short, f"tf_efficientdet_{short}", folder / f"{short}.pth", None, options)
    network.run(BIN / "effdet", "init", network.variant, "--out", network.checkpoint)
    for name, seed, count in (("calibration", 1, options.images), ("test", 2, 2)):
        network.run(BIN / "effdet", "scenes", "--out", network.folder / f"{name}_scenes", "--images", count, "--seed", seed,
                    "--min-side", 400, "--max-side", 640)
    samples = network.preprocess(network.folder / "calibration_scenes", "calibration")
    side = round((next(samples.glob("*.bin")).stat().st_size / 12) ** 0.5)
    network.make(network.folder / "calibration_scenes/val2017", samples, peers_too=side <= options.peers_up_to)
    test = network.preprocess(network.folder / "test_scenes", "test")
    dumps = {name: network.dump(name, test) for name in network.names}
    costs, memory = network.times(test)
    cells = {name: [error_text(error(dumps["effdet float32"], dumps[name])), f"{costs[name]:.1f}",
                    f"{network.file_bytes(name) / 1e6:.1f}", f"{memory[name] / 1e6:.0f}"] for name in network.names}
    shutil.rmtree(network.folder)
    return {"px": side, "cells": cells}


def random_networks(folder, options):
    """Error, time, size and memory of random networks: a row for each network and quantity. Networks that were measured
    before come from --json."""
    figures = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    for short in options.models:
        figures[short] = measured(short, folder, options)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1) + "\n")
        print(f"{short}: {figures[short]}", file=sys.stderr, flush=True)
    return markdown_table(["", "", *SIDES],
                          [[f"{short.upper()} {f['px']} px", quantity,
                            *[f["cells"][name][i] if name in f["cells"] else "not run" for name in SIDES]]
                           for short, f in sorted(figures.items()) for i, quantity in enumerate(QUANTITIES)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=pathlib.Path, help="a trained network, measured by mAP")
    parser.add_argument("--variant", default="tf_efficientdet_d0", help="of the checkpoint")
    parser.add_argument("--size", type=int, help="of its images, in pixels; default: the variant's")
    parser.add_argument("--data", type=pathlib.Path, help="root of the data set, in COCO's layout, for --checkpoint")
    parser.add_argument("--models", nargs="*", default=[], help="random networks: d0, d1, ...")
    parser.add_argument("--images", type=int, default=8, help="for the calibration of random networks")
    parser.add_argument("--peers-up-to", type=int, default=1536, metavar="PX",
                        help="above this side of the images, only effdet and ONNX Runtime's float32 run random networks")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10, help="measuring time for each network and side")
    parser.add_argument("--rounds", type=int, default=5, help="turns that the sides take in that time")
    parser.add_argument("--alone", action="store_true",
                        help="keep other programs off the processors while times are measured (chrt -f 1, as root)")
    parser.add_argument("--json", type=pathlib.Path, help="keeps the figures of random networks from run to run")
    parser.add_argument("--write", type=pathlib.Path, help="the document whose tables are replaced")
    options = parser.parse_args()
    if not options.checkpoint and not options.models:
        parser.error("nothing to do: --checkpoint or --models")
    if options.checkpoint and not options.data:
        parser.error("--checkpoint needs --data")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for wanted, make, mark in ((options.checkpoint, trained, "trained"), (options.models, random_networks, "variants")):
            if wanted:
                text = f"{measure.machine()}; {options.threads} threads, batch 1\n\n" + make(folder / mark, options)
                print(text, flush=True)
                if options.write:
                    replace_table(options.write, mark, text)


if __name__ == "__main__":
    main()

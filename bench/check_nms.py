#!/usr/bin/env python3
"""Checks exports with suppression (pth2onnx --with-nms) in ONNX Runtime and OpenVINO, at the sizes of the variants.

Usage: check_nms.py EFFDET [MODEL:SIZE:BATCH ...]   (default: D0 512, D4 1024, D7 1536, and D0 512 as a batch of two)
Needs numpy, onnxruntime, openvino and Pillow. For each a random checkpoint is exported twice, raw and with suppression;
both run in both runtimes on the same noise. Rows of detections must be those that numpy makes of the raw outputs of the
same runtime, and those of `effdet detect` on the raw export; exit 1 where they are not. Above 1024 pixels anchors times
classes are more than 2^24, which OpenVINO's integer arithmetic (computed in float32) does not survive.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
from PIL import Image

DEFAULTS = ("tf_efficientdet_d0:512:1", "tf_efficientdet_d4:1024:1", "tf_efficientdet_d7:1536:1", "tf_efficientdet_d0:512:2")
SCALES = 2.0 ** (np.arange(3) / 3)
RATIOS = ((1.0, 1.0), (1.4, 0.7), (0.7, 1.4))


def anchors(size, scale):
    """Centres and sizes (y, x) of all anchors, cell by cell."""
    result = []
    side = size
    for level in range(1, 8):
        side = (side + 1) // 2
        if level < 3:
            continue
        stride = size / side
        centres = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1) * stride + stride / 2
        for y, x in centres.reshape(-1, 2):
            for octave in SCALES:
                for w, h in RATIOS:
                    result.append((y, x, scale * stride * octave * h, scale * stride * octave * w))
    return np.array(result)


def decode(outputs, image, boxes, size):
    """The best 100 rows of x1, y1, x2, y2, score, category of one image of a batch."""
    flat = lambda maps, n: np.concatenate([m[image].transpose(1, 2, 0).reshape(-1, n) for m in maps])
    logits, codes = flat(outputs[:5], outputs[0].shape[1] // 9), flat(outputs[5:], 4)
    order = np.argsort(-logits.ravel(), kind="stable")[:5000]
    anchor, label = order // logits.shape[1], order % logits.shape[1]
    (cy, cx, h, w), (ty, tx, th, tw) = boxes[anchor].T, codes[anchor].astype("f8").T
    y, x, h, w = ty * h + cy, tx * w + cx, np.exp(th) * h, np.exp(tw) * w
    corners = np.clip(np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1), 0, size)
    scores = 1 / (1 + np.exp(-logits.ravel()[order].astype("f8")))
    kept = []
    for i in range(len(order)):
        same = [k for k in kept if label[k] == label[i]]
        if all(iou(corners[k], corners[i]) <= 0.5 for k in same):
            kept.append(i)
        if len(kept) == 100:
            break
    return np.column_stack([corners[kept], scores[kept], label[kept] + 1])


def iou(a, b):
    overlap = np.clip(np.minimum(a[2:4], b[2:4]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return overlap / max(area(a) + area(b) - overlap, 1e-9)


def partners(found, wanted):
    """How many of the wanted rows are found: same category, score and box."""
    near = lambda row: np.any(
        (found[:, 5] == row[5]) & (abs(found[:, 4] - row[4]) < 1e-4) & (abs(found[:, :4] - row[:4]).max(1) < 0.5)
    )
    return sum(near(row) for row in wanted)


def run_onnxruntime(file, x):
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"]).run(None, {"x.1": x})


def run_openvino(file, x):
    model = openvino.Core().compile_model(str(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return list(model(x).to_tuple())


def check(effdet, model, size, batch, folder):
    run = lambda *words: subprocess.run([effdet, *words], check=True, capture_output=True, text=True).stdout
    run("init", model, "--out", str(folder / "m.pth"))
    options = ["--checkpoint", str(folder / "m.pth"), "--model", model, "--img-size", str(size), "--batch_size", str(batch)]
    run("pth2onnx", *options, "--out", str(folder / "raw.onnx"))
    run("pth2onnx", *options, "--with-nms", "--out", str(folder / "nms.onnx"))
    pixels = np.random.default_rng(1).integers(0, 256, (batch, size // 32, size // 32, 3), np.uint8)
    pixels = pixels.repeat(32, 1).repeat(32, 2)
    x = (pixels / np.float32(255) - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    x = np.ascontiguousarray(x.astype("f4").transpose(0, 3, 1, 2))
    boxes = anchors(size, 5.0 if model.endswith("d7") else 4.0)
    good = True
    for name, runtime in (("ONNX Runtime", run_onnxruntime), ("OpenVINO", run_openvino)):
        raw, rows = runtime(folder / "raw.onnx", x), runtime(folder / "nms.onnx", x)[0]
        hits = [partners(rows[i], decode(raw, i, boxes, size)) for i in range(batch)]
        print(f"{model} {size} x{batch} in {name}: {hits} of 100 rows as numpy makes them of the raw outputs", flush=True)
        good &= min(hits) >= 98  # boxes at the very threshold of suppression may go either way
    Image.fromarray(pixels[0]).save(folder / "picture.png")
    found = json.loads(run("detect", str(folder / "picture.png"), "--model-file", str(folder / "raw.onnx"), "--score", "0",
                           "--out", str(folder), "--json"))[0]["detections"]
    wanted = np.array([[*d["bbox"][:2], d["bbox"][0] + d["bbox"][2], d["bbox"][1] + d["bbox"][3], d["score"], d["category_id"]]
                       for d in found])
    hits = partners(rows[0], wanted)
    print(f"{model} {size} x{batch} in OpenVINO: {hits} of {len(wanted)} rows of effdet detect", flush=True)
    return good and hits >= 0.95 * len(wanted)  # the networks' rounding differs, too


def main():
    effdet, cases = sys.argv[1], sys.argv[2:] or DEFAULTS
    good = True
    for case in cases:
        model, size, batch = case.split(":")
        with tempfile.TemporaryDirectory() as folder:
            good &= check(effdet, model, int(size), int(batch), Path(folder))
    sys.exit(0 if good else 1)


main()

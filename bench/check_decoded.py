#!/usr/bin/env python3
"""Checks detections of models that others exported with decoded outputs against PyTorch's own.

Usage: check_decoded.py EFFDET CHECKPOINT SIZE PICTURE ... [--zylo117 FOLDER CHECKPOINT]
Needs numpy, torch, effdet 0.4.1, Pillow and opencv. CHECKPOINT is a tf_efficientdet_d0's. effdet's DetBenchPredict is
exported with and without img_scale and img_size, and run by `effdet detect` as ONNX file and compiled; PyTorch runs the
same net on the same pictures. With --zylo117 the D0 of a checkout of Yet-Another-EfficientDet-Pytorch is exported by
both of PyTorch's exporters, and compared with that project's own preprocess() and postprocess(). Exit 1 where a detection
of score 0.2 or more has no partner on the other side.
"""
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import types
from pathlib import Path

os.environ["PYTORCH_JIT"] = "0"  # scripted suppression cannot be exported

import effdet
import numpy as np
import torch
from effdet.data.transforms import transforms_coco_eval
from PIL import Image

SCORE = 0.2


class WithInfo(torch.nn.Module):
    """DetBenchPredict with what it wants to know of the images as inputs."""

    def __init__(self, bench):
        super().__init__()
        self.bench = bench

    def forward(self, x, img_scale, img_size):
        return self.bench(x, {"img_scale": img_scale, "img_size": img_size})


def export(net, inputs, file, **options):
    with contextlib.redirect_stdout(sys.stderr):
        torch.onnx.export(net, inputs, str(file), **{"opset_version": 17, "dynamo": False, **options})


def bench_rows(bench, picture, size, with_info):
    """x1, y1, x2, y2, score, category in a picture: as effdet's validation has them, or scaled and clipped afterwards."""
    image = Image.open(picture).convert("RGB")
    transform = transforms_coco_eval((size, size), interpolation="bilinear", use_prefetcher=True)
    pixels, target = transform(image, {"img_size": image.size})
    mean, std = (np.array(v, np.float32).reshape(3, 1, 1) * 255 for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    x = torch.from_numpy((np.asarray(pixels, np.float32) - mean) / std)[None]
    info = {"img_scale": torch.tensor([target["img_scale"]]), "img_size": torch.tensor([image.size], dtype=torch.float32)}
    with torch.no_grad():
        rows = (bench(x, info) if with_info else bench(x))[0].numpy()
    if not with_info:
        rows[:, :4] = np.clip(rows[:, :4] * target["img_scale"], 0, [*image.size, *image.size])
    return rows


def zylo117_rows(net, picture, size):
    from efficientdet.utils import BBoxTransform, ClipBoxes
    from utils.utils import invert_affine, postprocess, preprocess

    _, framed, metas = preprocess(str(picture), max_size=size)
    x = torch.from_numpy(np.stack(framed)).float().permute(0, 3, 1, 2)
    with torch.no_grad():
        _, regression, classes, anchors = net(x)
        found = postprocess(x, anchors, regression, classes, BBoxTransform(), ClipBoxes(), 0.05, 0.5)
    found = invert_affine(metas, found)[0]
    if len(found["rois"]) == 0:
        return np.zeros((0, 6))
    return np.column_stack([found["rois"], found["scores"], found["class_ids"] + 1])


def detect(program, model, pictures):
    """Rows of each picture as `effdet detect` has them."""
    command = [program, "detect", *map(str, pictures), "--model-file", str(model), "--score", "0.05", "--format", "jsonl"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = []
    for line in lines:
        boxes = [(*d["bbox"], d["score"], d["category_id"]) for d in json.loads(line)["detections"]]
        table = np.array(boxes).reshape(-1, 6)
        table[:, 2:4] += table[:, :2]
        rows.append(table)
    return rows


def lonely(some, others):
    """Rows of SCORE or more that have no partner: same category, score within 1e-3, corners within half a pixel."""
    near = lambda row: np.any(
        (others[:, 5] == row[5]) & (abs(others[:, 4] - row[4]) < 1e-3) & (abs(others[:, :4] - row[:4]).max(1) < 0.5)
    )
    return sum(not (len(others) and near(row)) for row in some if row[4] >= SCORE)


def compare(name, program, model, pictures, wanted):
    subprocess.run(
        [program, "atc", "--framework=5", f"--model={model}", f"--output={model.with_suffix('')}", "--soc_version=native"],
        check=True, stdout=sys.stderr, stderr=sys.stderr,
    )
    missing = 0
    for file in (model, model.with_suffix(".om")):
        found = detect(program, file, pictures)
        alone = sum(lonely(a, b) + lonely(b, a) for a, b in zip(found, wanted, strict=True))
        count = sum(int((rows[:, 4] >= SCORE).sum()) for rows in wanted)
        print(f"{name}, {file.suffix[1:]}: {count} detections of PyTorch's, {alone} without a partner on the other side")
        missing += alone
    return missing


def check_effdet(program, checkpoint, size, pictures, folder):
    bench = effdet.create_model(
        "tf_efficientdet_d0", bench_task="predict", num_classes=90, checkpoint_path=checkpoint, image_size=(size, size)
    ).eval()
    wanted = [[bench_rows(bench, picture, size, info) for picture in pictures] for info in (False, True)]
    x = torch.zeros(1, 3, size, size)
    export(bench, (x,), folder / "rows.onnx")
    info = (torch.ones(1), torch.full((1, 2), float(size)))
    export(WithInfo(bench), (x, *info), folder / "info.onnx", input_names=["x", "img_scale", "img_size"])
    return compare("DetBenchPredict", program, folder / "rows.onnx", pictures, wanted[0]) + compare(
        "DetBenchPredict with img_scale and img_size", program, folder / "info.onnx", pictures, wanted[1]
    )


def check_zylo117(program, checkout, checkpoint, size, pictures, folder):
    sys.path.insert(0, checkout)
    colours = types.ModuleType("webcolors")  # which drawing alone has need of
    colours.name_to_rgb = lambda name: types.SimpleNamespace(red=0, green=0, blue=0)
    sys.modules.setdefault("webcolors", colours)
    from backbone import EfficientDetBackbone
    from efficientnet.utils import Swish

    net = EfficientDetBackbone(num_classes=90, compound_coef=0).eval()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu"))
    wanted = [zylo117_rows(net, picture, size) for picture in pictures]
    for module in list(net.modules()):  # the memory-efficient ones cannot be exported
        for name, child in list(module.named_children()):
            if type(child).__name__ == "MemoryEfficientSwish":
                setattr(module, name, Swish())
    missing = 0
    for name, options in (("TorchScript", {}), ("dynamo", {"dynamo": True, "opset_version": 18})):
        net.anchors.last_anchors, net.anchors.last_shape = {}, None  # the tracer wants to see them made
        export(net, (torch.zeros(1, 3, size, size),), folder / f"{name}.onnx", **options)
        missing += compare(f"Yet-Another-EfficientDet-Pytorch, {name}", program, folder / f"{name}.onnx", pictures, wanted)
    return missing


def main():
    words = sys.argv[1:]
    zylo117 = words[words.index("--zylo117") + 1 :] if "--zylo117" in words else []
    program, checkpoint, size, *pictures = words[: words.index("--zylo117")] if zylo117 else words
    pictures = [Path(picture) for picture in pictures]
    with tempfile.TemporaryDirectory() as folder:
        missing = check_effdet(program, checkpoint, int(size), pictures, Path(folder))
        if zylo117:
            missing += check_zylo117(program, *zylo117, int(size), pictures, Path(folder))
    sys.exit(1 if missing else 0)


main()

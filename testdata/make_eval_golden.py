#!/usr/bin/env python3
"""Golden data for the tests of src/eval: what effdet (PyTorch) and pycocotools make of synthetic input.

Writes into testdata/eval beside this script:
  coco_dataset.json, coco_results.json  random annotations and results with all that makes evaluation hard
  coco_expected.json                    the twelve numbers, the lines and the AP of each category, from pycocotools
  anchors.json                          number, FNV-1a hash and some boxes of effdet's anchors
  detections.json                       effdet's detections for head outputs that the tests make themselves (noise())
Needs: numpy, torch, effdet 0.4.1, pycocotools 2.0.11. Usage: make_eval_golden.py
"""
import contextlib
import io
import json
import os

import numpy as np
import torch
from effdet.anchors import Anchors
from effdet.bench import _batch_detection, _post_process
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from fnv1a import fnv1a

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eval")
CROWDED = 5  # the image with more results of one category than are evaluated
SEED = 101
ASPECTS = [(1.0, 1.0), (1.4, 0.7), (0.7, 1.4)]


def write(name, value):
    with open(os.path.join(OUT, name), "w") as file:
        json.dump(value, file, separators=(",", ":"))
        file.write("\n")


def make_dataset(rng):
    """40 images of a 6-category set whose ids have gaps; crowds, borderline areas, empty images, an absent category."""
    categories = [{"id": i, "name": f"class {i}"} for i in (1, 2, 4, 7, 11, 12)]
    images = [{"id": int(i), "file_name": f"{i:06d}.jpg", "width": 640, "height": 480} for i in rng.permutation(60)[:40] * 7 + 3]
    annotations = []
    for number, image in enumerate(images):
        if number % 7 == 0:
            continue  # an image without objects
        crowded = number == CROWDED
        for _ in range(40 if crowded else rng.integers(1, 12)):
            side = float(rng.choice([20, 32, 50, 96, 150]))
            width, height = [round(float(s), 2) for s in (side, side) * rng.uniform(0.7, 1.4, 2)]
            if rng.random() < 0.3:
                width = height = side  # areas of exactly 32^2 and 96^2
            x, y = round(float(rng.uniform(0, 640 - width)), 2), round(float(rng.uniform(0, 480 - height)), 2)
            segment = 1.0 if rng.random() < 0.4 else float(rng.uniform(0.4, 1.0))
            annotations.append({
                "id": len(annotations),  # from 0, which pycocotools takes for "not matched"
                "image_id": image["id"], "category_id": 1 if crowded else int(rng.choice([1, 2, 4, 7, 11])), "bbox": [x, y, width, height],
                "area": width * height * segment, "iscrowd": int(rng.random() < 0.12)})
    annotations = [annotations[i] for i in rng.permutation(len(annotations))]
    return {"images": images, "annotations": annotations, "categories": categories}


def make_results(rng, dataset):
    """Noisy copies of the objects, false alarms, ties, categories that the set lacks, one image of 230 results."""
    results = []

    def add(image_id, bbox, score, category):
        bbox = [round(float(v), 3) for v in bbox]
        results.append({"image_id": image_id, "bbox": bbox, "score": round(float(score), 2), "category_id": int(category)})

    for annotation in dataset["annotations"]:
        for _ in range(rng.integers(0, 4)):
            x, y, w, h = annotation["bbox"]
            sigma = float(rng.choice([0.0, 0.03, 0.1]))
            dx, dy, dw, dh = rng.normal(0, sigma, 4) if sigma else (0, 0, 0, 0)
            category = annotation["category_id"] if rng.random() < 0.9 else 12
            add(annotation["image_id"], [x + dx * w, y + dy * h, w * np.exp(dw), h * np.exp(dh)], rng.beta(2, 2), category)
    for number, image in enumerate(dataset["images"]):
        many = 230 if number == CROWDED else 6
        for _ in range(many):
            w, h = rng.uniform(5, 200, 2)
            add(image["id"], [rng.uniform(0, 500), rng.uniform(0, 400), w, h], rng.beta(1, 4), 1 if many > 6 else rng.integers(1, 14))
    return [results[i] for i in rng.permutation(len(results))]


def evaluate(dataset, results, image_ids):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        truth = COCO()
        truth.dataset = json.loads(json.dumps(dataset))
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(json.loads(json.dumps(results))), "bbox")
        run.params.imgIds = list(image_ids)
        run.evaluate()
        run.accumulate()
        run.summarize()
    classes = []
    for k, category in enumerate(run.params.catIds):
        values = run.eval["precision"][:, :, k, 0, 2].ravel()
        values = values[values > -1]
        classes.append([int(category), float(values.mean()) if len(values) else -1.0])
    lines = [line for line in printed.getvalue().splitlines() if line.startswith(" Average")]
    return {"image_ids": [int(i) for i in image_ids], "stats": run.stats.tolist(), "lines": lines, "categories": classes}


def make_anchors(size, scale, levels=(3, 7)):
    boxes = Anchors(levels[0], levels[1], 3, ASPECTS, scale, size).boxes.numpy()
    picked = list(range(0, len(boxes), max(1, len(boxes) // 12))) + [len(boxes) - 1]
    return {"size": size, "scale": scale if isinstance(scale, list) else [scale], "levels": levels, "count": len(boxes),
            "fnv1a": fnv1a(boxes.tobytes()), "picked": [[i] + boxes[i].astype(float).tolist() for i in picked]}


def noise(seed, count):
    """float32 in [0, 1) with 24 bits: a hash of seed and place that C++ repeats exactly."""
    x = (np.arange(count, dtype=np.uint64) * 2654435761 + seed * 40503) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return (x >> np.uint64(8)).astype(np.float32) / np.float32(2**24)


def make_detections(name, size, scale, num_classes, width, height, soft_nms):
    anchors = Anchors(3, 7, 3, ASPECTS, scale, size)
    classes, boxes = [], []
    for level, (h, w) in enumerate(anchors.feat_sizes[3:]):
        n = 9 * num_classes * h * w
        classes.append(torch.from_numpy((noise(SEED + 2 * level, n) - np.float32(1)) * np.float32(8)).reshape(1, -1, h, w))
        boxes.append(torch.from_numpy(noise(SEED + 2 * level + 1, 36 * h * w) - np.float32(0.5)).reshape(1, -1, h, w))
    logits, regression, indices, labels = _post_process(classes, boxes, 5, num_classes, 5000)
    best = logits[0, :200, 0]
    assert len(set(best.tolist())) == len(best), "ties: their order is up to PyTorch; choose another SEED"
    factor = min(size[0] / height, size[1] / width)
    found = _batch_detection(1, logits, regression, anchors.boxes, indices, labels, torch.tensor([1.0 / factor]),
                             torch.tensor([[float(width), float(height)]]), 100, soft_nms)[0]
    return {"name": name, "size": size, "scale": scale, "num_classes": num_classes, "width": width, "height": height,
            "soft_nms": soft_nms, "detections": [[float(f"{v:.7g}") for v in row] for row in found.tolist()]}


def main():
    os.makedirs(OUT, exist_ok=True)
    rng = np.random.default_rng(17)
    dataset = make_dataset(rng)
    results = make_results(rng, dataset)
    write("coco_dataset.json", dataset)
    write("coco_results.json", results)
    ids = sorted(image["id"] for image in dataset["images"])
    write("coco_expected.json", [evaluate(dataset, results, chosen) for chosen in (ids, ids[::3], ids[7:8])])
    write("anchors.json", [
        make_anchors((512, 512), 4.0), make_anchors((320, 320), 3.0), make_anchors((384, 640), 4.0), make_anchors((200, 333), 5.0),
        make_anchors((256, 128), [4.0, 4.0, 4.0, 3.0, 5.0]), make_anchors((256, 256), 4.0, (3, 8))])
    write("detections.json", [
        make_detections("lite0", (320, 320), 3.0, 3, 640, 427, False), make_detections("wide", (256, 384), 4.0, 5, 500, 375, False),
        make_detections("soft", (256, 256), 4.0, 3, 200, 313, True), make_detections("one class", (256, 256), 4.0, 1, 256, 256, False)])


main()

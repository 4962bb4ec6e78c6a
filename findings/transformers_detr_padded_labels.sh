#!/bin/bash
# DETR's training labels, read back as detections, are not the objects once pictures of two shapes share a batch.
#
# Guess before it was run: what an image processor makes of annotations, its post-processing makes into the same boxes, given
# the sizes of the pictures; and a picture's labels do not depend on the pictures beside it in the batch.
# Seen: transformers 5.24.0 fills a batch up to its widest and highest picture and makes labels shares of that area, while
# post_process_object_detection multiplies by the size that it is given, the picture's own. A detector that says exactly
# what it was taught has an AP of 1.0 with one picture a batch, and of 0.061 with a landscape and a portrait together (0.293
# at an IoU of 0.5). Deformable DETR, Grounding DINO, YOLOS and RF-DETR are the same; RT-DETR, which does not pad, has 1.0.
# The first DETR, whose weights such models begin with, was taught shares of the picture without its padding.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet transformers==5.24.0 torch==2.15.0 torchvision==0.29.2 pycocotools==2.0.11 numpy==2.4.6
cat > labels.py <<'P'
import contextlib
import io
import json
from types import SimpleNamespace

import numpy as np
import torch
import transformers
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

random = np.random.RandomState(0)
IMAGES = [((480, 640), (640, 480))[i % 2] for i in range(20)]  # height, width
BOXES = [[int(v) for v in (*random.randint(20, 200, 2), *random.randint(60, 200, 2))] for _ in IMAGES]


def annotation(i, box, **more):
    return {"id": i + 1, "image_id": i, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0, **more}


with open("truth.json", "w") as file:
    json.dump({"images": [{"id": i} for i in range(len(IMAGES))], "categories": [{"id": 1, "name": "kite"}],
               "annotations": [annotation(i, box) for i, box in enumerate(BOXES)]}, file)


def taught(kind, batch):
    """AP, and AP at 0.5, of a detector that gives its labels."""
    processor = getattr(transformers, kind)()
    if kind != "RTDetrImageProcessor":
        processor.size = {"shortest_edge": 200, "longest_edge": 333}
    found = []
    for first in range(0, len(IMAGES), batch):
        indices = range(first, first + batch)
        labels = processor(images=[np.zeros((*IMAGES[i], 3), np.uint8) for i in indices], return_tensors="pt", annotations=[
            {"image_id": i, "annotations": [annotation(i, BOXES[i])]} for i in indices])["labels"]
        logits = torch.full((batch, 1, 3), -20.0)
        logits[:, :, 1] = 20
        outputs = SimpleNamespace(logits=logits, pred_boxes=torch.stack([one["boxes"] for one in labels]))
        sizes = torch.stack([one["orig_size"] for one in labels])
        for i, result in zip(indices, processor.post_process_object_detection(outputs, threshold=0.5, target_sizes=sizes)):
            x, y, right, bottom = result["boxes"][0].tolist()
            found.append(annotation(i, [x, y, right - x, bottom - y], score=0.9))
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO("truth.json")
        run = COCOeval(index, index.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [round(float(run.stats[i]), 3) for i in (0, 1)]


seen = {}
for kind in ("Detr", "DeformableDetr", "GroundingDino", "Yolos", "RfDetr", "RTDetr"):
    seen[kind] = [taught(f"{kind}ImageProcessor", batch) for batch in (1, 2)]
    print(f"{kind}: AP and AP at 0.5 with one picture a batch {seen[kind][0]}, with two {seen[kind][1]}")
right, wrong = [1.0, 1.0], [0.061, 0.293]
raise SystemExit(0 if all(numbers == [right, right if kind == "RTDetr" else wrong] for kind, numbers in seen.items()) else 1)
P
venv/bin/python labels.py 2> log || { tail -3 log; exit 1; }

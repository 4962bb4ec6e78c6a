#!/bin/bash
# Results of a network that diverged, with NaN for every coordinate of every box, have an AP of 1 in pycocotools.
#
# Guess before it was run: a box of NaN overlaps nothing, so that AP and recall are 0, or loadRes refuses it. json.dump
# writes NaN without being asked, and a network in float16 that overflows gives it for all boxes of an image.
# Seen: pycocotools 2.0.11 finds every object with such a box, at every IoU threshold: AP 1.0, AR 1.0. The overlap is NaN,
# and evaluateImg passes over a match that is smaller than the threshold, which NaN is not. The same boxes with 0 for
# NaN have 0.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pycocotools==2.0.11 numpy==2.4.6
cat > boxes.py <<'P'
import contextlib
import io
import json
import math

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IMAGES = range(20)
TRUTH = {"images": [{"id": i, "width": 640, "height": 480} for i in IMAGES], "categories": [{"id": 1, "name": "kite"}],
         "annotations": [{"id": i + 1, "image_id": i, "category_id": 1, "bbox": [10 + i, 20, 100, 50], "area": 5000,
                          "iscrowd": 0} for i in IMAGES]}


def evaluated(box):
    """AP and AR where every detection is this box."""
    with open("truth.json", "w") as file:
        json.dump(TRUTH, file)
    with open("results.json", "w") as file:
        json.dump([{"image_id": i, "category_id": 1, "bbox": box, "score": 0.9} for i in IMAGES], file)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO("truth.json")
        evaluation = COCOeval(truth, truth.loadRes("results.json"), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[8])


nan, zero = evaluated([math.nan] * 4), evaluated([0.0] * 4)
print(f"AP and AR of boxes of NaN: {nan}, of 0: {zero}")
raise SystemExit(0 if nan == (1.0, 1.0) and zero == (0.0, 0.0) else 1)
P
venv/bin/python boxes.py

#!/bin/bash
# Soft-NMS that lowers no score, and lists of scores that are lower after each call.
#
# Guess before it was run: soft_nms gives boxes with the scores that it has lowered, a second box on an object below the next
# object's; and what it is given, it leaves as it was.
# Seen: ensemble-boxes 1.0.9 lowers a copy of the scores, takes from it which boxes are above the threshold, and gives their
# scores as they were before. Two models that find 40 objects have 80 boxes with full scores and an AP of 0.5815, as without
# any suppression, where the lowered scores have 1.0. With weights, the caller's own lists get the weighted scores, in nms as
# well: three calls with the same lists have 0.66, 0.44 and 0.293 as their best score. weighted_boxes_fusion leaves them alone.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet ensemble-boxes==1.0.9 pycocotools==2.0.11 numpy==2.4.6
cat > soft.py <<'P'
import contextlib
import io
import json

import numpy as np
from ensemble_boxes import nms, soft_nms, weighted_boxes_fusion
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OBJECTS, SIDE, SIGMA, AREA = 40, 1000, 0.5, 0.08 ** 2
corner = np.array([[x, y] for x in range(8) for y in range(5)]) * 0.11 + 0.02
truth = np.hstack([corner, corner + 0.08])
scores = np.random.RandomState(0).uniform(0.5, 1, OBJECTS)
BOXES = [truth.tolist(), (truth + 0.002).tolist()]
SCORES, LABELS = [scores.tolist(), (scores * 0.99).tolist()], [[0] * OBJECTS] * 2


def annotation(i, box, score):
    x, y, right, bottom = (float(v) * SIDE for v in box)
    return {"id": i + 1, "image_id": 1, "category_id": 1, "bbox": [x, y, right - x, bottom - y], "iscrowd": 0,
            "area": (right - x) * (bottom - y), "score": float(score)}


def precision(boxes, scores):
    with open("truth.json", "w") as file:
        json.dump({"images": [{"id": 1}], "categories": [{"id": 1, "name": "kite"}],
                   "annotations": [annotation(i, box, 1) for i, box in enumerate(truth)]}, file)
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO("truth.json")
        run = COCOeval(index, index.loadRes([annotation(i, *one) for i, one in enumerate(zip(boxes, scores))]), "bbox")
        for step in (run.evaluate, run.accumulate, run.summarize):
            step()
    return round(float(run.stats[0]), 4)


def lowered(boxes, scores):
    """The scores after Gaussian Soft-NMS, of boxes in any order."""
    left, scores = set(range(len(boxes))), scores.copy()
    while left:
        best = max(left, key=lambda i: scores[i])
        left.remove(best)
        for i in left:
            sides = np.minimum(boxes[i][2:], boxes[best][2:]) - np.maximum(boxes[i][:2], boxes[best][:2])
            scores[i] *= np.exp(-(((inter := np.prod(np.maximum(sides, 0))) / (2 * AREA - inter)) ** 2) / SIGMA)
    return scores


together = np.vstack(BOXES), np.hstack(SCORES)
soft = soft_nms(BOXES, list(SCORES), LABELS, sigma=SIGMA, thresh=0.001)
same = np.array_equal(np.sort(soft[1]), np.sort(together[1]))
seen = {"no suppression": precision(*together), "soft_nms": precision(*soft[:2]),
        "lowered scores": precision(together[0], lowered(*together)), "nms": precision(*nms(BOXES, list(SCORES), LABELS)[:2])}
print(f"AP: {seen}; scores of soft_nms as they were before: {same}")
for name, function in (("nms", nms), ("weighted_boxes_fusion", weighted_boxes_fusion)):
    given = list(SCORES)
    seen[name, 3] = [round(float(function(BOXES, given, LABELS, weights=[2, 1])[1].max()), 3) for _ in range(3)]
    print(f"{name}, called three times with the same lists: best scores {seen[name, 3]}")
right = {"no suppression": 0.5815, "soft_nms": 0.5815, "lowered scores": 1.0, "nms": 1.0, ("nms", 3): [0.66, 0.44, 0.293],
         ("weighted_boxes_fusion", 3): [0.986] * 3}
raise SystemExit(0 if same and seen == right else 1)
P
venv/bin/python soft.py

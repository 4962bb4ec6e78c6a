#!/bin/bash
# One far box of another class changes which boxes torchvision's batched_nms keeps.
#
# Guess before it was run: classes do not touch one another, as the documentation has it, so that a box of class 0 far from
# all others, with the lowest score, changes nothing for the other classes; nor does it matter how many boxes there are.
# Seen: torchvision 0.29.2 moves each class by its number times the largest coordinate, in float32, as long as there are up to
# 1000 boxes on a CPU (25,000 on a GPU, any number in an exported model). With LVIS' 1203 classes and one unclipped box that
# ends at 32,000, as far as an anchor of 512 pixels decodes to, corners near 38 million are multiples of 4. Of 10 x 900 boxes
# of about 16 pixels in images of 1333, 536 are kept or suppressed otherwise than by nms of each class, 30 without the far
# box; with COCO's 80 classes in images of 640, 33 and 0. With 1001 boxes it goes class by class, and none is otherwise.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
cat > far.py <<'P'
import numpy as np
import torch
from torchvision.ops import batched_nms, nms

OBJECTS, THRESHOLD = 300, 0.5


def by_class(boxes, scores, classes):
    kept = set()
    for one in classes.unique():
        indices = (classes == one).nonzero().ravel()
        kept |= set(indices[nms(boxes[indices], scores[indices], THRESHOLD)].tolist())
    return kept


def differing(number_of_classes, side, far, more=0):
    """How many of the boxes of ten images batched_nms keeps that nms of each class does not, or the other way round."""
    random = np.random.RandomState(0)
    count = 0
    for _ in range(10):
        corner = random.uniform(0, side, [OBJECTS, 2])
        truth = np.hstack([corner, corner + random.uniform(11, 21, [OBJECTS, 2])])
        boxes = np.vstack([truth] + [truth + random.uniform(-off, off, truth.shape) for off in (4, 6)])
        classes = np.tile(random.randint(1, number_of_classes, OBJECTS), 3)
        scores = random.uniform(0.05, 1, len(boxes))
        if far:
            boxes = np.vstack([boxes, [[0, 0, far, 10]] * (1 + more)])
            classes = np.append(classes, [0] * (1 + more))
            scores = np.append(scores, np.full(1 + more, 0.01))
        boxes, scores = (torch.tensor(values, dtype=torch.float32) for values in (boxes, scores))
        classes = torch.tensor(classes)
        kept = set(batched_nms(boxes, scores, classes, THRESHOLD).tolist())
        count += len(kept ^ by_class(boxes, scores, classes))
    return count


seen = {"LVIS, far box": differing(1203, 1333, 32000), "LVIS": differing(1203, 1333, 0),
        "LVIS, far box, 1001 boxes": differing(1203, 1333, 32000, more=100), "COCO, far box": differing(80, 640, 32000),
        "COCO": differing(80, 640, 0)}
for name, count in seen.items():
    print(f"{name}: {count} boxes otherwise than by class")
raise SystemExit(0 if list(seen.values()) == [536, 30, 0, 33, 0] else 1)
P
venv/bin/python far.py

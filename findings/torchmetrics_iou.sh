#!/bin/bash
# A detector that finds all ten objects exactly has an IoU of 0.1, and so has one that finds one of them.
#
# Guess before it was run: IntersectionOverUnion of boxes that are the objects is 1.0, as in its documentation's examples of one
# object, and falls with each object that is missed.
# Seen: torchmetrics 1.9.0 takes the mean over all pairs of a box and an object of the same class, also of those that lie apart:
# n objects of a class that are found exactly have 1 / n, 0.5 for two and 0.1 for ten; one box for ten objects has 0.1 as well.
# GeneralizedIntersectionOverUnion, which is below 0 for boxes apart, has -0.432 for the ten. With iou_threshold=0.5 pairs below
# it are left out, and all are 1.0, the one box for ten objects, too. With class_metrics=True a box in an image without objects
# ends with an IndexError. MeanAveragePrecision tells ten from one: 1.0 and 0.109.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet torchmetrics==1.9.0 torch==2.15.0 torchvision==0.29.2 pycocotools==2.0.11 numpy==2.4.6
cat > iou.py <<'P'
import warnings

import torch
from torchmetrics.detection import GeneralizedIntersectionOverUnion, IntersectionOverUnion, MeanAveragePrecision

warnings.simplefilter("ignore")


def image(count, classes=1):
    """Boxes of that many of the objects, in a row."""
    left = torch.arange(count, dtype=torch.float32) * 60
    boxes = torch.stack([left, left * 0, left + 40, left * 0 + 40], 1)
    return {"boxes": boxes, "labels": torch.arange(count) % classes, "scores": torch.linspace(0.9, 0.5, count)}


def measured(metric, found, objects):
    metric.update([found], [objects])
    values = metric.compute()
    return round(float(values["map" if "map" in values else "giou" if "giou" in values else "iou"]), 3)


seen = {}
for name, found, objects in (("one of one", image(1), image(1)), ("two of two", image(2), image(2)),
                             ("ten of ten", image(10), image(10)), ("ten of ten classes", image(10, 10), image(10, 10)),
                             ("one of ten", image(1), image(10))):
    seen[name] = [measured(metric, found, objects) for metric in (
        IntersectionOverUnion(), IntersectionOverUnion(respect_labels=False), IntersectionOverUnion(iou_threshold=0.5),
        GeneralizedIntersectionOverUnion(), MeanAveragePrecision())]
    print(f"{name}: IoU {seen[name][0]}, without labels {seen[name][1]}, above 0.5 {seen[name][2]}, GIoU {seen[name][3]}, "
          f"mAP {seen[name][4]}")
metric = IntersectionOverUnion(class_metrics=True)
metric.update([image(1)], [image(0)])
try:
    metric.compute()
    refused = False
except IndexError as error:
    refused = True
    print("class_metrics, an image without objects: IndexError,", error)
expected = {"one of one": [1.0] * 5, "two of two": [0.5, 0.5, 1.0, 0.4, 1.0], "ten of ten": [0.1, 0.1, 1.0, -0.432, 1.0],
            "ten of ten classes": [1.0, 0.1, 1.0, 1.0, 1.0], "one of ten": [0.1, 0.1, 1.0, -0.515, 0.109]}
raise SystemExit(0 if seen == expected and refused else 1)
P
venv/bin/python iou.py

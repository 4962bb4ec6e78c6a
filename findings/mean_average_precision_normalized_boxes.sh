#!/bin/bash
# Boxes that overlap no object have an AP of 0.7, where coordinates are shares of the image.
#
# Guess before it was run: overlap is a ratio, so that boxes from 0 to 1, as YOLO's files have them, have the AP of the same
# boxes in pixels.
# Seen: mean-average-precision 2024.1.5.0, whose page says of boxes only [xmin, ymin, xmax, ymax] and promises COCO's metric,
# adds a pixel to each width and height. Detections that lie beside their objects, of a tenth of the image, have an AP of 0.0
# in pixels and 0.7 as shares; those that are a fifth of a width off 0.4 and 1.0. pycocotools 2.0.11 has 0.0 and 0.4 for both.
# In pixels the added one helps small objects: of 9 x 9 pixels, 2 off, AP is 0.4 here and 0.3 there.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet mean-average-precision==2024.1.5.0 pycocotools==2.0.11 numpy==2.4.6 pandas==3.1.1
cat > evaluate.py <<'P'
import contextlib
import io
import json
import warnings

import numpy as np
from mean_average_precision import MetricBuilder
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

warnings.simplefilter("ignore")
IMAGES, SIDE = 20, 640


def by_package(objects, found):
    metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=1)
    for one, other in zip(objects, found):
        metric.add(np.array([[*other, 0, 0.9]]), np.array([[*one, 0, 0, 0]]))
    return float(metric.value(iou_thresholds=np.arange(0.5, 1.0, 0.05), recall_thresholds=np.arange(0.0, 1.01, 0.01),
                              mpolicy="soft")["mAP"])


def by_pycocotools(objects, found):
    def annotation(i, box):
        x, y, right, bottom = box.tolist()
        return {"id": i + 1, "image_id": i, "category_id": 1, "bbox": [x, y, right - x, bottom - y], "iscrowd": 0,
                "area": (right - x) * (bottom - y), "score": 0.9}

    with open("truth.json", "w") as file:
        json.dump({"images": [{"id": i} for i in range(IMAGES)], "categories": [{"id": 1, "name": "kite"}],
                   "annotations": [annotation(i, box) for i, box in enumerate(objects)]}, file)
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO("truth.json")
        run = COCOeval(index, index.loadRes([annotation(i, box) for i, box in enumerate(found)]), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return float(run.stats[0])


random = np.random.RandomState(0)
seen = {}
for name, size, off in (("beside", 64, 64), ("a fifth off", 64, 12), ("small", 9, 2)):
    corner = random.randint(0, SIDE - 2 * size, [IMAGES, 2]).astype(np.float64)
    objects = np.hstack([corner, corner + size])
    found = objects + [off, 0, off, 0]
    for unit, scale in (("pixels", 1), ("shares", SIDE)):
        seen[name, unit] = [round(f(objects / scale, found / scale), 2) for f in (by_package, by_pycocotools)]
        print(f"{name}, {unit}: mean-average-precision {seen[name, unit][0]}, pycocotools {seen[name, unit][1]}")
expected = {("beside", "pixels"): [0.0, 0.0], ("beside", "shares"): [0.7, 0.0], ("a fifth off", "pixels"): [0.4, 0.4],
            ("a fifth off", "shares"): [1.0, 0.4], ("small", "pixels"): [0.4, 0.3], ("small", "shares"): [1.0, 0.3]}
raise SystemExit(0 if seen == expected else 1)
P
venv/bin/python evaluate.py

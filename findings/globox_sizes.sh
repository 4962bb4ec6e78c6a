#!/bin/bash
# Globox counts correct detections of slightly larger objects as false ones, and writes AP where its table says AR.
#
# Guess before it was run: "all COCO standard metrics" of Globox are pycocotools' numbers, each for the same boxes.
# Seen: AP and the totals of AR are. AP_small is not, where the image also has a small object of the class: a detection that
# matches an object of another size is to count for nothing, but Globox 2.9.0 takes the first object of the right size for its
# match, though they do not overlap, and so a false detection of it. Where ten images have an object of 20 x 20 pixels and one
# of 33 x 33 that is found 31.5 x 31.5 large with a higher score, AP_small is 0.95 in pycocotools 2.0.11 and 0.5 here; with
# the small objects alone 1.0 in both. In show_summary and save_csv the columns AR 1, AR 10 and AR 100 of a class are AP of so
# many detections: 0.9252 for the one class whose total is 0.95.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet globox==2.9.0 pycocotools==2.0.11 numpy==2.4.6
cat > sizes.py <<'P'
import contextlib
import csv
import io
import json

from globox import Annotation, AnnotationSet, BoundingBox, BoxFormat, COCOEvaluator
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IMAGES = 10
SMALL, LARGER, LARGER_FOUND = [10, 10, 20, 20], [100, 100, 33, 33], [100.5, 100.5, 31.5, 31.5]


def by_pycocotools(objects, found):
    def annotations(boxes):
        return [{"id": len(boxes) * i + k + 1, "image_id": i, "category_id": 1, "bbox": box, "area": box[2] * box[3],
                 "iscrowd": 0, "score": score} for i in range(IMAGES) for k, (box, score) in enumerate(boxes)]

    with open("truth.json", "w") as file:
        json.dump({"images": [{"id": i, "width": 640, "height": 480} for i in range(IMAGES)],
                   "categories": [{"id": 1, "name": "kite"}], "annotations": annotations(objects)}, file)
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO("truth.json")
        run = COCOeval(index, index.loadRes(annotations(found)), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [round(float(run.stats[i]), 4) for i in (0, 3, 8)]


def by_globox(objects, found):
    def annotations(boxes):
        return AnnotationSet([Annotation(str(i), (640, 480), [
            BoundingBox.create(label="kite", coords=tuple(box), confidence=score, box_format=BoxFormat.LTWH)
            for box, score in boxes]) for i in range(IMAGES)])

    evaluator = COCOEvaluator(ground_truths=annotations(objects), predictions=annotations(found))
    evaluator.save_csv("globox.csv")
    with open("globox.csv") as file:
        table = list(csv.DictReader(file))
    return [round(float(value), 4) for value in (evaluator.ap(), evaluator.ap_small(), evaluator.ar_100())], table


seen = {}
for name, objects, found in (("both sizes", [(SMALL, None), (LARGER, None)], [(SMALL, 0.8), (LARGER_FOUND, 0.9)]),
                             ("small alone", [(SMALL, None)], [(SMALL, 0.8)])):
    pycocotools, (globox, table) = by_pycocotools(objects, found), by_globox(objects, found)
    seen[name] = pycocotools, globox, round(float(table[0]["AR 100"]), 4)
    print(f"{name}: AP, AP_small and AR by pycocotools {pycocotools}, by Globox {globox}; AR 100 in its table {seen[name][2]}")
expected = {"both sizes": ([0.9252, 0.95, 0.95], [0.9252, 0.5, 0.95], 0.9252), "small alone": ([1.0] * 3, [1.0] * 3, 1.0)}
raise SystemExit(0 if seen == expected else 1)
P
venv/bin/python sizes.py

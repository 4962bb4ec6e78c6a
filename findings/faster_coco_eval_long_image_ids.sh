#!/bin/bash
# Image ids of 17 digits, a date and a running number: one evaluator of four lays neighbouring images on one another.
#
# Guess before it was run: ids of images are only compared, so that AP and AR are the same whatever their size, as long as
# they fit into 64 bits.
# Seen: faster-coco-eval 1.8.0 takes ids for float64, in which four numbers above 2 * 10^16 are one (from 2^53 on, about
# 9 * 10^15, it begins with two), and evaluates such images as one: of 200 images with three objects each, AP is 0.7022
# instead of 0.7008, AR with one detection an image 0.0636 instead of 0.261, with ten 0.5844 instead of 0.7692, without a
# word; and objects that were all found in the image beside their own have an AP of 0.2525 instead of 0. pycocotools
# 2.0.11, hotcoco 1.3.0 and ultrafast-pycocotools 0.1.14 give the same numbers for short ids and for long ones.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pycocotools==2.0.11 faster-coco-eval==1.8.0 hotcoco==1.3.0 ultrafast-pycocotools==0.1.14
cat > evaluate.py <<'P'
import contextlib, importlib, io, json, random

SHORT, LONG = 1, 20261130000000001
EVALUATORS = {"pycocotools": ("pycocotools.coco", "pycocotools.cocoeval", "COCOeval"),
              "faster-coco-eval": ("faster_coco_eval", "faster_coco_eval", "COCOeval_faster"),
              "hotcoco": ("hotcoco", "hotcoco", "COCOeval"),
              "ultrafast-pycocotools": ("ultrafast_pycocotools.coco", "ultrafast_pycocotools.cocoeval", "COCOeval")}


def write(first, images, objects, shift):
    """Objects and their detections, those with a box a little beside it and in the image that is `shift` further on."""
    numbers = random.Random(3)
    truth = {"images": [{"id": first + i, "width": 640, "height": 480, "file_name": f"{i}.jpg"} for i in range(images)],
             "categories": [{"id": 1, "name": "car"}], "annotations": []}
    found = []
    for i in range(images):
        for _ in range(objects):
            x, y, w, h = (numbers.randrange(*limits) for limits in ((0, 560), (0, 400), (20, 80), (20, 80)))
            truth["annotations"].append({"id": len(found) + 1, "image_id": first + i, "category_id": 1, "area": w * h,
                                         "bbox": [x, y, w, h], "iscrowd": 0})
            beside = [0, 0] if shift else [numbers.randrange(-3, 4), numbers.randrange(-3, 4)]
            found.append({"image_id": first + (i + shift) % images, "category_id": 1,
                          "bbox": [x + beside[0], y + beside[1], w, h], "score": 0.9 if shift else round(numbers.random(), 3)})
    for name, content in (("truth.json", truth), ("found.json", found)):
        with open(name, "w") as file:
            json.dump(content, file)


def evaluated(dataset, evaluator, name):
    """AP, AR with one and AR with ten detections an image."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = importlib.import_module(dataset).COCO("truth.json")
        run = getattr(importlib.import_module(evaluator), name)(truth, truth.loadRes("found.json"), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [round(float(run.stats[i]), 4) for i in (0, 6, 7)]


same = True
for images, objects, shift, right, wrong in ((200, 3, 0, [0.7008, 0.261, 0.7692], [0.7022, 0.0636, 0.5844]),
                                             (4, 1, 1, [0.0, 0.0, 0.0], [0.2525, 0.0, 0.5])):
    for first in (SHORT, LONG):
        write(first, images, objects, shift)
        for name, parts in EVALUATORS.items():
            seen = evaluated(*parts)
            print(f"{images} images from {first}, found {shift} further on, {name}: AP {seen[0]}, AR1 {seen[1]}, AR10 {seen[2]}")
            same = same and seen == (wrong if first == LONG and name == "faster-coco-eval" else right)
raise SystemExit(0 if same else 1)
P
venv/bin/python evaluate.py

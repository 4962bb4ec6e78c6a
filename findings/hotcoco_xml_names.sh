#!/bin/bash
# Class names with an & are cut, doubled or run together once hotcoco has read Pascal VOC or CVAT files.
#
# Guess before it was run: names of classes and images come back from VOC, CVAT and YOLO as they were, or are refused. After the
# first run: names of images are cut as well, and files that Python's ElementTree wrote are read in the same way.
# Seen: hotcoco 1.3.0 writes "car &amp; trailer", as XML has to, and when it reads that, or another tool's file, keeps what stands
# behind the sign: "car & trailer", "truck & trailer" and "trailer" are one class, without a word, and load_warnings is empty. A
# detector that finds exactly each of the three in ten images has an AP of 1.0 before and of 0.337 after; the image
# "left & right.jpg" is "right.jpg". Of CVAT's list of labels all three are "trailer", and its boxes have "car &amp; trailer" and
# "truck &amp; trailer" besides. Its change log says that names in ASCII stay as they are with a newer XML reader; no report was found.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet hotcoco==1.3.0 pycocotools==2.0.11 numpy==2.4.6
cat > names.py <<'P'
import contextlib
import io
import os
import xml.etree.ElementTree as ElementTree

import hotcoco
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = ["car & trailer", "truck & trailer", "trailer"]
FILES = ["left & right.jpg"] + [f"{i}.jpg" for i in range(1, 10)]
truth = hotcoco.COCO({
    "images": [{"id": i + 1, "file_name": name, "width": 640, "height": 480} for i, name in enumerate(FILES)],
    "categories": [{"id": k + 1, "name": name} for k, name in enumerate(NAMES)],
    "annotations": [{"id": 3 * i + k + 1, "image_id": i + 1, "category_id": k + 1, "bbox": [100 * k + 10, 20, 80, 60],
                     "area": 4800, "iscrowd": 0} for i in range(len(FILES)) for k in range(3)]})


def average_precision(index):
    """AP of the objects themselves as detections, each with the id that its class has in this file, by name."""
    ids = {one["name"]: one["id"] for one in reversed(index.dataset["categories"])}
    images = sorted(one["id"] for one in index.dataset["images"])
    found = [{"image_id": image, "category_id": ids[name], "bbox": [100 * k + 10, 20, 80, 60], "score": 0.9}
             for image in images for k, name in enumerate(NAMES)]
    index.save("read.json")
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO("read.json")
        run = COCOeval(read, read.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return round(float(run.stats[0]), 3)


def seen_in(index):
    names = {one["id"]: one["name"] for one in index.dataset["categories"]}
    used = sorted({names[one["category_id"]] for one in index.dataset["annotations"]})
    file = next(one["file_name"] for one in index.dataset["images"] if "right" in one["file_name"])
    return sorted(names.values()), used, file, len(index.load_warnings)


truth.to_voc("voc")
truth.to_cvat("cvat.xml")
os.makedirs("tree")
for name in os.listdir("voc/Annotations"):
    ElementTree.parse(f"voc/Annotations/{name}").write(f"tree/{name}")
read = {"VOC": hotcoco.COCO.from_voc("voc"), "VOC by ElementTree": hotcoco.COCO.from_voc("tree"),
        "CVAT": hotcoco.COCO.from_cvat("cvat.xml")}
seen = {kind: seen_in(index) for kind, index in read.items()}
for kind, (names, used, file, told) in seen.items():
    print(f"{kind}: classes {names}, of boxes {used}, image {file!r}, warnings {told}")
scores = average_precision(truth), average_precision(read["VOC"])
print("objects of each class are found exactly: AP of the first file and of the VOC files", scores)
escaped = ["car &amp; trailer", "truck &amp; trailer"]
expected = {"VOC": (sorted(NAMES), ["trailer"], "right.jpg", 0), "VOC by ElementTree": (["trailer"], ["trailer"], "right.jpg", 0),
            "CVAT": (sorted(["trailer"] * 3 + escaped), sorted(["trailer"] + escaped), "left &amp; right.jpg", 0)}
raise SystemExit(0 if seen == expected and scores == (1.0, 0.337) else 1)
P
venv/bin/python names.py

#!/bin/bash
# COCO that Datumaro makes of Pascal VOC has the same annotation ids in each image, of which pycocotools sees one.
#
# Guess before it was run: annotations of the COCO file have ids of their own, so that detections that are the objects have an
# AP of 1.0.
# Seen: Datumaro 1.13.12 takes an object's place in its image for the annotation's id, and numbers only the first of each
# image, whose place is 0, itself: 60 annotations of 20 images have 21 ids, and 1 and 2 are in each image. pycocotools 2.0.11
# takes the last annotation with an id for all that have it: perfect detections have an AP of 0.1213 and an AR of 0.35,
# without a word. From YOLO's files it is the same. With reindex=True both are 1.0.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet datumaro==1.13.12 pycocotools==2.0.11
cat > convert.py <<'P'
import contextlib
import io
import json
import pathlib

import datumaro
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = [f"{i:03}" for i in range(20)]
OBJECT = ("<object><name>dog</name><difficult>0</difficult><truncated>0</truncated><bndbox><xmin>{}</xmin><ymin>{}</ymin>"
          "<xmax>{}</xmax><ymax>{}</ymax></bndbox></object>")
FILE = ("<annotation><filename>{}.jpg</filename><size><width>400</width><height>300</height><depth>3</depth></size>"
        "<segmented>0</segmented>{}</annotation>")
for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
    pathlib.Path("voc", part).mkdir(parents=True)
pathlib.Path("voc/ImageSets/Main/train.txt").write_text("\n".join(NAMES))
for i, name in enumerate(NAMES):
    Image.new("RGB", (400, 300)).save(f"voc/JPEGImages/{name}.jpg")
    objects = "".join(OBJECT.format(x + i, 10 + 2 * i, x + i + 60, 90 + 2 * i) for x in (10, 110, 210))
    pathlib.Path(f"voc/Annotations/{name}.xml").write_text(FILE.format(name, objects))
data = datumaro.Dataset.import_from("voc", "voc")
data.export("yolo", "yolo", save_media=True)


def evaluated(data, folder, **options):
    """Annotations, their different ids, and AP and AR of detections that are the objects."""
    data.export(folder, "coco_instances", **options)
    path = f"{folder}/annotations/instances_train.json"
    annotations = json.loads(pathlib.Path(path).read_text())["annotations"]
    found = [{"image_id": one["image_id"], "category_id": one["category_id"], "bbox": one["bbox"], "score": 0.9}
             for one in annotations]
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO(path)
        run = COCOeval(index, index.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return len(annotations), len({one["id"] for one in annotations}), *(round(float(run.stats[i]), 4) for i in (0, 8))


seen = {"VOC": evaluated(data, "from_voc"), "YOLO": evaluated(datumaro.Dataset.import_from("yolo", "yolo"), "from_yolo"),
        "VOC, reindex": evaluated(data, "reindexed", reindex=True)}
for name, (annotations, ids, precision, recall) in seen.items():
    print(f"from {name}: {annotations} annotations with {ids} ids, AP {precision}, AR {recall}")
wrong = (60, 21, 0.1213, 0.35)
raise SystemExit(0 if seen == {"VOC": wrong, "YOLO": wrong, "VOC, reindex": (60, 60, 1.0, 1.0)} else 1)
P
venv/bin/python convert.py 2> log || { tail -3 log; exit 1; }

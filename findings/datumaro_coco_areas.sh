#!/bin/bash
# COCO read and written by Datumaro is evaluated otherwise: areas, ids of categories and digits of boxes are new ones.
#
# Guess before it was run: a copy from COCO to COCO keeps what COCO's numbers depend on: the annotations' "area", which
# decides between small, medium and large, and the ids of categories, which result files refer to.
# Seen: Datumaro 1.13.12 puts width x height for each area (of a segment, the pixels below it), numbers sparse category
# ids anew from 1, and rounds boxes to two decimals. The same detections, moved to the new ids, have AP_small 1.0 and
# AP_medium -1 before and AP_small -1 and AP_medium 1.0 after; with the ids that they had, AP is 0.0.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet datumaro==1.13.12 pycocotools==2.0.11
cat > round_trip.py <<'P'
import contextlib, io, json, pathlib
import datumaro
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

pathlib.Path("before/annotations").mkdir(parents=True)
pathlib.Path("before/images/val").mkdir(parents=True)
Image.new("RGB", (200, 200)).save("before/images/val/a.jpg")
# A thin object: its box is 40 x 40 pixels, its area 900, below 32 x 32.
truth = {"images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 200}],
         "categories": [{"id": 3, "name": "kite"}, {"id": 44, "name": "bottle"}],
         "annotations": [{"id": 1, "image_id": 1, "category_id": 44, "bbox": [10.125, 20, 40, 40], "area": 900.0,
                          "iscrowd": 0, "segmentation": []}]}
pathlib.Path("before/annotations/instances_val.json").write_text(json.dumps(truth))
datumaro.Dataset.import_from("before", "coco").export("after", "coco_instances")


def sizes(file, category):
    """AP, AP_small and AP_medium of a detection that is the object."""
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO(file)
        found = index.loadRes([{"image_id": 1, "category_id": category, "bbox": [10.125, 20, 40, 40], "score": 0.9}])
        run = COCOeval(index, found, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [round(float(run.stats[i]), 6) for i in (0, 3, 4)]


after = "after/annotations/instances_val.json"
copy = json.loads(pathlib.Path(after).read_text())
annotation = copy["annotations"][0]
print("category", annotation["category_id"], "bbox", annotation["bbox"], "area", annotation["area"])
seen = {"before": sizes("before/annotations/instances_val.json", 44), "after": sizes(after, annotation["category_id"]),
        "after, with the id before": sizes(after, 44)}
for name, numbers in seen.items():
    print(f"{name}: AP {numbers[0]}, small {numbers[1]}, medium {numbers[2]}")
expected = {"before": [1.0, 1.0, -1.0], "after": [1.0, -1.0, 1.0], "after, with the id before": [0.0, -1.0, 0.0]}
raise SystemExit(0 if seen == expected and annotation["category_id"] == 2 and annotation["bbox"][0] != 10.125 else 1)
P
venv/bin/python round_trip.py

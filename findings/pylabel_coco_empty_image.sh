#!/bin/bash
# COCO read and written by PyLabel has an object twice for each image without objects behind it.
#
# Guess before it was run: an image without objects stays one, with no annotation, from COCO to COCO.
# Seen: PyLabel 0.1.55 writes the annotation before it once more, with the same id, for each such image. pycocotools then
# counts two objects where a detector finds one: a perfect result has AR 0.5 instead of 1.0.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pylabel==0.1.55 pandas==2.3.3 pycocotools==2.0.11
cat > round_trip.py <<'P'
import contextlib, io, json, warnings
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

warnings.simplefilter("ignore")
from pylabel import importer  # noqa: E402

truth = {"images": [{"id": i, "file_name": f"{i}.jpg", "width": 100, "height": 100} for i in (1, 2)],
         "categories": [{"id": i, "name": name, "supercategory": "none"} for i, name in ((1, "kite"), (2, "bottle"))],
         "annotations": [{"id": i, "image_id": 1, "category_id": i, "bbox": [10, 20, 30, 40], "area": 1200, "iscrowd": 0,
                          "segmentation": []} for i in (1, 2)]}
with open("before.json", "w") as file:
    json.dump(truth, file)
with contextlib.redirect_stderr(io.StringIO()):
    importer.ImportCoco("before.json", path_to_images="", name="copy").export.ExportToCoco("after.json", cat_id_index=1)


def recall(path):
    """Average recall of a detection that is the second object: the copy's ids begin at 0, which pycocotools never finds."""
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO(path)
        run = COCOeval(index, index.loadRes([{"image_id": 1, "category_id": 2, "bbox": [10, 20, 30, 40], "score": 0.9}]),
                       "bbox")
        run.params.catIds = [2]
        run.evaluate()
        run.accumulate()
        run.summarize()
    return round(float(run.stats[8]), 6)


with open("after.json") as file:
    ids = [annotation["id"] for annotation in json.load(file)["annotations"]]
seen = ids, recall("before.json"), recall("after.json")
print(f"ids of annotations after: {seen[0]}; AR before {seen[1]}, after {seen[2]}")
raise SystemExit(0 if seen == ([0, 1, 1], 1.0, 0.5) else 1)
P
venv/bin/python round_trip.py

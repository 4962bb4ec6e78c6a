#!/bin/bash
# Crowd regions are ordinary objects once SAHI has read an annotation file, to slice it or to write it again.
#
# Guess before it was run: slice_coco and Coco keep "iscrowd": a region of a crowd, cut or whole, stays one that may hold any
# number of detections, counts for none, and costs none.
# Seen: SAHI 0.12.8 reads category, box and polygon of an annotation and nothing else: iscrowd is 0 afterwards, in each slice
# as well, and "area", by which sizes are told apart, is width x height or the polygon's. No warning. A detector that finds
# the one rider, and five people within a crowd of 200 x 100 pixels, has AP 1.0 and AR 1.0 on the file as it was and AP 0.0842
# and AR 0.5 on SAHI's copy; sliced into one slice of the image's size, the same. Training takes the crowd's box for one
# person.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet sahi==0.12.8 pycocotools==2.0.11 opencv-python==5.0.0.93
cat > crowd.py <<'P'
import contextlib
import io
import json
import pathlib

from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sahi.slicing import slice_coco
from sahi.utils.coco import Coco

pathlib.Path("images").mkdir()
Image.new("RGB", (400, 300)).save("images/street.jpg")
rider, crowd = [20, 150, 50, 100], [150, 20, 200, 100]
truth = {"images": [{"id": 1, "file_name": "street.jpg", "width": 400, "height": 300}],
         "categories": [{"id": 1, "name": "person", "supercategory": "person"}],
         "annotations": [{"id": i + 1, "image_id": 1, "category_id": 1, "bbox": box, "area": box[2] * box[3],
                          "iscrowd": int(box is crowd), "segmentation": []} for i, box in enumerate((rider, crowd))]}
found = [{"image_id": 1, "category_id": 1, "bbox": [160 + 35 * i, 30, 25, 80], "score": 0.9} for i in range(5)]
found.append({"image_id": 1, "category_id": 1, "bbox": rider, "score": 0.8})


def evaluated(truth):
    """AP, AR and the iscrowd of the annotations."""
    with open("truth.json", "w") as file:
        json.dump(truth, file)
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO("truth.json")
        run = COCOeval(index, index.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return round(float(run.stats[0]), 4), round(float(run.stats[8]), 4), [one["iscrowd"] for one in truth["annotations"]]


seen = {"as it was": evaluated(truth)}
with contextlib.redirect_stdout(io.StringIO()):
    copy = Coco.from_coco_dict_or_path("truth.json").json
    with open("truth.json", "w") as file:
        json.dump(truth, file)
    sliced, _ = slice_coco("truth.json", "images", "sliced", output_dir="slices", slice_height=300, slice_width=400)
seen.update({"read and written": evaluated(copy), "one slice": evaluated(sliced)})
for name, (precision, recall, iscrowd) in seen.items():
    print(f"{name}: AP {precision}, AR {recall}, iscrowd {iscrowd}")
wrong = (0.0842, 0.5, [0, 0])
raise SystemExit(0 if seen == {"as it was": (1.0, 1.0, [0, 1]), "read and written": wrong, "one slice": wrong} else 1)
P
venv/bin/python crowd.py 2> log || { tail -3 log; exit 1; }

#!/bin/bash
# Of a COCO file with "iscrowd": false, as a converter of data sets writes it, DALI's reader has one object of all.
#
# Guess before it was run: the reader gives all boxes and classes of the file, in its order, whatever other keys annotations have
# and in whatever order, or ends with an error; for this script, after the first run: of labelformat's copy it reads 0 or 1
# object.
# Seen: where a number of an annotation is written in another way than the reader expects, nvidia-dali-cuda120 2.4.0 (on a CPU)
# leaves off, without a word, and all annotations behind it in the file are gone: behind "iscrowd": false, true, null or 0.0,
# "image_id": 1.0 (as pandas writes a column that had gaps) and "category_id": 44.0, whose box gets class 0. labelformat 0.1.17
# writes "iscrowd" of instance segmentation as false and true, so that DALI gives 1 of 60 objects of its copy and of the 20
# images 19 are empty; pycocotools 2.0.11 reads 60 of all files. Unknown keys may be anything. No public report
# was found.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet nvidia-dali-cuda120==2.4.0 labelformat==0.1.17 pycocotools==2.0.11 pillow==12.2.0 numpy==2.4.6
cat > read.py <<'P'
import contextlib
import json
import pathlib

import nvidia.dali.fn as fn
from labelformat.formats import COCOInstanceSegmentationInput, COCOInstanceSegmentationOutput
from nvidia.dali import pipeline_def
from PIL import Image
from pycocotools.coco import COCO

IMAGES = 20
pathlib.Path("images").mkdir()
truth = {"images": [], "categories": [{"id": 1, "name": "person"}, {"id": 44, "name": "bottle"}], "annotations": []}
for i in range(1, IMAGES + 1):
    Image.new("RGB", (200, 150), (i, 90, 200)).save(f"images/{i}.jpg")
    truth["images"].append({"id": i, "file_name": f"{i}.jpg", "width": 200, "height": 150})
    for k in range(3):
        x, y, w, h = 10 + 50 * k, 20 + i, 40, 30 + k
        truth["annotations"].append({
            "id": len(truth["annotations"]) + 1, "image_id": i, "category_id": (1, 44)[k % 2], "iscrowd": 0, "bbox": [x, y, w, h],
            "area": w * h, "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]]})


@pipeline_def(batch_size=IMAGES, num_threads=1, device_id=None)
def reader(file):
    return tuple(fn.readers.coco(file_root="images", annotations_file=file, avoid_class_remapping=True))


def counted(file):
    """Objects and images with objects that DALI gives, the classes that it gives them, and objects that pycocotools reads."""
    labels = [one.ravel().tolist() for one in map(reader(file).run()[2].at, range(IMAGES))]
    with contextlib.redirect_stdout(None):
        right = len(COCO(file).getAnnIds(imgIds=list(range(1, IMAGES + 1))))
    return sum(map(len, labels)), sum(map(bool, labels)), sorted({label for one in labels for label in one}), right


def changed(key, value):
    """The same objects; the 31st has that value."""
    annotations = truth["annotations"]
    return truth | {"annotations": annotations[:30] + [annotations[30] | {key: value}] + annotations[31:]}


seen = {}
for key, value in (("image_id", 11), ("image_id", 11.0), ("category_id", 1.0), ("iscrowd", None), ("new", False), ("id", 31)):
    pathlib.Path("coco.json").write_text(json.dumps(changed(key, value)))
    seen[f"{key} {value}"] = counted("coco.json")
COCOInstanceSegmentationOutput(pathlib.Path("copy.json")).save(COCOInstanceSegmentationInput("coco.json"))
copied = json.loads(pathlib.Path("copy.json").read_text())
copied["annotations"] = [{"id": i + 1, **one} for i, one in enumerate(copied["annotations"])]  # pycocotools needs "id"
pathlib.Path("copy.json").write_text(json.dumps(copied))
seen["labelformat's copy"] = counted("copy.json")
for name, (objects, images, classes, right) in seen.items():
    print(f"{name}: DALI gives {objects} objects in {images} images, classes {classes}; pycocotools reads {right}")
expected = dict.fromkeys(seen, (60, 20, [1, 44], 60))
expected |= {"image_id 11.0": (30, 10, [1, 44], 60), "category_id 1.0": (31, 11, [0, 1, 44], 60),
             "iscrowd None": (31, 11, [1, 44], 60), "labelformat's copy": (1, 1, [1], 60)}
raise SystemExit(0 if seen == expected else 1)
P
venv/bin/python read.py

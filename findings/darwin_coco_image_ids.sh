#!/bin/bash
# Among as many images as COCO has, darwin-py gives two the same id, and one of them is gone to whoever reads the file.
#
# Guess before it was run: images of the COCO file have ids of their own, as the format asks for, however many there are.
# Seen: darwin-py 3.6.3 takes the CRC-32 of an image's path and name for its id ("a unique-enough 32bit int", says its source, and
# v7labs/darwin-py#470, which brought it). Of 118,287 images, as many as COCO's training set has, named by hashes of their
# contents, 1.6 pairs share an id on average: here 2, 1 and 2 of three such sets. Nothing is said. pycocotools 2.0.11 knows the last
# image of a pair, with the objects of both: a detector that finds each object of the images that it is shown has an AR of 0.6
# for a pair of two objects each and an image of one. Numbered names, up to 581,929, share none. Of images that share an id no
# report was found.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet darwin-py==3.6.3 pycocotools==2.0.11 numpy==2.2.6
cat > ids.py <<'P'
import contextlib
import hashlib
import io
import json
import pathlib
import zlib

from darwin.exporter import export_annotations, get_exporter
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IMAGES = 118287


def sharing(names):
    """The pairs of names that have the same CRC-32."""
    seen, pairs = {}, []
    for name in names:
        number = zlib.crc32(f"/{name}".encode())
        if number in seen:
            pairs.append((seen[number], name))
        seen[number] = name
    return pairs


sets = [sharing(hashlib.sha1(f"{kind} {i}".encode()).hexdigest() + ".jpg" for i in range(IMAGES)) for kind in range(3)]
numbered = len(sharing(f"{i:012d}.jpg" for i in range(581930)))
print(f"pairs among {IMAGES} names of three sets: {[len(one) for one in sets]}; among numbered names {numbered}")

first, second = sets[0][0]
objects = {first: [[10, 10, 50, 40], [200, 100, 60, 80]], second: [[300, 20, 70, 90], [400, 300, 90, 60]],
           "other.jpg": [[5, 5, 40, 40]]}
pathlib.Path("darwin").mkdir()
pathlib.Path("coco").mkdir()
for i, (name, boxes) in enumerate(objects.items()):
    pathlib.Path(f"darwin/{i}.json").write_text(json.dumps({
        "version": "2.0", "schema_ref": "", "item": {
            "name": name, "path": "/", "source_info": {"dataset": {"name": "d", "slug": "d"}, "team": {"name": "t", "slug": "t"}},
            "slots": [{"type": "image", "slot_name": "0", "width": 640, "height": 480, "source_files": [{"file_name": name}]}]},
        "annotations": [{"id": f"{i} {k}", "name": "dog", "slot_names": ["0"], "bounding_box": dict(zip("xywh", box))}
                        for k, box in enumerate(boxes)]}))
with contextlib.redirect_stdout(io.StringIO()):
    export_annotations(get_exporter("coco"), [pathlib.Path("darwin")], pathlib.Path("coco"))
    index = COCO("coco/output.json")
    category = index.getCatIds()[0]
    found = [{"image_id": i, "category_id": category, "bbox": box, "score": 0.9}
             for i in index.getImgIds() for box in objects[index.imgs[i]["file_name"]]]
    run = COCOeval(index, index.loadRes(found), "bbox")
    for step in (run.evaluate, run.accumulate, run.summarize):
        step()
written = len(index.dataset["images"]), len(index.dataset["annotations"]), len(index.imgs)
print(f"images and annotations in the file, and images that pycocotools knows: {written}; AR {run.stats[8]:.2f}")
same = [len(one) for one in sets] == [2, 1, 2] and numbered == 0 and written == (3, 5, 2)
raise SystemExit(0 if same and round(float(run.stats[8]), 2) == 0.6 else 1)
P
venv/bin/python ids.py

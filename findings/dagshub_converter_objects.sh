#!/bin/bash
# DagsHub's converter makes two objects of each COCO object with an outline, and writes YOLO labels in pixels.
#
# Guess before it was run: boxes of COCO, YOLO, CVAT and Label Studio come back within 0.01 pixels, one for one.
# Seen: dagshub-annotation-converter 0.3.0 reads an object's box and its polygon as two annotations. Written as COCO they are two
# again, one without a box: pycocotools 2.0.11 ends with KeyError: 'bbox', and with the polygon's box in its place perfect
# detections have an AR of 0.5. Label Studio gets a rectangle and a polygon. Images without objects are gone, and with them what
# a detector finds there. export_to_fs writes YOLO's numbers as they were read, so that a box of COCO or CVAT is "100.0 80.0 100.0
# 80.0", in pixels. Neither is said; its README names the formats and no more. No public report was found.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet dagshub-annotation-converter==0.3.0 pycocotools==2.0.11 numpy==2.4.6
cat > convert.py <<'P'
import contextlib
import io
import json
import pathlib

from dagshub_annotation_converter.converters.coco import export_to_coco_file, load_coco_from_file
from dagshub_annotation_converter.converters.cvat import load_cvat_from_xml_file
from dagshub_annotation_converter.converters.yolo import export_to_fs
from dagshub_annotation_converter.formats.label_studio.task import LabelStudioTask
from dagshub_annotation_converter.formats.yolo.context import YoloContext
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

BOX = [50, 40, 100, 80]
images = [{"id": i + 1, "file_name": f"images/{i}.jpg", "width": 640, "height": 480} for i in range(20)]
objects = [{"id": i + 1, "image_id": i + 1, "category_id": 18, "bbox": BOX, "area": 8000, "iscrowd": 0,
            "segmentation": [[50, 40, 150, 40, 150, 120, 50, 120]]} for i in range(10)]  # the other ten images are empty
pathlib.Path("truth.json").write_text(json.dumps({"images": images, "annotations": objects, "categories": [
    {"id": 18, "name": "dog"}]}))
pathlib.Path("cvat.xml").write_text(
    '<annotations><version>1.1</version><image id="0" name="images/0.jpg" width="640" height="480"><box label="dog" '
    'source="manual" occluded="0" xtl="50" ytl="40" xbr="150" ybr="120" z_order="0"></box></image></annotations>')


def recall(name):  # of detections that are the objects
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO(name)
        found = [{"image_id": i + 1, "category_id": 18, "bbox": BOX, "score": 0.9} for i in range(len(objects))]
        run = COCOeval(index, index.loadRes(found), "bbox")
        for step in (run.evaluate, run.accumulate, run.summarize):
            step()
    return round(float(run.stats[8]), 2)


def yolo(annotations, name):
    context = YoloContext(annotation_type="bbox", path=pathlib.Path("data"))
    context.categories.add("dog")
    return pathlib.Path(export_to_fs(context, annotations, name).parent, "data/labels/0.txt").read_text()


read, context = load_coco_from_file("truth.json")
export_to_coco_file([one for group in read.values() for one in group], "written.json", context)
written = json.loads(pathlib.Path("written.json").read_text())
counts = len(written["images"]), len(written["annotations"]), sum("bbox" in one for one in written["annotations"])
print(f"COCO: {len(images)} images and {len(objects)} objects become {counts[0]} and {counts[1]}, {counts[2]} with a box")
ended = "no error"
try:
    recall("written.json")
except KeyError as error:
    ended = f"KeyError {error}"
for one in written["annotations"]:
    one.setdefault("bbox", BOX)
pathlib.Path("written.json").write_text(json.dumps(written))
scores = recall("truth.json"), recall("written.json")
print(f"pycocotools: {ended}; AR {scores[0]} before, {scores[1]} with boxes for the outlines")
kinds = [one.type for one in LabelStudioTask.from_ir_annotations(read["images/0.jpg"]).annotations[0].result]
lines = [yolo(read["images/0.jpg"], "from_coco"), yolo(load_cvat_from_xml_file("cvat.xml")["images/0.jpg"], "from_cvat")]
print(f"Label Studio: {kinds}; YOLO of COCO and of CVAT: {lines}")
same = (counts, ended, scores, kinds) == ((10, 20, 10), "KeyError 'bbox'", (1.0, 0.5), ["rectanglelabels", "polygonlabels"])
raise SystemExit(0 if same and lines == ["0 100.0 80.0 100.0 80.0"] * 2 else 1)
P
venv/bin/python convert.py 2> log || { tail -3 log; exit 1; }

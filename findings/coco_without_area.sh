#!/bin/bash
# Annotations without "area", as label tools write them: evaluators that promise the same numbers part on the sizes.
#
# Guess before it was run: each either refuses them, as pycocotools does, or takes width x height.
# Seen: pycocotools 2.0.11 ends with KeyError: 'area'; hotcoco 1.3.0 and ultrafast-pycocotools 0.1.14 take width x height;
# faster-coco-eval 1.8.0 takes 0, so that each object is small: AP_small is 1.0 and AP_large -1 for an object of 120 x 120
# pixels that is found exactly, where the two others give -1 and 1.0. AP is 1.0 in all three.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pycocotools==2.0.11 faster-coco-eval==1.8.0 hotcoco==1.3.0 ultrafast-pycocotools==0.1.14
cat > evaluate.py <<'P'
import contextlib, importlib, io, json

box = [20, 30, 120, 120]
truth = {"images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 200}],
         "categories": [{"id": 1, "name": "kite"}],
         "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": box, "iscrowd": 0}]}
with open("truth.json", "w") as file:
    json.dump(truth, file)
with open("found.json", "w") as file:
    json.dump([{"image_id": 1, "category_id": 1, "bbox": box, "score": 0.9}], file)


def sizes(dataset, evaluator, name):
    """AP, AP_small and AP_large, or the kind of the error."""
    index = getattr(importlib.import_module(dataset), "COCO")
    evaluation = getattr(importlib.import_module(evaluator), name)
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            truth = index("truth.json")
            run = evaluation(truth, truth.loadRes("found.json"), "bbox")
            run.evaluate()
            run.accumulate()
            run.summarize()
        except KeyError as error:
            return f"KeyError: {error}"
    return [round(float(run.stats[i]), 6) for i in (0, 3, 5)]


seen = {"pycocotools": sizes("pycocotools.coco", "pycocotools.cocoeval", "COCOeval"),
        "hotcoco": sizes("hotcoco", "hotcoco", "COCOeval"),
        "ultrafast-pycocotools": sizes("ultrafast_pycocotools.coco", "ultrafast_pycocotools.cocoeval", "COCOeval"),
        "faster-coco-eval": sizes("faster_coco_eval", "faster_coco_eval", "COCOeval_faster")}
for name, numbers in seen.items():
    print(name, numbers)
by_box = [1.0, -1.0, 1.0]
raise SystemExit(0 if seen == {"pycocotools": "KeyError: 'area'", "hotcoco": by_box, "ultrafast-pycocotools": by_box,
                               "faster-coco-eval": [1.0, 1.0, -1.0]} else 1)
P
venv/bin/python evaluate.py

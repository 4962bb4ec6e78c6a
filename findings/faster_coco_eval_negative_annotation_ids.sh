#!/bin/bash
# Two evaluators that promise the same numbers part on annotation ids below 0.
#
# Guess before it was run: an id below 0 is as good as any other; both evaluators only compare it (0 is the known
# exception, by which pycocotools marks "not matched").
# Seen: pycocotools 2.0.11 gives AP 1.0 for four objects with the ids -10 to -7 that are found exactly;
# faster-coco-eval 1.8.0 counts none of them as found and gives AP 0.0, without a word. With the ids 1 to 4 both give 1.0.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pycocotools==2.0.11 faster-coco-eval==1.8.0 numpy==2.4.6
cat > evaluate.py <<'P'
import contextlib, io, json
import faster_coco_eval, pycocotools.coco, pycocotools.cocoeval


def ap(make_index, make_evaluation, first_id):
    boxes = [[20 * i, 0, 10, 10] for i in range(4)]
    truth = {"images": [{"id": 1, "width": 100, "height": 100, "file_name": "a.jpg"}],
             "categories": [{"id": 1, "name": "a"}],
             "annotations": [{"id": first_id + i, "image_id": 1, "category_id": 1, "bbox": box, "area": 100, "iscrowd": 0}
                             for i, box in enumerate(boxes)]}
    found = [{"image_id": 1, "category_id": 1, "bbox": box, "score": 0.9} for box in boxes]
    with open("truth.json", "w") as file:
        json.dump(truth, file)
    with contextlib.redirect_stdout(io.StringIO()):
        index = make_index("truth.json")
        run = make_evaluation(index, index.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return round(float(run.stats[0]), 6)


seen = {}
for first_id in (1, -10):
    seen[first_id] = (ap(pycocotools.coco.COCO, pycocotools.cocoeval.COCOeval, first_id),
                      ap(faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster, first_id))
    print(f"ids from {first_id}: pycocotools {seen[first_id][0]}, faster-coco-eval {seen[first_id][1]}")
raise SystemExit(0 if seen == {1: (1.0, 1.0), -10: (1.0, 0.0)} else 1)
P
venv/bin/python evaluate.py

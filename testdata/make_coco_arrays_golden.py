#!/usr/bin/env python3
"""Golden arrays for the test of src/eval/coco_eval.cc: what pycocotools makes of parameters that people choose.

Writes eval/coco_arrays.json beside this script: a small set of borderline cases, and for it and for the random set of
make_eval_golden.py the shape and FNV-1a hash of precision, recall and scores under each choice of parameters.
Needs: numpy, pycocotools 2.0.11. Usage: make_coco_arrays_golden.py
"""
import contextlib
import io
import json
import os

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from fnv1a import fnv1a_of_doubles

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eval")


def make_edges():
    """Objects at the same place, of equal IoU, on the borders of sizes, with id 0; crowds; classes without objects or
    results; equal scores over images; a detection on the border of each IoU threshold."""
    images = [{"id": i} for i in (0, 3, 9, 12)]
    categories = [{"id": i, "name": f"class {i}"} for i in (0, 2, 5, 8)]
    annotations, results = [], []

    def add_object(image, category, box, crowd=0, area=None):
        annotations.append({"id": len(annotations), "image_id": image, "category_id": category, "bbox": box,
                            "area": box[2] * box[3] if area is None else area, "iscrowd": crowd})

    def add_result(image, category, box, score):
        results.append({"image_id": image, "category_id": category, "bbox": box, "score": score})

    add_object(0, 0, [10, 10, 32, 32])  # id 0: never found
    add_object(0, 0, [10, 10, 32, 32])  # the same place
    add_object(0, 0, [10, 10, 32, 32], crowd=1)
    for score in (0.9, 0.9, 0.9, 0.4):
        add_result(0, 0, [10, 10, 32, 32], score)
    add_object(3, 0, [0, 0, 96, 96])
    add_object(3, 0, [20, 0, 96, 96])  # two objects with the same IoU to what lies between
    add_result(3, 0, [10, 0, 96, 96], 0.9)
    add_result(3, 0, [10, 0, 96, 96], 0.4)
    for place in range(20):  # IoU of 0.50, 0.55, ... to the object, as near as the numbers allow
        add_object(9, 2, [0, 200 * place, 100, 100], area=(1024, 9216, 1e5, 0)[place % 4])
        add_result(9, 2, [0, 200 * place, 50 + 5 * (place // 2), 100], 0.5)
    add_object(12, 2, [0, 0, 300, 300], crowd=1)
    for place in range(6):
        add_result(12, 2, [40 * place, 0, 32, 32 + place % 2], 0.5)
    add_object(12, 5, [0, 0, 10, 10])  # without results
    add_result(3, 8, [0, 0, 10, 10], 0.7)  # without objects
    return {"images": images, "annotations": annotations, "categories": categories}, results


def evaluate(name, annotations, results, params):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = json.loads(json.dumps(annotations))
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(json.loads(json.dumps(results))), "bbox")
        for key, value in params.items():
            setattr(run.params, key, np.array(value) if key.endswith("Thrs") else value)
        run.evaluate()
        run.accumulate()
    arrays = {key: fnv1a_of_doubles(run.eval[key]) for key in ("precision", "recall", "scores")}
    return {"set": name, "params": params, "counts": run.eval["counts"], **arrays}


def main():
    with open(os.path.join(OUT, "coco_dataset.json")) as file:
        dataset = json.load(file)
    with open(os.path.join(OUT, "coco_results.json")) as file:
        results = json.load(file)
    edges = make_edges()
    areas = [[0, 1e10], [0, 256], [1024, 1024], [1024, 9216], [9216, 9216]]
    cases = [evaluate("edges", *edges, params) for params in (
        {}, {"useCats": 0}, {"maxDets": [1, 2, 3]}, {"areaRng": areas}, {"iouThrs": [0.0, 0.25, 0.5, 1.0]},
        {"imgIds": [0, 9]}, {"catIds": [8, 0]}, {"recThrs": [0.0, 0.3, 0.1, 1.0]})]
    cases += [evaluate("random", dataset, results, params) for params in (
        {}, {"useCats": 0, "catIds": [2, 4, 7]}, {"maxDets": [5]}, {"maxDets": [2, 7, 40, 300], "areaRng": areas},
        {"iouThrs": np.linspace(0.05, 0.95, 19).tolist()})]
    with open(os.path.join(OUT, "coco_arrays.json"), "w") as file:
        json.dump({"annotations": json.dumps(edges[0]), "results": json.dumps(edges[1]), "cases": cases}, file, indent=0)
        file.write("\n")


main()

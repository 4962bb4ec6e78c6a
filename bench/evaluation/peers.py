#!/usr/bin/env python3
"""Evaluates a results file with one of the other programs, and prints its numbers as JSON.

    peers.py NAME instances.json results.json          NAME: a key of PEERS
"""
import contextlib
import importlib
import io
import json
import sys

COCO_NUMBERS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large",
                "AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large")


def coco(dataset, evaluator):
    """A program with pycocotools' interface, by the places of its two classes: its twelve numbers."""
    def evaluate(annotations, results):
        COCO, COCOeval = (getattr(importlib.import_module(module), name) for module, name in (dataset, evaluator))
        truth = COCO(annotations)
        run = COCOeval(truth, truth.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
        return dict(zip(COCO_NUMBERS, map(float, run.stats)))
    return evaluate


def tidecv(annotations, results):
    """What each kind of error costs, 0 to 1, and AP at IoU 0.5 of 100 detections an image."""
    from tidecv import TIDE, Data
    truth, found = Data("truth"), Data("found")
    with open(annotations) as file:
        dataset = json.load(file)
    for image in dataset["images"]:
        truth.add_image(image["id"], image["file_name"])
    for category in dataset["categories"]:
        truth.add_class(category["id"], category["name"])
    for a in dataset["annotations"]:
        (truth.add_ignore_region if a["iscrowd"] else truth.add_ground_truth)(a["image_id"], a["category_id"], a["bbox"])
    with open(results) as file:
        for r in json.load(file):
            found.add_detection(r["image_id"], r["category_id"], r["score"], r["bbox"])
    tide = TIDE()
    run = tide.evaluate(truth, found, mode=TIDE.BOX, name="run")
    costs = {**tide.get_main_errors()["run"], **tide.get_special_errors()["run"]}
    return {name: value / 100 for name, value in {"AP50": run.ap, **costs}.items()}


def lvis(annotations, results):
    import numpy
    numpy.float = float  # which numpy 1.24 dropped
    from lvis import LVIS, LVISEval, LVISResults
    truth = LVIS(annotations)
    run = LVISEval(truth, LVISResults(truth, results), "bbox")
    run.run()
    return {name: float(value) for name, value in run.get_results().items()}


PEERS = {
    "pycocotools": coco(("pycocotools.coco", "COCO"), ("pycocotools.cocoeval", "COCOeval")),
    "faster-coco-eval": coco(("faster_coco_eval", "COCO"), ("faster_coco_eval", "COCOeval_faster")),
    "hotcoco": coco(("hotcoco", "COCO"), ("hotcoco", "COCOeval")),
    "ultrafast-pycocotools": coco(("ultrafast_pycocotools.coco", "COCO"), ("ultrafast_pycocotools.cocoeval", "COCOeval")),
    "tidecv": tidecv,
    "lvis-api": lvis,
}


def main():
    name, annotations, results = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        numbers = PEERS[name](annotations, results)
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Golden numbers for the test of src/eval/tide.cc: what tidecv makes of the random set of make_eval_golden.py.

Writes eval/tide.json beside this script: AP, what each kind of error costs, and how many there are, at several numbers
of results. Needs: tidecv 1.0.1, pycocotools. Usage: make_tide_golden.py
"""
import json
import os

from tidecv import TIDE, Data

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eval")


def analyse(annotations, results):
    truth, found = Data("truth"), Data("found")
    for image in annotations["images"]:
        truth.add_image(image["id"], image["file_name"])
    for category in annotations["categories"]:
        truth.add_class(category["id"], category["name"])
    for a in annotations["annotations"]:
        add = truth.add_ignore_region if a["iscrowd"] else truth.add_ground_truth
        add(a["image_id"], a["category_id"], a["bbox"])
    known = {category["id"] for category in annotations["categories"]}
    for r in results:
        if r["category_id"] in known:
            found.add_detection(r["image_id"], r["category_id"], r["score"], r["bbox"])
    tide = TIDE()
    run = tide.evaluate(truth, found, mode=TIDE.BOX, name="run")
    counts = {error.short_name: count for error, count in run.count_errors().items()}
    return {"results": len(results), "ap": run.ap, "costs": tide.get_main_errors()["run"],
            "special": tide.get_special_errors()["run"], "counts": counts}


def main():
    with open(os.path.join(OUT, "coco_dataset.json")) as file:
        annotations = json.load(file)
    with open(os.path.join(OUT, "coco_results.json")) as file:
        results = json.load(file)
    with open(os.path.join(OUT, "tide.json"), "w") as file:
        json.dump([analyse(annotations, results[:count]) for count in (len(results), 300, 20)], file, indent=1)
        file.write("\n")


main()

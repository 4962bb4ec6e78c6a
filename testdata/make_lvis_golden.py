#!/usr/bin/env python3
"""Golden numbers for the test of src/eval/lvis.cc: what lvis-api makes of a small set of borderline cases.

Writes eval/lvis.json beside this script: sets of annotations and results as text, and for each limit of detections an image the
numbers, and shape and FNV-1a hash of precision and recall.
Needs: numpy, lvis 0.5.3 (which calls numpy.float; newer numpy lacks it). Usage: make_lvis_golden.py
"""
import json
import os
import random
import tempfile

import numpy as np

np.float = float  # lvis 0.5.3 was written for numpy before 1.24

from lvis import LVIS, LVISEval, LVISResults  # noqa: E402

from fnv1a import fnv1a_of_doubles  # noqa: E402

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eval")


def make_set(seed):
    """Few scores, so that many are equal; images that list some categories as absent and some as not exhaustive, a
    category of each frequency, one that nobody has, ignored objects, areas of 0, an object with id 0."""
    rng = random.Random(seed)
    categories = [{"id": i, "name": f"class {i}", "frequency": "rcf"[i % 3]} for i in (1, 4, 5, 9, 12, 30)]
    ids = [category["id"] for category in categories]
    images, annotations, results = [], [], []
    for i in range(12):
        images.append({"id": 100 - 7 * i, "width": 640, "height": 480,
                       "coco_url": f"http://images.cocodataset.org/val2017/{i:012d}.jpg",
                       "neg_category_ids": sorted(rng.sample(ids, 2)),
                       "not_exhaustive_category_ids": sorted(rng.sample(ids, 2))})
        for _ in range(rng.randint(1, 5)):
            box = [rng.randint(0, 40) * 10, rng.randint(0, 30) * 10, rng.randint(1, 20) * 8, rng.randint(1, 20) * 8]
            annotations.append({"id": len(annotations), "image_id": images[-1]["id"], "category_id": rng.choice(ids[:-1]),
                                "bbox": box, "area": rng.choice([box[2] * box[3], box[2] * box[3] / 2, 1024, 9216])})
            for _ in range(rng.randint(0, 3)):
                near = [box[0] + rng.randint(-2, 2) * 4, box[1], box[2] + rng.randint(0, 2) * 4, box[3]]
                category = annotations[-1]["category_id"] if rng.random() < 0.8 else rng.choice(ids)
                results.append({"image_id": images[-1]["id"], "category_id": category, "bbox": near,
                                "score": rng.randint(1, 9) / 10})
        for _ in range(rng.randint(0, 8)):
            box = [rng.randint(0, 400), rng.randint(0, 300), rng.randint(0, 200), rng.randint(1, 150)]
            results.append({"image_id": images[-1]["id"], "category_id": rng.choice(ids), "bbox": box,
                            "score": rng.randint(1, 9) / 10})
    annotations[3]["ignore"] = 1
    annotations[8]["ignore"] = 1
    annotations[5]["iscrowd"] = 1  # which lvis-api does not look at
    annotations[6]["area"] = 0
    results.append({"image_id": images[0]["id"], "category_id": 77, "bbox": [0, 0, 9, 9], "score": 0.95})
    rng.shuffle(results)
    return {"images": images, "annotations": annotations, "categories": categories}, results


def evaluate(annotations, results, limit):
    """annotations, results: JSON texts."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(annotations)
        file.flush()
        truth = LVIS(file.name)
    run = LVISEval(truth, LVISResults(truth, json.loads(results), max_dets=limit), "bbox")
    run.params.max_dets = limit
    run.run()
    return run


def main():
    sets = []
    for seed in range(3):
        annotations, results = (json.dumps(part) for part in make_set(seed))
        cases = []
        for limit in (300, 7, 3):
            run = evaluate(annotations, results, limit)
            cases.append({"limit": limit, "counts": list(run.eval["precision"].shape),
                          "precision": fnv1a_of_doubles(run.eval["precision"]),
                          "recall": fnv1a_of_doubles(run.eval["recall"]),
                          "metrics": [[name, float(value)] for name, value in run.results.items()]})
        sets.append({"annotations": annotations, "results": results, "cases": cases})
    with open(os.path.join(OUT, "lvis.json"), "w") as file:
        json.dump(sets, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()

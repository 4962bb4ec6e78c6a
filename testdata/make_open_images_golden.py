#!/usr/bin/env python3
"""Golden numbers for the test of src/eval/open_images.cc: what TensorFlow's evaluator of the Open Images challenge makes
of small random sets.

Writes eval/open_images.json beside this script: images with the classes that people looked for, boxes, groups, a hierarchy,
results (no two of one class with the same score, whose order the original leaves open), and AP of each class.
Needs: numpy, six, and the folder that holds the package object_detection (of TensorFlow's models); TensorFlow itself is
not needed. Usage: make_open_images_golden.py FOLDER
"""
import builtins
import json
import os
import random
import sys
import types

import numpy as np

# Names that newer versions of Python and numpy lack.
builtins.unicode = str
np.float, np.NAN = float, np.nan
sys.path.insert(0, sys.argv[1])
labels = types.ModuleType("object_detection.utils.label_map_util")  # which imports TensorFlow
labels.create_category_index = lambda categories: {category["id"]: category for category in categories}
sys.modules["object_detection.utils.label_map_util"] = labels
sys.modules["tensorflow"] = types.ModuleType("tensorflow")

from object_detection.core import standard_fields  # noqa: E402
from object_detection.utils import object_detection_evaluation  # noqa: E402

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eval")
ANCESTORS = {1: [2, 3], 2: [3]}  # class 4 and 5 stand alone


def make_set(seed):
    rng = random.Random(seed)
    scores = iter(rng.sample(range(1, 100000), 2000))
    images, annotations, results = [], [], []
    for image in range(1, 9):
        images.append({"id": image, "searched": sorted(rng.sample(range(1, 6), 2))})
        for _ in range(rng.randint(0, 6)):
            box = [rng.randint(0, 30) * 10, rng.randint(0, 30) * 10, rng.randint(2, 20) * 10, rng.randint(2, 20) * 10]
            annotations.append({"image": image, "category": rng.randint(1, 5), "box": box, "group": rng.random() < 0.3})
            for _ in range(rng.randint(0, 4)):
                near = [box[0] + rng.randint(-3, 3) * 4, box[1] + rng.randint(-3, 3) * 4, box[2] + rng.randint(-1, 3) * 8,
                        box[3]]
                results.append({"image": image, "category": rng.choice([annotations[-1]["category"], rng.randint(1, 5)]),
                                "box": near, "score": next(scores) / 100000})
        for _ in range(rng.randint(0, 5)):
            results.append({"image": image, "category": rng.randint(1, 5), "score": next(scores) / 100000,
                            "box": [rng.randint(0, 400), rng.randint(0, 300), rng.randint(0, 90), rng.randint(1, 90)]})
    return images, annotations, results


def corners(items):
    boxes = [[y, x, y + h, x + w] for x, y, w, h in (item["box"] for item in items)]
    return np.array(boxes, float).reshape(-1, 4)


def evaluate(images, annotations, results):
    evaluator = object_detection_evaluation.OpenImagesDetectionChallengeEvaluator(
        [{"id": i, "name": f"class {i}"} for i in range(1, 6)])
    truth, found = standard_fields.InputDataFields, standard_fields.DetectionResultFields
    expanded = [dict(a, category=c) for a in annotations for c in [a["category"]] + ANCESTORS.get(a["category"], [])]
    for image in images:
        boxes = [a for a in expanded if a["image"] == image["id"]]
        evaluator.add_single_ground_truth_image_info(image["id"], {
            truth.groundtruth_boxes: corners(boxes),
            truth.groundtruth_classes: np.array([a["category"] for a in boxes], int),
            truth.groundtruth_group_of: np.array([a["group"] for a in boxes], bool),
            truth.groundtruth_image_classes: np.array(image["searched"], int)})
        detections = [r for r in results if r["image"] == image["id"]]
        evaluator.add_single_detected_image_info(image["id"], {
            found.detection_boxes: corners(detections),
            found.detection_scores: np.array([r["score"] for r in detections], float),
            found.detection_classes: np.array([r["category"] for r in detections], int)})
    numbers = evaluator._evaluation.evaluate()
    return [-1 if np.isnan(ap) else float(ap) for ap in numbers.average_precisions], float(numbers.mean_ap)


def main():
    sets = []
    for seed in range(6):
        images, annotations, results = make_set(seed)
        ap, mean_ap = evaluate(images, annotations, results)
        sets.append({"images": images, "annotations": annotations, "results": results, "ap": ap, "mean_ap": mean_ap})
    with open(os.path.join(OUT, "open_images.json"), "w") as file:
        json.dump({"ancestors": [[child, above] for child, above in ANCESTORS.items()], "sets": sets}, file,
                  separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()

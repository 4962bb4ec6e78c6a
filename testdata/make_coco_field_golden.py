#!/usr/bin/env python3
"""Golden data for the test of src/eval on annotation and result files as people have them.

Writes eval/coco_field.json beside this script: for each case the two files as text, since some hold NaN, the twelve
numbers of pycocotools, and how many records are left out. What pycocotools reads is evaluated as it is; where a record
makes it fail or gives numbers that depend on how NaN compares, it evaluates the files without that record.
Needs: numpy, pycocotools 2.0.11. Usage: make_coco_field_golden.py
"""
import contextlib
import copy
import io
import json
import os

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eval", "coco_field.json")
NAN, INF = float("nan"), float("inf")


def annotation(number, image=1, category=1, bbox=(0, 0, 50, 50)):
    return {"id": number, "image_id": image, "category_id": category, "bbox": list(bbox), "area": bbox[2] * bbox[3],
            "iscrowd": 0}


def result(image=1, category=1, bbox=(0, 0, 50, 50), score=0.9):
    return {"image_id": image, "category_id": category, "bbox": list(bbox), "score": score}


TRUTH = {
    "images": [{"id": i, "width": 640, "height": 480, "file_name": f"{i}.jpg"} for i in (1, 2, 3, 4)],
    "categories": [{"id": 1, "name": "c"}, {"id": 2, "name": "d"}],
    "annotations": [annotation(1), annotation(2, 1, 1, (100, 100, 60, 60)), annotation(3, 2, 1, (10, 10, 30, 30)),
                    annotation(4, 2, 2, (50, 50, 120, 120)), annotation(5, 3, 2, (5, 5, 40, 40)), annotation(6, 4, 1)]}
FOUND = [result(score=0.8), result(1, 1, (102, 100, 60, 60), 0.7), result(2, 1, (10, 12, 30, 30), 0.9),
         result(2, 2, (50, 50, 118, 120), 0.6), result(3, 2, (200, 200, 40, 40), 0.95)]


def evaluate(truth, found):
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = json.loads(json.dumps(truth))
        gt.createIndex()
        if found:
            dt = gt.loadRes(json.loads(json.dumps(found)))
        else:  # which loadRes fails on: the same index without annotations
            dt = COCO()
            dt.dataset = {**gt.dataset, "annotations": []}
            dt.createIndex()
        run = COCOeval(gt, dt, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats.tolist()


def compact(value):
    return json.dumps(value, separators=(",", ":"))


CASES = []


def case(name, change, left_out=0, reference=None):
    """change(truth, found) makes the files; reference, where it is given, what pycocotools evaluates instead."""
    truth, found = copy.deepcopy(TRUTH), copy.deepcopy(FOUND)
    change(truth, found)
    stand_in = (truth, found)
    if reference is not None:
        stand_in = copy.deepcopy(TRUTH), copy.deepcopy(FOUND)
        reference(*stand_in)
    CASES.append({"name": name, "annotations": compact(truth), "results": compact(found),
                  "stats": evaluate(*stand_in), "left_out": left_out})


def unchanged(truth, found):
    pass


def add(bbox, **more):
    return lambda truth, found: truth["annotations"].append({**annotation(99), "bbox": bbox, **more})


def add_result(bbox, score=0.99):
    return lambda truth, found: found.append({**result(), "bbox": bbox, "score": score})


def set_all(items, **functions):
    for item in items:
        for key, function in functions.items():
            if key in item:
                item[key] = function(item[key])


def each_image(change):
    return lambda truth, found: [change(image) for image in truth["images"]] and None


def first(**values):
    return lambda truth, found: truth["annotations"][0].update(values)


def first_result(**values):
    return lambda truth, found: found[0].update(values)


def without(key):
    return lambda truth, found: truth["annotations"][0].pop(key) and None


def string_ids(truth, found):
    set_all(truth["images"], id=lambda i: f"img{i}")
    set_all(truth["categories"], id=str)
    set_all(truth["annotations"] + found, image_id=lambda i: f"img{i}", category_id=str)


def float_ids(truth, found):
    set_all(truth["images"] + truth["categories"] + truth["annotations"], id=float)
    set_all(truth["annotations"] + found, image_id=float, category_id=float)


def subset(truth, found):
    truth["images"] = truth["images"][:2]
    found[:] = [r for r in found if r["image_id"] < 3]


def make_cases():
    case("unchanged", unchanged)
    # Images without results count, in every category; no results at all are zeros.
    case("no results", lambda truth, found: found.clear())
    case("results of one image", lambda truth, found: found.__delitem__(slice(2, None)))
    case("results in reverse", lambda truth, found: found.reverse())
    # Nothing of an image but its id counts.
    for values in ({"width": None, "height": None}, {"width": 640.5, "height": -3}, {"width": NAN, "height": "480"},
                   {"file_name": None}, {"file_name": 7}, {"file_name": "/data/upload/1/a.jpg"}, {"file_name": ""},
                   {"file_name": "..\\..\\media\\a.jpg"}, {"file_name": "../../a.jpg"}, {"file_name": "https://x.example/a"}):
        case(f"images with {values}", each_image(lambda image, values=values: image.update(values)))
    case("images with ids alone", lambda truth, found: truth.update(images=[{"id": i["id"]} for i in truth["images"]]))
    case("an image listed twice", lambda truth, found: truth["images"].append(truth["images"][0]))
    case("a category listed twice", lambda truth, found: truth["categories"].append(truth["categories"][0]))
    for name in (None, 3, ["c"]):
        case(f"a category named {name}", lambda truth, found, name=name: truth["categories"][0].update(name=name))
    case("categories without names", lambda truth, found: truth.update(categories=[{"id": 1}, {"id": 2}]))
    # Annotations of what is not listed.
    case("an unlisted category", add([0, 0, 50, 50], category_id=7), left_out=1)
    case("an unlisted image", add([0, 0, 50, 50], image_id=77), left_out=1)
    case("a subset's images", subset, left_out=2)
    case("no categories", lambda truth, found: truth.update(categories=[]), left_out=11)
    case("no annotations", lambda truth, found: truth.update(annotations=[]))
    # Ids of other kinds.
    case("string ids", string_ids)
    case("whole floats as ids", float_ids)
    case("string ids of annotations", lambda truth, found: set_all(truth["annotations"], id=str))
    case("an annotation with id 0", first(id=0))
    case("an annotation with the string 0 as id", lambda truth, found: set_all(truth["annotations"], id=lambda i: str(i - 1)))
    case("an annotation with id null", first(id=None))
    case("an annotation with a negative id", first(id=-1))
    case("an annotation without an id", without("id"), reference=unchanged)
    case("results with strings for categories", lambda truth, found: set_all(found, category_id=str), left_out=5)
    case("a result of an unlisted category", lambda truth, found: found.append(result(1, 9)), left_out=1)
    # Areas and crowds.
    case("an area that is NaN", first(area=NAN))
    case("an area that is infinite", first(area=INF))
    case("a negative area", first(area=-5))
    case("an annotation without area", without("area"), reference=unchanged)
    case("an area that is null", first(area=None), reference=unchanged)
    case("an annotation without iscrowd", without("iscrowd"), reference=unchanged)
    case("iscrowd null", first(iscrowd=None), reference=unchanged)
    case("iscrowd true", first(iscrowd=True))
    case("iscrowd 1.0", first(iscrowd=1.0))
    case("an annotation to ignore", first(ignore=1))
    case("an empty box", add([300, 300, 0, 0], area=0))
    case("keypoints and segments", first(keypoints=[1, 2, 2] * 17, num_keypoints=17, segmentation=[[1, 1, NAN, 2, 2, 2]]))
    # Boxes and scores that make no sense.
    for bbox in ([NAN, 0, 50, 50], [300, 300, NAN, 50], [300, 300, INF, 50], [300, 300, -5, 50], [300, 300, -50, -50],
                 [300, 300, 1e308, 1e308], [None, 0, 50, 50], [], None):
        case(f"a box of {bbox}", add(bbox), left_out=1, reference=unchanged)
    case("an annotation without a box", lambda truth, found: truth["annotations"].append(
        {key: value for key, value in annotation(99).items() if key != "bbox"}), left_out=1, reference=unchanged)
    for bbox in ([NAN, 0, 50, 50], [0, 0, NAN, 50], [0, 0, INF, INF], [0, 0, -5, 50], [50, 50, -50, -50], [0, 0, 1e200, 1]):
        case(f"a result's box of {bbox}", add_result(bbox), left_out=1, reference=unchanged)
    case("a score that is NaN", add_result([0, 0, 50, 50], NAN), left_out=1, reference=unchanged)
    case("a score that is null", add_result([0, 0, 50, 50], None), left_out=1, reference=unchanged)
    for score in (INF, -INF, 7, -1):
        case(f"a score of {score}", first_result(score=score))
    case("results with members of annotations", lambda truth, found: [r.update(id=0, area=1, iscrowd=1) for r in found] and None)


make_cases()
with open(OUT, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(entry) for entry in CASES) + "\n]\n")
print(len(CASES), "cases")

#!/usr/bin/env python3
"""Makes an annotation file and result files like those of COCO's val2017, the same ones for the same seed.

    make_set.py FOLDER                        5,000 images, 37,000 objects, 500,000 results
    make_set.py FOLDER --images 120000 --objects 860000 --results 2000000
    make_set.py FOLDER --categories 1200 --copies 20     20 times as much, made in little more time
    make_set.py FOLDER --lvis --categories 1203 --images 20000 --objects 245000 --results 2000000

Writes instances.json (with polygons, as COCO has them), results.json (numbers as tools round them) and
results_long.json (the same numbers as float32, written as the shortest text of the same double: 17 digits). With --lvis
also lvis.json: the same annotations with LVIS' fields, where an image was searched for the categories of its objects and
for few others.
"""

import argparse
import json
import pathlib
import random
import struct


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def make_image(number):
    return {"license": 1 + number % 8, "file_name": f"{number:012d}.jpg",
            "coco_url": f"http://images.cocodataset.org/val2017/{number:012d}.jpg", "height": 480, "width": 640,
            "date_captured": "2013-11-14 17:02:52", "flickr_url": f"http://farm7.staticflickr.com/6116/{number}_z.jpg",
            "id": number}


def make_box(rng):
    """Left, top, width, height: small, medium and large ones, about as many of each."""
    side = 2 ** rng.uniform(2, 9)
    width, height = min(side * rng.uniform(0.5, 2), 630), min(side * rng.uniform(0.5, 2), 470)
    return [rng.uniform(0, 640 - width), rng.uniform(0, 480 - height), width, height]


def make_object(rng, number, image, category):
    box = [round(value, 2) for value in make_box(rng)]
    points = 2 * rng.randint(6, 54)
    polygon = [round(box[i % 2] + rng.random() * box[2 + i % 2], 2) for i in range(points)]
    return {"segmentation": [polygon], "area": box[2] * box[3] * 0.6, "iscrowd": int(rng.random() < 0.012),
            "image_id": image, "bbox": box, "category_id": category, "id": number}


def near(rng, box):
    """The box as a detector finds it."""
    shift = rng.choice([0.02, 0.05, 0.1, 0.2])
    return [box[0] + rng.gauss(0, shift) * box[2], box[1] + rng.gauss(0, shift) * box[3],
            box[2] * (1 + abs(rng.gauss(0, shift))), box[3] * (1 + abs(rng.gauss(0, shift)))]


def make_results(rng, image, objects, count, categories):
    found = []
    for _ in range(count):
        if objects and rng.random() < 0.4:
            true = rng.choice(objects)
            found.append((rng.random(), true["category_id"], near(rng, true["bbox"])))
        else:
            found.append((rng.random() ** 4, rng.choice(categories), make_box(rng)))
    found.sort(reverse=True)
    return [(image, category, box, score) for score, category, box in found]


def write_results(path, results, rounded, copies, step):
    """The results, and copies of them of other images, whose ids are `step` higher each time."""
    records = []  # image, and the text behind it
    for image, category, box, score in results:
        record = {"category_id": category, "bbox": [round(v, 2) if rounded else float32(v) for v in box],
                  "score": round(score, 5) if rounded else float32(score)}
        records.append((image, json.dumps(record)[1:]))
    with open(path, "w") as file:
        for copy in range(copies):
            file.write("[" if copy == 0 else ", ")
            file.write(", ".join(f'{{"image_id": {image + copy * step}, {text}' for image, text in records))
        file.write("]")


def add_lvis_fields(rng, annotations):
    """As in LVIS: absent categories are listed for a small part of all, few are not exhaustive, frequencies follow from
    the numbers of images; no crowds, no polygons of several objects."""
    categories = [category["id"] for category in annotations["categories"]]
    images_of = {category: set() for category in categories}
    present = {image["id"]: set() for image in annotations["images"]}
    for item in annotations["annotations"]:
        images_of[item["category_id"]].add(item["image_id"])
        present[item["image_id"]].add(item["category_id"])
    for image in annotations["images"]:
        here = present[image["id"]]
        image["neg_category_ids"] = [c for c in rng.sample(categories, min(8, len(categories))) if c not in here]
        image["not_exhaustive_category_ids"] = [c for c in sorted(here) if rng.random() < 0.1]
        del image["file_name"]
    for category in annotations["categories"]:
        count = len(images_of[category["id"]])
        category["frequency"] = "r" if count < 10 else "c" if count < 100 else "f"
    for item in annotations["annotations"]:
        del item["iscrowd"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--objects", type=int, default=37000)
    parser.add_argument("--results", type=int, default=500000)
    parser.add_argument("--categories", type=int, default=80)
    parser.add_argument("--seed", type=int, default=2017)
    parser.add_argument("--copies", type=int, default=1, help="so often all of it, each time with other images")
    parser.add_argument("--rounded-only", action="store_true", help="without results_long.json")
    parser.add_argument("--lvis", action="store_true")
    options = parser.parse_args()

    rng = random.Random(options.seed)
    images = sorted(rng.sample(range(1, 116 * options.images), options.images))
    categories = list(range(1, options.categories + 1))
    weights = [1 / (5 + i) for i in range(options.categories)]
    by_image = {image: [] for image in images}
    objects = []
    for number in range(options.objects):
        image = rng.choice(images)
        objects.append(make_object(rng, 1 + 7 * number, image, rng.choices(categories, weights)[0]))
        by_image[image].append(objects[-1])
    results = []
    for i, image in enumerate(images):
        count = options.results * (i + 1) // len(images) - options.results * i // len(images)
        results += make_results(rng, image, by_image[image], count, categories)

    options.folder.mkdir(parents=True, exist_ok=True)
    step = 116 * options.images
    copies = range(options.copies)
    annotations = {"info": {"description": "synthetic"}, "licenses": [],
                   "images": [make_image(image + copy * step) for copy in copies for image in images],
                   "annotations": [{**o, "image_id": o["image_id"] + copy * step, "id": o["id"] + copy * 7 * len(objects)}
                                   for copy in copies for o in objects],
                   "categories": [{"supercategory": "thing", "id": i, "name": f"class {i}"} for i in categories]}
    (options.folder / "instances.json").write_text(json.dumps(annotations))
    if options.lvis:
        add_lvis_fields(rng, annotations)
        (options.folder / "lvis.json").write_text(json.dumps(annotations))
    write_results(options.folder / "results.json", results, True, options.copies, step)
    if not options.rounded_only:
        write_results(options.folder / "results_long.json", results, False, options.copies, step)


if __name__ == "__main__":
    main()

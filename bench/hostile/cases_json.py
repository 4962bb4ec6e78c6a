"""Hostile annotations and results (83 to 87)."""
import json

from case import DAMAGED, LEGAL, Cases

case = Cases(".json")
IMAGE = {"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}
OBJECT = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 30, 30], "area": 900, "iscrowd": 0}
FOUND = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 30, 30], "score": 0.9}


def annotations(image=(), record=(), **fields):
    return {"images": [IMAGE | dict(image)], "annotations": [OBJECT | dict(record)],
            "categories": [{"id": 1, "name": "kite"}]} | fields


def write(folder, truth=None, found=None):
    """Both files: values, or texts as they are."""
    for name, content in (("annotations.json", truth or annotations()), ("results.json", found or [FOUND])):
        if isinstance(content, (dict, list)):
            content = json.dumps(content)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "results.json"


def without(record, key):
    return {name: value for name, value in record.items() if name != key}


def found(**fields):
    return [FOUND | fields]


@case(None, "nothing: the AP is 1", LEGAL)
def nothing(folder):
    return write(folder)


@case(83, "a detection without width and height (0)")
def box_zero(folder):
    return write(folder, found=[FOUND, FOUND | {"bbox": [10, 10, 0, 0], "score": 0.5}])


@case(83, "an annotation of negative width", DAMAGED)
def box_negative(folder):
    return write(folder, annotations(record={"bbox": [40, 10, -30, 30]}))


@case(83, "a detection of negative width", DAMAGED)
def found_negative(folder):
    return write(folder, found=found(bbox=[40, 10, -30, 30]))


@case(83, "a detection with NaN in its box", DAMAGED)
def found_nan(folder):
    return write(folder, found=found(bbox=[float("nan"), 10, 30, 30]))


@case(83, "a detection with 1e308 in its box")
def found_huge(folder):
    return write(folder, found=[FOUND, FOUND | {"bbox": [1e308, 1e308, 1e308, 1e308], "score": 0.5}])


@case(83, "a box of 3 numbers", DAMAGED)
def box_short(folder):
    return write(folder, found=found(bbox=[10, 10, 30]))


@case(83, "a score that is NaN", DAMAGED)
def score_nan(folder):
    return write(folder, found=found(score=float("nan")))


@case(83, "a detection without `image_id`")
def no_image_id(folder):
    return write(folder, found=[without(FOUND, "image_id")])


@case(83, "two images of one id", DAMAGED)
def repeated_image(folder):
    return write(folder, annotations(images=[IMAGE, IMAGE | {"file_name": "b.jpg"}]))


@case(83, "two annotations of one id", DAMAGED)
def repeated_annotation(folder):
    return write(folder, annotations(annotations=[OBJECT, OBJECT | {"bbox": [60, 60, 30, 30]}]))


@case(83, "`image_id` 2^64")
def huge_id(folder):
    return write(folder, found=found(image_id=1 << 64))


@case(83, "a detection of an image that is not listed")
def other_image(folder):
    return write(folder, found=[FOUND, FOUND | {"image_id": 7}])


@case(83, "a category that is not listed")
def other_category(folder):
    return write(folder, found=[FOUND, FOUND | {"category_id": 7}])


@case(84, "an image of width 0, and of width -5")
def width(folder):
    return write(folder, annotations(image={"width": 0, "height": -5}))


@case(85, "JSON nested 1,000,000 deep, where results are")
def deep(folder):
    return write(folder, found="[" * 1_000_000)


@case(85, "JSON nested 1,000,000 deep, in a field that nobody reads")
def deep_beside(folder):
    return write(folder, json.dumps(annotations(info=7)).replace("7", "[" * 1_000_000 + "]" * 1_000_000))


@case(85, "a byte order mark")
def mark(folder):
    return write(folder, found=b"\xef\xbb\xbf" + json.dumps([FOUND]).encode())


@case(85, "UTF-16")
def utf16(folder):
    return write(folder, found=json.dumps([FOUND]).encode("utf-16"))


@case(85, "a score of `1e999`")
def infinity(folder):
    return write(folder, found=json.dumps([FOUND]).replace("0.9", "1e999"))


@case(85, "a lone surrogate in a name")
def surrogate(folder):
    return write(folder, json.dumps(annotations()).replace("kite", "\\ud800"))


@case(85, "the key `bbox` twice", DAMAGED)
def repeated_key(folder):
    return write(folder, found=json.dumps([FOUND]).replace('"score"', '"bbox": [60, 60, 30, 30], "score"'))


@case(86, "run lengths that overflow")
def run_lengths(folder):
    counts = {"size": [100, 100], "counts": [1 << 62, 1 << 62, 1 << 62]}
    return write(folder, annotations(record={"segmentation": counts, "iscrowd": 1}))


@case(86, "`iscrowd` 7")
def crowd(folder):
    return write(folder, annotations(record={"iscrowd": 7}))


@case(87, "`file_name` `../../x` and absolute; nothing is opened")
def file_name(folder):
    return write(folder, annotations(image={"file_name": "../../etc/x"}))

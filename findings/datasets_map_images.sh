#!/bin/bash
# Pictures that a map step made smaller, or in which it painted faces over, are the old ones; others lose their quality.
#
# Guess before it was run: what a function gives to datasets' map as a picture is kept, pixel by pixel, wherever it came from:
# a picture of a file that Pillow made smaller in place, with its boxes, is the smaller one afterwards.
# Seen: datasets 5.2.0 keeps the path of a picture that has one, whatever was done to it: after thumbnail to half the size the
# boxes are halved and the picture is not, so that their IoU with the objects is 0.0, and regions that were painted over are
# there again. Without a word, and only where pictures are files (imagefolder, paths); those of Parquet files have no path and
# are kept as they are given. But a JPEG among them, also an unchanged one, is written anew with Pillow's quality of 75: 78,622
# bytes become 11,662, pixels are 8.8 off in the mean. Functions that return a new picture, as resize, are right.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HF_HOME=$folder/cache HF_DATASETS_DISABLE_PROGRESS_BARS=1 HF_HUB_OFFLINE=1
python3 -m venv venv
venv/bin/pip install --quiet datasets==5.2.0 pillow==13.0.0 numpy==2.4.6
cat > pictures.py <<'P'
import io

import numpy as np
from datasets import Dataset, Image
from PIL import Image as Pillow
from PIL import ImageDraw

BOX = [200, 100, 300, 180]
noise = np.random.RandomState(0).randint(90, 130, [240, 320, 3], dtype=np.uint8)
noise[BOX[1]:BOX[3], BOX[0]:BOX[2]] = 255
Pillow.fromarray(noise).save("street.jpg", quality=95, subsampling=0)
with open("street.jpg", "rb") as file:
    content = file.read()


def smaller_in_place(row):
    picture = row["image"]
    picture.thumbnail((160, 120))
    return {"image": picture, "box": [side // 2 for side in row["box"]]}


def painted_over(row):
    ImageDraw.Draw(row["image"]).rectangle(row["box"], fill=(0, 0, 0))
    return {"image": row["image"]}


def unchanged(row):
    return {"image": row["image"]}


def overlap(row):
    """IoU of the box with the bright pixels of the picture."""
    rows, columns = np.where(np.asarray(row["image"].convert("L")) > 200)
    if not len(rows):
        return None
    one, other = row["box"], [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    inter = np.prod(np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0))
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - inter
    return round(float(inter / area), 1)


seen = {}
for kind, picture in (("file", "street.jpg"), ("bytes", {"bytes": content, "path": None})):
    data = Dataset.from_dict({"image": [picture], "box": [BOX]}).cast_column("image", Image())
    before = np.asarray(data[0]["image"]).astype(int)
    for function in (smaller_in_place, painted_over, unchanged):
        after = data.map(function)
        row = after[0]
        seen[kind, function.__name__] = row["image"].size, overlap(row)
        print(f"{kind}, {function.__name__}: {row['image'].size}, box {row['box']}, IoU with the object {overlap(row)}")
    seen[kind] = float(np.abs(np.asarray(row["image"]).astype(int) - before).mean())
    stored = after.cast_column("image", Image(decode=False))[0]["image"]["bytes"] or content
    print(f"{kind}, unchanged: {len(content)} bytes became {len(stored)}, pixels are {seen[kind]:.1f} off in the mean")
large, small = (320, 240), (160, 120)
expected = {("file", "smaller_in_place"): (large, 0.0), ("bytes", "smaller_in_place"): (small, 1.0),
            ("file", "painted_over"): (large, 1.0), ("bytes", "painted_over"): (large, None),
            ("file", "unchanged"): (large, 1.0), ("bytes", "unchanged"): (large, 1.0)}
raise SystemExit(0 if seen.pop("file") == 0 and seen.pop("bytes") > 5 and seen == expected else 1)
P
venv/bin/python pictures.py 2> log || { tail -3 log; exit 1; }

#!/bin/bash
# A data set whose first image has no objects comes back from LitData with other labels in all other images.
#
# Guess before it was run: the numbers and types of each sample come back as they were written, or a sample that differs from
# the first one is refused.
# Seen: LitData 0.2.76 keeps the type of one-dimensional arrays once, that of the first sample, and reads the bytes of all
# later ones as that. np.array([]) of an image without objects has float64: the labels 1 and 44 of the next image come back
# as 5e-324 and 2.17e-322, which are 0 as integers. torch.tensor([]) has float32: two labels come back as four numbers.
# Areas that are whole numbers in the first image and not in the second come back as 4652011706887700480. No warning; with
# the same samples in another order all numbers are right. (Two-dimensional arrays carry their type and are right.)
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet litdata==0.2.76 numpy==2.4.6 torch==2.15.0
cat > shards.py <<'P'
import contextlib
import io

import litdata
import numpy
import torch

IMAGES = [[], [{"category_id": 1, "area": 1000}, {"category_id": 44, "area": 900}], [{"category_id": 3, "area": 1000.5}]]


def numpy_labels(objects):
    return {"labels": numpy.array([one["category_id"] for one in objects])}


def torch_labels(objects):
    return {"labels": torch.tensor([one["category_id"] for one in objects])}


def areas(objects):
    return {"areas": numpy.array([one["area"] for one in objects])}


def boxes(objects):
    return {"boxes": numpy.zeros([len(objects), 4], numpy.float32)}


def read_back(sample, images, folder):
    """What the data set gives for each image."""
    with contextlib.redirect_stdout(io.StringIO()):
        litdata.optimize(fn=sample, inputs=images, output_dir=folder, chunk_size=100, num_workers=1)
    return [next(iter(one.values())).tolist() for one in litdata.StreamingDataset(folder)]


if __name__ == "__main__":
    seen = {"labels, numpy": read_back(numpy_labels, IMAGES, "a"), "labels, torch": read_back(torch_labels, IMAGES, "b"),
            "areas": read_back(areas, IMAGES[1:], "c"),
            "labels, numpy, empty image last": read_back(numpy_labels, IMAGES[::-1], "d"),
            "boxes": read_back(boxes, IMAGES, "e")}
    for name, values in seen.items():
        print(f"{name}: {values}")
    expected = {"labels, numpy": [[], [5e-324, 2.17e-322], [1.5e-323]],
                "labels, torch": [[], [1.401298464324817e-45, 0.0, 6.165713243029195e-44, 0.0], [4.203895392974451e-45, 0.0]],
                "areas": [[1000, 900], [4652011706887700480]], "labels, numpy, empty image last": [[3], [1, 44], []],
                "boxes": [[], [[0.0] * 4] * 2, [[0.0] * 4]]}
    raise SystemExit(0 if seen == expected else 1)
P
venv/bin/python shards.py 2> log || { tail -3 log; exit 1; }

"""What the tests share: a small model, and images."""

import functools
import pathlib

import numpy as np

import effdet_cpp

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKPOINT = ROOT / "models/tf_efficientdet_d0_shapes.pth"
PICTURE = ROOT / "testdata/images/progressive_420.jpg"


@functools.lru_cache(maxsize=None)
def model(batch=1):
    return effdet_cpp.Model(CHECKPOINT, img_size=128, batch=batch, threads=1)


def detector(batch=1, **options):
    return effdet_cpp.Detector(model(batch), threads=1, **{"score": 0.0, **options})


def picture(height=90, width=120, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("xyxy", "confidence", "class_id"))

#!/bin/bash
# Oriented boxes lose their angle in the distortions that AlbumentationsX allows for them.
#
# Guess before it was run: transforms that cannot move an oriented box are refused, as the library does with RandomGridShuffle;
# the oriented box of a painted rectangle follows it through all others, and a distortion that is next to none leaves it as it
# is or, at worst, makes it the upright box around the rectangle.
# Seen: albumentationsx 2.5.1 with bbox_type="obb" paints each box as if its angle were 0 in ElasticTransform, GridDistortion,
# OpticalDistortion, PiecewiseAffine and ThinPlateSpline, moves what it painted, and gives back the upright box of that. A
# rectangle of 40 x 12 pixels, turned by 30 degrees, has [80, 60, 40, 12, 0] after next to no distortion: the angle is gone,
# the sizes are as before, and the IoU with the rectangle is 0.42; turned by 45 degrees, one of 36 x 10 has 0.25. No warning.
# Flips, Transpose, Crop, Pad, Rotate, Affine and Resize by one factor are right, above 0.92. That distortions take oriented
# boxes is new in 2026 (albumentations-team/AlbumentationsX#158); no public report of what they do to them was found.
#
# Needs Python 3.11 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet albumentationsx==2.5.1 opencv-python-headless==5.0.0.93 torch==2.15.0 numpy==2.4.6
cat > oriented.py <<'P'
import os

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
import albumentations as A
import numpy as np

HEIGHT, WIDTH, BOXES = 120, 160, [(80, 60, 40, 12, 30.0), (70, 55, 40, 12, -60.0), (85, 62, 36, 10, 45.0)]


def inside(box, height=HEIGHT, width=WIDTH):
    """Which pixels lie in the oriented box [centre x, centre y, width, height, degrees]."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    angle = np.radians(box[4])
    along = (x - box[0]) * np.cos(angle) + (y - box[1]) * np.sin(angle)
    across = (y - box[1]) * np.cos(angle) - (x - box[0]) * np.sin(angle)
    return (abs(along) <= box[2] / 2) & (abs(across) <= box[3] / 2)


def moved(transform, box):
    """The box afterwards, and its IoU with the rectangle that was painted into the picture before."""
    parameters = A.BboxParams(coord_format="cxcywh", bbox_type="obb", label_fields=["labels"], clip_after_transform=False)
    picture = np.repeat(inside(box)[:, :, None], 3, 2).astype(np.uint8) * 255
    out = A.Compose([transform], bbox_params=parameters, seed=1)(image=picture, bboxes=np.float32([box]), labels=[1])
    painted, after = out["image"][:, :, 0] > 127, [float(value) for value in out["bboxes"][0]]
    covered = inside(after, *painted.shape)
    return after, (painted & covered).sum() / (painted | covered).sum()


LITTLE = (0.0001, 0.0001)
DISTORTIONS = {"ElasticTransform": A.ElasticTransform(displacement_range=LITTLE, p=1),
               "GridDistortion": A.GridDistortion(distort_range=LITTLE, p=1),
               "OpticalDistortion": A.OpticalDistortion(distort_range=LITTLE, p=1),
               "PiecewiseAffine": A.PiecewiseAffine(scale_range=LITTLE, p=1),
               "ThinPlateSpline": A.ThinPlateSpline(scale_range=LITTLE, p=1)}
OTHERS = {"HorizontalFlip": A.HorizontalFlip(p=1), "Transpose": A.Transpose(p=1), "Crop": A.Crop(5, 5, 155, 115, p=1),
          "Pad": A.Pad(padding=10, p=1), "Rotate": A.Rotate(angle_range=(30, 30), p=1),
          "Affine": A.Affine(rotate=(20, 20), scale=(1.2, 1.2), p=1), "Resize": A.Resize(240, 320, p=1)}
as_seen = True
for name, transform in (DISTORTIONS | OTHERS).items():
    results = [moved(transform, box) for box in BOXES]
    print(f"{name}: {[round(value, 1) for value in results[0][0]]} for {list(BOXES[0])}, IoU with the objects",
          [round(float(iou), 2) for _, iou in results])
    if name in DISTORTIONS:
        as_seen = as_seen and all(after[4] == 0 and iou < 0.5 for after, iou in results)
    else:
        as_seen = as_seen and all(iou > 0.92 for _, iou in results)
try:
    moved(A.RandomGridShuffle(p=1), BOXES[0])
    refused = ""
except ValueError as error:
    refused = str(error)
print("RandomGridShuffle:", refused)
raise SystemExit(0 if as_seen and "do not support OBB" in refused else 1)
P
venv/bin/python oriented.py 2> log || { tail -3 log; exit 1; }

#!/bin/bash
# Boxes that Kornia flips, turns or resizes with their image lie beside the objects.
#
# Guess before it was run: where a picture of an 8 x 8 object is flipped, the object's box is the flipped object's box, as
# with torchvision's transforms; resizing to three times the size makes box and object three times as large.
# Seen: Kornia 0.9.0 (data key "bbox_xyxy", whose right and lower edges are exclusive, as its documentation has it) mirrors
# corners as if they were pixels, at (width - 1) / 2, and the image at width / 2: boxes come out one pixel too far left or too
# high. IoU with the object's pixels is 0.78 after a flip and 0.62 after half a turn, so that a perfect detector of the
# objects finds none of such boxes at 0.8. Resizing multiplies corners by (new - 1) / (old - 1): 0.85 at three times the size.
# compute_area of a box of 8 x 8 is 49, though get_boxes_shape says 8 and 8. torchvision 0.29.2 has an IoU of 1.0 each time.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet kornia==0.9.0 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
cat > flip.py <<'P'
import warnings

import kornia.augmentation as K
import torch
from kornia.geometry.boxes import Boxes
from torchvision import tv_tensors
from torchvision.ops import box_iou
from torchvision.transforms import v2

warnings.simplefilter("ignore")
SIDE = 64
box = torch.tensor([[40.0, 50.0, 48.0, 58.0]])
image = torch.zeros(1, 3, SIDE, SIDE)
image[:, :, 50:58, 40:48] = 1


def overlap(image, boxes):
    """IoU of the box with the bright pixels of the image."""
    rows, columns = torch.where(image[0, 0] > 0.5)
    pixels = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    return round(float(box_iou(torch.tensor([pixels], dtype=torch.float32), boxes.reshape(1, 4))), 2)


def by_kornia(transform):
    both = K.AugmentationSequential(transform, data_keys=["input", "bbox_xyxy"])
    return overlap(*both(image, box[None]))


def by_torchvision(transform):
    return overlap(*transform(image, tv_tensors.BoundingBoxes(box, format="XYXY", canvas_size=(SIDE, SIDE))))


size = [3 * SIDE, 3 * SIDE]
seen = {
    "flip": (by_kornia(K.RandomHorizontalFlip(p=1.0)), by_torchvision(v2.RandomHorizontalFlip(1.0))),
    "half a turn": (by_kornia(K.RandomRotation((180.0, 180.0), p=1.0)), by_torchvision(v2.RandomRotation((180.0, 180.0)))),
    "three times the size": (by_kornia(K.Resize(tuple(size), resample="nearest")),
                             by_torchvision(v2.Resize(size, v2.InterpolationMode.NEAREST))),
}
for name, (kornia, torchvision) in seen.items():
    print(f"{name}: IoU of box and object by Kornia {kornia}, by torchvision {torchvision}")
boxes = Boxes.from_tensor(box[None], mode="xyxy")
shape, area = [int(side) for side in boxes.get_boxes_shape()], float(boxes.compute_area())
print(f"Kornia: height and width {shape}, area {area}")
wrong = {"flip": (0.78, 1.0), "half a turn": (0.62, 1.0), "three times the size": (0.85, 1.0)}
raise SystemExit(0 if seen == wrong and shape == [8, 8] and area == 49 else 1)
P
venv/bin/python flip.py

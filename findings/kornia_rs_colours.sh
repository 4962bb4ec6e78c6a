#!/bin/bash
# Frames in OpenCV's order of colours reach the network with red as blue, although the preprocessor is told of the order.
#
# Guess before it was run: Preprocessor(format="bgr") of kornia-rs gives what format="rgb" gives for the same picture in RGB, and
# letterbox is OpenCV's bilinear resize with 114 around it, within a step of 255; YCbCr has blue's difference first.
# Seen: kornia-rs 0.2.0 (kornia_rs, on a CPU) reads "bgr" as "rgb", and "bgra" as "rgba": blue comes first, without a word, and
# is normalized by red's mean and deviation. Half of the numbers of a letterboxed frame of 480 x 640 are wrong; "rgb", "rgba" and
# the sizes and places are right. Its source says of the format "OpenCV convention; swapped in-kernel", and only the kernel
# for GPUs swaps. ycbcr_from_rgb and rgb_from_ycbcr have the order Y, Cr, Cb, so that red in Pillow's YCbCr, 76 84 255, becomes
# the blue 14 64 255. NV12, I420, YUYV and their kin are exactly OpenCV's. No public report of either was found.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet kornia-rs==0.2.0 opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cat > frames.py <<'P'
import warnings

import cv2
import kornia_rs
import numpy as np
from kornia_rs import imgproc
from PIL import Image

warnings.simplefilter("error")
HEIGHT, WIDTH, SIDE = 480, 640, 640
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
picture = np.random.RandomState(0).randint(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)  # RGB
ORDERS = {"rgb": None, "bgr": cv2.COLOR_RGB2BGR, "rgba": cv2.COLOR_RGB2RGBA, "bgra": cv2.COLOR_RGB2BGRA}


def prepared(order, mode, **more):
    """The picture in that order, as rows, columns and colours of the network's input, times 255."""
    frame = picture if order == "rgb" else cv2.cvtColor(picture, ORDERS[order])
    tensor = kornia_rs.Preprocessor(mode=mode, format=order, **more).run(frame.ravel(), WIDTH, HEIGHT, SIDE, SIDE)
    return np.array(np.from_dlpack(tensor))[0].transpose(1, 2, 0) * 255


stretched = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
boxed = np.full((SIDE, SIDE, 3), 114, np.uint8)
boxed[80:560] = picture
same = True
for mode, right in (("letterbox", boxed), ("stretch", stretched)):
    for order in ORDERS:
        result = prepared(order, mode)
        wrong = float((np.abs(result - right) > 1.6).mean())
        reversed_wrong = float((np.abs(result[..., ::-1] - right) > 1.6).mean())
        print(f"{mode}, {order}: wrong numbers {wrong:.3f}, {reversed_wrong:.3f} if the colours are read in reverse")
        right_order, other_order = (wrong, reversed_wrong) if order.startswith("rgb") else (reversed_wrong, wrong)
        same = same and right_order == 0 and other_order > 0.4
picture[:] = [255, 0, 0]
red = {order: [round(float(value) / 255, 3) for value in prepared(order, "stretch", mean=MEAN, std=DEVIATION)[9, 9]]
       for order in ("rgb", "bgr")}
print("a red picture, normalized:", red)
same = same and red == {"rgb": [2.249, -2.036, -1.804], "bgr": [-2.118, -2.036, 2.64]}
red = Image.new("RGB", (8, 8), (255, 0, 0))
ycbcr = np.asarray(red.convert("YCbCr"))
seen = [pixels[0, 0].tolist() for pixels in (ycbcr, imgproc.ycbcr_from_rgb(np.array(red)), imgproc.rgb_from_ycbcr(ycbcr.copy()))]
print("red as YCbCr by Pillow and by kornia-rs, and Pillow's read by kornia-rs:", seen)
raise SystemExit(0 if same and seen == [[76, 84, 255], [76, 255, 85], [14, 64, 255]] else 1)
P
venv/bin/python frames.py

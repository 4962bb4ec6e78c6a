#!/bin/bash
# RGB of 16 bits in separate planes, as scientific cameras and tifffile write it: each reader has a case that it gets wrong.
#
# Guess before it was run: compression changes no pixel. Pillow reads RGB TIFF of 16 bits as its upper 8 bits, whether planes
# are separate or not, and OpenCV gives all 16 bits with IMREAD_UNCHANGED.
# Seen: Pillow 13.0.0 (and 12.3.0) does so where pixels lie together and where planes are compressed (zlib). Separate planes
# without compression are read as samples of 8 bits: the two bytes of a number become two pixels, nearly all of the picture is
# noise, and nothing is said. OpenCV 5.0.0.93 (and 4.12) reads each of them as 8 bits a colour (IMREAD_COLOR), but with
# IMREAD_UNCHANGED nearly none of the numbers of separate planes is right, compressed or not. tifffile 2026.3.3 reads all.
#
# Needs Python 3.11 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 tifffile==2026.3.3
cat > planes.py <<'P'
import cv2
import numpy
import tifffile
from PIL import Image

PIXELS = numpy.random.default_rng(0).integers(0, 65536, (48, 64, 3)).astype(numpy.uint16)
FORMS = {  # how a file is written, and who reads it rightly: Pillow, OpenCV in 8 bits, OpenCV in 16
    "together": (dict(planarconfig="contig"), (True, True, True)),
    "separate planes, zlib": (dict(planarconfig="separate", compression="zlib"), (True, True, False)),
    "separate planes": (dict(planarconfig="separate"), (False, True, False)),
}


def share(values, meant, tolerance=0):
    """Of the values that are those that were written."""
    return float((abs(values.astype(int) - meant.astype(int)) <= tolerance).mean())


for name, (form, who) in FORMS.items():
    data = numpy.moveaxis(PIXELS, -1, 0) if form["planarconfig"] == "separate" else PIXELS
    tifffile.imwrite("x.tif", data, photometric="rgb", **form)
    upper = PIXELS >> 8
    shares = (share(numpy.asarray(Image.open("x.tif").convert("RGB")), upper),
              share(cv2.imread("x.tif")[:, :, ::-1], upper, 1),
              share(cv2.imread("x.tif", cv2.IMREAD_UNCHANGED)[:, :, ::-1], PIXELS))
    print(f"{name}: right are {shares[0]:.0%} of Pillow's numbers, OpenCV's {shares[1]:.0%} in 8 bits, {shares[2]:.0%} in 16")
    assert all(right == 1 if is_right else right < 0.1 for right, is_right in zip(shares, who))
    assert tifffile.imread("x.tif").tobytes() == data.tobytes()
P
venv/bin/python planes.py

#!/bin/bash
# Masks and line drawings of two colours, saved as BMP and opened again by the same library, are other pictures.
#
# Guess before it was run: BmpImagePlugin takes a BMP of 8 bits whose palette is black, white for one of 1 bit a pixel, and
# that only its mode becomes "1"; the pixels stay, since the library reads what it wrote.
# Seen: Pillow 13.0.0 (and 12.3.0) unpacks the bytes as bits, too: of random pixels of a 64 x 48 picture more than 40 % are
# wrong. OpenCV 5.0.0.93 reads the same file rightly. With the palette white, black, or black and a grey, Pillow is right. So
# a mask of class 0 and 1 that was saved with this palette is noise to a loader with Pillow, without a word, and right to one
# with OpenCV. Public reports speak of the mode alone.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > palettes.py <<'P'
import io

import cv2
import numpy
from PIL import Image

INDICES = numpy.random.default_rng(0).integers(0, 2, (48, 64)).astype(numpy.uint8)


def wrong_shares(colours):
    """Of pixels that Pillow and OpenCV read otherwise than they were written."""
    picture = Image.frombytes("P", (64, 48), INDICES.tobytes())
    picture.putpalette([part for grey in colours for part in (grey,) * 3])
    file = io.BytesIO()
    picture.save(file, "BMP")
    meant = numpy.array(colours, numpy.uint8)[INDICES]
    by_pillow = numpy.asarray(Image.open(io.BytesIO(file.getvalue())).convert("L"))
    by_opencv = cv2.imdecode(numpy.frombuffer(file.getvalue(), numpy.uint8), cv2.IMREAD_GRAYSCALE)
    return [float((read != meant).mean()) for read in (by_pillow, by_opencv)]


for colours in ((0, 255), (255, 0), (0, 254)):
    pillow, opencv = wrong_shares(colours)
    print(f"palette {colours}: Pillow reads {pillow:.0%} of the pixels wrongly, OpenCV {opencv:.0%}")
    assert opencv == 0 and (pillow > 0.4 if colours == (0, 255) else pillow == 0)
P
venv/bin/python palettes.py

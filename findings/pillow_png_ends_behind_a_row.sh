#!/bin/bash
# A PNG whose pixels stop early, and that is read without a word.
#
# Guess before it was run: Pillow refuses pictures that are cut ("image file is truncated") unless LOAD_TRUNCATED_IMAGES is
# set, wherever the cut is, as OpenCV refuses them.
# Seen: where the compressed stream of a PNG ends properly but early (an encoder that was stopped and closed its stream: all
# check sums are right), Pillow 13.0.0 refuses it only if the end lies within a row. Behind a whole row it gives the picture
# with the missing rows black, and no warning: of 64 rows, 40 have their colour and 24 are black. OpenCV 5.0.0.93 (libpng)
# gives no picture in either case. A data set with such files trains and is evaluated on pictures that are half black, if the
# loader is Pillow's, and stops at them if it is OpenCV's.
#
# Needs Python 3.10 or later and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > show.py <<'P'
import io
import struct
import sys
import zlib

import cv2
import numpy
from PIL import Image

SIDE, GREY = 64, 200


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows, more_bytes=0):
    """A picture of SIDE rows whose stream has so many, and some bytes of the next one."""
    row = b"\0" + bytes([GREY]) * 3 * SIDE
    pixels = (row * SIDE)[: rows * len(row) + more_bytes]
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def by_pillow(file):
    try:
        return int((numpy.asarray(Image.open(io.BytesIO(file)))[:, 0, 0] == GREY).sum())
    except OSError as error:
        return str(error)


def by_opencv(file):
    picture = cv2.imdecode(numpy.frombuffer(file, numpy.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else int((picture[:, 0, 0] == GREY).sum())


seen = {name: (by_pillow(file), by_opencv(file)) for name, file in
        {"64 rows of 64": png(64), "40 rows and a byte": png(40, 1), "40 rows": png(40)}.items()}
for name, (pillow, opencv) in seen.items():
    print(f"{name}: rows of that colour by Pillow: {pillow}; by OpenCV: {opencv}")
whole, within, behind = seen.values()
as_stated = whole == (64, 64) and "truncated" in str(within[0]) and within[1] is None and behind == (40, None)
sys.exit(0 if as_stated else 1)
P
venv/bin/python show.py 2> log || { tail -3 log; exit 1; }

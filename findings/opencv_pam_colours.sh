#!/bin/bash
# OpenCV takes red for blue in PAM pictures, and writes PAM pictures with red and blue exchanged.
#
# Guess before it was run: PAM pictures of RGB and RGB_ALPHA (FFmpeg, ImageMagick and Netpbm write them), of 8 and 16 bits, come
# from cv2.imread as PNG does, in the order BGR, and FFmpeg reads what cv2.imwrite wrote in the colours it had.
# Seen: OpenCV 5.0.0.93, PyAV 18.1.0 (FFmpeg). RGB comes in the order of the file, so that red is blue for IMREAD_COLOR and, with
# alpha as well, for IMREAD_UNCHANGED; IMREAD_COLOR and IMREAD_COLOR_RGB give the same. imwrite puts BGR into the file, as TUPLTYPE
# RGB where it is asked for, else with no TUPLTYPE, which FFmpeg refuses; OpenCV reads its own files back without a loss, which
# hides it. PPM is right, and so are PAM's greys and what IMREAD_GRAYSCALE makes of PAM's colours. Nothing is said. Looked for among
# issues: the pull request that brought PAM (opencv/opencv#6912) and its checks of sizes (#14726); none of its colours.
#
# Needs Python 3.11 or newer, Linux, and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6
cat > colours.py <<'P'
import av
import cv2
import numpy as np

rgb = np.zeros((6, 8, 3), np.uint8)
rgb[:, :4], rgb[:, 4:] = [250, 20, 30], [10, 200, 90]  # red on the left, green on the right
alpha = np.dstack([rgb, np.full((6, 8), 255, np.uint8)])
grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
seen = []


def write(name, pixels, kind, most=255):
    header = f"P7\nWIDTH 8\nHEIGHT 6\nDEPTH {pixels.shape[2]}\nMAXVAL {most}\nTUPLTYPE {kind}\nENDHDR\n"
    with open(name, "wb") as file:
        file.write(header.encode() + pixels.tobytes())


def ffmpeg(name):
    with av.open(name) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def show(label, given, want, right):
    same = given.shape == want.shape and np.abs(given.astype(int) - want).max() <= 1
    print(f"{label}: {'as' if same else 'other than'} the picture, left and right {given[0, [0, -1]].tolist()}")
    seen.append(same == right)


write("rgb.pam", rgb, "RGB")
write("rgb16.pam", rgb.astype(">u2") * 257, "RGB", 65535)
write("alpha.pam", alpha, "RGB_ALPHA")
write("grey.pam", grey[..., None], "GRAYSCALE")
with open("rgb.ppm", "wb") as file:
    file.write(b"P6\n8 6\n255\n" + rgb.tobytes())
for name in ("rgb.pam", "rgb16.pam"):
    show(f"{name}, FFmpeg", ffmpeg(name), rgb, True)
    show(f"{name}, OpenCV, BGR turned to RGB", cv2.imread(name)[..., ::-1], rgb, False)
    show(f"{name}, OpenCV, not turned", cv2.imread(name), rgb, True)
    show(f"{name}, OpenCV, IMREAD_COLOR_RGB", cv2.imread(name, cv2.IMREAD_COLOR_RGB), rgb, True)
    show(f"{name}, OpenCV, IMREAD_GRAYSCALE", cv2.imread(name, cv2.IMREAD_GRAYSCALE), grey, True)
show("alpha.pam, FFmpeg", ffmpeg("alpha.pam"), rgb, True)
show("alpha.pam, OpenCV, BGRA turned to RGBA", cv2.imread("alpha.pam", cv2.IMREAD_UNCHANGED)[..., [2, 1, 0, 3]], alpha, False)
show("alpha.pam, OpenCV, not turned", cv2.imread("alpha.pam", cv2.IMREAD_UNCHANGED), alpha, True)
show("grey.pam, OpenCV", cv2.imread("grey.pam", cv2.IMREAD_GRAYSCALE), grey, True)
show("rgb.ppm, OpenCV, BGR turned to RGB", cv2.imread("rgb.ppm")[..., ::-1], rgb, True)
cv2.imwrite("written.pam", rgb[..., ::-1].copy(), [cv2.IMWRITE_PAM_TUPLETYPE, cv2.IMWRITE_PAM_FORMAT_RGB])
show("written by OpenCV, FFmpeg", ffmpeg("written.pam"), rgb, False)
show("written by OpenCV, OpenCV", cv2.imread("written.pam")[..., ::-1], rgb, True)
raise SystemExit(0 if all(seen) else f"another behaviour: {seen}")
P
venv/bin/python colours.py

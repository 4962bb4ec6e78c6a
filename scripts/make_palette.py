#!/usr/bin/env python3
"""Prints the colours of src/vision/palette.cc: each is, of many, the one that lies farthest from all before it, for people
who see all colours and for those who do not (protanopia, deuteranopia, tritanopia, as Machado et al. 2009 compute them).

Distances are of CIELAB. Dark and pale colours are left out, since boxes must be seen on photographs. Needs numpy.
Usage: make_palette.py [NUMBER]
"""
import sys

import numpy as np

VISIONS = [
    np.eye(3),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
]
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WEIGHTS = [1.0, 1.6, 1.4, 1.3]  # few colours are left to whoever sees fewer: less distance must do


def lab(linear):
    xyz = np.clip(linear, 0, 1) @ TO_XYZ.T / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], -1)


def main():
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 91
    steps = np.arange(0, 256, 15)
    rgb = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    srgb = rgb / 255
    linear = np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)
    places = [lab(linear @ vision.T) for vision in VISIONS]
    chroma = np.hypot(places[0][:, 1], places[0][:, 2])
    usable = (places[0][:, 0] > 42) & (places[0][:, 0] < 93) & (chroma > 28)
    chosen = [int(np.argmin(np.abs(rgb - [230, 60, 75]).sum(1)))]
    nearest = np.full(len(rgb), np.inf)
    while len(chosen) < number:
        for place, weight in zip(places, WEIGHTS):
            nearest = np.minimum(nearest, weight * np.linalg.norm(place - place[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(np.where(usable, nearest, -1))))
    for at in range(0, number, 8):
        print("    " + ", ".join("{%d, %d, %d}" % tuple(c) for c in rgb[chosen[at : at + 8]]) + ",")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the four files of this folder of MNIST's training set (README.md says how).

usage: make.py FOLDER, which holds train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz
"""
import gzip
import hashlib
import os
import struct
import subprocess
import sys

CLASSES, TRAIN, TEST, LEVELS = 10, 240, 80, 8  # TRAIN and TEST: images a class
PUBLISHED = {  # SHA-256 of the uncompressed files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
}


def read(folder, name):
    with gzip.open(os.path.join(folder, name + ".gz")) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != PUBLISHED[name]:
        sys.exit(name + ": is not the published file")
    return data


def reduce(pixels):
    """28 x 28 to 14 x 14: the mean of 2 x 2, rounded to one of LEVELS levels from 0 to 255."""
    small = bytearray()
    for y in range(0, 28, 2):
        for x in range(0, 28, 2):
            at = 28 * y + x
            total = pixels[at] + pixels[at + 1] + pixels[at + 28] + pixels[at + 29]
            level = (2 * total * (LEVELS - 1) + 1020) // 2040
            small.append((2 * level * 255 + LEVELS - 1) // (2 * (LEVELS - 1)))
    return bytes(small)


def write(name, data):
    here = os.path.dirname(os.path.abspath(__file__))
    packed = subprocess.run(["gzip", "-9n"], input=data, stdout=subprocess.PIPE, check=True)
    with open(os.path.join(here, name + ".gz"), "wb") as file:
        file.write(packed.stdout)


def main(folder):
    images = read(folder, "train-images-idx3-ubyte")[16:]
    labels = read(folder, "train-labels-idx1-ubyte")[8:]
    places = [[i for i, label in enumerate(labels) if label == c] for c in range(CLASSES)]
    for part, begin, end in ("train", 0, TRAIN), ("test", -TEST, None):
        # 0 1 2 ... 9 0 1 2 ...: any beginning of the set is balanced too.
        rows = zip(*(of_class[begin:end] for of_class in places))
        order = [i for row in rows for i in row]
        small = [reduce(images[784 * i : 784 * (i + 1)]) for i in order]
        header = struct.pack(">IIII", 0x803, len(order), 14, 14)
        write(part + "-images-idx3-ubyte", header + b"".join(small))
        header = struct.pack(">II", 0x801, len(order))
        write(part + "-labels-idx1-ubyte", header + bytes(labels[i] for i in order))


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(sys.argv[1])

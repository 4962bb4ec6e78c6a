"""Hostile .npy files: beside the numbered cases."""
import struct

from case import LEGAL, Cases

case = Cases(".npy")
DATA = struct.pack("<6f", *range(6))


def npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", data=DATA, version=b"\1\0", length=None):
    text = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text) if length is None else length) + text + data


def header(descr="'<f4'", order="False", shape="(6,)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


@case(None, "nothing", LEGAL)
def nothing(_):
    return npy()


@case(None, "cut at every byte")
def cut(_):
    return [npy()[:size] for size in range(len(npy()))]


@case(None, "a header that is code; that is no dictionary; without `shape`")
def code(_):
    return [npy("__import__('os').getpid()"), npy("[1, 2]"), npy("{'descr': '<f4', 'fortran_order': False, }")]


@case(None, "a header longer than the file; nested 3,000 deep")
def long_header(_):
    return [npy(length=65535), npy("(" * 3000 + ")" * 3000)]


@case(None, "a key twice; an unknown key")
def keys(_):
    return [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'shape': (6,), }"),
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'x': 1, }")]


@case(None, "shape of 2^40, of a product that wraps, negative")
def shapes(_):
    return [npy(header(shape=shape)) for shape in ("(1099511627776,)", "(4294967296, 4294967296)", "(-6,)")]


@case(None, "bytes after the data")
def tail(_):
    return npy(data=DATA + b"x")


@case(None, "Python objects (a pickle)")
def objects(_):
    return npy(header(descr="'|O'"), b"\x80\x04N.")


@case(None, "version 9")
def version(_):
    return npy(version=b"\x09\0")

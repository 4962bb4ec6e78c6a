"""Hostile safetensors files (42 to 50)."""
import json
import struct

from archives import STORAGE
from case import DAMAGED, LEGAL, Cases

case = Cases(".safetensors")


def file(header, data=STORAGE, length=None):
    text = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def field(dtype="F32", shape=(6,), offsets=(0, 24)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def tensors(**fields):
    return file(json.dumps(fields))


def with_dimension(text):
    return file('{"w":{"dtype":"F32","shape":[%s],"data_offsets":[0,24]}}' % text)


@case(42, "files of 0 to 7 bytes")
def short(_):
    return [b"\1" * size for size in range(8)]


@case(42, "header of 0, 2^64 - 1, 100,000,001 bytes, or longer than the file")
def length(_):
    return [file("{}", b"", size) for size in (0, (1 << 64) - 1, 100_000_001, 3)]


@case(43, "header that does not begin with `{`, is not UTF-8, or is followed by junk")
def header_text(_):
    return [file("[]", b""), file(b'{"\xff":{}}', b""), file("{}x", b"")]


@case(44, "a tensor twice", DAMAGED)
def twice(_):
    first, second = json.dumps(field(shape=[3], offsets=[0, 12])), json.dumps(field(shape=[3], offsets=[12, 24]))
    return file(f'{{"w":{first},"w":{second}}}')


def two(b1, e1, b2, e2):
    return tensors(a=field("U8", [e1 - b1], [b1, e1]), b=field("U8", [e2 - b2], [b2, e2]))


@case(45, "tensors that overlap")
def overlap(_):
    return two(0, 12, 11, 24)


@case(45, "a hole between tensors; before the first")
def hole(_):
    return [two(0, 12, 13, 24), two(1, 12, 12, 24)]


@case(45, "begin after end; end past the file")
def ends(_):
    return [tensors(w=field("U8", [0], [24, 0])), two(0, 12, 12, 25)]


@case(45, "bytes after the last tensor")
def tail(_):
    return two(0, 12, 12, 23)


@case(46, "shape [4194305, 4194305, 211106198978564], whose product wraps to 4")
def wraps(_):
    return tensors(w=field("U8", [4194305, 4194305, 211106198978564], [0, 4]))


@case(47, "dimensions `1.0`, `-1`, `1e3`, `\"3\"`")
def dimensions(_):
    return [with_dimension(text) for text in ("1.0", "-1", "1e3", '"3"')]


@case(48, "tensors without elements at an offset of others", LEGAL)
def empty(_):
    return tensors(a=field(), b=field(shape=[0, 7], offsets=[0, 0]), c=field(shape=[0], offsets=[24, 24]))


@case(49, "JSON nested 100,000 deep")
def deep(_):
    return [file('{"w":' + "[" * 100_000, b""), file('{"w":' + '{"a":' * 100_000, b"")]


@case(49, "1,000,000 tensors", LEGAL)
def many(_):
    entries = (f'"t{i}":{{"dtype":"U8","shape":[1],"data_offsets":[{i},{i + 1}]}}' for i in range(1_000_000))
    return file("{" + ",".join(entries) + "}", b"\7" * 1_000_000)


@case(50, "weights that are NaN and infinite", LEGAL)
def not_finite(_):
    return file(json.dumps({"w": field(shape=[3], offsets=[0, 12])}), struct.pack("<3f", float("nan"), float("inf"), 1))

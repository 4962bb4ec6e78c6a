"""Pictures by Pillow, and the pieces of JPEG and PNG files, for changing them."""
import io
import struct
import zlib

from PIL import Image

SIDE = 64


def picture(mode="RGB", size=(SIDE, SIDE)):
    """A picture with an edge and a slope in it."""
    image = Image.linear_gradient("L").resize(size)
    image.paste(200, (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    return image.convert(mode)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def jpeg(mode="RGB", **options):
    return saved(picture(mode), "JPEG", **options)


def png(mode="RGB", **options):
    return saved(picture(mode), "PNG", **options)


def segment(data, marker):
    """Where the first segment with this marker begins and ends."""
    at = data.index(bytes([0xFF, marker]))
    return at, at + 2 + int.from_bytes(data[at + 2:at + 4], "big")


def without_segment(data, marker):
    while bytes([0xFF, marker]) in data[:segment(data, 0xDA)[0]]:
        at, end = segment(data, marker)
        data = data[:at] + data[end:]
    return data


def changed(data, at, content):
    return data[:at] + content + data[at + len(content):]


def jpeg_of_size(width, height, data=None):
    data = data or jpeg()
    return changed(data, segment(data, 0xC0)[0] + 5, struct.pack(">HH", height, width))


def chunk(kind, content=b""):
    covered = kind + content
    return struct.pack(">I", len(content)) + covered + struct.pack(">I", zlib.crc32(covered))


def png_header(width, height, depth=8, colour=2):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def raw_png(width, height, rows):
    """A PNG whose rows, with their filters' bytes, are given."""
    return png_header(width, height) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")


def with_chunk(data, added):
    """The PNG with a chunk behind its header."""
    return data[:33] + added + data[33:]

#!/usr/bin/env python3
"""Makes images/: small pictures of every kind that the decoders know, and images/expected.txt with what Pillow makes of them.

expected.txt has lines "decode FILE WIDTH HEIGHT SHA256" (of the RGB bytes) and "resize FILE WIDTH HEIGHT SHA256" (of
Image.resize((WIDTH, HEIGHT), BILINEAR)). Needs Pillow 13 (the order of the passes of resize() changed there), numpy, and
imagecodecs 2026.3.6 for AVIF of more than 8 bits.
Usage: make_images.py [FOLDER]
"""
import hashlib
import io
import itertools
import pathlib
import struct
import sys
import zlib

import numpy as np
from imagecodecs import avif_encode
from PIL import Image

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # a pixel, by colour type


def waves(width, height, channels, top=255):
    """Smooth in one channel, rougher in the next."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [top / 2 * (1 + np.sin(x / (9 - 2 * c) + y / (7 - c))) for c in range(channels)]
    return np.stack(planes, -1).round().astype(np.uint16)


def jpeg(width, height, mode, **options):
    pixels = waves(width, height, len(mode)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def without_app(data):
    """Drops APP0 and APP14, so that nothing tells the colour space."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if data[at + 1] not in (0xE0, 0xEE):
            out += data[at:end]
        at = end
    return out + data[at:]


def with_adobe(data, transform):
    marker = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    return data[:2] + marker + without_app(data)[2:]


def with_sampling(data, luma):
    """Sets the sampling factors of the first component; right for a picture whose number of MCUs stays the same."""
    frame = data.find(b"\xff\xc0")
    return data[: frame + 11] + bytes([luma]) + data[frame + 12 :]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def pack(row, depth):
    """Samples of a row to bytes."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = (row.reshape(-1, 1).astype(np.uint8) >> np.arange(depth - 1, -1, -1, dtype=np.uint8)) & 1
    return np.packbits(bits.reshape(-1)).tobytes()


def filtered(row, above, step, kind):
    out = bytearray([kind])
    for i, value in enumerate(row):
        left, up = row[i - step] if i >= step else 0, above[i]
        corner = above[i - step] if i >= step else 0
        near = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
        paeth = (left, up, corner)[near.index(min(near))]
        out.append((value - (0, left, up, (left + up) // 2, paeth)[kind]) & 255)
    return bytes(out)


def png(width, height, depth, colour, interlaced=False, palette=None, transparency=None, parts=1):
    channels = SAMPLES[colour]
    top = (1 << depth) - 1 if palette is None else len(palette) // 3 - 1
    samples = waves(width, height, channels, top)
    step, data, number = max(1, channels * depth // 8), b"", 0
    for x, y, step_x, step_y in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[y::step_y, x::step_x]
        if 0 in part.shape:
            continue
        above = bytes(len(pack(part[0].reshape(-1), depth)))
        for row in part:
            packed = pack(row.reshape(-1), depth)
            data += filtered(packed, above, step, number % 5)
            above, number = packed, number + 1
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    out += chunk(b"PLTE", palette) if palette else b""
    out += chunk(b"tRNS", transparency) if transparency else b""
    deflated = zlib.compress(data, 9)
    size = -(-len(deflated) // parts)
    for at in range(0, len(deflated), size):
        out += chunk(b"IDAT", deflated[at : at + size])
    return out + chunk(b"IEND", b"")


def jpegs():
    yield "gray.jpg", jpeg(37, 29, "L", quality=80)
    yield "gray_progressive.jpg", jpeg(37, 29, "L", quality=80, progressive=True)
    for name in ("4:4:4", "4:2:2", "4:2:0", "4:1:1"):
        yield f"ycc_{name.replace(':', '')}.jpg", jpeg(50, 35, "RGB", quality=85, subsampling=name)
    yield "ycc_440.jpg", with_sampling(jpeg(48, 48, "RGB", quality=85, subsampling="4:2:2"), 0x12)
    yield "progressive_420.jpg", jpeg(50, 35, "RGB", quality=70, progressive=True)
    yield "restart.jpg", jpeg(50, 35, "RGB", quality=70, restart_marker_blocks=2)
    yield "rgb_by_adobe0.jpg", with_adobe(jpeg(33, 18, "RGB", keep_rgb=True), 0)
    yield "ycc_by_adobe1.jpg", with_adobe(jpeg(33, 18, "RGB"), 1)
    yield "no_markers.jpg", without_app(jpeg(33, 18, "RGB"))
    yield "cmyk_by_adobe0.jpg", with_adobe(jpeg(33, 18, "CMYK"), 0)
    yield "ycck_by_adobe2.jpg", with_adobe(jpeg(33, 18, "CMYK"), 2)
    yield "cmyk_no_markers.jpg", without_app(jpeg(33, 18, "CMYK"))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        yield f"exif_{orientation}.jpg", jpeg(24, 16, "RGB", quality=50, exif=exif)
    plain = jpeg(24, 16, "RGB", quality=50)
    yield "junk_between_segments.jpg", plain[:20] + b"junk\x00" + plain[20:]  # behind APP0
    yield "junk_at_end.jpg", plain + b"junk"
    yield "one_pixel.jpg", jpeg(1, 1, "RGB")
    yield "row.jpg", jpeg(300, 1, "RGB", quality=60)
    yield "column.jpg", jpeg(1, 300, "RGB", quality=60)


def pngs():
    colours = bytes(int(v) for v in waves(256, 1, 3).reshape(-1))
    for depth, colour in [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 4), (16, 4), (8, 6), (16, 6)]:
        for interlaced in (False, True):
            suffix = "_adam7" if interlaced else ""
            yield f"type{colour}_{depth}bit{suffix}.png", png(21, 17, depth, colour, interlaced)
    for depth in (1, 2, 4, 8):
        palette = colours[: 3 << depth]
        for interlaced in (False, True):
            suffix = "_adam7" if interlaced else ""
            yield f"type3_{depth}bit{suffix}.png", png(21, 17, depth, 3, interlaced, palette)
    yield "palette_trns.png", png(21, 17, 4, 3, palette=colours[:48], transparency=bytes(range(0, 160, 10)))
    yield "palette_one_clear.png", png(21, 17, 4, 3, palette=colours[:48], transparency=b"\xff\x00\xff")
    yield "palette_short.png", png(21, 17, 4, 3, palette=colours[:48])[:33] + chunk(b"PLTE", colours[:9]) + png(
        21, 17, 4, 3, palette=colours[:48])[33 + 60 :]
    yield "gray_trns.png", png(21, 17, 8, 0, transparency=b"\x00\x7f")
    yield "rgb_trns.png", png(21, 17, 8, 2, transparency=b"\x00\x7f\x00\x10\x00\x20")
    yield "many_idat.png", png(21, 17, 8, 2, parts=40)
    yield "png_named.jpg", png(21, 17, 8, 2)
    yield "one_pixel.png", png(1, 1, 8, 2, True)
    yield "row.png", png(700, 1, 8, 2)
    yield "column.png", png(1, 700, 8, 2, True)
    yield "tall.png", png(20, 90, 8, 2)


def saved(mode, kind, size=(37, 29), extra=None, **options):
    """By Pillow's own writers."""
    width, height = size
    channels = len(mode) if mode in ("RGB", "RGBA", "CMYK") else 1
    pixels = waves(width, height, channels).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels, "L" if channels == 1 else mode)
    if mode == "P":
        image = Image.fromarray(waves(width, height, 3).astype(np.uint8)).quantize(options.pop("colors", 200))
    elif mode in ("1", "LA"):
        image = image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rows_bmp(bits, header, size=(19, 13), compression=0, masks=b"", palette=b"", top_down=False, data=None):
    """What Pillow does not write."""
    width, height = size
    stride = (width * bits + 31) // 32 * 4
    noise = np.random.default_rng(bits).integers(0, 256, stride * height, np.uint8).tobytes() if data is None else data
    fields = struct.pack("<iiHHIIiiII", width, -height if top_down else height, 1, bits, compression, len(noise), 0, 0,
                         len(palette) // 4, 0)
    head = struct.pack("<I", header) + (struct.pack("<HHHH", width, height, 1, bits) if header == 12 else fields)
    head += masks if header == 40 else (masks + bytes(header))[: header - len(head)]
    offset = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(noise), 0, 0, offset) + head + palette + noise


def bmps():
    colours = bytes(int(v) for v in waves(256, 1, 4).reshape(-1))
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield f"{mode.lower()}.bmp", saved(mode, "BMP")
    yield "p16.bmp", rows_bmp(4, 40, palette=colours[:64])
    yield "p2.bmp", rows_bmp(1, 40, palette=colours[:8])
    yield "rgb555.bmp", rows_bmp(16, 40)
    yield "rgb565.bmp", rows_bmp(16, 40, compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    yield "bgrx_top_down.bmp", rows_bmp(32, 40, top_down=True)
    yield "abgr_v4.bmp", rows_bmp(32, 108, compression=3, masks=struct.pack("<IIII", 0xFF000000, 0xFF0000, 0xFF00, 0xFF))
    yield "os2.bmp", rows_bmp(24, 12)
    runs = b"".join(bytes([5, y * 9, 0, 5, 1, 2, 3, 4, 5, 0, 9, 200 - y]) + b"\0\0" for y in range(13))
    yield "rle8.bmp", rows_bmp(8, 40, compression=1, palette=colours, data=runs + b"\0\1")
    halves = b"".join(bytes([5, 0x17 + y, 0, 5, 0x12, 0x34, 0x50, 0, 9, 0xA3, 0, 0]) for y in range(12))
    yield "rle4.bmp", rows_bmp(4, 40, compression=2, palette=colours[:64], data=halves + b"\0\2\3\0\x10\x55\0\1")


def plain_pnm(kind, samples, most=None):
    """With a comment and numbers of all widths; a bitmap's have no blanks between them."""
    rows = ("" if kind == 1 else " ").join
    text = "\n".join(rows(str(v) for v in row.reshape(-1)) for row in samples)
    return f"P{kind}\n# plain\n{samples.shape[1]} {samples.shape[0]}\n{'' if most is None else most}\n{text}\n".encode()


def raw_pnm(kind, samples, most):
    head = f"P{kind} {samples.shape[1]}\t{samples.shape[0]} # raw\r\n{most}\n".encode()
    return head + samples.astype(np.uint8 if most < 256 else ">u2").tobytes()


def greys(most):
    """Of more than 8 bits those that Pillow does not make white for the most part."""
    return waves(21, 9, 1, most if most < 256 else max(3, 400 * most // 65535))


def pnms():
    yield "raw.pbm", saved("1", "PPM")
    yield "plain.pbm", plain_pnm(1, waves(45, 30, 1, 1))
    for most in (9, 255, 700):
        yield f"plain_{most}.pgm", plain_pnm(2, greys(most), most)
        yield f"plain_{most}.ppm", plain_pnm(3, waves(21, 9, 3, most), most)
    for most in (9, 100, 255, 256, 300, 65535):
        yield f"raw_{most}.pgm", raw_pnm(5, greys(most), most)
        yield f"raw_{most}.ppm", raw_pnm(6, waves(21, 9, 3, most), most)


def gifs():
    yield "p.gif", saved("P", "GIF")
    yield "l.gif", saved("L", "GIF")
    yield "interlaced.gif", saved("P", "GIF", interlace=1)
    yield "clear.gif", saved("P", "GIF", transparency=3)
    frames = [Image.fromarray(waves(40, 30, 3).astype(np.uint8)).rotate(a).quantize(64) for a in (0, 90)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=100)
    yield "moving.gif", buffer.getvalue()
    small = bytearray(saved("P", "GIF", (9, 7), interlace=0))
    small[6:10] = struct.pack("<HH", 20, 15)  # a screen that is larger than the frame
    yield "screen.gif", bytes(small)
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 80), np.uint8), "L")
    buffer = io.BytesIO()
    noise.save(buffer, "GIF")  # the table of codes fills up
    yield "full_table.gif", buffer.getvalue()


def webps():
    yield "lossy.webp", saved("RGB", "WEBP", quality=70)
    yield "lossless.webp", saved("RGB", "WEBP", lossless=True)
    yield "alpha.webp", saved("RGBA", "WEBP", quality=80)
    yield "alpha_lossless.webp", saved("RGBA", "WEBP", lossless=True)
    exif = Image.Exif()
    exif[0x112] = 6
    yield "exif_6.webp", saved("RGB", "WEBP", exif=exif)
    frames = [Image.fromarray(waves(40, 30, 3).astype(np.uint8)).rotate(a) for a in (0, 90)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    yield "moving.webp", buffer.getvalue()


def tiffs():
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "LA"):
        for compression in (None, "tiff_lzw"):
            suffix = "_lzw" if compression else ""
            yield f"{mode.lower()}{suffix}.tif", saved(mode, "TIFF", compression=compression)
    for compression in ("tiff_adobe_deflate", "packbits", "jpeg"):
        yield f"rgb_{compression}.tif", saved("RGB", "TIFF", (64, 48), compression=compression)
    buffer = io.BytesIO()
    Image.fromarray(waves(90, 70, 3).astype(np.uint8)).convert("YCbCr").save(buffer, "TIFF")
    yield "ycbcr.tif", buffer.getvalue()
    buffer = io.BytesIO()
    Image.fromarray(waves(50, 35, 3).astype(np.uint8)).convert("YCbCr").save(buffer, "TIFF", compression="jpeg")
    yield "ycbcr_jpeg.tif", buffer.getvalue()
    yield "fax.tif", saved("1", "TIFF", compression="group4")
    yield "strips.tif", saved("RGB", "TIFF", (40, 200), compression="tiff_lzw", strip_size=2000)
    for kind in (np.uint16, np.int32, np.float32):
        data = (waves(30, 20, 1, 700)[..., 0].astype(np.int32) - (0 if kind == np.uint16 else 100)).astype(kind)
        buffer = io.BytesIO()
        Image.fromarray(data).save(buffer, "TIFF")
        yield f"{np.dtype(kind).name}.tif", buffer.getvalue()
    for orientation in (3, 6):
        yield f"turned_{orientation}.tif", saved("RGB", "TIFF", (24, 16), tiffinfo={274: orientation})


def avifs():
    for subsampling in ("4:4:4", "4:2:0"):
        yield f"ycc_{subsampling.replace(':', '')}.avif", saved("RGB", "AVIF", (50, 35), quality=80, subsampling=subsampling)
    yield "alpha.avif", saved("RGBA", "AVIF", (50, 35), quality=80)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        yield f"exif_{orientation}.avif", saved("RGB", "AVIF", (24, 16), exif=exif)
    for bits, planes, alpha, matrix in itertools.product((10, 12), ("420", "422", "444", "400"), (False, True), (1, 6, 8)):
        if matrix == 6 or (bits, planes, alpha) == (10, "420", False):
            pixels = waves(25, 17, 4, (1 << bits) - 1)[..., : (1 if planes == "400" else 3) + alpha]
            yield (f"deep_{bits}_{planes}{'_alpha' * alpha}_{matrix}.avif",
                   avif_encode(pixels.squeeze(), level=90, bitspersample=bits, pixelformat=planes, matrix=matrix))


SIZES = {
    "ycc_420.jpg": [(25, 17), (26, 35), (50, 12), (100, 70), (51, 36), (1, 1), (333, 3), (3, 333), (50, 35), (7, 35)],
    "tall.png": [(10, 45), (19, 80), (19, 87), (20, 44), (5, 20), (40, 30), (1, 90), (100, 450), (8, 36)],
    "row.png": [(64, 1), (1400, 2), (5, 5), (699, 1), (1, 64)],
    "column.png": [(1, 64), (2, 1400), (5, 5), (1, 699), (64, 1)],
    "one_pixel.png": [(1, 1), (9, 9), (64, 33)],
    "type2_8bit.png": [(512, 414), (16, 16), (15, 13), (8, 8), (33, 9), (2, 50)],
}


def digest(image):
    return f"{image.width} {image.height} {hashlib.sha256(image.tobytes()).hexdigest()}"


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "images"
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, data in [*jpegs(), *pngs(), *bmps(), *pnms(), *gifs(), *webps(), *tiffs(), *avifs()]:
        (folder / name).write_bytes(data)
        image = Image.open(folder / name).convert("RGB")
        lines.append(f"decode {name} {digest(image)}")
        lines += [f"resize {name} {digest(image.resize(size, Image.BILINEAR))}" for size in SIZES.get(name, [])]
    (folder / "expected.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

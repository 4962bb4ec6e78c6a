"""Hostile pictures: JPEG (71 to 78), PNG (79 to 81), and what is none (82)."""
import struct
import zlib

from case import DAMAGED, LEGAL, Cases
from pictures import (SIDE, changed, chunk, jpeg, jpeg_of_size, picture, png, png_header, raw_png, saved, segment,
                      with_chunk, without_segment)

case = Cases(".jpg")


def cut_at_parts(data):
    return [data[:len(data) * percent // 100] for percent in (1, 10, 50, 99)]


@case(71, "JPEG cut at 1, 10, 50 and 99 %", DAMAGED)
def cut(_):
    return cut_at_parts(jpeg()) + cut_at_parts(jpeg(progressive=True))


@case(71, "JPEG without EOI")
def no_end(_):
    return [jpeg()[:-2], jpeg(progressive=True)[:-2]]


@case(72, "JPEG of 65500 x 65500 pixels in a short file")
def huge_jpeg(_):
    return jpeg_of_size(65500, 65500)[:800]


@case(73, "progressive JPEG with 1,200 scans")
def scans(_):
    whole = jpeg("L", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * 1200 + whole[-2:]


@case(74, "lossless JPEG; 12-bit JPEG")
def other_frames(_):
    at = segment(jpeg(), 0xC0)[0]
    return [changed(jpeg(), at + 1, b"\xc3"), changed(jpeg(), at + 4, b"\x0c")]


@case(75, "gray, CMYK and RGB JPEG; 4:4:4, 4:2:2, 4:2:0", LEGAL)
def colours(_):
    return [jpeg("L"), jpeg("CMYK"), jpeg(keep_rgb=True), *(jpeg(subsampling=kind) for kind in (0, 1, 2))]


@case(76, "EXIF orientation 1 to 8", LEGAL)
def orientation(_):
    return [jpeg(exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0" + struct.pack("<HHI", value, 0, 0))
            for value in range(1, 9)]


@case(77, "JPEG without DQT")
def no_quantization(_):
    return without_segment(jpeg(), 0xDB)


@case(77, "overfull DHT")
def overfull(_):
    return changed(jpeg(), segment(jpeg(), 0xC4)[0] + 5, b"\xff" * 16)


@case(77, "SOF twice")
def two_frames(_):
    at, end = segment(jpeg(), 0xC0)
    return jpeg()[:end] + jpeg()[at:]


@case(77, "JPEG of height 0; of width 0")
def no_height(_):
    return [jpeg_of_size(SIDE, 0), jpeg_of_size(0, SIDE)]


@case(78, "junk before SOI")
def junk(_):
    return b"junk" + jpeg()


@case(78, "PNG named .jpg", LEGAL)
def png_named_jpg(_):
    return png()


@case(79, "wrong CRC of IHDR", suffix=".png")
def header_crc(_):
    return changed(png(), 32, bytes([png()[32] ^ 1]))


@case(79, "wrong CRC of IDAT", suffix=".png")
def data_crc(_):
    return changed(png(), len(png()) - 13, bytes([png()[-13] ^ 1]))


@case(79, "IDAT cut in the middle", DAMAGED, ".png")
def cut_png(_):
    return png()[:len(png()) // 2]


@case(79, "IDAT of 10 rows instead of 64: the others are black", DAMAGED, ".png")
def few_rows(_):
    return raw_png(SIDE, SIDE, bytes((1 + 3 * SIDE) * 10))


@case(79, "bytes behind the image data", suffix=".png")
def more_data(_):
    return png()[:-12] + chunk(b"IDAT", b"more") + png()[-12:]


@case(80, "PNG of 1,000,000 x 1,000,000; 0 x 0; 13,000 x 13,000 without data", suffix=".png")
def sizes(_):
    return [png_header(*size) + chunk(b"IDAT", zlib.compress(b"x")) + chunk(b"IEND")
            for size in ((1_000_000, 1_000_000), (0, 0), (13_000, 13_000))]


@case(80, "iCCP and zTXt of 8 MB in 8 KB", suffix=".png")
def bombs(_):
    bomb = zlib.compress(bytes(8 << 20), 9)
    return [with_chunk(png(), chunk(kind, b"name\0\0" + bomb)) for kind in (b"iCCP", b"zTXt")]


@case(80, "a black PNG of 13,000 x 13,000 pixels", suffix=".png")
def large(_):
    rows = zlib.compressobj(9)
    row = bytes(1 + 13_000)
    data = b"".join(rows.compress(row) for _ in range(13_000)) + rows.flush()
    return png_header(13_000, 13_000, 8, 0) + chunk(b"IDAT", data) + chunk(b"IEND")


@case(81, "1-bit, palette, tRNS, 16-bit, gray + alpha", LEGAL, ".png")
def kinds(_):
    palette = picture("P")
    return [png("1"), png("P"), saved(palette, "PNG", transparency=0), png("I;16"), png("LA"), png("RGBA")]


@case(None, "BMP cut at 1, 10, 50 and 99 %", DAMAGED, ".bmp")
def cut_bmp(_):
    return cut_at_parts(saved(picture(), "BMP"))


@case(None, "GIF cut so", DAMAGED, ".gif")
def cut_gif(_):
    return cut_at_parts(saved(picture("P"), "GIF"))


@case(None, "PNM cut so", DAMAGED, ".ppm")
def cut_pnm(_):
    return cut_at_parts(saved(picture(), "PPM"))


@case(None, "WebP cut so, lossy and lossless", DAMAGED, ".webp")
def cut_webp(_):
    return cut_at_parts(saved(picture(), "WEBP")) + cut_at_parts(saved(picture(), "WEBP", lossless=True))


@case(None, "TIFF cut so, plain, deflated and LZW", DAMAGED, ".tif")
def cut_tiff(_):
    return [part for kind in (None, "tiff_adobe_deflate", "tiff_lzw")
            for part in cut_at_parts(saved(picture(), "TIFF", compression=kind))]


@case(None, "AVIF cut so", DAMAGED, ".avif")
def cut_avif(_):
    return cut_at_parts(saved(picture(), "AVIF"))


@case(82, "an empty file")
def empty(_):
    return b""


@case(82, "a folder named .jpg")
def folder(place):
    (place / "0.jpg").mkdir()
    return place / "0.jpg"


@case(82, "GIF named .jpg", LEGAL)
def gif(_):
    return saved(picture("P"), "GIF")


@case(82, "a text named .jpg")
def text(_):
    return b"<!DOCTYPE html><title>404</title>"

"""Hostile checkpoints: the archive around the pickle (29 to 40), and the format from before archives (41)."""
import io
import struct
import tarfile

from archives import STORAGE, Record, checkpoint, records, zip_of
from case import DAMAGED, LEGAL, Cases
from pickles import Pickle, one_tensor

case = Cases(".pth")
GOOD = one_tensor([6], [1])
LEGACY = one_tensor([6], [1], legacy=True)
MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."


def changed(index, **fields):
    """The good checkpoint with fields of a record changed: 0 is the pickle, 2 the storage."""
    content = records(GOOD)
    for name, value in fields.items():
        setattr(content[index], name, value)
    return zip_of(content)


def with_record(*more):
    return zip_of(records(GOOD) + list(more))


@case(29, "cut at every 64th part, and at each of the last 128 bytes")
def cut(_):
    whole = checkpoint(GOOD, [STORAGE, b"x" * 4000])
    return [whole[:len(whole) * part // 64] for part in range(64)] + [whole[:-end] for end in range(1, 129)]


@case(30, "wrong CRC of the pickle")
def wrong_crc_of_pickle(_):
    return changed(0, crc=1)


@case(30, "wrong CRC of the weights", DAMAGED)
def wrong_crc(_):
    return changed(2, crc=0x12345678)


@case(31, "size, name or method of the two headers differ")
def headers_disagree(_):
    whole = checkpoint(GOOD)
    renamed = whole.replace(b"archive/data/0", b"Archive/data/0", 1)
    return [changed(2, central_size=20), renamed, whole[:8] + b"\x08" + whole[9:]]


@case(32, "two `data.pkl`")
def two_pickles(_):
    return with_record(Record("archive/data.pkl", GOOD))


@case(32, "two folders at the top")
def two_folders(_):
    return with_record(Record("other/data.pkl", GOOD))


@case(33, "256 MB of zeros, deflated to 0.3 MB")
def bomb(_):
    content = records(one_tensor([1], [1], numel=64 << 20), [bytes(256 << 20)])
    content[2].deflated = True
    return zip_of(content)


@case(34, "records that overlap")
def overlap(_):
    return with_record(Record("archive/data/1", STORAGE, central_offset=0))


@case(35, "`../` and absolute names of records")
def names(_):
    return [with_record(Record(name, b"x")) for name in ("archive/../../x", "../x", "/etc/x")]


@case(36, "ZIP64 sizes of 2^63")
def zip64(_):
    extra = struct.pack("<HHQQ", 1, 16, 1 << 63, 1 << 63)
    return changed(2, central_size=0xFFFFFFFF, central_extra=extra)


@case(36, "two ends of the directory")
def two_ends(_):
    whole = checkpoint(GOOD)
    return whole + whole[-22:]


@case(37, "encrypted bit")
def encrypted(_):
    return changed(2, flags=1)


@case(37, "unknown method")
def method(_):
    return changed(2, method=14)


@case(38, "byte order big")
def byte_order(_):
    return changed(1, data=b"big")


@case(39, "TorchScript")
def script(_):
    return with_record(Record("archive/code/__torch__.py", b"pass"), Record("archive/constants.pkl", b"\x80\x02)."))


@case(39, "a tar file")
def tar(_):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("weights")
        info.size = len(STORAGE)
        archive.addfile(info, io.BytesIO(STORAGE))
    return stream.getvalue()


@case(39, "a safetensors file")
def safetensors(_):
    header = b'{"w":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}'
    return struct.pack("<Q", len(header)) + header + STORAGE


@case(40, "a pickle, then an archive")
def polyglot(_):
    return GOOD + checkpoint(GOOD)


def legacy(magic=MAGIC, protocol=b"\x80\x02M\xe9\x03.", weights=LEGACY, keys=("0",), numel=6, data=STORAGE):
    system = Pickle().raw(b"}").text("little_endian").raw(b"\x88s").stop()
    listed = Pickle().raw(b"](")
    for key in keys:
        listed.text(key)
    return magic + protocol + system + weights + listed.raw(b"e").stop() + struct.pack("<Q", numel) + data


@case(41, "legacy file", LEGAL)
def legacy_good(_):
    return legacy()


@case(41, "legacy file: another magic number or protocol")
def legacy_magic(_):
    return [legacy(magic=MAGIC[:5] + b"\x9d" + MAGIC[6:]), legacy(protocol=b"\x80\x02M\xea\x03.")]


@case(41, "legacy file: storage of 2^62 numbers")
def legacy_numel(_):
    return [legacy(numel=1 << 62), legacy(numel=1 << 62, weights=one_tensor([2], [1], numel=1 << 62, legacy=True))]


@case(41, "legacy file: key that is missing")
def legacy_key(_):
    return [legacy(keys=()), legacy(keys=("1",))]


@case(41, "legacy file: storage that is cut")
def legacy_cut(_):
    return [legacy(data=STORAGE[:size]) for size in (0, 1, 23)]

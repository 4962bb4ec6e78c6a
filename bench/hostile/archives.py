"""Writes zip archives and PyTorch checkpoints in which any field may be wrong."""
import dataclasses
import struct
import zlib

STORAGE = struct.pack("<6f", *range(6))


@dataclasses.dataclass
class Record:
    name: str
    data: bytes
    deflated: bool = False
    flags: int = 0
    method: int | None = None
    crc: int | None = None
    central_size: int | None = None
    central_offset: int | None = None
    central_extra: bytes = b""


def _fields(record, compressed, size):
    method = (8 if record.deflated else 0) if record.method is None else record.method
    crc = zlib.crc32(record.data) if record.crc is None else record.crc
    return struct.pack("<HHHIIIIH", 20, record.flags, method, 0x00210000, crc, compressed, size, len(record.name))


def zip_of(records, end=b""):
    """An archive; `end` stands between its directory and the end of the directory."""
    file, directory = b"", b""
    for record in records:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        stored = deflate.compress(record.data) + deflate.flush() if record.deflated else record.data
        offset = len(file) if record.central_offset is None else record.central_offset
        size = len(stored) if record.central_size is None else record.central_size
        padding = b"Z" * (-(len(file) + 30 + len(record.name) + 4) % 64)  # PyTorch's records begin at multiples of 64
        file += b"PK\x03\x04" + _fields(record, len(stored), len(record.data)) + struct.pack("<H", len(padding) + 4)
        file += record.name.encode() + b"FB" + struct.pack("<H", len(padding)) + padding + stored
        directory += b"PK\x01\x02" + struct.pack("<H", 20)
        directory += _fields(record, size, len(record.data) if record.central_size is None else size)
        directory += struct.pack("<H", len(record.central_extra)) + bytes(10) + struct.pack("<I", offset)
        directory += record.name.encode() + record.central_extra
    return file + directory + end + end_of_directory(len(records), len(directory), len(file))


def end_of_directory(count, size, offset):
    return b"PK\x05\x06" + struct.pack("<IHHIIH", 0, count, count, size, offset, 0)


def records(pickle, storages=(STORAGE,)):
    data = [Record(f"archive/data/{index}", storage) for index, storage in enumerate(storages)]
    return [Record("archive/data.pkl", pickle), Record("archive/byteorder", b"little"), *data,
            Record("archive/version", b"3\n")]


def checkpoint(pickle, storages=(STORAGE,)):
    return zip_of(records(pickle, storages))

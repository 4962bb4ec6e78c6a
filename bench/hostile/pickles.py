"""Writes pickles opcode by opcode, as no pickler would."""
import struct


class Pickle:
    """Appends opcodes; each method returns the object, so that calls chain."""

    def __init__(self, head=b"\x80\x02"):
        self.bytes = head

    def raw(self, content):
        self.bytes += content
        return self

    def text(self, text):
        encoded = text if isinstance(text, bytes) else text.encode()
        return self.raw(b"X" + struct.pack("<I", len(encoded)) + encoded)

    def integer(self, value):
        return self.raw(bytes([0x4B, value]) if 0 <= value < 256 else b"\x8a\x08" + struct.pack("<q", value))

    def name(self, module, name):
        return self.raw(f"c{module}\n{name}\n".encode())

    def tuple(self, values):
        self.raw(b"(")
        for value in values:
            self.integer(value)
        return self.raw(b"t")

    def tensor(self, size, stride, numel=6, offset=0, storage="FloatStorage", key="0", legacy=False):
        self.name("torch._utils", "_rebuild_tensor_v2").raw(b"((").text("storage").name("torch", storage).text(key)
        self.text("cpu").integer(numel).raw(b"NtQ" if legacy else b"tQ").integer(offset).tuple(size).tuple(stride)
        return self.raw(b"\x89").name("collections", "OrderedDict").raw(b")RtR")

    def stop(self):
        return self.bytes + b"."


def entry(key, value):
    """The pickle of {key: value}, where `value` is a Pickle that pushes it."""
    return Pickle().raw(b"}").text(key).raw(value.bytes[2:]).raw(b"s").stop()


def one_tensor(*arguments, **options):
    return entry("w", Pickle().tensor(*arguments, **options))

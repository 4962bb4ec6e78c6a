"""Hostile checkpoints: what the pickle in them says (1 to 28)."""
from archives import checkpoint
from case import DAMAGED, LEGAL, Cases
from pickles import Pickle, entry, one_tensor

case = Cases(".pth")
TENSOR = Pickle().tensor([6], [1])


def stopped(pickle):
    return checkpoint(pickle.stop())


@case(1, "GLOBAL `os.system`, REDUCE")
def os_system(_):
    return stopped(Pickle().name("os", "system").text("true").raw(b"\x85R"))


@case(2, "`builtins.eval`, `getattr`, `exec`, `__import__`")
def builtins(_):
    return [stopped(Pickle().name("builtins", name).text("1").raw(b"\x85R"))
            for name in ("eval", "getattr", "exec", "__import__")]


@case(3, "STACK_GLOBAL `os.system`")
def stack_global(_):
    return stopped(Pickle(b"\x80\x04").text("os").text("system").raw(b"\x93").text("true").raw(b"\x85R"))


@case(4, "INST, OBJ, EXT1")
def inst(_):
    return [stopped(Pickle().raw(b"(ios\nsystem\n")),
            stopped(Pickle().raw(b"(").name("argparse", "Namespace").raw(b"o")), stopped(Pickle().raw(b"\x82\x01"))]


@case(5, "`_codecs.encode` with wrong arguments")
def encode(_):
    name = Pickle().name("_codecs", "encode").bytes[2:]
    return [stopped(Pickle().raw(name).raw(b")R")), stopped(Pickle().raw(name).text("x").raw(b"K\x01\x86R"))]


@case(6, "SETITEM on a tensor", DAMAGED)
def set_item(_):
    return checkpoint(entry("w", Pickle().tensor([6], [1]).text("k").raw(b"Ns")))


@case(7, "APPEND to a tuple")
def append(_):
    return checkpoint(entry("w", Pickle().raw(b")Na")))


@case(8, "BUILD on a list")
def build(_):
    return checkpoint(entry("w", Pickle().raw(b"]}b")))


@case(9, "REDUCE, POP, BUILD on an empty stack")
def empty_stack(_):
    return [stopped(Pickle().raw(code)) for code in (b"R", b"0", b"b", b"s", b"\x85", b"")]


@case(10, "MARK that is missing or not used; SETITEMS with a key alone")
def marks(_):
    return [stopped(Pickle().raw(code)) for code in (b"t", b"}e", b"}(u(NNNu")]


@case(11, "BINGET of an entry that the memo has not")
def missing_memo(_):
    return [stopped(Pickle().raw(code)) for code in (b"h\x07", b"j\xff\xff\xff\x7f")]


@case(12, "LONG_BINPUT 0xFFFFFFFF", LEGAL)
def huge_memo(_):
    return stopped(Pickle().raw(b"}r\xff\xff\xff\xff").text("w").raw(TENSOR.bytes[2:]).raw(b"s"))


@case(13, "a list and a dict that hold themselves")
def loops(_):
    return [stopped(Pickle().raw(b"]q\x01h\x01a")), stopped(Pickle().raw(b"}q\x01").text("w").raw(b"h\x01s"))]


@case(14, "tuples and lists nested 1,000,000 deep")
def deep(_):
    return [stopped(Pickle().raw(b")" + b"\x85" * 1_000_000)),
            stopped(Pickle().raw(b"]" * 1_000_001 + b"a" * 1_000_000))]


@case(15, "billion laughs: 99 lists, each ten times the one before")
def laughs(_):
    pickle = Pickle().raw(b"]q\x01")
    for i in range(1, 100):
        pickle.raw(b"](" + bytes([0x68, i]) * 10 + bytes([0x65, 0x71, i + 1, 0x86, 0x68, i + 1, 0x86]))
    return stopped(pickle)


@case(16, "BINUNICODE of 4 GiB - 1 in a short file")
def long_text(_):
    return stopped(Pickle().raw(b"X\xff\xff\xff\xffabc"))


@case(17, "keys that are not UTF-8, or hold NUL")
def keys(_):
    return [checkpoint(entry(key, TENSOR)) for key in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\0b")]


@case(18, "no STOP")
def no_stop(_):
    return checkpoint(one_tensor([6], [1])[:-1])


@case(18, "bytes after STOP")
def after_stop(_):
    return checkpoint(one_tensor([6], [1]) + b"N.")


@case(19, "a key of the state_dict twice", DAMAGED)
def repeated_key(_):
    second = Pickle().tensor([3], [1]).bytes[2:]
    return stopped(Pickle().raw(b"}(").text("w").raw(TENSOR.bytes[2:]).text("w").raw(second).raw(b"u"))


@case(20, "a dimension of 255 bytes (LONG1)")
def long_dimension(_):
    tensor = Pickle().tensor([6], [1])
    tensor.bytes = tensor.bytes.replace(b"(K\x06t", b"(\x8a\xff" + b"\x7f" * 255 + b"t", 1)
    return checkpoint(entry("w", tensor))


@case(21, "a storage of more numbers than its record has")
def numel_above(_):
    return [checkpoint(one_tensor([2], [1], numel=numel)) for numel in (7, 1 << 40, 1 << 62, (1 << 63) - 1)]


@case(21, "a storage of fewer numbers than its record has", DAMAGED)
def numel_below(_):
    return checkpoint(one_tensor([2], [1], numel=5))


@case(21, "a storage of -1 numbers")
def numel_negative(_):
    return checkpoint(one_tensor([2], [1], numel=-1))


@case(22, "offset and strides that end past the storage")
def past_the_end(_):
    return [checkpoint(one_tensor(*sizes)) for sizes in
            (([2, 3], [3, 1], 6, 1), ([1], [1], 6, (1 << 63) - 1), ([2, 3], [4, 1]), ([3], [(1 << 63) - 1]))]


@case(22, "negative offset, size, stride")
def negative(_):
    return [checkpoint(one_tensor(*sizes)) for sizes in (([2], [1], 6, -1), ([-2], [1]), ([2], [-1], 6, 5))]


@case(22, "stride 0: 4 TB out of 24 bytes")
def stride_zero(_):
    return checkpoint(one_tensor([1 << 40], [0]))


@case(23, "dimensions whose product wraps")
def product(_):
    big = 1 << 32
    return [checkpoint(one_tensor(sides, [0] * len(sides)))
            for sides in ([big, big], [4194305, 4194305, 211106198978564], [1 << 61])]


@case(24, "1,000 tensors of 1 MB on one storage of 24 bytes")
def total(_):
    pickle = Pickle().raw(b"}(")
    for i in range(1000):
        pickle.text(str(i)).raw(Pickle().tensor([1 << 18], [0]).bytes[2:])
    return stopped(pickle.raw(b"u"))


@case(25, "65 dimensions")
def dimensions(_):
    return checkpoint(one_tensor([1] * 65, [1] * 65))


@case(26, "storage of a type that does not exist")
def unknown_type(_):
    return checkpoint(one_tensor([6], [1], storage="TernaryStorage"))


@case(26, "sparse, quantized and meta tensors without their arguments")
def other_tensors(_):
    return [checkpoint(entry("w", Pickle().name("torch._utils", name).raw(b")R")))
            for name in ("_rebuild_sparse_tensor", "_rebuild_qtensor", "_rebuild_meta_tensor_no_storage")]


@case(27, "100,000 tensors on one storage", LEGAL)
def many(_):
    tensor = Pickle().tensor([6], [1]).bytes[2:]
    return stopped(Pickle().raw(b"}(" + b"".join(b"X\5\0\0\0%05d" % i + tensor for i in range(100_000)) + b"u"))


@case(28, "tensors without elements, and without dimensions", LEGAL)
def empty(_):
    flat, scalar = Pickle().tensor([3, 0, 2], [1, 1, 1]), Pickle().tensor([], [], offset=4)
    return stopped(Pickle().raw(b"}(").text("flat").raw(flat.bytes[2:]).text("scalar").raw(scalar.bytes[2:]).raw(b"u"))

"""FNV-1a, 64 bits: the hash that stands in golden files for what is too long for them."""


def fnv1a(data):
    """Of bytes, as 16 digits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def fnv1a_of_doubles(array):
    import numpy
    return fnv1a(numpy.ascontiguousarray(array, numpy.float64).tobytes())

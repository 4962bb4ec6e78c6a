"""Hostile ONNX models: weights in files of their own (51 to 54)."""
import os

from archives import STORAGE
from case import Cases
from models import external

case = Cases(".onnx")


def beside(folder, content, name="model.onnx"):
    """A model in a folder within the case's, with good weights beside it and above it."""
    inner = folder / "model"
    (inner / "sub").mkdir(parents=True)
    (inner / "w.bin").write_bytes(STORAGE)
    (folder / "w.bin").write_bytes(STORAGE)
    (inner / name).write_bytes(content)
    return inner / name


@case(51, "weights at `../w.bin`")
def above(folder):
    return beside(folder, external("../w.bin"))


@case(51, "weights at `sub/../../w.bin`")
def above_by_detour(folder):
    return beside(folder, external("sub/../../w.bin"))


@case(51, "weights at an absolute path")
def absolute(folder):
    return beside(folder, external(str(folder / "w.bin")))


@case(51, "no location; an empty one")
def nowhere(folder):
    return beside(folder, external(""))


@case(51, "NUL in the location")
def nul(folder):
    return beside(folder, external("w\0.bin"))


@case(51, "weights in a folder")
def in_folder(folder):
    return beside(folder, external("sub"))


@case(51, "weights in a FIFO")
def fifo(folder):
    path = beside(folder, external("fifo"))
    os.mkfifo(path.parent / "fifo")
    return path


@case(51, "weights in `/dev/zero`")
def device(folder):
    return beside(folder, external("/dev/zero"))


@case(52, "weights through a symbolic link to another folder")
def link(folder):
    path = beside(folder, external("link.bin"))
    os.symlink("../w.bin", path.parent / "link.bin")
    return path


@case(52, "weights below a folder that is a symbolic link")
def linked_folder(folder):
    path = beside(folder, external("up/w.bin"))
    os.symlink("..", path.parent / "up")
    return path


@case(52, "weights by a hard link to a file elsewhere")
def hard_link(folder):
    path = beside(folder, external("hard.bin"))
    os.link(folder / "w.bin", path.parent / "hard.bin")
    return path


@case(53, "offset + length that wrap")
def range_wraps(folder):
    return beside(folder, external(offset=str((1 << 64) - 8), length="24"))


@case(53, "negative offset; negative length")
def range_negative(folder):
    return beside(folder, external(offset="-8", length="24"))


@case(53, "offset `abc`")
def offset_text(folder):
    return beside(folder, external(offset="abc"))


@case(53, "length above the file's")
def range_long(folder):
    return beside(folder, external(dims=(8,), length="32"))


@case(53, "weights that are missing")
def missing(folder):
    return beside(folder, external("missing.bin"))


@case(54, "a key that does not exist")
def unknown_key(folder):
    return beside(folder, external(colour="red"))


@case(54, "the location twice")
def repeated_key(folder):
    return beside(folder, external(["w.bin", "sub/w.bin"]))

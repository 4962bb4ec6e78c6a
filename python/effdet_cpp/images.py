"""What may be given as an image, as the library takes it: without a copy where the pixels lie in one of its orders."""

import ctypes as c
import os
from typing import Any, NamedTuple

import numpy as np

from . import _library as lib
from .errors import UnsupportedError, UsageError

RGB, BGR, RGBA, BGRA, GRAY, NV12 = range(6)
_SWAPPED = {RGB: BGR, BGR: RGB, RGBA: BGRA, BGRA: RGBA}


class View(NamedTuple):
    """An image of the C interface, and what keeps its pixels."""

    image: lib.Image
    owner: Any


def is_path(image: Any) -> bool:
    return isinstance(image, (str, os.PathLike))


def is_batch(image: Any) -> bool:
    """Whether something is several images: a list, or an array of images."""
    return isinstance(image, (list, tuple)) or (isinstance(image, np.ndarray) and image.ndim == 4)


class Picture:
    """Pixels that the library holds, as an array that shares its memory."""

    def __init__(self, handle: lib.Handle):
        self._handle = handle
        width, height = lib.read("picture_width", handle.pointer), lib.read("picture_height", handle.pointer)
        memory = (c.c_ubyte * (3 * width * height)).from_address(lib.read("picture_pixels", handle.pointer))
        memory.owner = handle  # the array keeps it
        self.array = np.frombuffer(memory, np.uint8).reshape(height, width, 3)

    def save(self, path: Any) -> None:
        lib.call("picture_write", self._handle.pointer, lib.path_bytes(path))


def read(path: Any) -> np.ndarray:
    """Decodes an image file: uint8 [height, width, 3], RGB, the same pixels as Pillow's Image.open().convert("RGB")."""
    return Picture(lib.Handle.made_by("picture", "picture_read", lib.path_bytes(path))).array


def decode(file: bytes, name: str = "image") -> np.ndarray:
    """The same for a file in memory; name stands for it in messages."""
    view = np.frombuffer(file, np.uint8)
    if not view.size:
        raise UsageError(f"{name}: no bytes")
    return Picture(lib.Handle.made_by("picture", "picture_decode", view.ctypes.data, view.size, name.encode())).array


def _shape_error(array: np.ndarray) -> UsageError:
    return UsageError(
        f"an array of shape {array.shape}: an image is [height, width, 3], [height, width, 4] or [height, width]"
    )


def _pixels(image: Any) -> np.ndarray:
    """The array behind an object with pixels."""
    if isinstance(image, np.ndarray):
        return image
    if hasattr(image, "convert") and hasattr(image, "mode"):  # Pillow's
        return np.asarray(image if image.mode in ("RGB", "L", "RGBA") else image.convert("RGB"))
    if hasattr(image, "__dlpack__"):
        device = image.__dlpack_device__()[0]
        if device != 1:
            raise UnsupportedError(f"a tensor on a device of kind {device} (DLPack): copy it to the processor first")
        return np.from_dlpack(image)
    if hasattr(image, "__array_interface__") or hasattr(image, "__array__"):
        return np.asarray(image)
    raise UsageError(f"{type(image).__name__} is no image: give a path, bytes, a NumPy array, a PIL image or a tensor")


def view_of(image: Any, bgr: bool = False) -> View:
    """An image where it lies. bgr: the channels of an array are in OpenCV's order."""
    if is_path(image):
        image = read(image)
    elif isinstance(image, (bytes, bytearray, memoryview)):
        image = decode(image)
    array = _pixels(image)
    if array.dtype != np.uint8:
        raise UsageError(f"an array of {array.dtype}: pixels are uint8, 0 to 255")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or 0 in array.shape or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise _shape_error(array)
    if max(array.shape[:2]) > 2**31 - 1:
        raise UsageError(f"an image of {array.shape[1]} x {array.shape[0]} pixels is too large")
    order = GRAY if array.ndim == 2 else {3: BGR, 4: BGRA}[array.shape[2]] if bgr else {3: RGB, 4: RGBA}[array.shape[2]]
    array, order = _in_order(array, order)
    view = lib.Image()
    lib.read("image_init", c.byref(view))
    view.data, view.format = array.__array_interface__["data"][0], order
    view.height, view.width = array.shape[:2]
    view.stride = array.strides[0]
    return View(view, array)


def _in_order(array: np.ndarray, order: int) -> Any:
    """An array whose rows are dense, and its order of channels: the same memory where that is possible."""
    channels = 1 if order == GRAY else array.shape[2]
    if array.ndim == 3 and channels == 3 and array.strides[1:] == (3, -1):  # image[:, :, ::-1]
        array, order = array[:, :, ::-1], _SWAPPED[order]
    dense = array.strides[1] == channels and (array.ndim == 2 or array.strides[2] == 1)
    if array.shape[1] == 1 and not dense and (array.ndim == 2 or array.strides[2] == 1):
        dense = True  # one pixel a row: the step to the next is of no account
    if not dense or abs(array.strides[0]) < channels * array.shape[1]:
        array = np.ascontiguousarray(array)
    return array, order

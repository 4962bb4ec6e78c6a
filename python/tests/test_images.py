"""What may be given as an image: the same detections from each, without a copy where there need be none."""

import unittest

import numpy as np

import effdet_cpp
from effdet_cpp import images

import common


class Images(unittest.TestCase):
    def setUp(self):
        self.detector = common.detector()

    def test_path_bytes_and_array_are_the_same_image(self):
        expected = self.detector(common.PICTURE)
        self.assertGreater(len(expected), 0)
        array = effdet_cpp.read(common.PICTURE)
        for image in (str(common.PICTURE), common.PICTURE.read_bytes(), bytearray(common.PICTURE.read_bytes()), array):
            self.assertTrue(common.same(self.detector(image), expected), type(image))

    def test_orders_of_channels(self):
        rgb = common.picture()
        expected = self.detector(rgb)
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        alpha = np.dstack([rgb, np.full(rgb.shape[:2], 7, np.uint8)])
        self.assertTrue(common.same(self.detector(bgr, bgr=True), expected))
        self.assertTrue(common.same(self.detector(alpha), expected))
        gray = rgb[:, :, 0].copy()
        self.assertTrue(common.same(self.detector(gray), self.detector(np.dstack([gray] * 3))))

    def test_views_are_read_where_they_lie(self):
        rgb = common.picture()
        for name, view in {
            "whole": rgb,
            "part": rgb[10:60, 20:100],
            "from bottom to top": rgb[::-1],
            "every other row": rgb[::2],
            "as OpenCV has it": rgb[:, :, ::-1],
            "grey": common.picture()[:, :, 0].copy(),
        }.items():
            given = images.view_of(view)
            lowest = view[:, :, ::-1] if view.ndim == 3 and view.strides[2] < 0 else view
            self.assertEqual(given.image.data, lowest.__array_interface__["data"][0], name)
            self.assertTrue(common.same(self.detector(view), self.detector(np.ascontiguousarray(view))), name)

    def test_other_steps_are_copied(self):
        rgb = common.picture()
        for view in (rgb[:, ::2], rgb[:, ::-1], rgb.transpose(1, 0, 2), np.broadcast_to(rgb[:1], rgb.shape)):
            self.assertTrue(common.same(self.detector(view), self.detector(np.ascontiguousarray(view))))

    def test_what_is_no_image_is_refused(self):
        rgb = common.picture()
        for image in (
            rgb.astype(np.float32),
            rgb.astype(np.int64),
            rgb.transpose(2, 0, 1),
            rgb[:0],
            np.zeros(5, np.uint8),
            b"",
            5,
            None,
            {"image": rgb},
        ):
            with self.assertRaises(effdet_cpp.UsageError, msg=repr(image)[:40]):
                self.detector(image)
        with self.assertRaisesRegex(effdet_cpp.BadInputError, "image"):
            self.detector(b"no picture")
        with self.assertRaises(effdet_cpp.FileError):
            self.detector("no such file.jpg")
        with self.assertRaises(ValueError):
            self.detector("a\0b.jpg")

    def test_pil(self):
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("Pillow is not installed")
        rgb = common.picture()
        self.assertTrue(common.same(self.detector(Image.fromarray(rgb)), self.detector(rgb)))
        palette = Image.fromarray(rgb).convert("P")
        self.assertTrue(common.same(self.detector(palette), self.detector(np.asarray(palette.convert("RGB")))))

    def test_dlpack(self):
        rgb = common.picture()

        class Tensor:
            def __init__(self, device=1):
                self.device = device

            def __dlpack__(self, **options):
                return rgb.__dlpack__(**options)

            def __dlpack_device__(self):
                return (self.device, 0)

        if not hasattr(np, "from_dlpack"):
            self.skipTest("this NumPy has no DLPack")
        self.assertEqual(images.view_of(Tensor()).image.data, rgb.__array_interface__["data"][0])
        self.assertTrue(common.same(self.detector(Tensor()), self.detector(rgb)))
        with self.assertRaisesRegex(effdet_cpp.UnsupportedError, "device"):
            self.detector(Tensor(device=2))


if __name__ == "__main__":
    unittest.main()

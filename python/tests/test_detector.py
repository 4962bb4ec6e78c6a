"""Detections: batches, options, arrays in the library's memory, other forms of them."""

import json
import pathlib
import pickle
import tempfile
import unittest

import numpy as np

import effdet_cpp
from effdet_cpp import _library as lib

import common


class Detector(unittest.TestCase):
    def test_batches_find_what_single_images_do(self):
        pictures = [common.picture(80 + 10 * i, 100, seed=i) for i in range(5)]
        one, three = common.detector(), common.detector(batch=3)
        for found, picture in zip(three(pictures), pictures):
            self.assertTrue(common.same(found, one(picture)))
        same_size = np.stack([common.picture(seed=i) for i in range(2)])
        self.assertEqual(len(three(same_size)), 2)
        self.assertEqual(three([]), [])

    def test_options_of_a_call(self):
        detector, picture = common.detector(), common.picture()
        everything = detector(picture)
        self.assertGreater(len(everything), 3)
        self.assertEqual(len(detector(picture, max_detections=3)), 3)
        self.assertEqual(len(detector(picture, score=1.0)), 0)
        self.assertGreater(len(detector(picture, iou=1.0, max_detections=5000)), len(everything))
        self.assertTrue(common.same(detector(picture), everything))
        first, name = int(everything.class_id[0]), everything.labels[0]
        for classes in (first, [first], name, [name]):
            self.assertEqual(set(detector(picture, classes=classes).class_id), {first})
        self.assertLess(len(detector(picture, agnostic=True, max_detections=5000)), len(detector(picture, max_detections=5000)))
        for soft in ("gaussian", "linear"):
            self.assertGreater(len(detector(picture, soft_nms=soft)), 0)
        for options in ({"classes": "no such"}, {"classes": 99}, {"classes": []}, {"soft_nms": "hard"}):
            with self.assertRaises(effdet_cpp.UsageError, msg=str(options)):
                detector(picture, **options)
        for options in ({"score": 7}, {"score": float("nan")}, {"iou": -1}, {"max_detections": 0}, {"score": "much"}):
            with self.assertRaises(effdet_cpp.UsageError, msg=str(options)):
                detector(picture, **options)
            with self.assertRaises(effdet_cpp.UsageError, msg=str(options)):
                common.detector(**options)
        for options in ({"max_detections": 2**32 + 5}, {"max_candidates": 1.5}, {"classes": 1.5}, {"score": 10**400}):
            with self.assertRaises(effdet_cpp.UsageError, msg=str(options)):
                detector(picture, **options)
        self.assertEqual(set(detector(picture, classes=np.int64(first)).class_id), {first})
        self.assertTrue(common.same(detector(picture, score=None), everything))
        with self.assertRaisesRegex(TypeError, "scores"):
            detector(picture, scores=0.5)
        for threads in (-1, 1025, "x", None):
            with self.assertRaises(effdet_cpp.UsageError, msg=str(threads)):
                effdet_cpp.Detector(common.model(), threads=threads)
        effdet_cpp.Detector(common.CHECKPOINT, model="tf_efficientdet_d0", img_size=128)

    def test_arrays_are_the_librarys_memory(self):
        found = common.detector()(common.picture())
        begin = found.xyxy.__array_interface__["data"][0]
        self.assertEqual(found.confidence.__array_interface__["data"][0], begin + 16)
        handle = lib.Handle.made_by  # the memory stays as long as an array does
        scores = found.confidence
        copy = scores.copy()
        del found
        for _ in range(20):
            common.detector()(common.picture(seed=9))
        np.testing.assert_array_equal(scores, copy)
        self.assertTrue(handle)

    def test_detections_are_chosen_like_an_array(self):
        found = common.detector()(common.picture())
        self.assertEqual(len(found[:2]), 2)
        self.assertEqual(len(found[0]), 1)
        self.assertTrue((found[found.class_id == found.class_id[0]].class_id == found.class_id[0]).all())
        self.assertTrue((np.diff(found.confidence) <= 0).all())
        first = next(iter(found))
        self.assertEqual(first.name, found.names[first.class_id])
        self.assertEqual(found.labels[0], first.name)
        self.assertIn(first.name, repr(found))
        self.assertEqual(repr(found[:0]), "Detections(none)")
        self.assertTrue(common.same(pickle.loads(pickle.dumps(found)), found))

    def test_coco(self):
        found = common.detector()(common.picture())
        first = json.loads(json.dumps(found.to_coco(17)))[0]
        x1, y1, x2, y2 = found.xyxy[0].astype(float)
        self.assertEqual(first["image_id"], 17)
        self.assertEqual(first["category_id"], found.class_id[0] + 1)
        np.testing.assert_allclose(first["bbox"], [x1, y1, x2 - x1, y2 - y1])

    def test_plot(self):
        picture, detector = common.picture(), common.detector()
        found = detector(picture)[:2]
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "drawn.png"
            drawn = found.plot(picture, path=path)
            self.assertEqual(drawn.shape, picture.shape)
            self.assertFalse(np.array_equal(drawn, picture))
            np.testing.assert_array_equal(effdet_cpp.read(path), drawn)
        np.testing.assert_array_equal(found[:0].plot(picture), picture)

    def test_letterbox_and_timings(self):
        detector = common.detector()
        self.assertEqual(detector.letterbox(256, 64), (0.5, 128, 32))
        detector(common.picture())
        self.assertGreater(detector.timings["inference"], 0)

    def test_handles_are_not_pickled(self):
        for thing in (common.detector(), common.model()):
            with self.assertRaisesRegex(TypeError, "each process"):
                pickle.dumps(thing)

    def test_supervision(self):
        try:
            import supervision  # noqa: F401
        except ImportError:
            with self.assertRaisesRegex(effdet_cpp.UnsupportedError, "supervision"):
                common.detector()(common.picture()).to_supervision()
            return
        found = common.detector()(common.picture())
        np.testing.assert_array_equal(found.to_supervision().xyxy, found.xyxy)


if __name__ == "__main__":
    unittest.main()

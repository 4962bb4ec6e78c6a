"""mAP of results and of models; COCOeval beside pycocotools', where that is installed."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import numpy as np

import effdet_cpp

import common


class Coco:
    """What COCOeval needs of pycocotools' COCO."""

    def __init__(self, dataset):
        self.dataset = dataset


def made_up(seed=5, images=20):
    """Annotations and results that agree more or less."""
    random = np.random.default_rng(seed)
    annotations, results = [], []
    for image in range(1, images + 1):
        for _ in range(random.integers(1, 6)):
            x, y, w, h = random.uniform(0, 200), random.uniform(0, 200), random.uniform(5, 120), random.uniform(5, 120)
            category = int(random.integers(1, 4))
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": [x, y, w, h],
                 "area": w * h, "iscrowd": int(random.random() < 0.1)}
            )
            for _ in range(random.integers(0, 3)):
                shift = random.normal(0, 6, 4)
                box = [x + shift[0], y + shift[1], max(1, w + shift[2]), max(1, h + shift[3])]
                results.append({"image_id": image, "category_id": category, "bbox": box, "score": float(random.random())})
    dataset = {
        "images": [{"id": i, "width": 320, "height": 320, "file_name": f"{i}.jpg"} for i in range(1, images + 1)],
        "categories": [{"id": k, "name": f"kind {k}"} for k in range(1, 4)],
        "annotations": annotations,
    }
    return dataset, results


class Evaluation(unittest.TestCase):
    def test_results_file(self):
        dataset, results = made_up()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "a.json").write_text(json.dumps(dataset))
            (folder / "r.json").write_text(json.dumps(results))
            found = effdet_cpp.evaluate(folder / "a.json", folder / "r.json")
            self.assertTrue(0 < found.map < 1)
            self.assertEqual(found.images, 20)
            self.assertEqual([c.name for c in found.categories], ["kind 1", "kind 2", "kind 3"])
            self.assertEqual(found.as_dict()["AP"], found.map)
            half = effdet_cpp.evaluate(folder / "a.json", folder / "r.json", iou_thresholds=[0.5], images=[1, 2, 3])
            self.assertEqual(half.images, 3)
            with self.assertRaises(effdet_cpp.UsageError):
                effdet_cpp.evaluate(folder / "r.json", folder / "a.json")
            with self.assertRaisesRegex(effdet_cpp.UsageError, "images: none"):
                effdet_cpp.evaluate(folder / "a.json", folder / "r.json", images=[])
            array = effdet_cpp.evaluate(folder / "a.json", folder / "r.json", images=np.array([1, 2, 3]))
            self.assertEqual(array.images, 3)

    def test_coco_eval(self):
        dataset, results = made_up()
        evaluation = effdet_cpp.COCOeval(Coco(dataset), Coco({**dataset, "annotations": results}), "bbox")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        self.assertEqual(len(printed.getvalue().splitlines()), 12)
        self.assertEqual(evaluation.eval["precision"].shape, (10, 101, 3, 4, 3))
        precision = evaluation.eval["precision"][:, :, :, 0, 2]
        self.assertAlmostEqual(precision[precision > -1].mean(), evaluation.stats[0], places=12)
        with self.assertRaises(effdet_cpp.UnsupportedError):
            effdet_cpp.COCOeval(Coco(dataset), Coco(dataset), "segm")

    def test_coco_eval_is_pycocotools(self):
        try:
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval
        except ImportError:
            self.skipTest("pycocotools is not installed")
        dataset, results = made_up()
        with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as name:
            file = pathlib.Path(name) / "a.json"
            file.write_text(json.dumps(dataset))
            for place in (3, 4, 17):
                results[place]["score"] = float("nan")
            truth = COCO(str(file))
            found = truth.loadRes(results)
            for change in ({}, {"maxDets": [1, 3, 100]}, {"imgIds": [2, 5, 7]}, {"catIds": [3, 1]}, {"imgIds": []}, {"catIds": []}, {"useCats": 0}, {"useCats": 0, "catIds": [1, 3]},
                           {"iouThrs": np.array([0.5, 0.75])}):
                # New ones: accumulate() of pycocotools overwrites catIds where useCats is 0.
                pair = [kind(truth, found, "bbox") for kind in (COCOeval, effdet_cpp.COCOeval)]
                for evaluation in pair:
                    for key, value in change.items():
                        setattr(evaluation.params, key, value)
                    evaluation.evaluate()
                    evaluation.accumulate()
                for key in ("precision", "recall", "scores"):
                    np.testing.assert_array_equal(pair[0].eval[key], pair[1].eval[key], f"{key} with {change}")
                printed = [io.StringIO(), io.StringIO()]
                for evaluation, text in zip(pair, printed):
                    with contextlib.redirect_stdout(text):
                        evaluation.summarize()
                np.testing.assert_array_equal(pair[0].stats, pair[1].stats)
                self.assertEqual(printed[0].getvalue(), printed[1].getvalue())

    def test_validate(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            dataset = {
                "images": [{"id": i, "width": 120, "height": 90, "file_name": f"{i}.png"} for i in (1, 2, 3)],
                "categories": [{"id": k, "name": f"kind {k}"} for k in range(1, 7)],
                "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 50, 50], "area": 2500, "iscrowd": 0}],
            }
            (folder / "annotations").mkdir()
            (folder / "val2017").mkdir()
            (folder / "annotations/instances_val2017.json").write_text(json.dumps(dataset))
            detector = common.detector()
            for i in (1, 2, 3):
                picture = common.picture(seed=i)
                detector(picture)[:0].plot(picture, path=folder / f"val2017/{i}.png")
            seen = []
            found = effdet_cpp.validate(
                common.model(), folder, threads=1, results=folder / "r.json", progress=lambda *counts: seen.append(counts)
            )
            self.assertEqual(found.images, 3)
            self.assertEqual(seen[-1], (3, 3))
            self.assertGreater(len(json.loads((folder / "r.json").read_text())), 0)

            def fail(done, total):
                raise KeyError("stop")

            with self.assertRaises(KeyError):
                effdet_cpp.validate(common.model(), folder, threads=1, progress=fail)


if __name__ == "__main__":
    unittest.main()

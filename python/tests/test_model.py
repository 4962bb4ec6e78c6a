"""Models on tensors, and from checkpoint to compiled file."""

import pathlib
import tempfile
import unittest

import numpy as np

import effdet_cpp

import common


class Model(unittest.TestCase):
    def setUp(self):
        self.model = common.model()
        self.input = np.random.default_rng(3).normal(size=self.model.inputs[0].shape).astype(np.float32)
        self.name = self.model.inputs[0].name

    def test_description(self):
        self.assertEqual(
            self.model.describe(),
            {"model": "tf_efficientdet_d0", "num_classes": 6, "height": 128, "width": 128, "batch": 1},
        )
        self.assertEqual(len(self.model.names), 6)
        self.assertEqual(self.model.inputs[0].shape, (1, 3, 128, 128))
        self.assertIsNone(self.model.metadata("no such key"))

    def test_the_log_has_what_is_opened(self):
        with self.assertLogs("effdet_cpp", "INFO") as lines:
            effdet_cpp.Model(common.CHECKPOINT, img_size=128)
        self.assertIn("is open", "".join(lines.output))

    def test_run(self):
        outputs = self.model.run({self.name: self.input})
        self.assertEqual([o.shape for o in outputs], [t.shape for t in self.model.outputs])
        last = self.model.outputs[-1].name
        np.testing.assert_array_equal(self.model.run([last], {self.name: self.input})[0], outputs[-1])
        np.testing.assert_array_equal(self.model.run(None, {self.name: self.input})[0], outputs[0])
        own = [np.full_like(o, np.nan) for o in outputs]
        given = self.model.run({self.name: self.input}, out=own)
        for array, mine, expected in zip(given, own, outputs):
            self.assertIs(array, mine)
            np.testing.assert_array_equal(mine, expected)

    def test_what_does_not_fit_is_refused(self):
        for feeds in (
            {},
            {"x": self.input},
            {self.name: self.input, "more": self.input},
            {self.name: self.input.astype(np.float64)},
            {self.name: self.input[:, :2]},
            [self.input],
        ):
            with self.assertRaises(effdet_cpp.UsageError):
                self.model.run(feeds)
        with self.assertRaisesRegex(effdet_cpp.UsageError, "no output"):
            self.model.run(["nothing"], {self.name: self.input})
        read_only = [np.empty(t.shape, np.float32) for t in self.model.outputs]
        read_only[0].flags.writeable = False
        with self.assertRaisesRegex(effdet_cpp.UsageError, "writeable"):
            self.model.run({self.name: self.input}, out=read_only)

    def test_from_checkpoint_to_compiled_file(self):
        expected = self.model.run({self.name: self.input})
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            effdet_cpp.export(common.CHECKPOINT, folder / "a.onnx", img_size=128, opset=17)
            effdet_cpp.simplify(folder / "a.onnx", folder / "b.onnx")
            compiled = effdet_cpp.compile(folder / "b.onnx", folder / "b.om")
            loaded = effdet_cpp.Model.from_bytes((folder / "b.om").read_bytes())
            for model in (compiled, loaded, effdet_cpp.Onnx(folder / "b.onnx").compile()):
                for a, b in zip(model.run({self.name: self.input}), expected):
                    np.testing.assert_allclose(a, b, atol=1e-4)
            effdet_cpp.quantize(folder / "a.onnx", folder / "q.onnx", weights_only=True)
            self.assertLess((folder / "q.onnx").stat().st_size, 0.5 * (folder / "a.onnx").stat().st_size)
            with self.assertRaises(effdet_cpp.Error):
                effdet_cpp.quantize(folder / "a.onnx", folder / "none.onnx", [folder])
            effdet_cpp.quantize(folder / "a.onnx", folder / "q8.onnx", [common.PICTURE])
            with self.assertRaises(effdet_cpp.FileError):
                effdet_cpp.quantize(folder / "a.onnx", folder / "none.onnx", [folder / "absent.jpg"])
            names = [f"kind {k}" for k in range(6)]
            self.assertEqual(effdet_cpp.Model(folder / "b.om", class_names=names).names, names)
            with self.assertRaises(effdet_cpp.UsageError):
                effdet_cpp.Model(folder / "b.om", class_names=names[:2])
            with self.assertRaises(effdet_cpp.UsageError):
                effdet_cpp.Model(folder / "b.om", batch=8)
            self.assertFalse((folder / "none.onnx").exists())

    def test_files_that_are_none(self):
        with self.assertRaises(effdet_cpp.FileError):
            effdet_cpp.Model("no such file.om")
        with self.assertRaisesRegex(effdet_cpp.BadInputError, "in memory"):
            effdet_cpp.Model.from_bytes(b"EFFDETOM", "in memory")
        for options in ({"precision": "int4"}, {"img_size": "large"}, {"img_size": -1}, {"img_size": 100}):
            with self.assertRaises(effdet_cpp.UsageError, msg=str(options)):
                effdet_cpp.Model(common.CHECKPOINT, **options)


if __name__ == "__main__":
    unittest.main()

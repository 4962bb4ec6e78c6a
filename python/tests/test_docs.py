"""Programs in docs/python.md run."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import common


class Docs(unittest.TestCase):
    def test_programs(self):
        programs = re.findall(r"^```python\n(.*?)^```$", (common.ROOT / "docs/python.md").read_text(), re.M | re.S)
        self.assertGreater(len(programs), 3)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            shutil.copy(common.CHECKPOINT, folder / "d0.pth")
            shutil.copy(common.PICTURE, folder / "street.jpg")
            (folder / "photos").mkdir()
            shutil.copy(common.PICTURE, folder / "photos/a.jpg")
            for program in programs:
                ended = subprocess.run(
                    [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120
                )
                self.assertEqual(ended.returncode, 0, program + ended.stderr)


if __name__ == "__main__":
    unittest.main()

"""What the scripts of tritonclient's two protocols share: checks, and an input with what `effdet run` makes of it."""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from tritonclient.utils import InferenceServerException


def check(name, is_right):
    print(f"{'ok ' if is_right else 'BAD'} {name}")
    if not is_right:
        sys.exit(1)


def refused(name, status, call):
    """Checks that a call is refused with that status, as its protocol writes it."""
    try:
        call()
    except InferenceServerException as error:
        return check(f"{name}: {error.message()}", error.status() == status)
    check(name, False)


def made_up(effdet, model, name, shape):
    """An input, and the outputs by their names."""
    array = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", array)
        subprocess.run([effdet, "run", model, "--input", f"{name}={folder}/x.npy", "--out", f"{folder}/out"], check=True,
                       stdout=subprocess.DEVNULL)
        return array, {path.stem: np.load(path) for path in pathlib.Path(folder, "out").glob("*.npy")}


def check_pictures(client, protocol, picture):
    """The same picture twice; returns the request's input and the boxes. protocol: tritonclient.http or .grpc."""
    file = pathlib.Path(picture).read_bytes()
    pictures = protocol.InferInput("images", [2], "BYTES").set_data_from_numpy(np.array([file, file], dtype=np.object_))
    result = client.infer("m_detect", [pictures])
    count, boxes = result.as_numpy("num_detections"), result.as_numpy("boxes")
    check("pictures as BYTES", count.shape == (2,) and boxes.shape == (2, count.max(), 4) and
          np.array_equal(boxes[0], boxes[1]))
    return pictures, boxes

"""What the scripts of tritonclient's two protocols share: checks, and an input with what `effdet run` makes of it."""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import tritonclient.utils.shared_memory as shm
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


def check_shared_memory(client, protocol, name, array, expected):
    """As NVIDIA's example does it: input and one output in shared memory. expected: the outputs by their names."""
    client.unregister_system_shared_memory()
    client.unregister_cuda_shared_memory()
    output = sorted(expected)[0]
    size = expected[output].nbytes
    regions = {"in": shm.create_shared_memory_region("in", "/effdet_client_in", array.nbytes),
               "out": shm.create_shared_memory_region("out", "/effdet_client_out", size)}
    try:
        shm.set_shared_memory_region(regions["in"], [array])
        client.register_system_shared_memory("in", "/effdet_client_in", array.nbytes)
        client.register_system_shared_memory("out", "/effdet_client_out", size)
        tensor = protocol.InferInput(name, array.shape, "FP32")
        tensor.set_shared_memory("in", array.nbytes)
        asked = protocol.InferRequestedOutput(output)
        asked.set_shared_memory("out", size)
        client.infer("m", [tensor], outputs=[asked])
        got = shm.get_contents_as_numpy(regions["out"], np.float32, expected[output].shape)
        check("shared memory", np.array_equal(got, expected[output]))
        status = client.get_system_shared_memory_status()
        names = [region["name"] for region in status] if isinstance(status, list) else list(status.regions)
        check("regions of shared memory", sorted(names) == ["in", "out"])
        client.unregister_system_shared_memory("out")
        refused("a region that is not registered", "400" if isinstance(status, list) else "StatusCode.INVALID_ARGUMENT",
                lambda: client.infer("m", [tensor], outputs=[asked]))
        client.unregister_system_shared_memory()
    finally:
        for region in regions.values():
            shm.destroy_shared_memory_region(region)


def check_pictures(client, protocol, picture):
    """The same picture twice; returns the request's input and the boxes. protocol: tritonclient.http or .grpc."""
    file = pathlib.Path(picture).read_bytes()
    pictures = protocol.InferInput("images", [2], "BYTES").set_data_from_numpy(np.array([file, file], dtype=np.object_))
    result = client.infer("m_detect", [pictures])
    count, boxes = result.as_numpy("num_detections"), result.as_numpy("boxes")
    check("pictures as BYTES", count.shape == (2,) and boxes.shape == (2, count.max(), 4) and
          np.array_equal(boxes[0], boxes[1]))
    return pictures, boxes

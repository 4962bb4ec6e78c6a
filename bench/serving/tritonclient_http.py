"""What bench/serving/clients does with tritonclient: every call that `effdet serve` answers, and its errors.

tritonclient_http.py HOST:PORT EFFDET MODEL.om PICTURE
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

url, effdet, model, picture = sys.argv[1:]
client = http.InferenceServerClient(url)


def check(name, is_right):
    print(f"{'ok ' if is_right else 'BAD'} {name}")
    if not is_right:
        sys.exit(1)


def refused(name, status, call):
    try:
        call()
    except InferenceServerException as error:
        return check(f"{name}: {error.message()}", error.status() == status)
    check(name, False)


check("live, ready, model ready", client.is_server_live() and client.is_server_ready() and client.is_model_ready("m"))
check("server metadata", client.get_server_metadata()["name"] == "effdet")
metadata = client.get_model_metadata("m")
check("model metadata", metadata["inputs"][0]["datatype"] == "FP32")
check("model configuration", client.get_model_config("m", "1")["input"][0]["data_type"] == "TYPE_FP32")
check("repository index", [entry["name"] for entry in client.get_model_repository_index()] == ["m", "m_detect"])

name, shape = metadata["inputs"][0]["name"], metadata["inputs"][0]["shape"]
array = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
with tempfile.TemporaryDirectory() as folder:
    np.save(f"{folder}/x.npy", array)
    subprocess.run([effdet, "run", model, "--input", f"{name}={folder}/x.npy", "--out", f"{folder}/out"], check=True,
                   stdout=subprocess.DEVNULL)
    expected = {path.stem: np.load(path) for path in pathlib.Path(folder, "out").glob("*.npy")}
outputs = [tensor["name"] for tensor in metadata["outputs"]]


def equal(result, names):
    return all(np.array_equal(result.as_numpy(output), expected[output]) for output in names)


for binary in True, False:
    tensor = http.InferInput(name, shape, "FP32").set_data_from_numpy(array, binary_data=binary)
    kind = "binary" if binary else "JSON"
    check(f"{kind} input, all outputs", equal(client.infer("m", [tensor]), outputs))
    for binary_output in True, False:
        wanted = [http.InferRequestedOutput(output, binary_data=binary_output) for output in outputs[::3]]
        result = client.infer("m", [tensor], outputs=wanted, request_id="17", model_version="1")
        check(f"{kind} input, named {'binary' if binary_output else 'JSON'} outputs",
              equal(result, outputs[::3]) and result.get_response()["id"] == "17")
tensor = http.InferInput(name, shape, "FP32").set_data_from_numpy(array)
pending = [client.async_infer("m", [tensor]) for _ in range(8)]
check("asynchronous", all(equal(one.get_result(), outputs) for one in pending))

file = pathlib.Path(picture).read_bytes()
pictures = http.InferInput("images", [2], "BYTES").set_data_from_numpy(np.array([file, file], dtype=np.object_))
result = client.infer("m_detect", [pictures])
count, boxes = result.as_numpy("num_detections"), result.as_numpy("boxes")
check("pictures as BYTES", count.shape == (2,) and boxes.shape == (2, count.max(), 4) and
      np.array_equal(boxes[0], boxes[1]))
request = http.InferenceServerClient.generate_request_body([tensor])
check("a request's body by itself", len(request[0]) > array.nbytes)

refused("no such model", "404", lambda: client.infer("nope", [tensor]))
refused("no such version", "404", lambda: client.get_model_metadata("m", "2"))
refused("another shape", "400", lambda: client.infer(
    "m", [http.InferInput(name, [1, 3, 2, 2], "FP32").set_data_from_numpy(array[:, :, :2, :2])]))
refused("no such output", "400", lambda: client.infer("m", [tensor], outputs=[http.InferRequestedOutput("nope")]))
refused("loading", "400", lambda: client.load_model("m"))
refused("a timeout that is over", "503", lambda: client.infer("m", [tensor], timeout=0 or 1))
statistics = client.get_inference_statistics("m")["model_stats"][0]["inference_stats"]
check("statistics: " + json.dumps(statistics["success"]), statistics["success"]["count"] == 14)

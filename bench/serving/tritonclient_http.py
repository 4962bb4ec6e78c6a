"""What bench/serving/clients does with tritonclient: every call that `effdet serve` answers, and its errors.

tritonclient_http.py HOST:PORT EFFDET MODEL.om PICTURE
"""
import json
import sys

import numpy as np
import tritonclient.http as http

from client_checks import check, check_pictures, check_shared_memory, made_up, refused

url, effdet, model, picture = sys.argv[1:]
client = http.InferenceServerClient(url)

check("live, ready, model ready", client.is_server_live() and client.is_server_ready() and client.is_model_ready("m"))
check("server metadata", client.get_server_metadata()["name"] == "effdet")
metadata = client.get_model_metadata("m")
check("model metadata", metadata["inputs"][0]["datatype"] == "FP32")
check("model configuration", client.get_model_config("m", "1")["input"][0]["data_type"] == "TYPE_FP32")
check("repository index", [entry["name"] for entry in client.get_model_repository_index()] == ["m", "m_detect"])

name, shape = metadata["inputs"][0]["name"], metadata["inputs"][0]["shape"]
array, expected = made_up(effdet, model, name, shape)
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

check_pictures(client, http, picture)
request = http.InferenceServerClient.generate_request_body([tensor])
check("a request's body by itself", len(request[0]) > array.nbytes)

check_shared_memory(client, http, name, array, expected)

refused("no such model", "404", lambda: client.infer("nope", [tensor]))
refused("no such version", "404", lambda: client.get_model_metadata("m", "2"))
refused("another shape", "400", lambda: client.infer(
    "m", [http.InferInput(name, [1, 3, 2, 2], "FP32").set_data_from_numpy(array[:, :, :2, :2])]))
refused("no such output", "400", lambda: client.infer("m", [tensor], outputs=[http.InferRequestedOutput("nope")]))
refused("loading", "400", lambda: client.load_model("m"))
refused("a timeout that is over", "503", lambda: client.infer("m", [tensor], timeout=1))
statistics = client.get_inference_statistics("m")["model_stats"][0]["inference_stats"]
check("statistics: " + json.dumps(statistics["success"]), statistics["success"]["count"] == 15)

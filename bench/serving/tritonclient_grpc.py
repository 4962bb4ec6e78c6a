"""What bench/serving/clients does with tritonclient's gRPC: every call that `effdet serve` answers, and its errors.

tritonclient_grpc.py HOST:PORT EFFDET MODEL.om PICTURE
"""
import pathlib
import queue
import sys

import numpy as np
import tritonclient.grpc as triton

from client_checks import check, check_pictures, check_shared_memory, made_up, refused

url, effdet, model, picture = sys.argv[1:]
client = triton.InferenceServerClient(url)

check("live, ready, model ready", client.is_server_live() and client.is_server_ready() and client.is_model_ready("m"))
check("a model that is not there is not ready", not client.is_model_ready("nope"))
check("server metadata", client.get_server_metadata().name == "effdet")
metadata = client.get_model_metadata("m", "1")
check("model metadata", metadata.inputs[0].datatype == "FP32" and list(metadata.versions) == ["1"])
before = client.get_inference_statistics("m").model_stats[0].inference_stats.success.count
config = client.get_model_config("m").config
check("model configuration", config.input[0].data_type == 11 and list(config.input[0].dims) ==
      list(metadata.inputs[0].shape) and config.backend == "effdet" and config.instance_group[0].count >= 1)
check("as JSON", client.get_model_config("m_detect", as_json=True)["config"]["input"][0]["data_type"] == "TYPE_STRING")
check("repository index", [entry.name for entry in client.get_model_repository_index().models] == ["m", "m_detect"])

name, shape = metadata.inputs[0].name, list(metadata.inputs[0].shape)
array, expected = made_up(effdet, model, name, shape)
outputs = [tensor.name for tensor in metadata.outputs]


def equal(result, names):
    return all(np.array_equal(result.as_numpy(output), expected[output]) for output in names)


tensor = triton.InferInput(name, shape, "FP32").set_data_from_numpy(array)
check("all outputs", equal(client.infer("m", [tensor]), outputs))
result = client.infer("m", [tensor], outputs=[triton.InferRequestedOutput(output) for output in outputs[::3]],
                      request_id="17", model_version="1", client_timeout=60)
check("named outputs", equal(result, outputs[::3]) and result.get_response().id == "17" and
      [output.name for output in result.get_response().outputs] == outputs[::3])

contents = triton.service_pb2.ModelInferRequest(model_name="m", model_version="1")
contents.inputs.add(name=name, datatype="FP32", shape=shape).contents.fp32_contents.extend(array.flat)
check("typed contents", equal(triton.InferResult(client._client_stub.ModelInfer(contents)), outputs))

answers = queue.Queue()
for _ in range(8):
    client.async_infer("m", [tensor], lambda result, error: answers.put((result, error)))
pending = [answers.get(timeout=60) for _ in range(8)]
check("asynchronous", all(error is None and equal(result, outputs) for result, error in pending))

client.start_stream(lambda result, error: answers.put((result, error)))
for i in range(40):
    client.async_stream_infer("m" if i != 20 else "nope", [tensor], request_id=str(i))
streamed = [answers.get(timeout=60) for _ in range(40)]
client.stop_stream()
check("a stream, in its order, whose error ends nothing", str(streamed[20][1]).find("'nope' is not found") > 0 and
      all(error is None and result.get_response().id == str(i) and equal(result, outputs)
          for i, (result, error) in enumerate(streamed) if i != 20))

pictures, boxes = check_pictures(client, triton, picture)
result = client.infer("m_detect", [pictures], parameters={"max": 3, "score": 0.0, "classes": "1,2"})
check("parameters of pictures", list(result.as_numpy("num_detections")) == [3, 3] and
      set(result.as_numpy("classes").flat) <= {1, 2})
contents = triton.service_pb2.ModelInferRequest(model_name="m_detect")
images = contents.inputs.add(name="images", datatype="BYTES", shape=[1]).contents
images.bytes_contents.append(pathlib.Path(picture).read_bytes())
result = triton.InferResult(client._client_stub.ModelInfer(contents))
check("a picture as bytes_contents", np.array_equal(result.as_numpy("boxes")[0], boxes[0]))

check_shared_memory(client, triton, name, array, expected)

refused("no such model", "StatusCode.NOT_FOUND", lambda: client.infer("nope", [tensor]))
refused("no such version", "StatusCode.NOT_FOUND", lambda: client.get_model_metadata("m", "2"))
refused("another shape", "StatusCode.INVALID_ARGUMENT", lambda: client.infer(
    "m", [triton.InferInput(name, [1, 3, 2, 2], "FP32").set_data_from_numpy(array[:, :, :2, :2])]))
refused("no such output", "StatusCode.INVALID_ARGUMENT",
        lambda: client.infer("m", [tensor], outputs=[triton.InferRequestedOutput("nope")]))
refused("classification", "StatusCode.INVALID_ARGUMENT",
        lambda: client.infer("m", [tensor], outputs=[triton.InferRequestedOutput(outputs[0], class_count=3)]))
refused("loading", "StatusCode.INVALID_ARGUMENT", lambda: client.load_model("m"))
refused("a timeout that is over", "StatusCode.UNAVAILABLE", lambda: client.infer("m", [tensor], timeout=1))
refused("a deadline that is over", "StatusCode.DEADLINE_EXCEEDED", lambda: client.infer("m", [tensor], client_timeout=1e-4))
refused("compression", "StatusCode.UNIMPLEMENTED", lambda: client.infer("m", [tensor], compression_algorithm="gzip"))
refused("settings of traces", "StatusCode.UNIMPLEMENTED", lambda: client.get_trace_settings("m"))
count = client.get_inference_statistics("m").model_stats[0].inference_stats.success.count - before
check(f"statistics: {count} requests", count in (51, 52))  # what the deadline cut off may have been at work

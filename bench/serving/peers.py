"""What bench/serving/peers measures.

peers.py MODEL.onnx EFFDET WORK SECONDS
"""
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

import numpy as np
import onnxruntime

from server_process import Server, generate_load, request_bytes

model, effdet, work, seconds = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), float(sys.argv[4])
HERE = pathlib.Path(__file__).parent
GENERATOR = pathlib.Path(effdet).with_name("load_generator")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Peer:
    """MLServer with one worker a core, or without workers: whichever is faster counts."""

    def __init__(self, workers):
        folder = work / f"mlserver{workers}"
        folder.mkdir(exist_ok=True)
        (folder / "mlserver_onnx.py").write_text((HERE / "mlserver_onnx.py").read_text())
        self.port = free_port()
        (folder / "settings.json").write_text(json.dumps({
            "http_port": self.port, "grpc_port": free_port(), "metrics_port": free_port(), "host": "127.0.0.1",
            "parallel_workers": workers, "debug": False}))
        (folder / "model-settings.json").write_text(json.dumps({
            "name": "m", "implementation": "mlserver_onnx.OnnxModel", "parameters": {"uri": str(pathlib.Path(model).resolve())}}))
        self.log = open(work / f"mlserver{workers}.log", "w")
        self.process = subprocess.Popen([pathlib.Path(sys.executable).with_name("mlserver"), "start", str(folder)],
                                        stdout=self.log, stderr=self.log, start_new_session=True)

    def __enter__(self):
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v2/models/m/ready"):
                    return self
            except OSError:
                time.sleep(0.1)
        raise SystemExit("MLServer did not start:\n" + pathlib.Path(self.log.name).read_text()[-2000:])

    def __exit__(self, *_):
        os.killpg(self.process.pid, 15)
        self.process.wait()


def outputs_of(port, request):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(1 << 16)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))[15:])
        parts = [body]
        left = length - len(body)
        while left > 0:
            parts.append(connection.recv(1 << 20))
            left -= len(parts[-1])
    if b" 200 " not in head[:20]:
        raise SystemExit(f"{head!r} {body[:300]!r}")
    return json.loads(b"".join(parts))["outputs"]


session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
tensor = session.get_inputs()[0]
values = np.random.default_rng(1).uniform(-2, 2, tensor.shape).astype(np.float32)
first = session.get_outputs()[0].name
document = {"inputs": [{"name": tensor.name, "shape": tensor.shape, "datatype": "FP32",
                        "data": [float(str(value)) for value in values.ravel()]}]}
files = {}
for name, outputs in ("all outputs", None), ("one output", [{"name": first}]):
    text = json.dumps({**document, **({"outputs": outputs} if outputs else {})}).encode()
    binary = json.dumps({"inputs": [{"name": tensor.name, "shape": tensor.shape, "datatype": "FP32",
                                     "parameters": {"binary_data_size": values.nbytes}}],
                         **({"outputs": [{"name": first, "parameters": {"binary_data": True}}]} if outputs else
                            {"parameters": {"binary_data_output": True}})}).encode()
    kind = "Content-Type: application/json\r\n"
    files["JSON", name] = request_bytes("/v2/models/m/infer", text, kind)
    files["binary", name] = request_bytes("/v2/models/m/infer", binary + values.tobytes(),
                                          f"Inference-Header-Content-Length: {len(binary)}\r\n")
paths = {}
for i, (key, request) in enumerate(files.items()):
    paths[key] = work / f"{i}.request"
    paths[key].write_bytes(request)


def rate(server, key):
    generate_load(GENERATOR, server, [paths[key]], "--connections", 3, "--seconds", 1)
    result = generate_load(GENERATOR, server, [paths[key]], "--connections", 3, "--seconds", seconds)
    if set(result["statuses"]) != {"200"}:
        raise SystemExit(str(result))
    return result["answered_ms"]["count"] / result["seconds"]


rates = {}
for _ in range(2):
    with Server(effdet, model, "--streams", "2", "--max-body", "1GiB") as server:
        ours = outputs_of(server.port, files["JSON", "all outputs"])
        for key in paths:
            rates.setdefault(("effdet serve", *key), []).append(rate(server, key))
    for workers in 0, os.cpu_count():
        with Peer(workers) as peer:
            theirs = outputs_of(peer.port, files["JSON", "all outputs"])
            for a, b in zip(ours, theirs):
                if a["name"] != b["name"] or not np.allclose(a["data"], b["data"], rtol=1e-3, atol=1e-3):
                    raise SystemExit(f"output {a['name']} differs")
            for key in paths:
                if key[0] == "JSON":
                    rates.setdefault((f"MLServer, {workers} workers", *key), []).append(rate(peer, key))
best = {}
for (name, form, outputs), values in rates.items():
    median = statistics.median(values)
    print(f"{name:20} {form:7} {outputs:12} {median:7.2f} images/s  ({', '.join(f'{v:.2f}' for v in values)})")
    side = "ours" if name == "effdet serve" else "theirs"
    best[side, form, outputs] = max(best.get((side, form, outputs), 0), median)
for outputs in "all outputs", "one output":
    for form in "JSON", "binary":
        print(f"{outputs}: effdet serve by {form} / MLServer by JSON: "
              f"{best['ours', form, outputs] / best['theirs', 'JSON', outputs]:.1f}")

#!/bin/bash
# A KServe server that answers with an error for each picture in which nothing is found.
#
# Guess before it was run: a detector's outputs of shape [0, 4] and [0] are answered like all others, in JSON and in binary
# data, as tritonclient reads both.
# Seen: kserve 0.21.0 holds the arrays of set_data_from_numpy as bytes, and takes no bytes for no data when it writes the
# answer: it puts null where a list belongs, and its own check of answers then makes status 500, "Input should be a valid
# list". Each picture with an object works, so that a test with pictures that show something sees nothing. tritonclient
# 2.73.0, which asks for binary data, gets the same error. Arrays that were set with binary_data=False are answered, and so
# are they to clients that ask for binary data.
#
# Needs Python 3.10 to 3.13 and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet kserve==0.21.0 'tritonclient[http]==2.73.0' numpy==2.4.6
cat > server.py <<'P'
import numpy as np
from kserve import InferOutput, InferResponse, Model, ModelServer


class Detector(Model):
    """Finds as many objects as it is told."""

    def __init__(self, name, options):
        super().__init__(name)
        self.options, self.ready = options, True

    def predict(self, payload, headers=None, response_headers=None):
        count = int(payload.inputs[0].as_numpy()[0])
        outputs = []
        for name, kind, values in (("boxes", "FP32", np.full([count, 4], 0.5, np.float32)),
                                   ("labels", "INT64", np.ones([count], np.int64))):
            outputs.append(InferOutput(name, list(values.shape), kind))
            outputs[-1].set_data_from_numpy(values, **self.options)
        return InferResponse(response_id="1", model_name=self.name, infer_outputs=outputs)


ModelServer(http_port=18080, enable_grpc=False, workers=1).start([
    Detector("bytes", {}), Detector("lists", {"binary_data": False})])
P
cat > client.py <<'P'
import json
import urllib.error
import urllib.request

import numpy as np
import tritonclient.http as triton

seen = {}
for model in ("bytes", "lists"):
    for count in (2, 0):
        body = {"inputs": [{"name": "count", "shape": [1], "datatype": "INT32", "data": [count]}]}
        request = urllib.request.Request(f"http://127.0.0.1:18080/v2/models/{model}/infer", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        try:
            answer = json.load(urllib.request.urlopen(request))
            by_json = [one["shape"] for one in answer["outputs"]]
        except urllib.error.HTTPError as error:
            by_json = f"{error.code}, {'valid list' if b'valid list' in error.read() else 'otherwise'}"
        tensor = triton.InferInput("count", [1], "INT32")
        tensor.set_data_from_numpy(np.int32([count]))
        client = triton.InferenceServerClient("127.0.0.1:18080")
        try:
            result = client.infer(model, [tensor])
            by_triton = [list(result.as_numpy(name).shape) for name in ("boxes", "labels")]
        except triton.InferenceServerException as error:
            by_triton = str(error.status())
        seen[model, count] = by_json, by_triton
        print(f"{model}, {count} objects: in JSON {by_json}; tritonclient {by_triton}")
shapes = {key: ([[key[1], 4], [key[1]]],) * 2 for key in seen}
raise SystemExit(0 if seen == {**shapes, ("bytes", 0): ("500, valid list", "500")} else 1)
P
venv/bin/python server.py > log 2>&1 &
server=$!
for _ in $(seq 30); do sleep 2; curl -s -f -o ready http://127.0.0.1:18080/v2/health/ready && break; done
venv/bin/python client.py

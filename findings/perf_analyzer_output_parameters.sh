#!/bin/bash
# A parameter of an output that ends a benchmark.
#
# Guess before it was run: an answer of the Open Inference Protocol may have parameters of any name with an output, so that a
# client passes over those that it does not know; a server that tells, say, where in shared memory an output lies, or in what
# unit its numbers are, disturbs nobody.
# Seen: perf_analyzer of tritonclient 2.50.0 (its C++ client for HTTP) takes any "parameters" of an output for those of binary
# data: where there is no "binary_data_size" among them, the run ends with "attempt to access non-existing object member
# 'binary_data_size'", though the same answer without parameters is taken, and Python's client of the same version reads both.
#
# Needs Python 3.9 to 3.12, a package index, and Debian 12 or its like. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'tritonclient[http]==2.50.0' 'numpy<2.5'
python3 -m pip download -q --no-deps --only-binary=:all: -d . tritonclient==2.50.0 nvidia-cuda-runtime-cu12==12.9.79
apt-get download -q libb64-0d > /dev/null 2>&1
for wheel in *.whl; do python3 -m zipfile -e "$wheel" files; done
dpkg-deb -x libb64-0d_*.deb files
program=$(find files -name perf_analyzer)
chmod +x "$program"
export LD_LIBRARY_PATH=$folder/files/usr/lib/x86_64-linux-gnu:$folder/files/nvidia/cuda_runtime/lib

cat > server.py <<'P'
"""Models 'plain' and 'unit' that give the input back; the latter's output has a parameter."""
import http.server
import json

TENSOR = {"datatype": "FP32", "shape": [2]}
CONFIG = {"data_type": "TYPE_FP32", "dims": [2]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # metadata and configuration in one, whatever is asked for
        self.answer({"name": self.path.split("/")[3] if self.path.count("/") > 2 else "s", "version": "1", "versions": ["1"],
                     "platform": "p", "backend": "b", "max_batch_size": 0, "extensions": ["model_configuration"],
                     "ready": True, "inputs": [{"name": "x", **TENSOR}], "outputs": [{"name": "y", **TENSOR}],
                     "input": [{"name": "x", **CONFIG}], "output": [{"name": "y", **CONFIG}]})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        output = {"name": "y", **TENSOR, "data": request["inputs"][0]["data"]}
        if "/unit/" in self.path:
            output["parameters"] = {"unit": "pixels"}
        self.answer({"model_name": "m", "model_version": "1", "outputs": [output]})


http.server.ThreadingHTTPServer(("127.0.0.1", 18090), Handler).serve_forever()
P
venv/bin/python server.py &
server=$!
sleep 1

benchmark() {  # MODEL
  "$program" -m "$1" -u 127.0.0.1:18090 --input-tensor-format json --output-tensor-format json --concurrency-range 1 \
    --measurement-interval 1000 --max-trials 6 --stability-percentage 999 > "$1.log" 2>&1 && echo "ends well" || echo "fails"
}
plain=$(benchmark plain)
unit=$(benchmark unit)
reason=$(grep -o "attempt to access.*" unit.log | head -1 || true)
python=$(venv/bin/python -c 'import numpy, tritonclient.http as http
tensor = http.InferInput("x", [2], "FP32").set_data_from_numpy(numpy.float32([1, 2]), binary_data=False)
output = http.InferRequestedOutput("y", binary_data=False)
print(http.InferenceServerClient("127.0.0.1:18090").infer("unit", [tensor], outputs=[output]).as_numpy("y").tolist())')
echo "without parameters: $plain; with one: $unit ($reason); Python's client: $python"
[ "$plain" = "ends well" ] && [[ "$reason" == *binary_data_size* ]] && [ "$python" = "[1.0, 2.0]" ]

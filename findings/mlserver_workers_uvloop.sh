#!/bin/bash
# A fresh MLServer that never has its model.
#
# Guess before it was run: MLServer 1.7.1, installed by pip with whatever its requirements give, starts and answers, as its
# documentation's first example does; a release that a package index offers is tested with what it asks for.
# Seen: its requirements take uvloop 0.23.0, whose get_event_loop() no longer makes a loop, so that each worker process
# (parallel_workers is 1 where nobody says otherwise) ends with "RuntimeError: There is no current event loop in thread
# 'MainThread'" as it starts. The server goes on without them, and answers 404 to every request for the model. With
# uvloop 0.21.0, or with parallel_workers 0, the same files answer.
#
# Needs Python 3.9 to 3.12 and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -TERM -- "-$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet mlserver==1.7.1 uvloop==0.23.0
cat > echo_model.py <<'P'
from mlserver import MLModel
from mlserver.types import InferenceResponse, ResponseOutput


class Echo(MLModel):
    async def predict(self, payload):
        one = payload.inputs[0]
        return InferenceResponse(model_name=self.name, outputs=[ResponseOutput(name="y", shape=one.shape, datatype=one.datatype,
                                                                               data=one.data)])
P
echo '{"name": "echo", "implementation": "echo_model.Echo"}' > model-settings.json

# What an inference gets within 20 s of the start: a status, or 000.
ask() {
  echo "{\"http_port\": 18080, \"grpc_port\": 18081, \"metrics_port\": 18082$1}" > settings.json
  setsid venv/bin/mlserver start . > log 2>&1 &
  server=$!
  local status=000
  for _ in 1 2 3 4 5; do
    sleep 3
    status=$(curl -s -m 2 -o answer -w '%{http_code}' localhost:18080/v2/models/echo/infer -H 'Content-Type: application/json' \
      -d '{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}]}') || true
    [ "$status" = 200 ] && break
  done
  kill -TERM -- "-$server" 2>/dev/null || true
  sleep 1
  kill -KILL -- "-$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
  echo "$status"
}

fresh=$(ask '')
reason=$(grep -o 'There is no current event loop.*' log | head -1)
alone=$(ask ', "parallel_workers": 0')
venv/bin/pip install --quiet uvloop==0.21.0
older=$(ask '')
echo "uvloop 0.23.0: $fresh ($reason); without workers: $alone; uvloop 0.21.0: $older"
[ "$fresh" != 200 ] && [ "$alone" = 200 ] && [ "$older" = 200 ] && [ -n "$reason" ]

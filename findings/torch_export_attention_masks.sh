#!/bin/bash
# A mask that attention broadcasts stops ONNX Runtime at opset 23, and hides other keys at 25, where its model runs.
#
# Guess before it was run: from opset 23 on PyTorch writes scaled_dot_product_attention as ONNX's Attention. ONNX Runtime's
# kernel takes masks of as many rows as there are queries alone, at opsets 23, 24 and 25 alike; at 22 all masks are right.
# Seen: PyTorch 2.15.0 with onnxscript 0.7.2 and ONNX Runtime 1.32.0. A mask of padding [batch, 1, 1, keys], as
# transformers that detect objects have for images of several sizes, exports without a word and fails when it runs at 23 and
# 24: "inconsistent q_sequence_length". At 25 the runtime has no kernel, takes ONNX's definition instead, and is right. But a
# mask of queries [batch, 1, queries, 1] runs at 25, too, and is wrong: ONNX fills up a mask that ends early with keys that
# are hidden, so that each query sees the first key alone, whatever the mask says; a mask of zeros, which changes nothing
# in PyTorch, changes the result by up to 5.86. At 22 both masks are right.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet torch==2.15.0 onnxscript==0.7.2 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > masks.py <<'P'
import contextlib
import io
import logging
import warnings

import onnxruntime
import torch

logging.disable(logging.WARNING)
warnings.simplefilter("ignore")
quiet = onnxruntime.SessionOptions()
quiet.log_severity_level = 4


class Attention(torch.nn.Module):
    def forward(self, x, mask):
        return torch.nn.functional.scaled_dot_product_attention(x, x, x, attn_mask=mask)


x = torch.sin(torch.arange(2 * 1 * 4 * 3.0) * 1.7).reshape(2, 1, 4, 3) * 3
padded = torch.ones(2, 1, 1, 4, dtype=torch.bool)
padded[1, ..., 3] = False
seen = {}
for name, mask in {"padding": padded, "queries": torch.zeros(2, 1, 4, 1)}.items():
    for opset in (22, 23, 24, 25):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            model = torch.onnx.export(Attention(), (x, mask), dynamo=True, opset_version=opset, input_names=["x", "mask"])
        session = onnxruntime.InferenceSession(model.model_proto.SerializeToString(), quiet, providers=["CPUExecutionProvider"])
        operators = {node.op_type for node in model.model_proto.graph.node}
        try:
            y = torch.tensor(session.run(None, {"x": x.numpy(), "mask": mask.numpy()})[0])
            seen[name, opset] = round(float((y - Attention()(x, mask)).abs().max()), 2)
            if seen[name, opset]:
                assert torch.allclose(y, x[:, :, :1].expand_as(y), atol=1e-5), "not the first key"
        except Exception as error:
            seen[name, opset] = "fails: inconsistent" if "inconsistent" in str(error) else str(error)
        print(name, "at opset", opset, sorted(operators & {"Attention", "Softmax"}), seen[name, opset])
fails = "fails: inconsistent"
expected = {("padding", 22): 0.0, ("padding", 23): fails, ("padding", 24): fails, ("padding", 25): 0.0,
            ("queries", 22): 0.0, ("queries", 23): fails, ("queries", 24): fails, ("queries", 25): 5.86}
raise SystemExit(0 if seen == expected else 1)
P
venv/bin/python masks.py

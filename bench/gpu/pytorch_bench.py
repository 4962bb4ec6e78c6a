"""PyTorch's times for bench/gpu/run: float16, channels_last, eager and torch.compile(mode="max-autotune") with CUDA graphs.
One line of JSON a model and batch; those that could not be measured in time are left out."""
import json
import statistics
import time

import effdet
import torch


def milliseconds(call, seconds=1.5):
    for _ in range(5):
        call()
    torch.cuda.synchronize()
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < seconds or len(times) < 5:
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


for variant in ("d0", "d7", "d4"):
    config = effdet.get_efficientdet_config(f"tf_efficientdet_{variant}")
    model = effdet.EfficientDet(config, pretrained_backbone=False).eval().half().cuda().to(memory_format=torch.channels_last)
    for batch in (1, 8):
        image = torch.zeros(batch, 3, *config.image_size).half().cuda().to(memory_format=torch.channels_last)
        with torch.inference_mode():
            row = {"model": f"{variant}_b{batch}", "eager_ms": milliseconds(lambda: model(image))}
            print(json.dumps(row), flush=True)
            compiled = torch.compile(model, mode="max-autotune")
            row["compiled_ms"] = milliseconds(lambda: compiled(image))
        print(json.dumps(row), flush=True)

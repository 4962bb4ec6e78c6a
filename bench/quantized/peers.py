"""Quantizing and running networks with ONNX Runtime, NNCF and OpenVINO, each call in a process of its own: it gives its
memory back, and can be measured."""
import json
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import measure


def call(task, *arguments):
    """Runs a function of this file elsewhere; returns its printed lines and the peak memory in bytes."""
    out, _, memory = measure.run(sys.executable, "-W", "ignore", __file__, task.__name__, json.dumps([str(a) for a in arguments]),
                                 TQDM_DISABLE="1", CUDA_VISIBLE_DEVICES="")
    return out.splitlines(), memory


def samples(folder):
    """The inputs that `preprocess` wrote there, by their file's stem."""
    for path in sorted(pathlib.Path(folder).glob("*.bin")):
        image = np.fromfile(path, np.float32)
        side = round((image.size / 3) ** 0.5)
        yield path.stem, image.reshape(1, 3, side, side)


def quantize_onnx_runtime(source, target, folder, activations):
    """quantize_static. QUInt8: with scales by channel; QInt8: as it comes."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            name = onnx.load(source).graph.input[0].name
            self.inputs = ({name: image} for _, image in samples(folder))

        def get_next(self):
            return next(self.inputs, None)

    quantize_static(source, target, Reader(), quant_format=QuantFormat.QDQ, per_channel=activations == "QUInt8",
                    activation_type=QuantType[activations], weight_type=QuantType.QInt8)


def quantize_nncf(source, target, folder):
    """An OpenVINO model; preset mixed, which has zero points, as swish needs them."""
    import nncf
    import openvino

    images = [image for _, image in samples(folder)]
    model = nncf.quantize(openvino.Core().read_model(source), nncf.Dataset(images), preset=nncf.QuantizationPreset.MIXED,
                          subset_size=len(images))
    openvino.save_model(model, target, compress_to_fp16=False)


def onnx_runtime(path, threads):
    """A function from an input to the list of outputs."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})


def openvino(path, threads):
    """The same. Without the hint, OpenVINO would compute in bfloat16 where the processor has it."""
    import openvino as library

    model = library.Core().compile_model(path, "CPU", {"INFERENCE_NUM_THREADS": int(threads),
                                                       "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
    request = model.create_infer_request()
    return lambda image: list(request.infer([image], share_inputs=True).values())


ENGINES = {"onnx_runtime": onnx_runtime, "openvino": openvino}


def dump(engine, path, threads, folder, target):
    """Outputs of all samples, as `benchmark` names them."""
    infer = ENGINES[engine](path, threads)
    pathlib.Path(target).mkdir()
    for stem, image in samples(folder):
        for k, output in enumerate(infer(image), 1):
            np.asarray(output, np.float32).tofile(f"{target}/{stem}_{k}.bin")


def repeat(engine, path, threads, folder, seconds):
    """Prints the milliseconds of inferences of one sample; the first is not counted."""
    infer = ENGINES[engine](path, threads)
    _, image = next(samples(folder))
    infer(image)
    times, end = [], time.perf_counter() + float(seconds)
    while len(times) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        infer(image)
        times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps(times))


if __name__ == "__main__":
    globals()[sys.argv[1]](*json.loads(sys.argv[2]))

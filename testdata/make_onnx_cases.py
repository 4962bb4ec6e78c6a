"""Writes onnx/*: small models of what exporters and people put into files beside plain operators. Folders have ONNX Runtime's
results with them, as ONNX's own test folders do.

Needs onnx 1.23.2, onnxruntime 1.32.0 and numpy:  python testdata/make_onnx_cases.py
"""
import pathlib

import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent / "onnx"
node = helper.make_node
random = np.random.RandomState(0)
WEIGHTS = random.randn(4, 3, 3, 3).astype(np.float32)


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def port(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model_of(nodes, inputs, outputs, constants, functions=(), value_info=(), domains=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants, value_info=value_info)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), *domains], functions=list(functions),
                              ir_version=10, producer_name="")
    checker.check_model(model)
    return model


def save_with_results(name, model):
    """Beside the model an input "x" and what ONNX Runtime makes of it."""
    folder = FOLDER / name / "test_data_set_0"
    folder.mkdir(parents=True, exist_ok=True)
    (FOLDER / name / "model.onnx").write_bytes(model.SerializeToString())
    kind = model.graph.input[0].type.tensor_type
    shape = [dim.dim_value for dim in kind.shape.dim]
    x = np.linspace(-2, 2, np.prod(shape)).reshape(shape).astype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    tensors = {"input_0": numpy_helper.from_array(x, "x")}
    for i, y in enumerate(session.run(None, {"x": x})):
        tensors[f"output_{i}"] = numpy_helper.from_array(y, model.graph.output[i].name)
    for file, tensor in tensors.items():
        (folder / f"{file}.pb").write_bytes(tensor.SerializeToString())


def conv(inputs="x", output="c"):
    return node("Conv", [inputs, "w"], [output], name="conv", pads=[1] * 4)


def unknown_operator():
    """TensorRT's NMS behind a head, a Loop that reads a value from around it, and an operator of another domain."""
    step = helper.make_graph([node("Add", ["carried", "scores"], ["next"]), node("Identity", ["going"], ["still"])], "step",
                             [port("i", [], TensorProto.INT64), port("going", [], TensorProto.BOOL), port("carried", [1, 64, 4])],
                             [port("still", [], TensorProto.BOOL), port("next", [1, 64, 4])])
    nms = node("EfficientNMS_TRT", ["boxes", "scores"], ["count", "found", "best", "classes"], name="nms", domain="trt",
               score_threshold=0.25, max_output_boxes=100, plugin_version="1", doc_string="selects boxes")
    nms.metadata_props.add(key="layer", value="head")
    nodes = [conv(), node("Identity", ["c"], ["same"], name="same"), node("Reshape", ["same", "shape"], ["boxes"], name="boxes"),
             node("Sigmoid", ["boxes"], ["scores"], name="scores"), nms,
             node("Loop", ["three", "", "boxes"], ["sum"], name="loop", body=step),
             node("FusedMatMul", ["sum", "found"], ["product"], name="fused", domain="com.microsoft", transB=1)]
    model = model_of(nodes, [port("x", [1, 3, 8, 8])],
         [port("count", [1, 1], TensorProto.INT32), port("found", [1, 100, 4]), port("product", [1, 64, 100])],
         [constant("w", WEIGHTS), constant("shape", [1, -1, 4]), constant("three", np.int64(3))],
         value_info=[port("best", ["batch", 100])],
         domains=[helper.make_opsetid("trt", 1), helper.make_opsetid("com.microsoft", 1)])
    (FOLDER / "unknown.onnx").write_bytes(model.SerializeToString())


def functions():
    """A function that calls another twice, with an attribute that it hands on and one with a default."""
    scale = helper.make_function("own", "Scale", ["a"], ["b"],
                                 [node("Constant", [], ["k"], value_float=0.0), node("Mul", ["a", "k"], ["b"])],
                                 [helper.make_opsetid("", 13)], ["factor"])
    del scale.node[0].attribute[:]
    scale.node[0].attribute.add(name="value_float", ref_attr_name="factor", type=1)
    act = helper.make_function("own", "Act", ["a", "unused"], ["b"],
                               [node("Scale", ["a"], ["t"], domain="own", factor=0.5),
                                node("Sigmoid", ["t"], ["s"]),
                                node("Scale", ["s"], ["u"], domain="own"),
                                node("Mul", ["a", "u"], ["b"])],
                               [helper.make_opsetid("", 13), helper.make_opsetid("own", 1)], [],
                               [helper.make_attribute("gain", 2.0)])
    act.node[2].attribute.add(name="factor", ref_attr_name="gain", type=1)
    save_with_results("functions", model_of([conv(), node("Act", ["c"], ["d"], name="first", domain="own"),
                       node("Act", ["d", ""], ["y"], name="second", domain="own", gain=3.0)],
         [port("x", [1, 3, 8, 8])], [port("y", [1, 4, 8, 8])], [constant("w", WEIGHTS)], [scale, act],
         domains=[helper.make_opsetid("own", 1)]))


def constant_if():
    """PyTorch's squeeze: an If by a dimension, in it another one; a value inside has the name of one outside."""
    inner_then = helper.make_graph([node("Neg", ["t"], ["deep"])], "inner then", [], [port("deep", None)])
    inner_else = helper.make_graph([node("Abs", ["t"], ["deeper"])], "inner else", [], [port("deeper", None)])
    then = helper.make_graph([node("Squeeze", ["c", "axis"], ["squeezed"])], "then", [], [port("squeezed", None)])
    other = helper.make_graph([node("Add", ["c", "two"], ["t"]), node("If", ["is_four"], ["z"], then_branch=inner_then, else_branch=inner_else)],
                              "else", [], [port("z", None)], [constant("two", np.float32(2))])
    save_with_results("if", model_of([conv(), node("Shape", ["c"], ["dims"]), node("Gather", ["dims", "one"], ["channels"]),
                node("Equal", ["channels", "one"], ["is_one"]), node("Equal", ["channels", "four"], ["is_four"]),
                node("If", ["is_one"], ["i"], name="if", then_branch=then, else_branch=other),
                node("Relu", ["i"], ["t"]), node("Neg", ["t"], ["y"])],
         [port("x", [1, 3, 8, 8])], [port("y", [1, 4, 8, 8])],
         [constant("w", WEIGHTS), constant("one", np.int64(1)), constant("four", np.int64(4)), constant("axis", [0])]))


def half():
    save_with_results("half", model_of([conv(), node("Identity", ["c"], ["y"])], [port("x", [1, 3, 8, 8], TensorProto.FLOAT16)],
                                       [port("y", [1, 4, 8, 8], TensorProto.FLOAT16)], [constant("w", WEIGHTS.astype(np.float16))]))


def quantized():
    """As ONNX Runtime's quantizer writes it: weights and bias per tensor, the bias with a scale of one value in a list."""
    linear = [node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]), node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
              node("DequantizeLinear", ["wq", "ws", "wz"], ["w"]), node("DequantizeLinear", ["bq", "bs", "bz"], ["b"]),
              node("Conv", ["xd", "w", "b"], ["y"], pads=[1] * 4)]
    scale = np.float32(np.abs(WEIGHTS).max() / 127)
    save_with_results("quantized", model_of(
        linear, [port("x", [1, 3, 8, 8])], [port("y", [1, 4, 8, 8])],
        [constant("xs", np.float32(0.02)), constant("xz", np.int8(-3)), constant("wq", np.round(WEIGHTS / scale).astype(np.int8)),
         constant("ws", scale), constant("wz", np.int8(0)), constant("bq", np.int32([100, -200, 300, 0])),
         constant("bs", np.float32([0.02]) * scale), constant("bz", np.int32(0))]))


def quantized_operators():
    """The form in which codes go from operator to operator, ONNX Runtime's own among them, as its quantizer writes it."""
    scale = np.float32(np.abs(WEIGHTS).max(axis=(1, 2, 3)) / 127)
    codes = np.round(WEIGHTS / scale[:, None, None, None]).astype(np.int8)
    own = {"domain": "com.microsoft"}
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
             node("QLinearConv", ["xq", "xs", "xz", "wq", "ws", "wz", "cs", "cz", "bq"], ["cq"], name="conv", pads=[1] * 4),
             node("QLinearSigmoid", ["cq", "cs", "cz", "ss", "zero"], ["sq"], name="sigmoid", **own),
             node("QLinearMul", ["cq", "cs", "cz", "sq", "ss", "zero", "ms", "mz"], ["mq"], name="swish", **own),
             node("MaxPool", ["mq"], ["pq"], kernel_shape=[2, 2], strides=[2, 2]),
             node("QLinearGlobalAveragePool", ["mq", "ms", "mz", "ms", "mz"], ["gq"], name="mean", channels_last=0, **own),
             node("QLinearAdd", ["pq", "ms", "mz", "gq", "ms", "mz", "as", "az"], ["aq"], name="sum", **own),
             node("QLinearConcat", ["as", "az", "aq", "as", "az", "pq", "ms", "mz"], ["jq"], name="concat", axis=1, **own),
             node("DequantizeLinear", ["jq", "as", "az"], ["y"])]
    numbers = {"xs": np.float32(0.02), "xz": np.uint8(125), "wq": codes, "ws": scale, "wz": np.zeros(4, np.int8),
               "bq": np.int32([100, -200, 300, 0]), "cs": np.float32(0.11), "cz": np.uint8(130), "ss": np.float32(1 / 256),
               "zero": np.uint8(0), "ms": np.float32(0.06), "mz": np.uint8(5), "as": np.float32(0.09), "az": np.uint8(12)}
    save_with_results("quantized_operators", model_of(
        nodes, [port("x", [1, 3, 8, 8])], [port("y", [1, 8, 4, 4])], [constant(*pair) for pair in numbers.items()],
        domains=[helper.make_opsetid("com.microsoft", 1)]))


def several_tensors():
    """Two inputs and outputs of three types, no detector."""
    pair = [2, 2]
    model = model_of([node("Div", ["a", "b"], ["quotient"]), node("Greater", ["a", "b"], ["greater"]),
                      node("Cast", ["a"], ["whole"], to=TensorProto.INT32)],
                     [port("a", pair), port("b", pair)],
                     [port("quotient", pair), port("greater", pair, TensorProto.BOOL), port("whole", pair, TensorProto.INT32)], [])
    (FOLDER / "several_tensors.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    unknown_operator()
    functions()
    constant_if()
    half()
    quantized()
    quantized_operators()
    several_tensors()

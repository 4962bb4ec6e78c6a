"""Small ONNX models, with any field wrong."""
import numpy
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32


def value(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, values, dtype=numpy.int64):
    return numpy_helper.from_array(numpy.array(values, dtype), name)


def model(nodes, inputs=None, outputs=None, constants=(), opset=17, ir_version=8):
    outputs = [value("y", [None])] if outputs is None else outputs
    graph = helper.make_graph(nodes, "g", inputs or [value("x", [6])], outputs, list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def node(kind, inputs=("x",), outputs=("y",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def one(kind, inputs=("x",), constants=(), shape=(6,), rank=1, **attributes):
    """The bytes of a model of one node with the input x and an output of that many dimensions."""
    return model([node(kind, inputs, **attributes)], [value("x", list(shape))], [value("y", [None] * rank)],
                 constants).SerializeToString()


def field(number, content):
    """A field of a protobuf message: bytes, or a message that was made of fields."""
    size, length = len(content), b""
    while size >= 128:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return varint(number << 3 | 2) + length + bytes([size]) + content


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128, number >> 7])


def weighted(tensor):
    """A model that adds the tensor w to x."""
    return model([node("Add", ["x", "w"])], constants=[tensor])


def raw_tensor(dims, raw=b"", floats=(), name="w"):
    tensor = TensorProto(name=name, data_type=FLOAT, dims=dims, float_data=floats)
    if raw:
        tensor.raw_data = raw
    return tensor


def external(location="w.bin", dims=(6,), **entries):
    """A model whose weights lie elsewhere: entries are pairs of text, or lists of them."""
    tensor = TensorProto(name="w", data_type=FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, texts in [("location", location), *entries.items()]:
        for text in [texts] if isinstance(texts, str) else texts:
            tensor.external_data.add(key=key, value=text)
    return weighted(tensor).SerializeToString()

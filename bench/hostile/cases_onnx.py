"""Hostile ONNX models: the file and its graph (55 to 64)."""
import numpy
from onnx import TensorProto

from archives import STORAGE
from case import DAMAGED, Cases
from models import INT32, INT64, constant, field, model, node, one, raw_tensor, value, weighted

case = Cases(".onnx")


def conv(shape=(1, 2, 8, 8), kernel=(2, 2, 3, 3), **attributes):
    weights = constant("w", numpy.ones(kernel), "float32")
    return one("Conv", ["x", "w"], [weights], shape, 4, **attributes)


def nested(depth):
    """A model with an If within an If within an If, message by message, as no library writes it."""
    def graph(content, output):
        return field(1, content) + field(2, b"g") + field(12, value(output, []).SerializeToString())

    def condition(inner, output):
        branches = b"".join(field(5, field(1, name) + field(6, graph(*inner)) + b"\xa0\x01\x05")
                            for name, inner in ((b"then_branch", inner), (b"else_branch", (leaf, "c"))))
        return field(1, b"condition") + field(2, output.encode()) + field(4, b"If") + branches
    leaf = node("Constant", [], ["c"], value=constant("v", 1.0, "float32")).SerializeToString()
    inner = leaf, "c"
    for level in range(depth, 0, -1):
        output = f"o{level}" if level > 1 else "y"
        inner = condition(inner, output), output
    whole = graph(*inner) + field(11, value("condition", [], TensorProto.BOOL).SerializeToString())
    return b"\x08\x08" + field(7, whole) + field(8, b"\x10\x11")


@case(55, "no protobuf")
def no_protobuf(_):
    return [b"\xff" * 64, b"{}", b"\x08" + b"\xff" * 11]


@case(55, "cut at every byte")
def cut(_):
    whole = weighted(raw_tensor([6], STORAGE)).SerializeToString()
    return [whole[:size] for size in range(len(whole))]


@case(55, "a length of 2^63 - 1 before few bytes")
def varint(_):
    return b"\x08\x08\x3a" + b"\xff" * 8 + b"\x7f" + b"abc"


@case(56, "If nested 101 and 3,000 deep")
def nested_deep(_):
    return [nested(101), nested(3000)]


@case(57, "a cycle of nodes")
def cycle(_):
    return model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"])]).SerializeToString()


@case(57, "an input that nothing makes")
def undefined(_):
    return model([node("Add", ["x", "nowhere"])]).SerializeToString()


@case(57, "two nodes that make one value")
def twice(_):
    return model([node("Relu"), node("Abs")]).SerializeToString()


@case(58, "negative dimensions of a constant; dimensions whose product wraps")
def dimensions(_):
    return [weighted(raw_tensor(dims, STORAGE)).SerializeToString() for dims in ([-6], [1 << 32, 1 << 32])]


@case(58, "raw data shorter, and longer, than the shape")
def raw_data(_):
    return [weighted(raw_tensor([6], STORAGE[:20])).SerializeToString(),
            weighted(raw_tensor([6], STORAGE + STORAGE)).SerializeToString()]


@case(58, "raw data and numbers both", DAMAGED)
def both(_):
    return weighted(raw_tensor([6], STORAGE, [9.0] * 6)).SerializeToString()


@case(59, "ConstantOfShape, Expand, Tile to 2^40 elements")
def terabytes(_):
    big, ones = constant("n", [1 << 40]), constant("n", [1 << 40, 6])
    return [model([node("ConstantOfShape", ["n"], ["c"]), node("Add", ["c", "x"])], [value("x", [1])],
                  constants=[big]).SerializeToString(),
            one("Expand", ["x", "n"], [ones], rank=2), one("Tile", ["x", "n"], [big])]


@case(59, "Resize to 2^40 elements")
def resize(_):
    return one("Resize", ["x", "", "", "n"], [constant("n", [1, 1, 1 << 20, 1 << 20])], [1, 1, 2, 2], 4)


@case(60, "Conv with group 0")
def group(_):
    return conv(group=0)


@case(60, "Conv with stride 0")
def stride(_):
    return conv(strides=[0, 0])


@case(60, "Conv with pads of -2^63")
def pads(_):
    return conv(pads=[-(1 << 63)] * 4)


@case(60, "Conv with a kernel larger than its input")
def kernel(_):
    return conv([1, 2, 2, 2])


@case(61, "Reshape by an int32 shape")
def shape_type(_):
    return one("Reshape", ["x", "n"], [constant("n", [2, 3], "int32")], rank=2)


@case(61, "an input of int32 where the graph says int64")
def value_type(_):
    return model([node("Add", ["x", "z"])], [value("x", [6], INT32), value("z", [6], INT64)]).SerializeToString()


@case(62, "an operator that does not exist")
def operator(_):
    return one("Frobnicate")


@case(62, "opset 0; opset 999")
def opset(_):
    return [model([node("Relu")], opset=number).SerializeToString() for number in (0, 999)]


@case(62, "IR version 0; 999")
def ir_version(_):
    return [model([node("Relu")], ir_version=number).SerializeToString() for number in (0, 999)]


@case(63, "Gather at 99 of 6")
def gather(_):
    return one("Gather", ["x", "n"], [constant("n", [99])])


@case(63, "Reshape with two -1")
def reshape(_):
    return one("Reshape", ["x", "n"], [constant("n", [-1, -1])], rank=2)


@case(63, "Softmax along axis 99")
def axis(_):
    return one("Softmax", axis=99)


@case(64, "a graph without outputs")
def no_outputs(_):
    return model([node("Relu")], outputs=[]).SerializeToString()


@case(64, "100,000 nodes")
def many(_):
    names = ["x", *(f"v{i}" for i in range(99_999)), "y"]
    nodes = [node("Relu", [a], [b]) for a, b in zip(names, names[1:])]
    return model(nodes, outputs=[value("y", [6])]).SerializeToString()

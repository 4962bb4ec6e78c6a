"""Writes bombs/*.onnx: small files of which simplification, compilation or one run would make gigabytes.

Needs onnx 1.23.2 and numpy:  python testdata/make_bombs.py
"""
import pathlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent / "bombs"
FLOATS = 250_000  # a megabyte
node = helper.make_node


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def save(name, nodes, inputs, constants):
    """Nodes over float inputs {name: shape}; the output is y."""
    def port(value, shape):
        return helper.make_tensor_value_info(value, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "bomb", [port(*item) for item in inputs.items()], [port("y", None)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="")
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())


def readers_of_one_constant(count=300):
    """A large constant is read by many sums, each of which folds to one as large."""
    numbers = range(count)
    nodes = [node("Expand", ["one", "shape"], ["large"])]
    nodes += [node("Add", ["large", f"k{i}"], [f"sum{i}"]) for i in numbers]
    nodes.append(node("Sum", [f"sum{i}" for i in numbers] + ["x"], ["y"]))
    save("many_readers", nodes, {"x": [1]},
         [constant("one", np.float32(1)), constant("shape", [FLOATS])] + [constant(f"k{i}", np.float32(i)) for i in numbers])


def doubled_while_it_runs(times=28):
    """Each Concat puts a value behind itself, and the value depends on the input."""
    nodes = [node("Concat", ["x" if i == 0 else f"d{i}"] * 2, [f"d{i + 1}"], axis=0) for i in range(times)]
    save("doubled", nodes + [node("ReduceMax", [f"d{times}"], ["y"], keepdims=0)], {"x": [2]}, [])


def one_large_value(floats=400_000_000):
    save("large_value", [node("Expand", ["x", "shape"], ["large"]), node("ReduceSum", ["large"], ["y"], keepdims=0)],
         {"x": [1]}, [constant("shape", [floats])])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    readers_of_one_constant()
    doubled_while_it_runs()
    one_large_value()

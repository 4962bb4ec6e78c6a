"""Where the peers part, or leave ONNX's text, and which way this project goes: each with a reason."""

import re

import numpy as np

#: Refusals of ours that are documented: operators and types that are not there, sizes that a compiled model cannot
#: know (inputs of no values among them), and windows larger than what they slide over, of which the peers make empty
#: tensors.
REFUSALS = [r"is free, where -1 or 0 stands", r"unsupported operator", r"is not supported", r"depends on the image", r"only \d+ to \d+", r"does not fit into"]

#: (kinds or None for all, condition of graph, results and verdicts, reason). verdicts: by engine, what is different
#: there from our reference kernels, or "refuses: ...", or None.
ENTRIES = []


def may_refuse(text):
    return any(re.search(pattern, text) for pattern in REFUSALS)


def find(kind, graph, results, verdicts):
    for kinds, condition, reason in ENTRIES:
        if (kinds is None or kind in kinds) and condition(graph, results, verdicts):
            return reason
    return None


def entry(kinds, reason):
    def register(condition):
        ENTRIES.append((kinds.split() if kinds else None, condition, reason))
        return condition
    return register


def differences(verdicts):
    return [text for text in verdicts.values() if text and not text.startswith("refuses")]


def attributes(graph):
    return {attribute.name: attribute for node in graph.nodes for attribute in node.attribute}


def has(graph, test):
    return any(test(x).any() for x in graph.inputs.values() if x.dtype.kind == "f")


def large(x):
    return ~(np.abs(x) < 1e37)


@entry(None, "the sign of a zero that a sum, a maximum or a product with 0 makes follows the order of operations")
def _(graph, results, verdicts):
    return bool(differences(verdicts)) and all("zeros of other signs" in text for text in differences(verdicts))


@entry("max_pool global_pool block old_resize reduction roi_align",
       "maxima of a NaN: ONNX Runtime loses it or keeps it, by its place; here and in PyTorch it stays")
def _(graph, results, verdicts):
    ops = {node.op_type for node in graph.nodes}
    return has(graph, np.isnan) and "NaN" not in (verdicts["compiled"] or "") and bool(
        ops & {"MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin"}) and "NaN" in (verdicts["ort"] or "")


@entry("arg top_k soft_max", "the order of NaN among numbers is the engine's own")
def _(graph, results, verdicts):
    return has(graph, np.isnan) and not verdicts["compiled"]


@entry("reduction average_pool normalization lp_pool product batch_norm global_pool roi_align",
       "reference kernels sum in float64, so that what overflows in float32 on the way does not")
def _(graph, results, verdicts):
    return has(graph, large)


@entry("conv block conv_transpose product composed_activation",
       "fast products work on tiles and add zeros in: an infinity or a NaN spreads to neighbours")
def _(graph, results, verdicts):
    return has(graph, large)


@entry("resize old_resize", "ONNX Runtime multiplies an infinity by a weight of 0; here such a neighbour has no weight")
def _(graph, results, verdicts):
    return has(graph, np.isinf) and not verdicts["compiled"] and "NaN" in (verdicts["ort"] or "")


@entry("resize", "weights are float32's, which whole numbers of 32 bits show; ONNX Runtime does not run these")
def _(graph, results, verdicts):
    return (graph.inputs["x"].dtype == np.int32 and (np.abs(graph.inputs["x"].astype(np.int64)) > 2**24).any()
            and (verdicts["ort"] or "").startswith("refuses"))


def units_apart(results, name):
    a, b = results["reference"], results[name]
    if isinstance(a, Exception) or isinstance(b, Exception) or a[0].shape != b[0].shape or a[0].dtype.kind == "f":
        return None
    return int(np.abs(a[0].astype(np.int64) - b[0].astype(np.int64)).max(initial=0))


@entry("resize", "whole numbers that are cut off or rounded: one unit where a sum is just about whole, or a half")
def _(graph, results, verdicts):
    return units_apart(results, "ort") == 1


@entry("resize", "onnx's reference rounds whole numbers where ONNX Runtime, which does not run this one, cuts them off")
def _(graph, results, verdicts):
    return units_apart(results, "onnx") == 1 and (verdicts["ort"] or "").startswith("refuses")


@entry("resize", "ONNX Runtime's antialias makes 0 of what is below 0 in int8")
def _(graph, results, verdicts):
    return graph.inputs["x"].dtype == np.int8 and "antialias" in graph.note and verdicts["onnx"] is None


@entry("resize", "onnx's reference takes the length before rounding with align_corners, unlike PyTorch's exports")
def _(graph, results, verdicts):
    return "align_corners" in graph.note and "scales" in graph.constants and (verdicts["ort"] or "").startswith("refuses")


@entry("resize", "ONNX Runtime leaves an axis out whose size stays, though its region moves")
def _(graph, results, verdicts):
    return "tf_crop_and_resize" in graph.note and verdicts["onnx"] is None


@entry("resize old_resize", "ONNX Runtime copies where every size stays, though the scales are no 1")
def _(graph, results, verdicts):
    return results["reference"][0].shape == graph.inputs["x"].shape


@entry("conv_transpose", "ONNX's text makes auto_pad SAME input x stride long; ONNX Runtime stops with the last product")
def _(graph, results, verdicts):
    return graph.note == "auto_pad"


@entry("max_pool average_pool lp_pool", "ONNX Runtime leaves dilations out of auto_pad, or ceil_mode")
def _(graph, results, verdicts):
    return attributes(graph).get("auto_pad") is not None and not verdicts["compiled"]


@entry("normalization", "LRN of an even size, which ONNX Runtime refuses: onnx's reference begins one channel later")
def _(graph, results, verdicts):
    return graph.nodes[0].op_type == "LRN" and (verdicts["ort"] or "").startswith("refuses")


@entry("move", "a Slice backwards from the beginning to 2^63 - 1 is empty; ONNX Runtime takes that end for the beginning")
def _(graph, results, verdicts):
    return graph.nodes[0].op_type == "Slice" and verdicts["onnx"] is None

// A model's own functions (ModelProto.functions).
#pragma once

#include <string>

#include "onnx/model_file.h"

namespace effdet::onnx {

/// Puts the nodes of functions in the place of the nodes that call them, also in graphs inside nodes and in functions
/// that call others. Values of a function get names of their own, with the call's name in front. Attributes that it
/// refers to come from the call, or are its defaults. A call stays, and the functions with it, where the function
/// imports another version of an operator set than the model and holds an operator that means something else there.
/// Throws Error(kBadInput) for a function that calls itself, is defined twice or contradicts itself, and
/// Error(kUnsupported) for functions that are nested deeper than 100 times or come to more than 100,000 nodes or 64 MB:
/// a few functions that call each other twice stand for any number. `file` names the model in errors.
void inline_functions(pb::ModelProto& model, const std::string& file);

}  // namespace effdet::onnx

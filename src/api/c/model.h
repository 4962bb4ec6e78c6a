// Models behind the C interface.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/effdet_c.h"

struct effdet_model {
  effdet::CompiledModel model;
  std::vector<effdet::TensorInfo> inputs, outputs;
  std::vector<std::string> class_names;
  std::map<std::string, std::string> metadata;
  std::string variant;
};

namespace effdet::api {

/// What the caller says of a model, with the strings copied. Throws Error(kUsage).
ModelOptions model_options(const effdet_model_options* given);
/// A new handle.
effdet_model* handle_of(CompiledModel model);

}  // namespace effdet::api

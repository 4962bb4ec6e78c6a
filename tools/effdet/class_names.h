// What classes are called where the model does not say.
#pragma once

#include <string>
#include <vector>

#include "effdet/compiled_model.h"

namespace effdet::cli {

/// One name a class, by class index (category id - 1): the model's own; else COCO's for models of 90 or 91 classes;
/// else "class 1", "class 2", ...
std::vector<std::string> class_names_of(const ModelDescription& description);

}  // namespace effdet::cli

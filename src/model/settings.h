// effdet's configuration by its own names: what a checkpoint's file says of its model, and what users say with
// --config.
#pragma once

#include <string>
#include <string_view>

#include "model/config.h"

namespace effdet::model {

/// One option of effdet's configuration (get_efficientdet_config), such as "pad_type", "norm_kwargs.eps" or
/// "redundant_bias". The value is JSON, or as Python writes it: true, False, same, 512, (512, 512), [1.0, 2.0, 0.5].
struct Setting {
  std::string name, value;
};

/// Whether it decides what a model computes. Options of training, say, are none.
bool is_setting(std::string_view name);

/// Throws Error(kUsage) for an unknown name and for a value that makes no sense, Error(kUnsupported) for one that is
/// legal in effdet, but that the builder does not build. None (null) leaves the variant's own.
void apply_setting(const Setting& setting, ModelConfig& config);

/// Whether two values say the same.
bool same_value(std::string_view a, std::string_view b);

}  // namespace effdet::model

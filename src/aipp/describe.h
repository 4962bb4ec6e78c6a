// Preprocessing in a model, in words.
#pragma once

#include "effdet/model_description.h"
#include "ops/aipp.h"

namespace effdet::aipp {

/// What images the operator takes, and what it does with them.
AippDescription describe(const ops::AippSpec& spec);

}  // namespace effdet::aipp

// What the tests of this layer and of those above it share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "effdet/error.h"
#include "eval/test_support.h"
#include "support/error_of.h"

namespace effdet::detection {

using eval::noise;
using test::error_of;

inline bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace effdet::detection

// The scalar functions of the table of activations, and lookup by name.
#include "base/activation.h"

#include <algorithm>
#include <cmath>

namespace effdet::inline base {

namespace scalar {

float identity(float x) { return x; }

float swish(float x) { return x / (1 + std::exp(-x)); }

float relu(float x) { return x < 0 ? 0 : x; }

float relu6(float x) { return x < 0 ? 0 : x > 6 ? 6 : x; }

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

float hard_swish(float x) { return x * std::clamp(x + 3, 0.0f, 6.0f) / 6; }

float hard_sigmoid(float x) { return std::clamp(x + 3, 0.0f, 6.0f) / 6; }

float leaky_relu(float x) { return x < 0 ? kLeakySlope * x : x; }

float mish(float x) { return x * std::tanh(x > 20 ? x : std::log1p(std::exp(x))); }

}  // namespace scalar

const char* activation_name(Activation activation) { return kActivations[static_cast<int32_t>(activation)].name; }

float activate(Activation activation, float x) { return kActivations[static_cast<int32_t>(activation)].function(x); }

}  // namespace effdet::inline base

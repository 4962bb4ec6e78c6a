// The roofline plot: what each step reaches, below what the machine can do.
#pragma once

#include <string>

#include "profile.h"

namespace effdet::cli {

/// An SVG image that needs nothing besides itself. Across: arithmetic intensity, operations for each byte of a step's
/// inputs, weights and outputs; up: achieved GFLOPS; both logarithmic. The roofs are the machine's measured rates. A
/// dot is a step: its area is its share of the time, its colour the operator, and its tooltip has the figures.
std::string roofline_svg(const Profile& profile, const std::string& title);

}  // namespace effdet::cli

// The colours that a file's indices stand for.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace effdet::vision {

/// Of each index its red, green and blue.
using IndexColours = std::array<std::array<uint8_t, 3>, 256>;

/// Colours of the indices for which the file has none, from `known` on: black, as in Pillow. But where those that it
/// has are greys by their indices, or there are none, Pillow takes the indices for greys: so are the others, then.
inline void complete_colours(IndexColours& colours, size_t known) {
  const auto grey = [](size_t index) {
    std::array<uint8_t, 3> colour{};
    colour.fill(static_cast<uint8_t>(index));
    return colour;
  };
  bool are_greys = true;
  for (size_t i = 0; i < std::min(known, colours.size()); ++i) are_greys = are_greys && colours[i] == grey(i);
  for (size_t i = known; i < colours.size(); ++i) colours[i] = are_greys ? grey(i) : std::array<uint8_t, 3>{};
}

}  // namespace effdet::vision

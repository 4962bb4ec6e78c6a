// One colour for each class.
#pragma once

#include <array>
#include <cstdint>

namespace effdet::vision {

using Colour = std::array<uint8_t, 3>;

/// As many classes as COCO's ids have different colours; after those they come again.
constexpr int kColours = 91;

/// Colours that come first differ most, also to people who do not see all colours.
const Colour& colour_of(int index);

/// Black or white, whichever is read more easily.
const Colour& text_colour_on(const Colour& background);

}  // namespace effdet::vision

// A network's coarse structure as an SVG image.
#pragma once

#include <string>
#include <vector>

#include "effdet/structure.h"

namespace effdet::cli {

/// An SVG document: the backbone from top to bottom, the pyramid's cells beside it, then the heads, with arrows for the
/// data between them.
std::string graph_svg(const std::string& title, const std::vector<StructureBlock>& blocks);

}  // namespace effdet::cli

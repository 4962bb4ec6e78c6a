// ais_bench's lists of shapes: "x:1,3,128~130,256-512" stands for six.
#pragma once

#include <string>
#include <vector>

namespace effdet::cli {

/// All shapes of a list, "name:1,3,128,256;other:..." each: a dimension may be a range (200~224), or values
/// (128-256-512). Throws Error(kUsage) that names the flag for another form, and for more than 10,000 shapes.
std::vector<std::string> expand_shape_range(const std::string& flag, const std::string& text);

}  // namespace effdet::cli

// Lists in braces, as shells and WebDataset have them, in arguments that were quoted.
#pragma once

#include <string>
#include <vector>

namespace effdet::cli {

/// "a{000..002}.tar" -> a000.tar, a001.tar, a002.tar; "{x,y{1..2}}" -> x, y1, y2. Numbers are padded with zeros where
/// one of the two is; a range may fall. Braces without a range or a comma stay as they are. Throws Error(kUsage) for
/// more than a million names.
std::vector<std::string> brace_expansion(const std::string& pattern);

}  // namespace effdet::cli

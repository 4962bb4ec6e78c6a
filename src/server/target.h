// The target of a request: path and query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace effdet::server {

struct Target {
  std::vector<std::string> path;  ///< "/v2/models/a%20b" -> {"v2", "models", "a b"}; one slash at the end is ignored
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order

  /// The last value of that name, nullptr: none.
  const std::string* find(std::string_view name) const;
};

/// Decodes a target. Throws HttpError(400) for one that is no absolute path, for broken or control characters, for
/// steps that are empty, "." or "..", and for encoded slashes, none of which name anything here.
Target parse_target(std::string_view text);

}  // namespace effdet::server

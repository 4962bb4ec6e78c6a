// Small files from the web, into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace effdet::fetch {

/// Whether a name is the address of something in the web: http or https.
bool is_url(std::string_view name);

struct ReadUrlOptions {
  uint64_t max_bytes = uint64_t{256} << 20;
  int stall_seconds = 20;  ///< give up after so many seconds below 1000 bytes a second; at least 1
  /// Whether addresses of this machine and of private networks may be connected to, by the URL or by a redirect. A
  /// proxy counts, too.
  bool private_addresses = false;
};

/// Follows up to 5 redirects, to http and https alone, and not from https to http. Throws Error(kIo) for what cannot be
/// had, and for private addresses; Error(kBadInput) for a file that is empty or too large.
std::vector<std::byte> read_url(const std::string& url, const ReadUrlOptions& options = {});

}  // namespace effdet::fetch

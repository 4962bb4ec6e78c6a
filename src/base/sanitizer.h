// Whether this build checks itself: tests of a million parts take a share of them then, since each takes ten times as
// long. The Release build takes all.
#pragma once

namespace effdet::inline base {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace effdet::inline base

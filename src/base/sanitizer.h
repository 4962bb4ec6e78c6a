// Whether this build checks itself, or is made for valgrind, which does: tests of a million parts take a share of them
// then, since each takes ten times as long. The Release build takes all.
#pragma once

namespace effdet::inline base {

#if defined(EFFDET_VALGRIND)
inline constexpr bool kValgrind = true;
#else
inline constexpr bool kValgrind = false;
#endif

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = kValgrind;
#endif

}  // namespace effdet::inline base

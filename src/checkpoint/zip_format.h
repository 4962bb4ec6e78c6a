// The records of ZIP archives: signatures, sizes and flags, from PKWARE's APPNOTE.TXT 6.3. Shared by reader and writer.
#pragma once

#include <cstdint>

namespace effdet::checkpoint::zip {

inline constexpr uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50, kEndSignature = 0x06054b50;
inline constexpr uint32_t kEnd64Signature = 0x06064b50, kLocatorSignature = 0x07064b50;
inline constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
inline constexpr uint32_t kIn64 = 0xFFFFFFFF;  // "see the ZIP64 field"
inline constexpr uint16_t kEncrypted = 1 << 0, kSizesFollow = 1 << 3, kUtf8 = 1 << 11;
inline constexpr uint16_t kLevelBits = 3 << 1;  // how hard deflate tried
inline constexpr uint16_t kZip64Extra = 1;
inline constexpr uint16_t kStored = 0, kDeflated = 8;

}  // namespace effdet::checkpoint::zip

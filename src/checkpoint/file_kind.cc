#include "checkpoint/file_kind.h"

#include <string_view>

#include "base/error.h"
#include "checkpoint/little_endian.h"

namespace effdet {
namespace {

using namespace std::string_view_literals;

// Pickle protocol 2 of the number 0x1950a86a20f9469cfc6c: torch.save wrote it first until 1.6.
constexpr std::string_view kLegacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;
constexpr size_t kTarMagicOffset = 257;

/// The 8-byte length of a JSON header, then the header.
bool is_safetensors(std::string_view content) {
  if (content.size() < 10 || content[8] != '{') return false;
  return load_le<uint64_t>(content.data()) <= content.size() - 8;
}

std::string_view name_format(std::string_view content) {
  if (content.starts_with(kLegacyMagic)) return "saved in the legacy format of torch < 1.6";
  if (content.size() > kTarMagicOffset && content.substr(kTarMagicOffset).starts_with("ustar"))
    return "a tar archive (the format of torch < 0.4, or a packed folder)";
  if (is_safetensors(content)) return "a safetensors file";
  if (content.starts_with("\x80") && content.size() > 1 && content[1] <= 5) return "a bare pickle";
  if (content.starts_with("\x1f\x8b")) return "a gzip file";
  if (content.starts_with("\x89HDF")) return "an HDF5 file";
  return {};
}

}  // namespace

void require_zip(const MappedFile& file) {
  const std::string_view content(reinterpret_cast<const char*>(file.bytes().data()), file.size());
  if (content.starts_with("PK\x03\x04")) return;
  if (content.empty()) bad_input("{}: the file is empty", file.path());
  const std::string_view format = name_format(content);
  if (format.empty()) {
    bad_input("{}: not a PyTorch checkpoint: the signature PK\\x03\\x04 is missing at byte 0", file.path());
  }
  fail(ErrorCode::kUnsupported,
       "{}: is {}; only zip checkpoints of torch >= 1.6 are read: re-save it with torch.save(state_dict, path)",
       file.path(), format);
}

}  // namespace effdet

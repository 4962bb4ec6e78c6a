// The header of CANN's compiled models: 256 bytes, of which these fields are told.
#include "effdet/cann_model.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "kernels/ascend/installation.h"
#include "kernels/ascend/library.h"

namespace effdet {
namespace {

constexpr std::string_view kMagic = "IMOD";
constexpr size_t kHeaderBytes = 256;
// Offsets of the fields, as GE's ModelFileHeader has them.
constexpr size_t kVersionAt = 8, kEncryptedAt = 80, kNameAt = 84, kNameBytes = 32, kModelsAt = 156, kPlatformAt = 160,
                 kPlatformBytes = 20, kOpenShapesAt = 193;

/// Up to the first zero; anything but printable ASCII is told as '?'.
std::string text_at(std::string_view header, size_t at, size_t bytes) {
  std::string text(header.substr(at, bytes));
  text.resize(std::min(text.find('\0'), text.size()));
  for (char& c : text)
    if (c < 0x20 || c > 0x7e) c = '?';
  return text;
}

uint32_t number_at(std::string_view header, size_t at) {
  uint32_t number = 0;
  std::memcpy(&number, header.data() + at, sizeof number);
  return number;
}

}  // namespace

std::optional<CannModel> cann_model(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string_view bytes = file.text();
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  if (bytes.size() < kHeaderBytes)
    bad_input("{}: {} bytes, and the header of a CANN model has {}", file.path(), bytes.size(), kHeaderBytes);
  return CannModel{.name = text_at(bytes, kNameAt, kNameBytes),
                   .platform = text_at(bytes, kPlatformAt, kPlatformBytes),
                   .format_version = number_at(bytes, kVersionAt),
                   .models = number_at(bytes, kModelsAt),
                   .is_encrypted = bytes[kEncryptedAt] != 0,
                   .has_open_shapes = bytes[kOpenShapesAt] != 0,
                   .file_bytes = file.size()};
}

std::vector<std::filesystem::path> cann_folders() { return kernels::ascend::installations(); }

void configure_ascend(const std::filesystem::path& config) {
  const MappedFile readable(config);
  kernels::ascend::set_configuration(readable.path());
}

}  // namespace effdet

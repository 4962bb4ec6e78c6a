// Signatures of checkpoint formats, and of files that people take for checkpoints.
#include "checkpoint/checkpoint_format.h"

#include <string_view>

#include "base/error.h"

namespace effdet::checkpoint {
namespace {

using namespace std::string_view_literals;

// The number 0x1950a86a20f9469cfc6c as a pickle, after its protocol: torch.save wrote it first until 1.6.
constexpr std::string_view kLegacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv;
constexpr size_t kTarMagicOffset = 257;

/// Protocol 2, or 3 on request. Later ones, which have frames, are not read in zip files either.
bool is_legacy(std::string_view content) {
  return (content.starts_with("\x80\x02") || content.starts_with("\x80\x03")) &&
         content.substr(2).starts_with(kLegacyMagic);
}

/// The 8-byte length of a JSON header, then the header.
bool is_safetensors(std::string_view content) { return content.size() > 8 && content[8] == '{'; }

/// The index of a sharded checkpoint is JSON; the first bytes alone do not tell which JSON.
bool is_shard_index(const MappedFile& file, std::string_view content) {
  return file.path().ends_with(".json") && content.find_first_not_of(" \t\r\n") == content.find('{') &&
         content.find("\"weight_map\"") != content.npos;
}

std::string_view name_format(std::string_view content) {
  if (content.size() > kTarMagicOffset && content.substr(kTarMagicOffset).starts_with("ustar"))
    return "a tar archive (the format of torch < 0.4, or a packed folder)";
  if (content.starts_with("\x80") && content.size() > 1 && content[1] <= 5) return "a bare pickle";
  if (content.starts_with("\x1f\x8b")) return "a gzip file";
  if (content.starts_with("\x89HDF")) return "an HDF5 file";
  if (content.starts_with("EFFDETOM")) return "a compiled model";
  if (content.starts_with("{")) return "a JSON file, and no index of sharded weights (it has no \"weight_map\")";
  if (content.starts_with("<")) return "an HTML or XML page, perhaps of a download that failed";
  if (content.starts_with("version https://git-lfs")) return "a Git LFS pointer, not the file that it stands for";
  return {};
}

}  // namespace

CheckpointFormat checkpoint_format(const MappedFile& file) {
  const std::string_view content(reinterpret_cast<const char*>(file.bytes().data()), file.size());
  if (content.starts_with("PK\x03\x04")) return CheckpointFormat::kZip;
  if (is_legacy(content)) return CheckpointFormat::kLegacy;
  if (is_safetensors(content)) return CheckpointFormat::kSafetensors;
  if (is_shard_index(file, content)) return CheckpointFormat::kShardIndex;
  if (content.empty()) bad_input("{}: the file is empty", file.path());
  const std::string_view format = name_format(content);
  if (!format.empty()) {
    fail(ErrorCode::kUnsupported,
         "{}: is {}; checkpoints of torch.save and safetensors files are read: re-save it with torch.save(state_dict, "
         "path)",
         file.path(), format);
  }
  if (file.path().ends_with(".safetensors")) return CheckpointFormat::kSafetensors;
  bad_input("{}: not a PyTorch checkpoint: neither the signature PK\\x03\\x04 nor another is at byte 0", file.path());
}

}  // namespace effdet::checkpoint

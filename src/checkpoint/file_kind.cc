// Tells the kinds of model files apart.
#include "effdet/file_kind.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/file.h"

namespace effdet {

FileKind file_kind(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return FileKind::kCheckpoint;  // sharded, if anything
  const MappedFile file(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()), std::min<size_t>(file.size(), 9));
  if (bytes.starts_with("EFFDETOM") || bytes.starts_with("IMOD")) return FileKind::kCompiled;  // ours, CANN's
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("\x80\x02\x8a\x0a")) return FileKind::kCheckpoint;
  // safetensors: the length of the header, then the header. Before ONNX, as a length may begin like a ModelProto.
  if (bytes.size() == 9 && bytes.substr(5) == std::string_view("\0\0\0{", 4)) return FileKind::kCheckpoint;
  // A ModelProto begins with its ir_version: field 1, a small varint.
  if (bytes.size() >= 2 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 64) return FileKind::kOnnx;
  const std::string extension = path.extension().string();
  if (path.string().ends_with(".index.json")) return FileKind::kCheckpoint;
  if (extension == ".pth" || extension == ".pt" || extension == ".tar" || extension == ".safetensors")
    return FileKind::kCheckpoint;
  if (extension == ".onnx") return FileKind::kOnnx;
  if (extension == ".om") return FileKind::kCompiled;
  return FileKind::kUnknown;
}

}  // namespace effdet

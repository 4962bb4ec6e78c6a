#include "effdet/checkpoint_tools.h"

#include <cmath>
#include <map>

#include "api/model_config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "effdet/onnx_model.h"
#include "model/infer_variant.h"
#include "model/init.h"

namespace effdet {
namespace {

/// Batch norms keep these of what they saw; PyTorch does not count them as parameters.
bool is_statistic(std::string_view name) { return name.ends_with("running_mean") || name.ends_with("running_var"); }

int64_t count_non_finite(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::kF64);
  int64_t count = 0;
  for (double value : wide.data<double>()) count += !std::isfinite(value);
  return count;
}

}  // namespace

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const model::Variant& variant : model::variants()) names.emplace_back(variant.name);
  return names;
}

std::vector<std::string> read_class_names(const std::filesystem::path& path) {
  const std::string text = read_file(path, 1 << 20);
  std::vector<std::string> names;
  size_t line = 1;
  for (size_t begin = 0; begin < text.size(); ++line) {
    size_t end = std::min(text.find('\n', begin), text.size());
    const size_t next = end + 1;
    if (end > begin && text[end - 1] == '\r') --end;
    if (end == begin) bad_input("{}: line {} is empty; one class name a line is expected", path.string(), line);
    for (size_t i = begin; i < end; ++i)
      if (static_cast<unsigned char>(text[i]) < 32)
        bad_input("{}: line {} holds a control character at offset {}", path.string(), line, i);
    names.push_back(text.substr(begin, end - begin));
    begin = next;
  }
  if (names.empty()) bad_input("{}: no class names", path.string());
  return names;
}

void init_checkpoint(const ModelOptions& options, uint64_t seed, const std::filesystem::path& path) {
  const model::ModelConfig config = api::config_for(options);
  ThreadPool threads(default_thread_count());
  checkpoint::write_checkpoint(path, model::init_checkpoint(config, seed, &threads));
}

CheckpointInfo inspect_checkpoint(const std::filesystem::path& path) {
  const checkpoint::Checkpoint checkpoint = checkpoint::read_checkpoint(path);
  CheckpointInfo info{.container = checkpoint.container,
                      .tensors = checkpoint.tensors.size(),
                      .files = checkpoint.files,
                      .foreign_count = checkpoint.foreign.size() + checkpoint.foreign_beside_count,
                      .has_checksums = checkpoint.has_checksums};
  for (const auto* list : {&checkpoint.foreign, &checkpoint.foreign_beside})
    for (const checkpoint::ForeignTensor& tensor : *list) info.foreign.emplace_back(tensor.name, tensor.type);
  std::map<std::string_view, size_t> dtypes;
  for (const checkpoint::NamedTensor& named : checkpoint.tensors) {
    ++dtypes[dtype_name(named.tensor.dtype())];
    const bool is_parameter = is_float(named.tensor.dtype()) && !is_statistic(named.name);
    (is_parameter ? info.parameters : info.buffers) += named.tensor.numel();
    if (!is_float(named.tensor.dtype())) continue;
    info.non_finite += count_non_finite(named.tensor);
  }
  for (const auto& [name, count] : dtypes) info.dtypes.push_back(fmt::format("{} x {}", name, count));
  const std::vector<model::Candidate> candidates = model::fitting_variants(checkpoint);
  for (const model::Candidate& candidate : candidates) info.fitting_models.push_back(candidate.text());
  if (candidates.empty()) return info;
  info.num_classes = candidates.front().config.num_classes;
  try {
    model::InferredModel inferred = model::infer_variant(checkpoint);
    info.model = inferred.config.variant.name;
    info.notes = std::move(inferred.notes);
  } catch (const Error&) {  // several fit, and the file's name decides nothing: that is what info says then
  }
  return info;
}

FileKind file_kind(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return FileKind::kCheckpoint;  // sharded, if anything
  const MappedFile file(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()), std::min<size_t>(file.size(), 9));
  if (bytes.starts_with("EFFDETOM")) return FileKind::kCompiled;
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

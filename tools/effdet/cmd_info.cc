// info: what a file is and holds.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "checkpoint_file.h"
#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "effdet/cann_model.h"
#include "effdet/checkpoint.h"
#include "effdet/compiled_model.h"
#include "effdet/error.h"
#include "effdet/file_kind.h"
#include "effdet/onnx_model.h"

namespace effdet::cli {
namespace {

template <typename Strings>
std::string joined(const Strings& strings) {
  return strings.empty() ? "none" : fmt::format("{}", fmt::join(strings, ", "));
}

nlohmann::json checkpoint_json(const CheckpointInfo& info) {
  nlohmann::json left_out = nlohmann::json::array();
  for (const auto& [name, type] : info.foreign) left_out.push_back({{"name", name}, {"type", type}});
  return {{"kind", "checkpoint"},  {"container", info.container},           {"tensors", info.tensors},
          {"files", info.files},   {"parameters", info.parameters},         {"buffers", info.buffers},
          {"dtypes", info.dtypes}, {"fitting_models", info.fitting_models}, {"model", info.model},
          {"notes", info.notes},   {"num_classes", info.num_classes},       {"non_finite", info.non_finite},
          {"left_out", left_out},  {"left_out_count", info.foreign_count},  {"checksums", info.has_checksums}};
}

/// "3 tensors of types that weights do not have: x (sparse), y (complex64), ..."
std::string left_out_text(const CheckpointInfo& info) {
  std::string names;
  for (const auto& [name, type] : info.foreign)
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", one_line(name), one_line(type));
  if (info.foreign.size() < info.foreign_count) names += names.empty() ? "deeper in the file" : ", ...";
  return fmt::format("{} tensor{} of types that weights do not have: {}", info.foreign_count,
                     info.foreign_count == 1 ? "" : "s", names);
}

void print_checkpoint(const CheckpointInfo& info) {
  fmt::print("PyTorch checkpoint: {} tensors{}, {} parameters and {} values in buffers\n\n", info.tensors,
             info.files > 1 ? fmt::format(" in {} files", info.files) : "", count_text(info.parameters),
             count_text(info.buffers));
  fmt::print("weights under  {}\n", info.container.empty() ? "no key: a bare state_dict" : one_line(info.container));
  fmt::print("types          {}\n", joined(info.dtypes));
  fmt::print("fits           {}\n", joined(info.fitting_models));
  fmt::print("model          {}\n", !info.model.empty()           ? info.model
                                    : info.fitting_models.empty() ? "none that this version builds"
                                                                  : "open: say which with --model");
  for (const std::string& note : info.notes) fmt::print("note           {}\n", one_line(note));
  if (info.num_classes > 0) fmt::print("classes        {}\n", info.num_classes);
  if (info.foreign_count > 0) fmt::print("left out       {}\n", left_out_text(info));
  if (!info.has_checksums) fmt::print("checksums      none: damage inside of a tensor cannot be seen\n");
  if (info.non_finite > 0) fmt::print("NaN, infinite  {} elements\n", count_text(info.non_finite));
}

template <typename Model>
void show(const Model& model, bool json, auto&&... options) {
  if (json) return fmt::print("{}", json_text(model_json(model)));
  print_model(model, options...);
}

/// A model of CANN: what its header says and, where AscendCL is there, its tensors.
int show_cann(const std::string& file, const CannModel& header, bool json) {
  nlohmann::json described = {{"format", "CANN"},
                              {"name", header.name},
                              {"platform", header.platform},
                              {"format_version", header.format_version},
                              {"models", header.models},
                              {"encrypted", header.is_encrypted},
                              {"open_shapes", header.has_open_shapes},
                              {"bytes", header.file_bytes}};
  if (!json)
    fmt::print("compiled model of CANN: '{}', for {}, format version {:#x}, {} bytes{}{}\n", header.name,
               header.platform.empty() ? "a platform that it does not name" : header.platform, header.format_version,
               header.file_bytes, header.is_encrypted ? ", encrypted" : "",
               header.has_open_shapes ? ", with open shapes" : "");
  try {
    const CompiledModel model = CompiledModel::load(file);
    if (!json) {
      fmt::print("\n");
      print_tensors("input", model.inputs());
      print_tensors("output", model.outputs());
    }
    described["inputs"] = tensors_json(model.inputs());
    described["outputs"] = tensors_json(model.outputs());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    warn(fmt::format("its tensors are known to AscendCL alone: {}", error.what()));
  }
  if (json) fmt::print("{}", json_text(described));
  return 0;
}

}  // namespace

int run_info(int argc, char** argv) {
  CommandLine line(argc, argv, "Describes a checkpoint, an ONNX model or a compiled model.",
                   "effdet info d0.pth\neffdet info d0.onnx --json\neffdet info d0.om --steps");
  std::string file;
  bool json = false, steps = false;
  line.add_option("file,-c,--checkpoint,--model-file", file, "the file to describe, or a model's name (see download)")
      ->required()
      ->type_name("FILE");
  line.add_json(json);
  line.add_flag("--steps", steps,
                "for compiled models: every step with its kernel, and why preferred kernels cannot run it");
  if (!line.read()) return 0;

  file = checkpoint_file(file);
  switch (file_kind(file)) {
    case FileKind::kOnnx:
      show(OnnxModel::read(file), json);
      return 0;
    case FileKind::kCompiled:
      if (const auto header = cann_model(file)) return show_cann(file, *header, json);
      show(CompiledModel::load(file), json, steps);
      return 0;
    case FileKind::kCheckpoint:
    case FileKind::kUnknown:
      break;  // the checkpoint reader says best what an unknown file is
  }
  const CheckpointInfo info = inspect_checkpoint(file);
  if (json) {
    fmt::print("{}", json_text(checkpoint_json(info)));
  } else {
    print_checkpoint(info);
  }
  return 0;
}

}  // namespace effdet::cli

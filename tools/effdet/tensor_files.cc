// Reads inputs given as NAME=FILE, and writes outputs as .npy files named after tensors.
#include "tensor_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cli.h"
#include "effdet/error.h"
#include "effdet/file_kind.h"
#include "effdet/output_file.h"
#include "effdet/streams.h"

namespace effdet::cli {
namespace {

constexpr size_t kLongestName = 200;  // file systems end at 255

std::string names_of(const std::vector<TensorInfo>& infos) {
  std::string names;
  for (const TensorInfo& info : infos) names += (names.empty() ? "" : ", ") + info.name;
  return names;
}

/// The input that an argument names, and its file. Names may hold '=' themselves: the longest that fits counts.
std::pair<const TensorInfo*, std::string> split_argument(const std::string& argument,
                                                         const std::vector<TensorInfo>& inputs) {
  const TensorInfo* found = nullptr;
  for (const TensorInfo& info : inputs)
    if (argument.starts_with(info.name + "=") && (found == nullptr || info.name.size() > found->name.size()))
      found = &info;
  if (found != nullptr) return {found, argument.substr(found->name.size() + 1)};
  if (inputs.size() == 1 && argument.find('=') == std::string::npos) return {&inputs[0], argument};
  throw Error(ErrorCode::kUsage,
              fmt::format("--input {}: NAME=FILE is expected; the model's inputs are {}", argument, names_of(inputs)));
}

}  // namespace

std::vector<HostTensor> read_inputs(const std::vector<std::string>& arguments, const std::vector<TensorInfo>& inputs) {
  std::vector<HostTensor> tensors;
  for (const std::string& argument : arguments) {
    const auto [info, file] = split_argument(argument, inputs);
    if (std::ranges::find(tensors, info->name, &HostTensor::name) != tensors.end())
      throw Error(ErrorCode::kUsage, fmt::format("--input names '{}' twice", info->name));
    tensors.push_back(read_tensor(file, *info));
    tensors.back().name = info->name;  // a .pb may carry another
  }
  for (const TensorInfo& info : inputs)
    if (std::ranges::find(tensors, info.name, &HostTensor::name) == tensors.end())
      throw Error(ErrorCode::kUsage, fmt::format("input '{}' ({} {}) is missing: --input {}=FILE", info.name,
                                                 info.dtype, shape_text(info.shape), info.name));
  return tensors;
}

std::vector<HostTensor> read_or_make_inputs(const std::vector<std::string>& arguments,
                                            const std::vector<TensorInfo>& inputs) {
  if (!arguments.empty()) return read_inputs(arguments, inputs);
  std::vector<HostTensor> tensors;
  for (TensorInfo info : inputs) {
    if (!info.shape.empty() && info.shape[0] < 0) info.shape[0] = 1;
    if (std::ranges::any_of(info.shape, [](int64_t side) { return side < 0; }))
      throw Error(ErrorCode::kUsage, fmt::format("input '{}' ({}) is of any size: --input {}=FILE", info.name,
                                                 shape_text(info.shape), info.name));
    tensors.push_back({info.name, info.dtype, info.shape, made_up_input(info)});
  }
  warn(fmt::format("no --input: made-up numbers for {}", names_of(inputs)));
  return tensors;
}

std::string file_name(const std::string& tensor_name) {
  std::string name = tensor_name.substr(0, kLongestName);
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-' && c != '_') c = '_';
  if (name.empty() || name[0] == '.') name.insert(0, "_");
  return name;
}

NpyFolder::NpyFolder(std::filesystem::path folder) : folder_(std::move(folder)) { make_output_folder(folder_); }

std::filesystem::path NpyFolder::write(const HostTensor& tensor) {
  const std::string plain = file_name(tensor.name);
  std::string name = plain;
  for (int number = 2; std::ranges::find(names_, name) != names_.end(); ++number)
    name = fmt::format("{}_{}", plain, number);
  names_.push_back(name);
  const std::filesystem::path path = folder_ / (name + ".npy");
  write_npy(tensor, path);
  return path;
}

Executor::Engine parse_engine(const std::string& name, const std::string& model) {
  if (name == "reference") return Executor::Engine::kReference;
  if (name == "native") return Executor::Engine::kNative;
  if (name != "auto")
    throw Error(ErrorCode::kUsage, fmt::format("--engine {}: auto, reference or native is expected", name));
  return file_kind(model) == FileKind::kCompiled ? Executor::Engine::kNative : Executor::Engine::kReference;
}

}  // namespace effdet::cli

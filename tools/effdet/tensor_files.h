// Tensors as the commands take and give them: NAME=FILE arguments, a folder of .npy files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "effdet/executor.h"
#include "effdet/host_tensor.h"

namespace effdet::cli {

/// Reads "NAME=FILE" arguments, or "FILE" alone for the only input. Throws Error(kUsage) for names that the model does
/// not have and for inputs that nothing names.
std::vector<HostTensor> read_inputs(const std::vector<std::string>& arguments, const std::vector<TensorInfo>& inputs);

/// The same; without arguments made-up inputs, the same on every call, in which an unknown batch is 1. A note on
/// standard error says so. Throws Error(kUsage) for an input with other sides that are not known.
std::vector<HostTensor> read_or_make_inputs(const std::vector<std::string>& arguments,
                                            const std::vector<TensorInfo>& inputs);

/// A tensor's name as a file's: what is no letter, digit, '.', '-' or '_' becomes '_'.
std::string file_name(const std::string& tensor_name);

/// Folder/NAME.npy for each tensor; where two names would be one file, the later one gets a number. Returns the paths.
class NpyFolder {
 public:
  /// Makes the folder.
  explicit NpyFolder(std::filesystem::path folder);
  std::filesystem::path write(const HostTensor& tensor);

 private:
  std::filesystem::path folder_;
  std::vector<std::string> names_;
};

/// What --engine takes, for its help.
inline constexpr const char* kEngineHelp = "auto (native for compiled models), reference: the naive kernels, or native";
/// --engine's value for a model. auto: a compiled model is run as it would be in use, everything else by the reference
/// kernels. Throws Error(kUsage), and as file_kind() does.
Executor::Engine parse_engine(const std::string& name, const std::string& model);

}  // namespace effdet::cli

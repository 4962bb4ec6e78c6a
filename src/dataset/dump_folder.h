// A folder of dumped network outputs: <stem>_<k>.bin, .npy or .txt, one file an output.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/tensor.h"

namespace effdet::dataset {

/// The outputs of one image in the order of their numbers, mapped or read.
class Dump {
 public:
  const std::vector<std::span<const float>>& outputs() const { return outputs_; }
  const std::vector<std::filesystem::path>& paths() const { return paths_; }
  std::vector<uint64_t> value_counts() const;

 private:
  friend class DumpFolder;
  void add(const std::filesystem::path& path);

  std::vector<std::filesystem::path> paths_;
  std::vector<std::span<const float>> outputs_;
  std::vector<MappedFile> mapped_;
  std::vector<std::unique_ptr<std::vector<float>>> parsed_;
  std::vector<Tensor> tensors_;
};

class DumpFolder {
 public:
  /// Lists the folder. Files of other names are passed over. Throws Error(kIo).
  explicit DumpFolder(std::filesystem::path folder);

  bool has(const std::string& stem) const { return files_.contains(stem); }
  /// Files of that image, of all kinds.
  size_t file_count(const std::string& stem) const;
  bool empty() const { return files_.empty(); }
  const std::filesystem::path& path() const { return folder_; }

  /// The count outputs of an image, numbered from 1 or, as ais_bench does, from 0. Throws Error(kBadInput) that names
  /// image and file where one is missing or left over, holds no whole number of values or one that is NaN, or where
  /// .bin and .txt files are mixed; Error(kIo).
  Dump read(const std::string& stem, size_t count) const;

 private:
  /// Files of one image by extension and number.
  using Files = std::map<std::string, std::map<int, std::filesystem::path>>;

  std::filesystem::path folder_;
  std::unordered_map<std::string, Files> files_;
};

}  // namespace effdet::dataset

// Small YAML files, as data.yaml of YOLO's data sets, by libyaml.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace effdet::dataset {

/// A value at the top of a file: a text, a list of texts, or a map of texts.
struct YamlValue {
  std::string text;
  /// Of a list or map, in the order of the file. A list's items have no keys; what is no text is empty.
  struct Item {
    std::string key, text;
    bool is_text = true;
  };
  std::vector<Item> items;
  bool is_list = false, is_map = false;
  size_t line = 0;  ///< from 1
};

/// Reads a map of at most 1 MiB. Throws Error(kIo), and Error(kBadInput) that names file and line for what is no YAML,
/// no map, nested more than 8 deep, or has aliases.
std::map<std::string, YamlValue> read_yaml(const std::filesystem::path& file);

}  // namespace effdet::dataset

// The file of --category-map: lines "class,category", for models and results whose categories are not the data set's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eval/ground_truth.h"

namespace effdet::dataset {

struct CategoryLine {
  std::string from, to;
  std::string where;  ///< "map.csv:3", for messages
};

/// Lines of two columns: CSV with or without quotes, without the blanks around a column. Blank lines, those that begin
/// with '#', and a first line "class,category" are passed over. Throws Error(kIo); Error(kBadInput) with file and line
/// for other numbers of columns, empty ones, something that is mapped twice, and a file without a line.
std::vector<CategoryLine> read_category_map(const std::filesystem::path& file);

/// The category with this id, else the first with this name; nothing where there is none.
std::optional<int64_t> find_category(const eval::GroundTruth& dataset, const std::string& text);

/// The same for the second column of a line. Throws Error(kBadInput) where there is none.
int64_t category_of_line(const eval::GroundTruth& dataset, const CategoryLine& line);

/// From category ids of a results file to those of a data set. Throws as read_category_map(), and Error(kBadInput) for
/// a first column that is no whole number.
std::unordered_map<int64_t, int64_t> read_result_map(const std::filesystem::path& file,
                                                     const eval::GroundTruth& dataset);

}  // namespace effdet::dataset

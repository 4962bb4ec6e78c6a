// Options that the commands on data sets share, and what they print.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli.h"
#include "effdet/dataset.h"

namespace effdet::cli {

/// Where images lie: --images (a folder, or images and tar files) and --list, both as often as one likes.
class ImagePlaceOptions {
 public:
  void add_to(CommandLine& line);
  bool given() const { return !images_.empty() || !lists_.empty(); }
  const std::vector<std::string>& lists() const { return lists_; }
  /// The one folder, or the list. Throws as listed_images().
  void fill(DataSource& data) const;

 private:
  std::vector<std::string> images_, lists_;
};

/// Where a data set lies: --dataset, --lvis, --split, --annotations, --images, --list,
/// and its root by a flag or by position
/// ("root").
class DataSourceOptions {
 public:
  void add_to(CommandLine& line, const std::string& root);
  /// Throws Error(kUsage) where neither the root nor the annotations are given, and for a root that is a tar file; and
  /// as ImagePlaceOptions::fill().
  DataSource source() const;
  const std::vector<std::string>& lists() const { return place_.lists(); }

 private:
  std::string flag_, root_, dataset_, split_ = "val", annotations_;
  bool lvis_ = false;
  ImagePlaceOptions place_;
};

/// The data set, and --model/-m, --img-size, as the original preprocess and postprocess have them.
class DatasetOptions {
 public:
  void add_to(CommandLine& line);

  DataSource source() const { return data_.source(); }
  /// With the metadata of --model where that is a file. Throws Error as reading it does.
  InputOptions input() const;

 private:
  DataSourceOptions data_;
  std::string model_ = "tf_efficientdet_d7";
  ImageSize size_;
};

/// --category-map
CLI::Option* add_category_map(CommandLine& line, ClassOptions& options);

nlohmann::json evaluation_json(const Evaluation& evaluation);
nlohmann::json failures_json(const std::vector<ImageFailure>& failures);
/// The twelve lines of pycocotools, or JSON.
void print_evaluation(const Evaluation& evaluation, bool json);
/// The same after a line that tells which images they are of.
void print_evaluation_of_run(const Evaluation& evaluation);

}  // namespace effdet::cli

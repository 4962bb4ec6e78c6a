// Options that the commands on data sets share, and what they print.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli.h"
#include "effdet/dataset.h"

namespace effdet::cli {

/// --root, --dataset, --split and --model/-m, --img-size, as the original preprocess and postprocess have them.
class DatasetOptions {
 public:
  void add_to(CommandLine& line);
  /// Throws Error(kUnsupported) for another data set or split than COCO's val.
  void check() const;

  const std::string& root() const { return root_; }
  /// With the metadata of --model where that is a file. Throws Error as reading it does.
  InputOptions input() const;

 private:
  std::string root_, dataset_ = "coco", split_ = "val", model_ = "tf_efficientdet_d7";
  ImageSize size_;
};

/// --category-map
CLI::Option* add_category_map(CommandLine& line, ClassOptions& options);

/// Throws Error(kUnsupported) for another split than "val".
void check_split(const std::string& split);

nlohmann::json evaluation_json(const Evaluation& evaluation);
nlohmann::json failures_json(const std::vector<ImageFailure>& failures);
/// The twelve lines of pycocotools, or JSON.
void print_evaluation(const Evaluation& evaluation, bool json);
/// The same after a line that tells which images they are of.
void print_evaluation_of_run(const Evaluation& evaluation);

}  // namespace effdet::cli

// evaluate --open-images: the metric of the Open Images challenge.
#pragma once

#include <string>

#include "cli.h"

namespace effdet::cli {

/// --open-images, --hierarchy, --image-labels, --split
class OpenImagesCommand {
 public:
  /// Call after all other options of the command were added.
  void add_to(CommandLine& line);
  bool given() const { return given_; }
  /// Evaluates, and prints a table of the classes where per_class says so. Throws as evaluate_open_images().
  void run(const std::string& data, const std::string& results, int threads, bool per_class, bool json) const;

 private:
  bool given_ = false;
  std::string hierarchy_, image_labels_, split_ = "val";
};

}  // namespace effdet::cli

// What `effdet detect` prints while it runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "effdet/detect_images.h"

namespace effdet::cli {

/// Prints images on standard output as they are done, each at once: a line for people, or the text of a format.
class FoundPrinter {
 public:
  /// format: empty for lines. is_all: nothing is written besides, so that print() throws std::system_error where what
  /// it prints cannot be written.
  FoundPrinter(const std::string& format, std::vector<std::string> class_names, bool is_all);
  ~FoundPrinter();

  void print(const DetectedImage& image);
  /// After the last image.
  void end();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "street.jpg 640x480: 2 person 0.98, car 0.55": classes by their best score, which is told.
std::string line_of(const DetectedImage& image, const std::vector<std::string>& class_names);

}  // namespace effdet::cli

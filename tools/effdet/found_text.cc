// Lines and texts of formats, an image at a time, flushed.
#include "found_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <system_error>

#include "cli.h"
#include "detections_text.h"
#include "effdet/result_format.h"
#include "status_line.h"

namespace effdet::cli {

std::string line_of(const DetectedImage& image, const std::vector<std::string>& class_names) {
  struct Found {
    int category;
    size_t count;
    float best;
  };
  std::vector<Found> classes;
  for (const Detection& d : image.detections) {
    const auto same = std::ranges::find(classes, d.category, &Found::category);
    if (same == classes.end())
      classes.push_back({d.category, 1, d.score});
    else
      ++same->count;
  }
  std::string text = fmt::format("{} {}x{}: ", one_line(image.image), image.width, image.height);
  if (classes.empty()) text += "nothing";
  for (size_t i = 0; i < classes.size(); ++i) {
    const Found& found = classes[i];
    text += fmt::format("{}{}{} {:.2f}", i == 0 ? "" : ", ", found.count > 1 ? fmt::format("{} ", found.count) : "",
                        one_line(class_name(found.category, class_names)), found.best);
  }
  return text;
}

struct FoundPrinter::Impl {
  std::vector<std::string> class_names;
  std::optional<ResultText> text;
  bool is_all = false;
};

FoundPrinter::FoundPrinter(const std::string& format, std::vector<std::string> class_names, bool is_all)
    : impl_(std::make_unique<Impl>()) {
  impl_->is_all = is_all;
  impl_->class_names = std::move(class_names);
  if (!format.empty())
    impl_->text.emplace(format, impl_->class_names, [](std::string_view part) { fmt::print("{}", part); });
}

FoundPrinter::~FoundPrinter() = default;

void FoundPrinter::print(const DetectedImage& image) {
  const RoomForLines room;
  impl_->text ? impl_->text->add(image) : fmt::print("{}\n", line_of(image, impl_->class_names));
  if (!flush_stdout() && impl_->is_all) throw std::system_error(output_error(), std::generic_category());
}

void FoundPrinter::end() {
  if (impl_->text) impl_->text->end();
}

}  // namespace effdet::cli

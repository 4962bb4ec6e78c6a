// Puts the parameters of a preprocessing into words.
#include "aipp/describe.h"

#include <fmt/ranges.h>

#include "base/error.h"

namespace effdet::aipp {

AippDescription describe(const ops::AippSpec& spec) {
  AippDescription description{.format = std::string(ops::kAippFormats[static_cast<size_t>(spec.format)]),
                              .height = static_cast<int>(spec.source_height),
                              .width = static_cast<int>(spec.source_width),
                              .steps = {}};
  if (spec.swap_ax) description.steps.push_back("the last byte of a pixel does not count");
  if (spec.swap_rbuv)
    description.steps.push_back(spec.format == ops::AippFormat::kYuv420sp ? "swap U and V" : "swap red and blue");
  if (spec.crop_height != spec.source_height || spec.crop_width != spec.source_width)
    description.steps.push_back(fmt::format("crop {} x {} (width x height) at ({}, {})", spec.crop_width,
                                            spec.crop_height, spec.crop_left, spec.crop_top));
  if (spec.convert)
    description.steps.push_back(fmt::format("convert colours by ({}) >> 8, biases in ({}), out ({})",
                                            fmt::join(spec.matrix, " "), fmt::join(spec.input_bias, " "),
                                            fmt::join(spec.output_bias, " ")));
  description.steps.push_back(fmt::format("(sample - ({}) - ({})) * ({})", fmt::join(spec.mean, " "),
                                          fmt::join(spec.min, " "), fmt::join(spec.scale, " ")));
  if (spec.output_height() != spec.crop_height || spec.output_width() != spec.crop_width)
    description.steps.push_back(fmt::format("pad by {} {} {} {} (top, left, bottom, right) with {}", spec.pad_top,
                                            spec.pad_left, spec.pad_bottom, spec.pad_right, spec.padding_value));
  return description;
}

}  // namespace effdet::aipp

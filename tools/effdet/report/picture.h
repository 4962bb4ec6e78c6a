// Images with boxes drawn on them, as figures of a page.
#pragma once

#include <string>
#include <vector>

#include "report/evaluation_report.h"

namespace effdet::cli {

/// What a box is drawn as: solid, dashed and dotted outlines of different colours, so that none is told by colour
/// alone.
struct PictureBox {
  enum class Kind { kTruePositive, kFalsePositive, kFalseNegative, kFound, kIgnored };
  Kind kind = Kind::kTruePositive;
  std::array<double, 4> box{};  ///< left, top, width, height in pixels of the image
  std::string text;             ///< "person 0.87"; drawn at errors, said of the others where the pointer is
};

/// Markup of the image, or of an empty frame of its size where there is none, with the boxes; what screen readers call
/// it is `label`. Boxes that are not finite are left out.
std::string picture_markup(const EvaluationReport& report, const AnalysedImage& image,
                           const std::vector<PictureBox>& boxes, const std::string& label);

/// Rules for pictures, and for the boxes that hide kinds of boxes.
std::string_view picture_css();

}  // namespace effdet::cli

// Detections drawn on images.
#pragma once

#include <span>
#include <string>

#include "effdet/detection.h"
#include "effdet/draw_options.h"
#include "vision/image.h"

namespace effdet::detection {

/// As effdet::annotate(), in place. class_names: by class index; a class without a name has its number.
void draw(vision::Image& image, std::span<const Detection> detections, std::span<const std::string> class_names,
          const DrawOptions& options = {});
/// Throws Error(kUsage).
void check_options(const DrawOptions& options);

/// What a class is called. category: class index + 1.
std::string class_name(int category, std::span<const std::string> class_names);

}  // namespace effdet::detection

// Detections and their options on both sides of the C interface.
#pragma once

#include <vector>

#include "effdet/detection.h"
#include "effdet/effdet_c.h"

struct effdet_detections {
  std::vector<effdet_detection> boxes;
};

namespace effdet::api {

DetectOptions detect_options(const effdet_detect_options* given);
effdet_detections* handle_of(const std::vector<Detection>& detections);

}  // namespace effdet::api

// What a client says about the detections that it wants.
#pragma once

#include <span>
#include <string>

#include "effdet/detection.h"
#include "server/target.h"

namespace effdet::server {

/// Options of a request, ?score=0.5&iou=0.5&max=20&classes=person,car over those of the server. Throws HttpError(400)
/// for other values and names.
DetectOptions picture_options(const Target& target, DetectOptions options, std::span<const std::string> class_names);

}  // namespace effdet::server

// Decoding and suppression as part of the graph, for runtimes that have no code of their own for it.
#pragma once

#include <map>
#include <string>

#include "effdet/detection.h"
#include "ir/graph.h"

namespace effdet::detection {

/// Replaces the raw outputs of a graph that the model builder made by one, "detections" float32 [batch, max_detections,
/// 6]: x1, y1, x2, y2 in pixels of the input and within it, score, category, in order of falling score, filled up with
/// zeros. That is what detect() returns for an image of the input's size, and effdet's DetBenchPredict with img_scale 1
/// and that img_size, but for boxes that are not finite, which stay. Standard operators of opset 11; the metadata gets
/// "effdet.detections" and "effdet.suppression". No index goes through arithmetic: OpenVINO computes that of integers
/// in float32. Throws Error(kUsage) for soft-NMS, options out of range, and a graph without the builder's metadata or
/// outputs, Error(kUnsupported) for models that count each anchor's best class alone (zylo117's).
void append_nms(ir::Graph& graph, const DetectOptions& options);

/// Writes into a model's metadata that its output is rows of detections, as append_nms() makes them.
void tell_rows(std::map<std::string, std::string>& metadata);

/// Whether a model's metadata say so.
bool detects_itself(const std::map<std::string, std::string>& metadata);

}  // namespace effdet::detection

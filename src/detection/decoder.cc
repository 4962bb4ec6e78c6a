// The table of decoders, and decoding of heads with anchors, of rows and of scores.
#include "detection/decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "detection/candidates_graph.h"
#include "detection/decoded_model.h"
#include "detection/nms_graph.h"
#include "detection/row_decoder.h"
#include "eval/top_k.h"
#include "ops/fused/top_candidates.h"

namespace effdet::detection {
namespace {

/// Class and box maps of each level, which are decoded with anchors and suppressed here.
class AnchorHeads : public Decoder {
 public:
  explicit AnchorHeads(const DecoderInput& input) try
      : heads_(input.info, input.height, input.width), layout_(heads_.layout_of(input.value_counts)) {
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput) throw;
    fail(ErrorCode::kUnsupported, "the model's outputs are not the raw heads of an EfficientDet: {}", error.what());
  }

  std::vector<Detection> decode(std::span<const std::span<const float>> outputs, vision::ImageSize image,
                                const DetectOptions& options, eval::DetectFaults* faults) const override {
    return heads_.decode(outputs, layout_, image, options, faults);
  }

 private:
  HeadDecoder heads_;
  eval::LevelLayout layout_;
};

/// Rows of detections of a model that suppresses boxes itself (pth2onnx --with-nms, effdet's DetBenchPredict).
class DetectionRows : public Decoder {
 public:
  explicit DetectionRows(const DecoderInput& input)
      : height_(input.height), width_(input.width), knows_image_size_(input.knows_image_size) {
    if (input.value_counts.size() != 1 || input.value_counts[0] % kRowValues != 0)
      fail(ErrorCode::kUnsupported, "the model has {} outputs, not the one with detections that its metadata tell of",
           input.value_counts.size());
  }

  std::vector<Detection> decode(std::span<const std::span<const float>> outputs, vision::ImageSize image,
                                const DetectOptions& options, eval::DetectFaults* faults) const override {
    const double scale =
        knows_image_size_ ? 1 : eval::letterbox_geometry(image.width, image.height, height_, width_).scale;
    return decode_rows(outputs[0], image, static_cast<float>(scale), options, faults);
  }

 private:
  int height_, width_;
  bool knows_image_size_;
};

/// A score for each anchor and class, and the box of each anchor (exports of Yet-Another-EfficientDet-Pytorch).
class ScoresOfAnchors : public Decoder {
 public:
  explicit ScoresOfAnchors(const DecoderInput& input)
      : heads_(input.info, input.height, input.width),
        outputs_(scored_anchors_of(input.metadata).value()),
        classes_(static_cast<size_t>(input.info.num_classes)) {
    const uint64_t anchors = heads_.anchor_count();
    const auto has = [&](size_t output, uint64_t values) {
      return output < input.value_counts.size() && input.value_counts[output] == anchors * values;
    };
    if (!has(outputs_.scores, classes_) || !has(outputs_.boxes, 4))
      fail(ErrorCode::kUnsupported,
           "the model's outputs are not the scores and boxes of {} anchors that its metadata "
           "tell of",
           anchors);
  }

  std::vector<Detection> decode(std::span<const std::span<const float>> outputs, vision::ImageSize image,
                                const DetectOptions& options, eval::DetectFaults* faults) const override {
    eval::DetectFaults found;
    std::vector<Detection> detections = heads_.decode_candidates(
        std::span<const eval::CandidateBox>(candidates(outputs, options.max_candidates, found)), image, options, found);
    if (faults != nullptr) *faults = found;
    return detections;
  }

 private:
  /// The best class of each anchor, in order of falling score.
  std::vector<eval::CandidateBox> candidates(std::span<const std::span<const float>> outputs, int count,
                                             eval::DetectFaults& faults) const {
    const std::span<const float> scores = outputs[outputs_.scores], boxes = outputs[outputs_.boxes];
    std::vector<float> best(heads_.anchor_count());
    for (size_t i = 0; i < best.size(); ++i) {
      float highest = -std::numeric_limits<float>::infinity();
      for (const float score : scores.subspan(i * classes_, classes_)) {
        faults.nan_scores |= score != score;
        highest = std::max(highest, score);
      }
      best[i] = highest;
    }
    eval::TopK top(static_cast<size_t>(count));
    top.offer(best, 0, 1);
    std::vector<eval::CandidateBox> candidates;
    for (const auto& [score, anchor] : top.take()) {
      if (!(score > 0)) break;
      const auto of_anchor = scores.subspan(anchor * classes_, classes_);
      const auto label = std::ranges::find(of_anchor, score) - of_anchor.begin();
      const std::span<const float> box = boxes.subspan(anchor * 4, 4);
      const double bounded = std::min(score, 1.0f);
      candidates.push_back({static_cast<float>(std::log(bounded / (1 - bounded))), anchor, static_cast<int>(label),
                            box[0], box[1], box[2], box[3]});
    }
    return candidates;
  }

  HeadDecoder heads_;
  ScoredAnchors outputs_;
  size_t classes_;
};

/// The highest logits of the heads with their regression values (append_candidates()).
class Candidates : public Decoder {
 public:
  explicit Candidates(const DecoderInput& input) : heads_(input.info, input.height, input.width) {
    const uint64_t values = static_cast<uint64_t>(candidates_of(input.metadata)) * ops::kCandidateValues;
    if (input.value_counts != std::vector<uint64_t>{values, 1})
      fail(ErrorCode::kUnsupported, "the model's outputs are not the {} candidates that its metadata tell of",
           candidates_of(input.metadata));
  }

  std::vector<Detection> decode(std::span<const std::span<const float>> outputs, vision::ImageSize image,
                                const DetectOptions& options, eval::DetectFaults* faults) const override {
    eval::DetectFaults found{.nan_scores = outputs[1][0] != 0};
    std::vector<Detection> detections = heads_.decode_candidates(outputs[0], image, options, found);
    if (faults != nullptr) *faults = found;
    return detections;
  }
  const HeadDecoder* candidate_heads() const override { return &heads_; }

 private:
  HeadDecoder heads_;
};

template <typename D>
std::unique_ptr<const Decoder> make_unique_decoder(const DecoderInput& input) {
  return std::make_unique<D>(input);
}

/// The first row that takes a model decodes its outputs.
struct DecoderRow {
  bool (*takes)(const DecoderInput& input);
  std::unique_ptr<const Decoder> (*make)(const DecoderInput& input);
};
constexpr DecoderRow kDecoders[] = {
    {[](const DecoderInput& input) { return detects_itself(input.metadata); }, make_unique_decoder<DetectionRows>},
    {[](const DecoderInput& input) { return candidates_of(input.metadata) > 0; }, make_unique_decoder<Candidates>},
    {[](const DecoderInput& input) { return scored_anchors_of(input.metadata).has_value(); },
     make_unique_decoder<ScoresOfAnchors>},
    {[](const DecoderInput& input) { return input.info.decoding == model::Decoding::kAnchorLevels; },
     make_unique_decoder<AnchorHeads>},
};

}  // namespace

std::unique_ptr<const Decoder> make_decoder(const DecoderInput& input) {
  for (const DecoderRow& row : kDecoders)
    if (row.takes(input)) return row.make(input);
  fail(ErrorCode::kInternal, "no decoder for the outputs of a {}", input.info.variant);
}

}  // namespace effdet::detection

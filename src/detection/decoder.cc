// The table of decoders, and decoding of heads with anchors and of rows.
#include "detection/decoder.h"

#include "base/error.h"
#include "detection/candidates_graph.h"
#include "detection/head_decoder.h"
#include "detection/nms_graph.h"
#include "detection/row_decoder.h"
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

/// Rows of detections of a model that suppresses boxes itself (pth2onnx --with-nms).
class DetectionRows : public Decoder {
 public:
  explicit DetectionRows(const DecoderInput& input) : height_(input.height), width_(input.width) {
    if (input.value_counts.size() != 1 || input.value_counts[0] % kRowValues != 0)
      fail(ErrorCode::kUnsupported, "the model has {} outputs, not the one with detections that its metadata tell of",
           input.value_counts.size());
  }

  std::vector<Detection> decode(std::span<const std::span<const float>> outputs, vision::ImageSize image,
                                const DetectOptions& options, eval::DetectFaults* faults) const override {
    return decode_rows(outputs[0], image, height_, width_, options, faults);
  }

 private:
  int height_, width_;
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

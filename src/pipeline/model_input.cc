#include "pipeline/model_input.h"

#include "base/error.h"
#include "vision/camera_formats.h"

namespace effdet::pipeline {
namespace {

/// The letterbox at the place that the model crops out of the source, which has the fill's colour elsewhere.
Image in_source(const Image& box, const ops::AippSpec& aipp, const Preprocessing& preprocessing) {
  Image source(static_cast<int>(aipp.source_width), static_cast<int>(aipp.source_height));
  const uint8_t fill[3] = {preprocessing.fill[0], preprocessing.fill[1], preprocessing.fill[2]};
  source.fill(0, 0, source.width(), source.height(), fill);
  for (int y = 0; y < box.height(); ++y)
    std::copy_n(box.row(y), box.row_bytes(), source.row(static_cast<int>(aipp.crop_top) + y) + 3 * aipp.crop_left);
  return source;
}

}  // namespace

Shape network_shape(const Engine& engine) {
  if (engine.input_count() == 1) {
    const ir::Value& input = engine.input(0);
    const auto aipp = ops::input_aipp(engine.program().graph);
    if (aipp && aipp->channels == 3) return aipp->output_shape((*input.shape)[0]);
    if (input.dtype == DType::kF32 && input.shape->size() == 4 && (*input.shape)[0] > 0 && (*input.shape)[1] == 3)
      return *input.shape;
  }
  fail(ErrorCode::kUnsupported, "the model's input is not one float32 batch of RGB images, or AIPP's pictures");
}

ModelInput::ModelInput(const Engine& engine, const model::ModelInfo& info) {
  const Shape shape = network_shape(engine);
  aipp_ = ops::input_aipp(engine.program().graph);
  preprocessing_ = {static_cast<int>(shape[2]), static_cast<int>(shape[3]), info.mean, info.std, info.fill};
  batch_ = static_cast<size_t>(shape[0]);
  sample_bytes_ = value_bytes(engine.input(0)) / batch_;
}

void ModelInput::write(const Image& image, std::string_view name, std::span<std::byte> sample) const {
  try {
    if (!aipp_) {
      letterbox_to_tensor(image, preprocessing_, {reinterpret_cast<float*>(sample.data()), sample.size() / 4});
      return;
    }
    const ops::AippSpec& s = *aipp_;
    if (s.crop_height != s.output_height() || s.crop_width != s.output_width())
      fail(ErrorCode::kUnsupported,
           "the model pads its input (AIPP), so what it finds in a picture would be displaced; compile it without "
           "padding to run it on pictures");
    const Image box = letterbox_to_image(image, preprocessing_);
    const bool whole = s.source_height == s.crop_height && s.source_width == s.crop_width;
    write_pixels(whole ? box : in_source(box, s, preprocessing_),
                 {reinterpret_cast<uint8_t*>(sample.data()), sample.size()});
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", name, error.what());
  }
}

void ModelInput::write_pixels(const Image& image, std::span<uint8_t> sample) const {
  switch (aipp_->format) {
    case ops::AippFormat::kRgb888:
      return write_rgb888(image, aipp_->swap_rbuv, sample);
    case ops::AippFormat::kXrgb8888:
      return write_xrgb8888(image, aipp_->swap_rbuv, aipp_->swap_ax, sample);
    case ops::AippFormat::kYuv420sp:
      return write_yuv420sp(image, aipp_->swap_rbuv, sample);
    case ops::AippFormat::kYuv400:
      return write_yuv400(image, sample);
  }
}

}  // namespace effdet::pipeline

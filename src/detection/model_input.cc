// Letterboxes an image into float planes, or into bytes at the place that AIPP crops.
#include "detection/model_input.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "detection/preprocessing.h"
#include "eval/detect.h"
#include "vision/camera_formats.h"

namespace effdet::detection {
namespace {

/// The letterbox at the place that the model crops out of the source, whose other pixels have the fill's colour. Writes
/// [source height][source width] interleaved RGB.
void write_source(vision::RowSource& image, const ops::AippSpec& aipp, const vision::Preprocessing& preprocessing,
                  uint8_t* rgb) {
  const int64_t pixels = aipp.source_height * aipp.source_width;
  const bool whole = aipp.source_height == aipp.crop_height && aipp.source_width == aipp.crop_width;
  for (int64_t i = 0; i < pixels && !whole; ++i) std::copy_n(preprocessing.fill.data(), 3, rgb + 3 * i);
  vision::letterbox_to_rgb(image, preprocessing, rgb + 3 * (aipp.crop_top * aipp.source_width + aipp.crop_left),
                           3 * aipp.source_width);
}

bool is_images(const ir::Value& input) { return input.shape && input.shape->size() == 4; }

/// effdet's img_scale: original pixels in one of the input, for each image.
bool is_scale(const ir::Value& input, int64_t batch) {
  return input.dtype == DType::kF32 && input.shape == Shape{batch};
}

/// effdet's img_size: width and height of each image.
bool is_size(const ir::Value& input, int64_t batch) {
  return (input.dtype == DType::kF32 || input.dtype == DType::kI64) && input.shape == Shape{batch, 2};
}

/// The input for images; null where there is none, or others that have no meaning here.
const ir::Value* find_images(std::span<const ir::Value> inputs) {
  const auto images = std::ranges::find_if(inputs, is_images);
  if (images == inputs.end()) return nullptr;
  const auto is_known = [&](const ir::Value& input) {
    const int64_t batch = images->shape->front();
    return &input == &*images || is_scale(input, batch) || is_size(input, batch);
  };
  // The two come together, or not at all.
  return (inputs.size() == 1 || inputs.size() == 3) && std::ranges::all_of(inputs, is_known) ? &*images : nullptr;
}

/// The same number, in the type of the input.
void put(std::span<std::byte> target, DType dtype, size_t index, double value) {
  const auto copy = [&](auto number) { std::memcpy(target.data() + index * sizeof number, &number, sizeof number); };
  if (dtype == DType::kI64)
    copy(static_cast<int64_t>(value));
  else
    copy(static_cast<float>(value));
}

}  // namespace

Shape network_shape(std::span<const ir::Value> inputs, const ir::Graph& graph) {
  if (const ir::Value* images = find_images(inputs)) {
    const ir::Value& input = *images;
    const bool is_batch = std::ranges::min(*input.shape) > 0;
    if (const auto aipp = ops::input_aipp(graph)) {
      // Of a graph that was not compiled the node may be opaque, and its input anything.
      if (is_batch && aipp->channels == 3 && input.dtype == DType::kU8 &&
          *input.shape == aipp->input_shape(input.shape->front()))
        return aipp->output_shape(input.shape->front());
    } else if (is_batch && input.dtype == DType::kF32 && input.shape->at(1) == 3) {
      return *input.shape;
    }
  }
  fail(ErrorCode::kUnsupported,
       "the model's input is not one float32 batch of RGB images of a known size, or AIPP's images");
}

ModelInput::ModelInput(std::span<const ir::Value> inputs, const ir::Graph& graph, const model::ModelInfo& info) {
  const Shape shape = network_shape(inputs, graph);
  aipp_ = ops::input_aipp(graph);
  preprocessing_ = input_of(info, static_cast<int>(shape[2]), static_cast<int>(shape[3]));
  batch_ = static_cast<size_t>(shape[0]);
  for (const ir::Value& input : inputs) {
    const Role role = is_images(input) ? Role::kImages : is_scale(input, shape[0]) ? Role::kScale : Role::kSize;
    const size_t bytes = artifact::value_bytes(input);
    if (role == Role::kImages) sample_bytes_ = bytes / batch_;
    inputs_.push_back({role, input.dtype, batch_bytes_, bytes});
    batch_bytes_ += artifact::aligned_bytes(bytes);
  }
}

size_t ModelInput::images_input() const {
  return static_cast<size_t>(std::ranges::find(inputs_, Role::kImages, &Input::role) - inputs_.begin());
}

std::vector<std::span<const std::byte>> ModelInput::inputs(std::span<const std::byte> batch) const {
  std::vector<std::span<const std::byte>> parts;
  for (const Input& input : inputs_) parts.push_back(batch.subspan(input.offset, input.bytes));
  return parts;
}

std::vector<const std::byte*> ModelInput::pointers(std::span<const std::byte> batch) const {
  std::vector<const std::byte*> pointers;
  for (const std::span<const std::byte> input : inputs(batch)) pointers.push_back(input.data());
  return pointers;
}

void ModelInput::write_to_batch(vision::RowSource& image, std::span<std::byte> batch, size_t index) const {
  const vision::ImageSize size = image.size();
  for (const Input& input : inputs_) {
    const std::span<std::byte> target = batch.subspan(input.offset, input.bytes);
    switch (input.role) {
      case Role::kImages:
        write(image, target.subspan(index * sample_bytes_, sample_bytes_));
        break;
      case Role::kScale:
        put(target, input.dtype, index,
            eval::letterbox_geometry(size.width, size.height, preprocessing_.height, preprocessing_.width).scale);
        break;
      case Role::kSize:
        put(target, input.dtype, 2 * index, size.width);
        put(target, input.dtype, 2 * index + 1, size.height);
        break;
    }
  }
}

ModelInput::ModelInput(const runtime::Engine& engine, const model::ModelInfo& info)
    : ModelInput(engine.inputs(), engine.program().graph, info) {
  keeps_pictures_ =
      inputs_.size() == 1 && !aipp_ && !preprocessing_.sampled && engine.device().make_picture_input() != nullptr;
}

InputImage ModelInput::prepare(vision::RowSource& image, std::span<std::byte> batch, size_t index) const {
  const vision::ImageSize size = image.size();
  const size_t pixels = static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
  if (!keeps_pictures_ || 3 * pixels > sample_bytes_) {
    write_to_batch(image, batch, index);
    return {size};
  }
  vision::letterbox(size, preprocessing_, image.name());  // refuses what is too narrow
  image.read_all(reinterpret_cast<uint8_t*>(batch.data() + index * sample_bytes_));
  return {size, size};
}

void ModelInput::write(vision::RowSource& image, std::span<std::byte> sample) const {
  if (!aipp_) {
    vision::letterbox_to_tensor(image, preprocessing_, {reinterpret_cast<float*>(sample.data()), sample.size() / 4});
    return;
  }
  const ops::AippSpec& s = *aipp_;
  if (s.crop_height != s.output_height() || s.crop_width != s.output_width())
    fail(ErrorCode::kUnsupported,
         "{}: the model pads its input (AIPP), so what it finds in an image would be displaced; compile it without "
         "padding to run it on images",
         image.name());
  write_pixels(image, {reinterpret_cast<uint8_t*>(sample.data()), sample.size()});
}

std::vector<std::byte> ModelInput::batch_of(vision::RowSource& image) const {
  std::vector<std::byte> bytes(batch_ * sample_bytes_);
  const std::span<std::byte> first = std::span(bytes).first(sample_bytes_);
  write(image, first);
  for (size_t i = 1; i < batch_; ++i)
    std::ranges::copy(first, bytes.begin() + static_cast<ptrdiff_t>(i * sample_bytes_));
  return bytes;
}

void ModelInput::write_pixels(vision::RowSource& image, std::span<uint8_t> sample) const {
  const ops::AippSpec& s = *aipp_;
  if (s.format == ops::AippFormat::kRgb888 && !s.swap_rbuv)  // as it lies: without an image between
    return write_source(image, s, preprocessing_, sample.data());
  vision::Image source(static_cast<int>(s.source_width), static_cast<int>(s.source_height));
  write_source(image, s, preprocessing_, source.row(0));
  switch (s.format) {
    case ops::AippFormat::kRgb888:
      return vision::write_bgr888(source, sample);
    case ops::AippFormat::kXrgb8888:
      return vision::write_xrgb8888(source, s.swap_rbuv, s.swap_ax, sample);
    case ops::AippFormat::kYuv420sp:
      return vision::write_yuv420sp(source, s.swap_rbuv, sample);
    case ops::AippFormat::kYuv400:
      return vision::write_yuv400(source, sample);
  }
}

}  // namespace effdet::detection

// Images as a compiled model's input: float planes, or the bytes that a model with preprocessing in it (AIPP) takes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "model/metadata.h"
#include "ops/aipp.h"
#include "runtime/engine.h"
#include "vision/preprocess.h"

namespace effdet::detection {

/// Shape N x 3 x H x W of what the network itself takes, after preprocessing in the model where there is some. inputs:
/// the graph's, as its caller sees them. Throws Error(kUnsupported) where that is not one float32 batch of RGB images
/// of a known size, perhaps with effdet's img_scale [N] and img_size [N, 2] beside it.
Shape network_shape(std::span<const ir::Value> inputs, const ir::Graph& graph);

/// An image of a batch, as prepare() left it in its sample.
struct InputImage {
  /// What detections are scaled to. Of an image that cannot be used it is anything that is one: something lies in the
  /// batch all the same.
  vision::ImageSize size{1, 1};
  vision::ImageSize picture{0, 0};  ///< of the pixels that are there, which the device prepares; 0: none are
  bool is_picture() const { return picture.width > 0; }
};

/// Constant, so that threads may share it.
class ModelInput {
 public:
  /// Throws Error(kUnsupported) as network_shape() does.
  ModelInput(std::span<const ir::Value> inputs, const ir::Graph& graph, const model::ModelInfo& info);
  /// For runs of that engine: pictures may be left to its device.
  ModelInput(const runtime::Engine& engine, const model::ModelInfo& info);

  size_t batch() const { return batch_; }
  /// Bytes of one image of the batch.
  size_t sample_bytes() const { return sample_bytes_; }
  /// Which of the model's inputs takes the images.
  size_t images_input() const;
  /// Whether the network also wants to know the image's size.
  bool tells_image_size() const { return inputs_.size() > 1; }
  /// Bytes of all inputs, one after the other.
  size_t batch_bytes() const { return batch_bytes_; }
  /// Each input in such memory, which must be as large; and where it begins, as Session::run() wants it.
  std::vector<std::span<const std::byte>> inputs(std::span<const std::byte> batch) const;
  std::vector<const std::byte*> pointers(std::span<const std::byte> batch) const;
  /// Of the network, with mean and deviation as the exporter wrote them.
  const vision::Preprocessing& preprocessing() const { return preprocessing_; }

  /// Letterboxes the image as effdet's loader does, while it is read, and writes it in the model's format. With AIPP
  /// the letterbox lies where the model crops, and swaps of channels are undone, so that the network sees red, green
  /// and blue; luma and chroma are JPEG's. Throws what reading throws, Error(kBadInput) for an image that is too
  /// narrow, and Error(kUnsupported) where the model pads, which would move what it finds. Errors begin with the
  /// image's name.
  void write(vision::RowSource& image, std::span<std::byte> sample) const;
  /// Writes the image, and what the network wants to know of it, as number `index` of a batch of batch_bytes().
  void write_to_batch(vision::RowSource& image, std::span<std::byte> batch, size_t index) const;
  /// The same for a run by BatchRun: leaves the picture to the device, where that prepares pictures and it is no larger
  /// than what write() makes of it. Throws as write().
  InputImage prepare(vision::RowSource& image, std::span<std::byte> batch, size_t index) const;
  bool keeps_pictures() const { return keeps_pictures_; }
  /// Of the input for images: the same image in every place of the batch. Throws as write().
  std::vector<std::byte> batch_of(vision::RowSource& image) const;

 private:
  enum class Role : uint8_t { kImages, kScale, kSize };
  struct Input {
    Role role;
    DType dtype;
    size_t offset, bytes;
  };
  void write_pixels(vision::RowSource& image, std::span<uint8_t> sample) const;

  std::vector<Input> inputs_;
  std::optional<ops::AippSpec> aipp_;
  vision::Preprocessing preprocessing_;
  size_t batch_, sample_bytes_, batch_bytes_ = 0;
  bool keeps_pictures_ = false;
};

}  // namespace effdet::detection

// An image as rows, from top to bottom: what decoders give and resizers take, so that it need not lie in memory whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "vision/image.h"

namespace effdet::vision {

/// Rows of 8-bit RGB in order. One thread at a time may use it.
class RowSource {
 public:
  virtual ~RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;

  ImageSize size() const { return size_; }
  /// What the image is called in messages: its file.
  const std::string& name() const { return name_; }

  /// Writes the next count rows, 3 * width bytes each, stride bytes apart. There must be as many left. Throws what
  /// reading the file throws.
  void read_rows(uint8_t* rgb, ptrdiff_t stride, int count);
  /// Reads the rest and checks it: what came before is the image only if this throws nothing.
  void finish();
  /// All rows one after the other, and finish(): instead of read_rows(), where the image is to lie in memory anyway.
  void read_all(uint8_t* rgb);

  /// Something that must live as long as the source.
  void keep(std::shared_ptr<const void> owner) { owner_ = std::move(owner); }

 protected:
  explicit RowSource(std::string_view name) : name_(name) {}
  void set_size(ImageSize size) { size_ = size; }
  ptrdiff_t row_bytes() const { return 3 * ptrdiff_t{size_.width}; }
  int rows_given() const { return given_; }
  /// All rows; of its own where their order in the file is another.
  virtual void decode_all(uint8_t* rgb);

 private:
  virtual void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) = 0;
  /// What is after the last row.
  virtual void check_end() {}

  std::string name_;
  ImageSize size_;
  int given_ = 0;
  std::shared_ptr<const void> owner_;
};

/// All of an image whose rows were not yet read. Throws what reading throws, and Error(kOutOfMemory).
Image whole_image(RowSource& rows);

/// The rows of pixels in memory, which must outlive the source.
class PixelRows : public RowSource {
 public:
  PixelRows(const uint8_t* pixels, ImageSize size, std::string_view name);
  explicit PixelRows(const Image& image, std::string_view name = "image")
      : PixelRows(image.row(0), image.size(), name) {}

 private:
  void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) override;

  const uint8_t* pixels_;
};

}  // namespace effdet::vision

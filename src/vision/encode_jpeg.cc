// Writes an image as a JPEG in memory, by libjpeg.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <jpeglib.h>
// After jpeglib.h, whose types it needs.
#include <jerror.h>

#include "base/error.h"
#include "vision/encode.h"
#include "vision/jpeg_errors.h"

namespace effdet::vision {
namespace {

class Encoder {
 public:
  Encoder() { info_.err = jump_on_errors(errors_); }
  ~Encoder() {
    jpeg_destroy_compress(&info_);
    std::free(bytes_);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  std::vector<std::byte> encode(const Image& image, int quality) {
    if (setjmp(errors_.jump) != 0) {
      const bool memory = errors_.base.msg_code == JERR_OUT_OF_MEMORY;
      fail(memory ? ErrorCode::kOutOfMemory : ErrorCode::kUsage, "cannot encode a JPEG of {} x {} pixels: {}",
           image.width(), image.height(), jpeg_error_text(reinterpret_cast<j_common_ptr>(&info_)));
    }
    compress(image, quality);
    const auto* begin = reinterpret_cast<const std::byte*>(bytes_);
    return {begin, begin + size_};
  }

 private:
  /// Owns nothing: libjpeg may jump out of it.
  void compress(const Image& image, int quality) {
    jpeg_create_compress(&info_);
    jpeg_mem_dest(&info_, &bytes_, &size_);
    info_.image_width = static_cast<JDIMENSION>(image.width());
    info_.image_height = static_cast<JDIMENSION>(image.height());
    info_.input_components = 3;
    info_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality, TRUE);
    jpeg_start_compress(&info_, TRUE);
    for (int y = 0; y < image.height(); ++y) {
      JSAMPROW row = const_cast<uint8_t*>(image.row(y));
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
  }

  jpeg_compress_struct info_{};
  JpegErrors errors_{};
  unsigned char* bytes_ = nullptr;
  unsigned long size_ = 0;
};

}  // namespace

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  if (quality < 1 || quality > 100) fail(ErrorCode::kUsage, "JPEG quality {}: it goes from 1 to 100", quality);
  return Encoder().encode(image, quality);
}

}  // namespace effdet::vision

// A TIFF file in memory as libtiff opens it: what its first page is, and its strips and tiles.
#pragma once

#include <tiffio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vision/image.h"

namespace effdet::vision {

/// How pixels are stored.
struct TiffLayout {
  ImageSize size;
  uint16_t bits = 1, samples = 1, kind = SAMPLEFORMAT_UINT, photometric = PHOTOMETRIC_MINISBLACK,
           planar = PLANARCONFIG_CONTIG, compression = COMPRESSION_NONE, orientation = 1;
  bool premultiplied = false;  ///< colours are multiplied by alpha, the sample behind them
  bool by_libtiff = false;     ///< converted to RGBA by libtiff: luma and chroma
  bool tiled = false;
  uint32_t unit_width = 0, unit_height = 0;  ///< of a tile, or a strip
  std::array<std::vector<uint8_t>, 3> palette;

  int planes() const { return planar == PLANARCONFIG_SEPARATE ? samples : 1; }
  /// Of a unit's row in one plane.
  size_t row_bytes() const { return (size_t{unit_width} * (planes() > 1 ? 1 : samples) * bits + 7) / 8; }
};

class TiffFile {
 public:
  /// bytes and name must outlive it. Throws Error, kIo where libtiff is not installed.
  TiffFile(std::span<const std::byte> bytes, std::string_view name);
  ~TiffFile();
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  const TiffLayout& layout() const { return layout_; }
  /// Size of a unit in one plane.
  size_t unit_bytes() const { return layout_.row_bytes() * layout_.unit_height; }
  /// Reads the unit whose left top pixel is (x, y). Throws Error(kBadInput).
  void read(uint32_t x, uint32_t y, int plane, std::span<uint8_t> unit);
  /// The same as pixels 0xAABBGGRR, rows from bottom to top, unit_width apart.
  void read_rgba(uint32_t x, uint32_t y, std::span<uint32_t> unit);

 private:
  void read_layout();
  /// Of luma and chroma: whether each pixel has its own, not compressed, which Pillow converts without libtiff.
  bool has_plain_chroma() const;
  void read_palette();
  uint16_t number(uint32_t tag, uint16_t otherwise) const;
  [[noreturn]] void refuse_data() const;

  static tmsize_t on_read(thandle_t self, void* target, tmsize_t count);
  static toff_t on_seek(thandle_t self, toff_t offset, int whence);
  static int on_error(TIFF*, void* self, const char* module, const char* format, va_list values);

  std::span<const std::byte> bytes_;
  std::string_view name_;
  size_t at_ = 0;
  std::string problem_;  ///< the first that libtiff told
  TIFF* tiff_ = nullptr;
  TiffLayout layout_;
};

}  // namespace effdet::vision

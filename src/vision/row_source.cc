// Reading rows in pieces, and images in memory as a source of rows.
#include "vision/row_source.h"

#include <algorithm>
#include <vector>

namespace effdet::vision {

void RowSource::read_rows(uint8_t* rgb, ptrdiff_t stride, int count) {
  decode_rows(rgb, stride, count);
  given_ += count;
}

void RowSource::finish() {
  if (given_ < size_.height) {
    std::vector<uint8_t> unused(static_cast<size_t>(row_bytes()));
    while (given_ < size_.height) read_rows(unused.data(), row_bytes(), 1);
  }
  check_end();
}

void RowSource::read_all(uint8_t* rgb) {
  decode_all(rgb);
  check_end();
}

void RowSource::decode_all(uint8_t* rgb) { read_rows(rgb, row_bytes(), size_.height); }

Image whole_image(RowSource& rows) {
  Image image(rows.size().width, rows.size().height);
  rows.read_all(image.row(0));
  return image;
}

PixelRows::PixelRows(const uint8_t* pixels, ImageSize size, std::string_view name) : RowSource(name), pixels_(pixels) {
  set_size(size);
}

void PixelRows::decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) {
  for (int i = 0; i < count; ++i, rgb += stride, pixels_ += row_bytes()) std::copy_n(pixels_, row_bytes(), rgb);
}

}  // namespace effdet::vision

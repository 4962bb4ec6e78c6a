// Thumbnails in a grid, each with its caption.
#include <algorithm>

#include "base/error.h"
#include "vision/draw.h"
#include "vision/limits.h"
#include "vision/resize.h"
#include "vision/typeface.h"

namespace effdet::vision {
namespace {

constexpr uint8_t kBackground[3] = {32, 34, 38};
constexpr Colour kCaption{225, 228, 232};
constexpr int kMargin = 6;

/// The largest size with the same proportions that fits, at least one pixel a side; images are not enlarged.
ImageSize fitting_size(ImageSize size, int cell) {
  const double scale = std::min(1.0, static_cast<double>(cell) / std::max(size.width, size.height));
  return {std::max(1, static_cast<int>(size.width * scale + 0.5)),
          std::max(1, static_cast<int>(size.height * scale + 0.5))};
}

void paste(Image& sheet, int x, int y, const Image& image) {
  for (int row = 0; row < image.height(); ++row)
    std::copy_n(image.row(row), image.row_bytes(), sheet.row(y + row) + 3 * x);
}

/// Cut where it is wider than the cell.
TextBitmap caption(const std::string& text, int letters, int cell) {
  TextBitmap whole = render_text(text, letters);
  for (size_t bytes = text.size(); whole.width > cell && bytes > 0;) {
    bytes = std::min(bytes - 1, bytes * static_cast<size_t>(cell) / static_cast<size_t>(whole.width));
    while (bytes > 0 && (static_cast<uint8_t>(text[bytes]) & 0xC0) == 0x80) --bytes;
    whole = render_text(text.substr(0, bytes) + "…", letters);
  }
  return whole;
}

}  // namespace

Image thumbnail(const Image& image, int side) {
  if (side < 1) fail(ErrorCode::kUsage, "a thumbnail of {} pixels a side", side);
  const ImageSize size = fitting_size(image.size(), side);
  return resize_bilinear(image, size.width, size.height);
}

Image contact_sheet(std::span<const Image> images, int columns, int cell, std::span<const std::string> captions) {
  if (images.empty() || columns < 1 || cell < 16)
    fail(ErrorCode::kUsage, "contact sheet of {} images in {} columns of {} pixels: 1, 1 and 16 are the least",
         images.size(), columns, cell);
  const int letters = std::max(9, cell / 18);
  const int caption_height = captions.empty() ? 0 : render_text("x", letters).height + kMargin;
  const uint64_t used = std::min<uint64_t>(static_cast<uint64_t>(columns), images.size());
  const uint64_t rows = (images.size() + used - 1) / used;
  const uint64_t step_x = static_cast<uint64_t>(cell) + kMargin,
                 step_y = step_x + static_cast<uint64_t>(caption_height);
  const uint64_t width = used * step_x + kMargin, height = rows * step_y + kMargin;
  if (width > kMaxPixels || height > kMaxPixels || width * height > kMaxPixels)
    fail(ErrorCode::kUsage, "contact sheet of {} x {} pixels: use smaller cells or fewer images", width, height);

  Image sheet(static_cast<int>(width), static_cast<int>(height));
  sheet.fill(0, 0, sheet.width(), sheet.height(), kBackground);
  for (size_t i = 0; i < images.size(); ++i) {
    const int left = static_cast<int>(kMargin + i % used * step_x), top = static_cast<int>(kMargin + i / used * step_y);
    const Image small = thumbnail(images[i], cell);
    paste(sheet, left + (cell - small.width()) / 2, top + (cell - small.height()) / 2, small);
    if (i >= captions.size()) continue;
    const TextBitmap text = caption(captions[i], letters, cell);
    draw_text(sheet, left + (cell - text.width) / 2, top + cell + kMargin / 2, text, kCaption);
  }
  return sheet;
}

}  // namespace effdet::vision

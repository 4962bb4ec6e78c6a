// Conversion of rows to RGB: other orders of channels, grey, and NV12.
#include "vision/view_rows.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace effdet::vision {

int pixel_bytes(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb:
    case PixelFormat::kBgr:
      return 3;
    case PixelFormat::kRgba:
    case PixelFormat::kBgra:
      return 4;
    case PixelFormat::kGray:
    case PixelFormat::kNv12:
      return 1;
  }
  return 0;
}

namespace {

/// The view with everything said that it leaves to defaults.
ImageView complete(ImageView view, std::string_view name) {
  const int bytes = pixel_bytes(view.format);
  if (bytes == 0) fail(ErrorCode::kUsage, "{}: {} is no format of pixels", name, static_cast<int>(view.format));
  if (!view.data) fail(ErrorCode::kUsage, "{}: the view has no pixels (data is null)", name);
  if (view.width < 1 || view.height < 1)
    fail(ErrorCode::kUsage, "{}: an image of {} x {} pixels; both sides have to be at least 1", name, view.width,
         view.height);
  const ptrdiff_t row = ptrdiff_t{bytes} * view.width;
  if (view.stride == 0) view.stride = row;
  if (std::abs(view.stride) < row)
    fail(ErrorCode::kUsage, "{}: rows of {} bytes that are {} bytes apart overlap", name, row, view.stride);
  if (view.format != PixelFormat::kNv12) return view;
  if (view.width % 2 != 0 || view.height % 2 != 0)
    fail(ErrorCode::kUsage, "{}: an image of {} x {} pixels; both sides of NV12 are even", name, view.width,
         view.height);
  if (!view.chroma && view.stride < 0)
    fail(ErrorCode::kUsage, "{}: where rows of NV12 go from bottom to top, chroma has to say where the second plane is",
         name);
  if (!view.chroma) view.chroma = view.data + view.stride * view.height;
  if (view.chroma_stride == 0) view.chroma_stride = view.stride;
  if (std::abs(view.chroma_stride) < row)
    fail(ErrorCode::kUsage, "{}: rows of chroma of {} bytes that are {} bytes apart overlap", name, row,
         view.chroma_stride);
  return view;
}

template <int bytes, int red, int green, int blue>
void pick(const uint8_t* in, int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x, in += bytes, rgb += 3) {
    rgb[0] = in[red];
    rgb[1] = in[green];
    rgb[2] = in[blue];
  }
}

/// BT.601 with luma from 16 to 235, in fixed point of 20 bits with coefficients of three decimals, as OpenCV has it.
void from_nv12(const uint8_t* luma, const uint8_t* chroma, int width, uint8_t* rgb) {
  constexpr int kBits = 20, kHalf = 1 << (kBits - 1);
  constexpr auto fixed = [](double value) { return static_cast<int>(value * (1 << kBits) + 0.5); };
  constexpr int kLuma = fixed(1.164), kRedV = fixed(1.596), kGreenV = fixed(0.813), kGreenU = fixed(0.391),
                kBlueU = fixed(2.018);
  const auto channel = [](int value) { return static_cast<uint8_t>(std::clamp(value >> kBits, 0, 255)); };
  for (int x = 0; x < width; x += 2) {
    const int u = chroma[x] - 128, v = chroma[x + 1] - 128;
    const int red = kRedV * v + kHalf, green = kHalf - kGreenV * v - kGreenU * u, blue = kBlueU * u + kHalf;
    for (int i = 0; i < 2; ++i, rgb += 3) {
      const int y = std::max(0, luma[x + i] - 16) * kLuma;
      rgb[0] = channel(y + red);
      rgb[1] = channel(y + green);
      rgb[2] = channel(y + blue);
    }
  }
}

void convert_row(const ImageView& view, int y, uint8_t* rgb) {
  const uint8_t* row = view.data + y * view.stride;
  switch (view.format) {
    case PixelFormat::kRgb:
      std::copy_n(row, 3 * ptrdiff_t{view.width}, rgb);
      break;
    case PixelFormat::kBgr:
      return pick<3, 2, 1, 0>(row, view.width, rgb);
    case PixelFormat::kRgba:
      return pick<4, 0, 1, 2>(row, view.width, rgb);
    case PixelFormat::kBgra:
      return pick<4, 2, 1, 0>(row, view.width, rgb);
    case PixelFormat::kGray:
      return pick<1, 0, 0, 0>(row, view.width, rgb);
    case PixelFormat::kNv12:
      return from_nv12(row, view.chroma + y / 2 * view.chroma_stride, view.width, rgb);
  }
}

}  // namespace

ViewRows::ViewRows(const ImageView& view, std::string_view name) : RowSource(name), view_(complete(view, name)) {
  set_size({view.width, view.height});
}

void ViewRows::decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) {
  for (int i = 0; i < count; ++i, rgb += stride) convert_row(view_, rows_given() + i, rgb);
}

}  // namespace effdet::vision

// The rows of a program's own pixels as RGB, in whatever order they lie there.
#pragma once

#include <string_view>

#include "effdet/image_view.h"
#include "vision/row_source.h"

namespace effdet::vision {

/// Bytes of a pixel, or of a pixel's luma; 0 for what is no format.
int pixel_bytes(PixelFormat format);

/// The pixels must outlive the source, of which each row is converted when it is read.
class ViewRows : public RowSource {
 public:
  /// Throws Error(kUsage), which begins with name, for a view that makes no sense.
  ViewRows(const ImageView& view, std::string_view name);

  /// The view with everything said that it left to defaults.
  const ImageView& view() const { return view_; }

 private:
  void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) override;

  ImageView view_;
};

}  // namespace effdet::vision

// Rows of pictures that can only be made as a whole.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "vision/image.h"
#include "vision/memory_gate.h"
#include "vision/row_source.h"

namespace effdet::vision {

/// A reader writes decode_all() alone. Who asks for rows gets them out of an image that is made with the first one,
/// once the gate lets it in.
class WholeRows : public RowSource {
 protected:
  explicit WholeRows(std::string_view name, MemoryGate& gate = whole_images()) : RowSource(name), gate_(gate) {}

  void decode_all(uint8_t* rgb) override = 0;
  /// Bytes that decode_all() takes beside its rows.
  virtual uint64_t more_bytes() const { return 0; }

 private:
  void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) override {
    if (image_.empty()) {
      memory_ = gate_.enter(static_cast<uint64_t>(row_bytes()) * static_cast<uint64_t>(size().height) + more_bytes());
      image_ = Image(size().width, size().height);
      decode_all(image_.row(0));
    }
    for (int i = 0; i < count; ++i, rgb += stride) std::copy_n(image_.row(rows_given() + i), row_bytes(), rgb);
  }

  MemoryGate& gate_;
  MemoryGate::Hold memory_;
  Image image_;
};

}  // namespace effdet::vision

// What a selection of boxes on a device is told of an image, and what it finds.
#pragma once

#include <cstdint>

namespace effdet::kernels {

/// How boxes of an image lie in it.
struct BoxImage {
  float clip_width, clip_height;  ///< what boxes are clipped to, in pixels of the model's input, where they are
  float scale_x, scale_y;         ///< to pixels of the image
  int32_t clips;
};

struct SelectedBox {
  float x1, y1, x2, y2, score;
  int32_t label;  ///< class, from 0 on
};

}  // namespace effdet::kernels

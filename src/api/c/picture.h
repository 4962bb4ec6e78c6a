// Pixels on both sides of the C interface.
#pragma once

#include "effdet/effdet_c.h"
#include "effdet/image_view.h"

struct effdet_picture {
  effdet::RgbImage image;
};

namespace effdet::api {

/// The caller's pixels where they lie. Throws Error(kUsage); what does not fit together is found by whoever reads them.
ImageView view_of(const effdet_image* given);

}  // namespace effdet::api

// Small copies of a data set's images.
#pragma once

#include <vector>

#include "effdet/dataset.h"
#include "effdet/evaluation_analysis.h"
#include "effdet/export.h"

namespace effdet {

struct Thumbnail {
  int full_width = 0, full_height = 0;  ///< of the image, in pixels, as its boxes have it
  std::vector<unsigned char> jpeg;      ///< the file
};

/// An image as a JPEG that fits into side x side pixels; a smaller image keeps its size. It is turned upright where the
/// annotated size says that its boxes are on the upright image. Of data only the place of the images is looked at.
/// Throws Error(kBadInput) for a name that leads out of the folder, one that is not listed, and for an image of another
/// size than the annotated one, Error(kUsage) for side < 1, and as read_image().
EFFDET_API Thumbnail image_thumbnail(const DataSource& data, const AnalysedImage& image, int side);

}  // namespace effdet

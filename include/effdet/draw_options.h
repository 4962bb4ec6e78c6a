// How detections are drawn.
#pragma once

namespace effdet {

struct DrawOptions {
  float line_width = 0;  ///< of boxes, in pixels; 0: it grows with the image. Functions throw Error(kUsage) for others
                         ///< than 0 to 100
  bool labels = true;    ///< the name of the class at each box
  bool scores = true;    ///< and the score behind it
};

}  // namespace effdet

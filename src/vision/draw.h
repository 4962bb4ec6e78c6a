// Detections on images.
#pragma once

#include <span>
#include <string>

#include "vision/image.h"

namespace effdet::vision {

/// A box in pixels of the image, with what is written at it.
struct LabelledBox {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  std::string label;    ///< "person 0.87"; nothing is written for an empty one
  int color_index = 0;  ///< any number; the same one always gives the same colour
};

/// Draws the boxes in the order given, so that later ones lie above: outlines with smooth edges at the exact
/// coordinates, and labels inside the image that cover neither each other nor, where it can be helped, small boxes;
/// those of later boxes are placed first, and one without a free place is left out. Text grows with the image, and so
/// does the line width where it is 0. Boxes that are not finite are left out.
void draw_detections(Image& image, std::span<const LabelledBox> boxes, float line_width = 0);

/// The image shrunk to fit into side x side pixels, or a copy of one that does; at least one pixel a side. Throws
/// Error(kUsage) for a side below 1.
Image thumbnail(const Image& image, int side);

/// The images in rows of columns cells, each a thumbnail of cell x cell pixels and centred, captions below (as many
/// as there are, cut to the cell). Throws Error(kUsage) for no images, columns < 1 or cell < 16, and for a sheet that
/// would be too large.
Image contact_sheet(std::span<const Image> images, int columns, int cell, std::span<const std::string> captions);

}  // namespace effdet::vision

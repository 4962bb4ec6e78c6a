// What explains an evaluation, as text.
#pragma once

#include <cstddef>
#include <string>

#include "effdet/dataset.h"

namespace effdet::cli {

/// Tables of an evaluation that has an analysis. per_class: all categories, not only those with the lowest F1.
void print_analysis(const Evaluation& evaluation, bool per_class);

/// A category's name, or its id where it has none; "(background)" for an index beyond them. One line.
std::string category_text(const Evaluation& evaluation, size_t index);
/// An image's file name, or its id. One line.
std::string image_text(const AnalysedImage& image);

}  // namespace effdet::cli

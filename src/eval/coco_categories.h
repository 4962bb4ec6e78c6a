// The names of COCO's categories.
#pragma once

#include <string>
#include <vector>

namespace effdet::eval {

/// What the classes of a model for COCO are called, by class index: of 90 or 91 classes, class + 1 is COCO's category
/// id, and names of the ten ids that COCO leaves out are empty; 80 classes are COCO's categories in order. Empty for
/// another number, which tells nothing.
std::vector<std::string> coco_class_names(int num_classes);

}  // namespace effdet::eval

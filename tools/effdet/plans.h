// Choosing a plan of a model that has several.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "effdet/compiled_model.h"

namespace effdet::cli {

/// Width and height of what a model takes: of images where it has preprocessing, or of its planes; 0 x 0 for a model
/// that takes something else.
struct InputSize {
  int64_t width = 0, height = 0;
  bool operator==(const InputSize&) const = default;
};
InputSize input_size(const CompiledModel& model);

/// Samples that the model takes at once: the first dimension of its inputs, or 1 where they do not share one.
int64_t batch_of(const CompiledModel& model);

/// What a plan should be like; 0: whatever.
struct PlanWish {
  int64_t batch = 0;
  InputSize size;
};
/// The first plan that fits. Throws Error(kUsage) that lists the plans, naming the file, where none does.
size_t find_plan(const CompiledModel& model, const PlanWish& wish, const std::string& file);
/// "name:1,3,512,512;other:1,600" in its parts, names and what stands behind their last colon. Throws Error(kUsage)
/// that names the flag and the form for a part without either.
std::vector<std::pair<std::string, std::string>> split_named_shapes(const std::string& flag, const std::string& text,
                                                                    const std::string& form);
/// Shapes by the names of inputs; those that are not named may have any.
using NamedShapes = std::map<std::string, std::vector<int64_t>>;
/// Of "name:1,3,512,512;other:1,600". Throws Error(kUsage) that names the flag for another form.
NamedShapes parse_named_shapes(const std::string& flag, const std::string& text);
/// The plan whose inputs have these shapes. Nothing where none has, or where a name is none of an input.
std::optional<size_t> plan_of_shapes(const CompiledModel& model, const NamedShapes& shapes);
/// The plan whose inputs have the shapes that a flag says; inputs that are not named may have any.
/// Throws Error(kUsage) that names the flag for another form or name, and that lists the plans where none fits.
size_t find_plan_of_shapes(const CompiledModel& model, const std::string& flag, const std::string& shapes,
                           const std::string& file);
/// All plans' inputs, as find_plan_of_shapes() takes them.
std::string shapes_of_plans(const CompiledModel& model);
/// The plan of the largest input, and of those the largest batch: the most that the model can see, and do at once.
size_t largest_plan(const CompiledModel& model);
/// The plan for the size of --img-size and, where batch_given, the batch; the largest where neither is said. As
/// find_plan() otherwise.
size_t choose_plan(const CompiledModel& model, const ModelOptions& options, bool batch_given, const std::string& file);

/// "h,w" as a size. Throws Error(kUsage) that names the flag.
InputSize parse_size(const std::string& flag, const std::string& text);

}  // namespace effdet::cli

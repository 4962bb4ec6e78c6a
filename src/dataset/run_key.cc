// Hashes what a run's results depend on.
#include "dataset/run_key.h"

#include "dataset/hasher.h"
#include "ir/graph.h"

namespace effdet::dataset {
namespace {

void add_names(Hasher& hasher, const std::vector<eval::Category>& categories, const eval::StringIds& ids) {
  hasher.add(categories.size());
  for (const eval::Category& category : categories) {
    hasher.add(ids.json_of(category.id));
    hasher.add(category.name);
  }
}

/// What other rules than COCO's look at besides.
void add_rules(Hasher& hasher, const eval::GroundTruth& truth) {
  hasher.add(static_cast<int>(truth.rules));
  for (const eval::ImageRecord& image : truth.images) {
    for (const auto* list : {&image.absent_categories, &image.incomplete_categories}) {
      hasher.add(list->size());
      for (const int64_t category : *list) hasher.add(category);
    }
  }
  for (const eval::Annotation& object : truth.annotations) hasher.add(object.is_ignored);
  for (const eval::Category& category : truth.categories) hasher.add(static_cast<int>(category.frequency));
}

void add_options(Hasher& hasher, const DetectOptions& options) {
  hasher.add(options.score_threshold);
  hasher.add(options.iou_threshold);
  hasher.add(options.max_candidates);
  hasher.add(options.max_detections);
  hasher.add(options.soft_nms);
  hasher.add(options.soft_linear);
  hasher.add(options.agnostic);
  hasher.add(options.categories.size());
  for (const int category : options.categories) hasher.add(category);
}

}  // namespace

uint64_t model_key(const runtime::Engine& engine) {
  const artifact::Program& program = engine.program();
  Hasher hasher;
  hasher.add(program.target);
  hasher.add(program.micro_batches);
  hasher.add(ir::to_text(program.graph));
  for (const auto& [name, value] : program.graph.metadata) {
    hasher.add(name);
    hasher.add(value);
  }
  for (size_t i = 0; i < program.graph.value_count(); ++i)
    if (const Tensor* constant = program.graph.constant(static_cast<ir::ValueId>(i))) hasher.add(constant->bytes());
  for (const kernels::Choice& choice : engine.choices()) hasher.add(choice.implementation);
  return hasher.digest();
}

uint64_t model_key(std::span<const std::shared_ptr<const runtime::Engine>> plans) {
  Hasher hasher;
  for (const auto& plan : plans) hasher.add(model_key(*plan));
  return hasher.digest();
}

uint64_t options_key(const ValidateOptions& options, const ClassMap& classes, int num_classes) {
  Hasher hasher;
  add_options(hasher, options.detect);
  hasher.add(options.limit);
  hasher.add(options.pictures.empty() ? -1.0f : options.picture_threshold);
  for (int category = 0; category <= num_classes; ++category) hasher.add(classes.category_of(category));
  return hasher.digest();
}

uint64_t options_key(const DetectImagesOptions& options, std::span<const std::string> class_names) {
  Hasher hasher;
  add_options(hasher, options.detect);
  hasher.add(options.pictures.empty());
  hasher.add(options.crops.empty());
  hasher.add(options.slices.side);
  hasher.add(options.slices.overlap);
  hasher.add(options.slices.merge_threshold);
  hasher.add(options.slices.merge_by_iou);
  hasher.add(options.draw.line_width);
  hasher.add(options.draw.labels);
  hasher.add(options.draw.scores);
  hasher.add(options.upright);
  hasher.add(class_names.size());
  for (const std::string& name : class_names) hasher.add(std::string_view(name));
  return hasher.digest();
}

uint64_t data_key(std::span<const ListedImage> images) {
  Hasher hasher;
  hasher.add(images.size());
  for (const ListedImage& image : images) {
    hasher.add(std::string_view(image.file));
    hasher.add(std::string_view(image.picture));
    hasher.add(std::string_view(image.member));
    hasher.add(image.offset);
    hasher.add(image.bytes);
  }
  return hasher.digest();
}

uint64_t data_key(const eval::GroundTruth& truth) {
  Hasher hasher;
  hasher.add(truth.images.size());
  for (const eval::ImageRecord& image : truth.images) {
    hasher.add(truth.image_ids.json_of(image.id));
    hasher.add(image.file_name);
    hasher.add(image.width);
    hasher.add(image.height);
  }
  hasher.add(truth.annotations.size());
  for (const eval::Annotation& object : truth.annotations) {
    hasher.add(object.id);
    hasher.add(object.image_id);
    hasher.add(object.category_id);
    for (const double side : object.bbox) hasher.add(side);
    hasher.add(object.area);
    hasher.add(object.is_crowd);
  }
  add_names(hasher, truth.categories, truth.category_ids);
  if (truth.rules != eval::Rules::kCoco) add_rules(hasher, truth);
  return hasher.digest();
}

}  // namespace effdet::dataset

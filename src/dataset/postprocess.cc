// Dumped outputs to COCO numbers.
#include <limits>

#include "base/error.h"
#include "base/thread_pool.h"
#include "dataset/class_map.h"
#include "dataset/dataset.h"
#include "dataset/dump_folder.h"
#include "dataset/evaluation.h"
#include "dataset/input_options.h"
#include "dataset/notes.h"
#include "dataset/progress.h"
#include "detection/head_decoder.h"
#include "detection/nms_graph.h"
#include "detection/row_decoder.h"
#include "effdet/dataset.h"
#include "eval/coco_json.h"
#include "model/config.h"

namespace effdet::dataset {
namespace {

/// The images whose outputs lie in the folder.
std::vector<const eval::ImageRecord*> dumped_images(const Dataset& source, const DumpFolder& dumps) {
  std::vector<const eval::ImageRecord*> images;
  for (const eval::ImageRecord* image : source.images())
    if (dumps.has(stem_of(*image))) images.push_back(image);
  if (images.empty())
    bad_input("{}: no outputs of the data set's images ({}_1.bin would be one)", dumps.path().string(),
              stem_of(*source.images()[0]));
  return images;
}

/// The number of classes that makes all outputs of an image as large as they are together. Throws Error(kBadInput).
int infer_num_classes(const Dump& dump, const std::vector<eval::FeatureSize>& levels, int anchors_per_cell,
                      const InputOptions& input) {
  uint64_t values = 0, anchors = 0;
  for (const auto& output : dump.outputs()) values += output.size();
  for (const eval::FeatureSize& level : levels)
    anchors += static_cast<uint64_t>(level.height) * static_cast<uint64_t>(level.width) *
               static_cast<uint64_t>(anchors_per_cell);
  constexpr uint64_t kBoxValues = 4;
  const uint64_t per_anchor = values / anchors;
  if (values % anchors != 0 || per_anchor <= kBoxValues || per_anchor > std::numeric_limits<int>::max())
    bad_input(
        "{} and the other outputs of its image have {} values, which fit no number of classes of {} at this "
        "image size; check --model and --img-size",
        dump.paths()[0].string(), values, input.model);
  return static_cast<int>(per_anchor - kBoxValues);
}

model::ModelInfo describe(const PostprocessOptions& options) {
  model::ModelInfo info = info_of(options.input);
  model::ModelConfig config{.num_classes = info.num_classes,
                            .aspect_ratios = info.aspect_ratios,
                            .num_scales = info.num_scales,
                            .anchor_scale = info.anchor_scale};
  model::apply_anchors(options.anchors, config);
  info.aspect_ratios = config.aspect_ratios;
  info.num_scales = config.num_scales;
  info.anchor_scale = config.anchor_scale;
  if (options.num_classes != 0) info.num_classes = options.num_classes;
  return info;
}

/// One output for an image is that of a model that detects itself, which only its own metadata explain.
void refuse_unexplained_rows(const DumpFolder& folder, const eval::ImageRecord& image) {
  const std::string stem = stem_of(image);
  if (folder.file_count(stem) == 1)
    bad_input(
        "{}: one output of image '{}', as a model writes it that detects itself (pth2onnx --with-nms): give the "
        "model's own file as --model",
        folder.path().string(), eval::printable(stem));
}

void require_size(const eval::ImageRecord& image) {
  if (image.width == 0)
    bad_input("image '{}': neither the annotations nor the image tell its size, which scales the boxes back",
              eval::printable(stem_of(image)));
}

std::vector<Detection> decode_rows_of(const Dump& dump, const model::ModelInfo& info, const eval::ImageRecord& image,
                                      const DetectOptions& options) {
  const std::span<const float> rows = dump.outputs()[0];
  if (rows.size() % detection::kRowValues != 0)
    bad_input("{}: {} values are no rows of {}", dump.paths()[0].string(), rows.size(), detection::kRowValues);
  const auto geometry = eval::letterbox_geometry(image.width, image.height, info.image_height, info.image_width);
  return detection::decode_rows(rows, {image.width, image.height}, static_cast<float>(geometry.scale), options);
}

std::vector<Detection> decode(const Dump& dump, const detection::HeadDecoder& decoder, const eval::ImageRecord& image,
                              const DetectOptions& options) {
  try {
    const eval::LevelLayout layout = decoder.layout_of(dump.value_counts());
    return decoder.decode(dump.outputs(), layout, {image.width, image.height}, options);
  } catch (const Error& error) {
    fail(error.code(), "image '{}' ({}, ...): {}", stem_of(image), dump.paths()[0].string(), error.what());
  }
}

}  // namespace

}  // namespace effdet::dataset

namespace effdet {

Evaluation postprocess_dumps(const DataSource& data, const std::filesystem::path& dumps,
                             const PostprocessOptions& options, int threads, const Progress& progress) {
  eval::check_options(options.detect);
  model::ModelInfo info = dataset::describe(options);
  const dataset::Dataset source(data);
  source.require_unique_stems();
  source.require_other_file(options.results);
  const dataset::DumpFolder folder(dumps);
  const std::vector<const eval::ImageRecord*> images = dataset::dumped_images(source, folder);
  const bool has_rows = detection::detects_itself(options.input.metadata);
  const size_t outputs = has_rows ? 1 : 2 * static_cast<size_t>(info.max_level - info.min_level + 1);
  if (!has_rows) dataset::refuse_unexplained_rows(folder, *images[0]);
  if (options.num_classes == 0 && !has_rows) {
    const detection::HeadDecoder any_classes(info, info.image_height, info.image_width);
    info.num_classes = dataset::infer_num_classes(folder.read(dataset::stem_of(*images[0]), outputs),
                                                  any_classes.levels(), any_classes.anchors_per_cell(), options.input);
  }
  const detection::HeadDecoder decoder(info, info.image_height, info.image_width);
  const dataset::ClassMap classes(info, options.classes, source.truth(), source.annotations());
  dataset::Notes notes(options.on_note);
  notes.add(source.notes());
  notes.add(classes.notes());

  const DetectOptions detect = dataset::detect_options_for(source.truth(), options.detect);
  std::vector<std::vector<Detection>> detections(images.size());
  ThreadPool pool(threads > 0 ? threads : default_thread_count());
  dataset::ProgressCounter counter(progress, images.size());
  pool.parallel_for(static_cast<int64_t>(images.size()), [&](int64_t index, int) {
    const auto i = static_cast<size_t>(index);
    dataset::require_size(*images[i]);
    const dataset::Dump dump = folder.read(dataset::stem_of(*images[i]), outputs);
    detections[i] = has_rows ? dataset::decode_rows_of(dump, info, *images[i], detect)
                             : dataset::decode(dump, decoder, *images[i], detect);
    counter.add_one();
  });
  const std::vector<eval::CocoResult> results = dataset::results_of(images, detections, classes);
  Evaluation evaluation = dataset::evaluate(source.truth(), results, dataset::ids_of(images));
  dataset::write_evaluated(options.results, results, source.truth(), evaluation);
  evaluation.notes = notes.take();
  return evaluation;
}

}  // namespace effdet

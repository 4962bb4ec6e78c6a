// Calibrates, quantizes, measures, and keeps more layers in float32 where the gate wants it.
#include "quantize/quantize_model.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/thread_pool.h"
#include "compiler/compile.h"
#include "dataset/dataset.h"
#include "effdet/dataset.h"
#include "effdet/machine.h"
#include "quantize/equalize.h"
#include "quantize/images.h"
#include "quantize/overlap.h"
#include "quantize/proof.h"
#include "quantize/quantize.h"
#include "quantize/search.h"
#include "quantize/sensitivity.h"
#include "quantize/value_names.h"
#include "runtime/compiled_model_impl.h"

namespace effdet::quantize {
namespace {

void check_options(const QuantizeOptions& options) {
  if (!(options.keep > 0 && options.keep <= 1))
    fail(ErrorCode::kUsage, "--keep {}: the share of the mAP that has to remain lies above 0 and is at most 1",
         options.keep);
  if (options.calibration_images < 1) fail(ErrorCode::kUsage, "a calibration needs one image at least");
  if (options.weights_only && !options.calibration.empty())
    fail(ErrorCode::kUsage, "with int8 weights alone there are no ranges of maps to learn: leave the calibration out");
  if (options.weights_only && options.sensitivity)
    fail(ErrorCode::kUsage, "with int8 weights alone there are no maps whose sensitivity could be measured");
}

/// The ranges of maps in a quantized graph.
class QuantizedGraph {
 public:
  explicit QuantizedGraph(const ir::Graph& graph) : graph_(graph), values_(graph), uses_(graph) {}

  /// The node that turns a map into codes; null where none does.
  const ir::Node* quantizer_of(const std::string& map) const {
    const ir::ValueId id = values_.find(map);
    if (id == ir::kNoValue) return nullptr;
    for (const int reader : uses_.readers(id))
      if (const ir::Node& node = graph_.nodes[static_cast<size_t>(reader)]; node.is("QuantizeLinear")) return &node;
    return nullptr;
  }

  const Tensor* constant(const ir::Node& node, size_t input) const {
    return node.inputs.size() > input ? graph_.constant(node.inputs[input]) : nullptr;
  }

 private:
  const ir::Graph& graph_;
  ValueNames values_;
  ir::Uses uses_;
};

/// By which of the ways a range of that width came about.
std::string range_name(const MapStatistics& statistics, double width) {
  const auto is = [&](const Range& range) {
    const double own = static_cast<double>(range.high) - range.low;
    return std::abs(own - width) <= 1e-3 * width;
  };
  if (is(statistics.histogram.range())) return "min-max";
  for (const double percentile : {99.999, 99.99})
    if (is(statistics.histogram.percentile(percentile))) return fmt::format("percentile {}", percentile);
  return is(statistics.histogram.least_squares()) ? "least squares" : "of its input";
}

class Quantization {
 public:
  Quantization(const ir::Graph& graph, const QuantizeOptions& options, QuantizeReport& report)
      : float_graph_(graph), graph_(graph), options_(options), report_(report) {
    settings_.weights_only = options.weights_only;
    report_.proof.weights_only = options.weights_only;
    report_.proof.seed = options.seed;
  }

  ir::Graph run() {
    base_ = default_keep_float(graph_);
    base_.insert(base_.end(), options_.keep_float.begin(), options_.keep_float.end());
    require_layers();
    open_images();
    if (!options_.weights_only) calibrate_maps();
    layers_ = quantizable_layers(graph_);
    note_costs();
    std::vector<std::string> more_float;
    if (validation_) {
      more_float = choose_layers();
    } else if (options_.sensitivity) {
      measure_layers();
    }
    ir::Graph result = quantized(more_float);
    describe(result, computes_in_int8(graph_, settings_with(more_float)));
    put_proof(report_.proof, result.metadata);
    return result;
  }

 private:
  void tell(std::string_view stage, size_t done, size_t total) const {
    if (options_.progress) options_.progress(stage, done, total);
  }

  /// There is something that can become 8 bits.
  void require_layers() const {
    const std::vector<bool> int8 = computes_in_int8(graph_, settings_with({}));
    if (int8.empty()) fail(ErrorCode::kUnsupported, "the model has no layer that could compute in 8 bits");
    if (std::ranges::find(int8, true) == int8.end())
      fail(ErrorCode::kUnsupported,
           "nothing is left to compute in 8 bits: all layers that could ({}) stay float32, by default or by "
           "--keep-float",
           int8.size());
  }

  /// Finds all that is wrong with the two sets before the long work.
  void open_images() {
    if (!options_.weights_only)
      images_.emplace(options_.calibration, options_.calibration_images, options_.seed, graph_, options_.on_failure);
    if (options_.validation.empty()) return;
    validation_.emplace(options_.validation);
    validation_->require_folder();
    accuracy_.keep = options_.keep;
    accuracy_.instruction_set = instruction_set();
    accuracy_.sha256 = require_disjoint(images_ ? &*images_ : nullptr, *validation_, graph_);
  }

  void calibrate_maps() {
    std::string_view stage = "equalisation";
    size_t total = std::min(images_->chosen(), kEqualizationImages);
    const auto source = [&](size_t index, std::span<std::byte> input, std::string& name) {
      if (index == 0) images_->rewind();
      tell(stage, index, total);
      return images_->next(input, name);
    };
    graph_ = equalize(graph_, source, {.threads = options_.threads});
    stage = "calibration";
    total = images_->chosen();
    calibration_ = calibrate(graph_, source, {.threads = options_.threads});
    images_->require_content();
    report_.failures = images_->failures();
    report_.proof.calibration_images = images_->used();
    report_.proof.calibration_sha256 = hash_of_used(*images_);
  }

  Options settings_with(const std::vector<std::string>& more_float) const {
    Options settings = settings_;
    settings.keep_float = base_;
    settings.keep_float.insert(settings.keep_float.end(), more_float.begin(), more_float.end());
    return settings;
  }

  ir::Graph quantized(const std::vector<std::string>& more_float) const {
    return quantize(graph_, calibration_, settings_with(more_float));
  }

  double map_of(const ir::Graph& graph, std::string_view stage) {
    const CompiledModel model = EngineAccess::model_of(std::make_shared<runtime::Engine>(compiler::compile(graph, {})));
    ValidateOptions run;
    run.classes = options_.classes;
    if (!noted_) run.on_note = options_.on_note;
    if (!noted_) run.on_failure = options_.on_failure;
    run.progress = [&](size_t done, size_t total, double) { tell(stage, done, total); };
    const ValidateReport report = validate_dataset(options_.validation, model, run, options_.threads);
    noted_ = true;
    accuracy_.images = report.evaluation.images;
    return report.evaluation.stats[0];
  }

  /// The cheapest choice of layers that passes; the most accurate one where none does.
  std::vector<std::string> choose_layers() {
    accuracy_.map_float32 = map_of(float_graph_, "mAP of float32");
    if (!(accuracy_.map_float32 > 0))
      bad_input("{}: the float32 model's mAP there is {}: nothing that could be kept; are these the model's classes?",
                options_.validation.string(), accuracy_.map_float32);
    const auto measure = [&](const std::vector<std::string>& names) {
      const double map = map_of(quantized(names), fmt::format("mAP of int8, {} layers more in float32", names.size()));
      report_.trials.push_back({names.size(), map});
      return map;
    };
    const double least = options_.keep * accuracy_.map_float32;
    FloatLayers found{{}, measure({}), false};
    found.passes = found.accuracy >= least;
    if (!found.passes || options_.sensitivity) measure_layers();
    if (!found.passes) found = cheapest_float_layers(found.accuracy, candidates(), most_more_float(), least, measure);
    report_.passed = found.passes;
    accuracy_.map_int8 = found.accuracy;
    report_.proof.accuracy = accuracy_;
    return found.names;
  }

  void measure_layers() {
    if (options_.weights_only || !errors_.empty()) return;
    Samples samples;
    std::vector<std::byte> sample(sample_bytes_of(graph_));
    std::string name;
    const size_t count = plan_sensitivity(layers_, options_.sensitivity_images).samples;
    images_->rewind();
    while (samples.size() < count && images_->next(sample, name)) samples.push_back(sample);
    const size_t together = report_.layers_at_a_time = plan_sensitivity(layers_, samples.size()).layers_at_a_time;
    const std::string stage = together == 1 ? "layers, each alone in 8 bits"
                                            : fmt::format("layers, {} neighbours at a time in 8 bits", together);
    const int threads = options_.threads > 0 ? options_.threads : default_thread_count();
    errors_ = layer_errors(graph_, calibration_, settings_, samples, threads,
                           [&](size_t done, size_t total) { tell(stage, done, total); });
  }

  /// Of each layer its products, and the memory for maps four times as large as in 8 bits.
  void note_costs() {
    const ValueNames values(graph_);
    const auto size_of = [&](const std::string& map) {
      const ir::ValueId id = values.find(map);
      const bool known = id != ir::kNoValue && graph_.value(id).shape;
      return known ? static_cast<double>(Tensor(DType::kU8, *graph_.value(id).shape, nullptr).numel()) : 0;
    };
    for (const Layer& layer : layers_) {
      double numbers = size_of(layer.output);
      for (const std::string& input : layer.inputs) numbers += size_of(input);
      costs_.push_back(static_cast<double>(layer.products) + kProductsAValue * numbers);
    }
  }

  /// The layers that are in 8 bits at the start.
  std::vector<Candidate> candidates() const {
    const std::vector<bool> int8 = computes_in_int8(graph_, settings_with({}));
    std::vector<Candidate> list;
    for (size_t i = 0; i < layers_.size(); ++i)
      if (int8[i]) list.push_back({layers_[i].name, errors_.empty() ? 1 : errors_[i], costs_[i]});
    return list;
  }

  /// What may be added to the layers that are in float32 at the start: with less than half of the cost in 8 bits a
  /// model is no int8 model any more.
  double most_more_float() const {
    double all = 0, int8 = 0;
    for (const double cost : costs_) all += cost;
    for (const Candidate& candidate : candidates()) int8 += candidate.cost;
    return int8 - all / 2;
  }

  /// Layers, their ranges, and the share of products, as they are in the result.
  void describe(const ir::Graph& result, const std::vector<bool>& is_int8) {
    const QuantizedGraph view(result);
    int64_t all = 0, int8 = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      QuantizedLayer& row = report_.layers.emplace_back(QuantizedLayer{.name = layer.name, .op = layer.op});
      row.products = layer.products;
      row.is_float = !is_int8[i];
      if (!errors_.empty()) row.error = errors_[i];
      add_range(view, layer, row);
      all += layer.products;
      if (row.is_float) {
        report_.proof.float_layers.push_back(layer.name);
      } else {
        ++report_.proof.int8_layers;
        int8 += layer.products;
      }
    }
    report_.proof.int8_products = all > 0 ? static_cast<double>(int8) / static_cast<double>(all) : 0;
  }

  void add_range(const QuantizedGraph& view, const Layer& layer, QuantizedLayer& row) const {
    const ir::Node* quantizer = view.quantizer_of(layer.output);
    const Tensor* scale = quantizer == nullptr ? nullptr : view.constant(*quantizer, 1);
    if (scale == nullptr || scale->numel() != 1 || scale->dtype() != DType::kF32) return;
    row.scale = scale->data<float>()[0];
    if (const Tensor* zero = view.constant(*quantizer, 2); zero != nullptr && zero->dtype() == DType::kU8)
      row.zero_point = zero->data<uint8_t>()[0];
    if (const auto found = calibration_.maps.find(layer.output); found != calibration_.maps.end())
      row.range = range_name(found->second, 255 * *row.scale);
  }

  // About so many products take as long as the three bytes more of a float32 value from memory or to it.
  static constexpr double kProductsAValue = 30;

  const ir::Graph& float_graph_;
  ir::Graph graph_;  ///< equalised
  const QuantizeOptions& options_;
  QuantizeReport& report_;
  std::vector<Layer> layers_;
  std::vector<double> costs_;  ///< by layer, in products
  Options settings_;
  std::vector<std::string> base_;  ///< patterns of layers that stay float32 in any case
  std::optional<CalibrationImages> images_;
  std::optional<dataset::Dataset> validation_;
  Calibration calibration_;
  std::vector<double> errors_;  ///< by layer; empty: not measured
  QuantizationProof::Accuracy accuracy_;
  bool noted_ = false;  ///< what is to be said of the validation's images was said
};

}  // namespace

ir::Graph quantize_model(const ir::Graph& graph, const QuantizeOptions& options, QuantizeReport& report) {
  check_options(options);
  return Quantization(graph, options, report).run();
}

}  // namespace effdet::quantize

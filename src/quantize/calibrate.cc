// Runs the compiled graph on images and counts what its maps hold.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/thread_pool.h"
#include "compiler/compile.h"
#include "compiler/match.h"
#include "passes/rebatch.h"
#include "quantize/calibrate.h"
#include "quantize/layers.h"
#include "quantize/value_names.h"
#include "runtime/engine.h"

namespace effdet::quantize {
namespace {

ir::Graph for_one_image(ir::Graph graph) {
  const ir::Value input = graph.value(graph.inputs.at(0));
  Shape shape = *input.shape;
  if (std::exchange(shape[0], 1) != 1) passes::set_input_shape(graph, input.name, shape);
  return graph;
}

/// A map that is looked at, in the compiled graph.
struct Tap {
  std::string map;
  ir::ValueId value;
};

/// The graph with an output for each map: its first pixel, for the sake of which the compiler keeps the map as it is in
/// memory, and no longer than it would live anyway.
ir::Graph with_taps(const ir::Graph& graph, std::span<const ir::ValueId> maps) {
  ir::Graph tapped = graph;
  std::vector<std::vector<ir::Node>> slices(graph.nodes.size());
  const ir::Uses uses(graph);
  const auto list = [&](const std::string& name, int64_t number) {
    return tapped.add_constant(name, Tensor::from<int64_t>({4}, std::vector<int64_t>(4, number)));
  };
  const ir::ValueId begin = list("calibration.begin", 0), end = list("calibration.end", 1);
  tapped.outputs.clear();
  for (size_t i = 0; i < maps.size(); ++i) {
    const int producer = uses.producer(maps[i]);
    if (producer < 0) continue;
    const std::string name = fmt::format("calibration.{}", i);
    tapped.outputs.push_back(tapped.add_value({name, DType::kF32, Shape(4, 1)}));
    slices[static_cast<size_t>(producer)].push_back(
        {"Slice", "", name, {maps[i], begin, end}, {tapped.outputs.back()}, {}, {}, {}, false});
  }
  std::vector<ir::Node> nodes;
  for (size_t i = 0; i < tapped.nodes.size(); ++i) {
    nodes.push_back(std::move(tapped.nodes[i]));
    for (ir::Node& slice : slices[i]) nodes.push_back(std::move(slice));
  }
  tapped.nodes = std::move(nodes);
  tapped.compact();
  return tapped;
}

/// Sums and counts of a map, with the work shared between threads by channels.
class MapRecorder {
 public:
  MapRecorder(ThreadPool& threads) : threads_(threads), parts_(static_cast<size_t>(threads.size())) {}

  /// Adds a map of one image; false where it holds a value that is not finite.
  bool add(MapStatistics& map, const Tensor& tensor, ir::Layout layout) {
    const bool last = layout == ir::Layout::kNhwc;
    const auto channels = static_cast<size_t>(tensor.dim(last ? 3 : 1));
    const auto pixels = static_cast<size_t>(tensor.numel()) / channels;
    const auto values = tensor.data<float>();
    map.channel_means.resize(channels);
    map.channel_peaks.resize(channels);
    std::atomic<bool> finite = true;
    // Rows of a fixed number of pixels, whatever the number of threads: sums must not depend on it.
    const size_t rows = (pixels + kRowPixels - 1) / kRowPixels;
    sums_.assign(rows * channels, 0);
    peaks_.assign(rows * channels, 0);
    threads_.parallel_for(static_cast<int64_t>(rows), [&](int64_t index, int thread) {
      const size_t row = static_cast<size_t>(index), begin = row * kRowPixels;
      const size_t count = std::min(kRowPixels, pixels - begin);
      const std::span<double> sums(&sums_[row * channels], channels), peaks(&peaks_[row * channels], channels);
      const auto look = [&](size_t channel, float value) {
        sums[channel] += static_cast<double>(value);
        peaks[channel] = std::max(peaks[channel], static_cast<double>(std::abs(value)));
      };
      Histogram& part = parts_[static_cast<size_t>(thread)];
      if (last) {
        const auto own = values.subspan(begin * channels, count * channels);
        if (!part.add(own)) finite = false;
        for (size_t i = 0; i < own.size(); i += channels)
          for (size_t c = 0; c < channels; ++c) look(c, own[i + c]);
        return;
      }
      for (size_t c = 0; c < channels; ++c) {
        const auto own = values.subspan(c * pixels + begin, count);
        if (!part.add(own)) finite = false;
        for (const float value : own) look(c, value);
      }
    });
    for (Histogram& part : parts_) map.histogram.merge(std::exchange(part, {}));
    for (size_t row = 0; row < rows; ++row)
      for (size_t c = 0; c < channels; ++c) {
        map.channel_means[c] += sums_[row * channels + c] / static_cast<double>(pixels);
        map.channel_peaks[c] = std::max(map.channel_peaks[c], peaks_[row * channels + c]);
      }
    return finite;
  }

 private:
  static constexpr size_t kRowPixels = 512;

  ThreadPool& threads_;
  std::vector<Histogram> parts_;      ///< by thread
  std::vector<double> sums_, peaks_;  ///< by row and channel
};

/// The compiled graph with the maps that are looked at after each step.
class Calibrator {
 public:
  Calibrator(const ir::Graph& graph, std::span<const ir::ValueId> maps, int threads)
      : threads_(threads), recorder_(threads_) {
    const ir::Uses float_uses(graph);
    const compiler::CompileOptions options{.split_batch = false};
    const auto engine = std::make_shared<runtime::Engine>(compiler::compile(with_taps(graph, maps), options));
    session_ = std::make_unique<runtime::Session>(engine, threads);
    const ir::Graph& program = engine->program().graph;
    const ir::Uses uses(program);
    const ValueNames values(program);
    taps_.resize(program.nodes.size());
    for (size_t i = 0; i < maps.size(); ++i) {
      const std::string& name = graph.value(maps[i]).name;
      if (float_uses.producer(maps[i]) < 0) {
        given_.push_back({name, graph.constant(maps[i])});
        continue;
      }
      const auto maker = [&](ir::ValueId id) { return compiler::producer_of(program, uses, id); };
      const ir::Node* slice = maker(values.find(fmt::format("calibration.{}", i)));
      while (slice != nullptr && !slice->is("Slice")) slice = maker(slice->inputs[0]);
      if (slice == nullptr) continue;  // it became a constant, which nothing computes with
      const ir::ValueId map = slice->inputs[0];
      if (uses.producer(map) < 0) {  // a copy
        given_.push_back({name, program.constant(map)});
      } else {
        taps_[static_cast<size_t>(uses.producer(map))].push_back({name, map});
      }
    }
  }

  void add(Calibration& calibration, const Tensor& image, const std::string& image_name) {
    const runtime::Engine& engine = session_->engine();
    const ir::Graph& program = engine.program().graph;
    const auto record = [&](const std::string& map, const Tensor& tensor, ir::Layout layout) {
      if (recorder_.add(calibration.maps[map], tensor, layout)) return;
      bad_input("the map '{}' has a value that is not a finite number for {}: ranges cannot be found", map, image_name);
    };
    for (const auto& [map, constant] : given_) record(map, constant != nullptr ? *constant : image, ir::Layout::kPlain);
    session_->on_step = [&](size_t step, double) {
      for (const Tap& tap : taps_[step]) {
        const auto& outputs = program.nodes[step].outputs;
        const auto place = static_cast<size_t>(std::ranges::find(outputs, tap.value) - outputs.begin());
        record(tap.map, session_->step_output(step, place), program.value(tap.value).layout);
      }
    };
    session_->run(std::span(&image, 1));
    ++calibration.images;
  }

 private:
  ThreadPool threads_;
  MapRecorder recorder_;
  std::unique_ptr<runtime::Session> session_;
  /// Maps that no step makes: constants, and where there is none what the graph's input holds.
  std::vector<std::pair<std::string, const Tensor*>> given_;
  std::vector<std::vector<Tap>> taps_;  ///< by step
};

}  // namespace

Calibration calibrate_maps(const ir::Graph& any_batch, const std::set<std::string>& names, InputSource source,
                           const CalibrationOptions& options) {
  const ir::Graph graph = for_one_image(any_batch);
  std::vector<ir::ValueId> maps;
  const ValueNames values(graph);
  for (const std::string& name : names) maps.push_back(values.find(name));
  const ir::Value& input = graph.value(graph.inputs.at(0));
  Tensor image(input.dtype, *input.shape);
  Calibration calibration;
  std::optional<Calibrator> calibrator;
  std::string image_name;
  for (size_t index = 0; source(index, image.mutable_bytes(), image_name); ++index) {
    if (!calibrator) calibrator.emplace(graph, maps, options.threads > 0 ? options.threads : default_thread_count());
    calibrator->add(calibration, image, image_name);
  }
  if (calibration.images == 0) fail(ErrorCode::kUsage, "there are no images to find the ranges of maps with");
  for (auto& [map, statistics] : calibration.maps)
    for (double& mean : statistics.channel_means) mean /= static_cast<double>(calibration.images);
  return calibration;
}

Calibration calibrate(const ir::Graph& graph, InputSource source, const CalibrationOptions& options) {
  const LayerGraph layers(graph);
  std::set<std::string> names;
  for (const ir::ValueId id : layers.maps()) names.insert(graph.value(id).name);
  for (const ir::ValueId id : graph.outputs)  // for whether they are finite
    if (const ir::Value& output = graph.value(id); output.dtype == DType::kF32 && output.shape->size() == 4)
      names.insert(output.name);
  return calibrate_maps(graph, names, source, options);
}

}  // namespace effdet::quantize

// From a float32 graph and images to a QDQ graph: which layers compute in 8 bits, the ranges of their maps, their
// weights and biases. docs/int8.md has the recipe in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "ir/graph.h"
#include "quantize/histogram.h"

namespace effdet::quantize {

/// Something that can compute in 8 bits: a convolution, a sum of maps, or the product of a map and a gate. Pools and
/// enlargements follow the map that they read.
struct Layer {
  std::string name;                 ///< of its node, which keep_float patterns match
  std::string op;                   ///< "Conv", "DepthwiseConv", "Sum", "Gate"
  std::vector<std::string> inputs;  ///< the maps that it reads, as Calibration names them
  std::string output;               ///< the map that it makes, with bias, sum and activation
  int64_t products = 0;             ///< multiplications for one image
  int64_t weights = 0;              ///< numbers among its weights, 0 where it has none
};

/// What quantize() and calibrate() take: the graph simplified, with an operator set that has per-channel quantization
/// (13 or later), and with a name for each node. Its batch and its metadata stay. Throws Error(kUnsupported) where the
/// graph has several inputs, an unknown size, is quantized already, or uses an operator that cannot be written for
/// opset 13.
ir::Graph prepare(ir::Graph graph);

/// The layers of a graph that prepare() returned, in execution order.
std::vector<Layer> quantizable_layers(const ir::Graph& graph);

/// Fills the input with one image, number `index`, as the graph's input lies without its batch, and sets `name` for
/// messages; false: there are no more. Called with 0, 1, 2, ... by one thread.
using InputSource = FunctionRef<bool(size_t index, std::span<std::byte> input, std::string& name)>;

/// What one map was seen to hold.
struct MapStatistics {
  Histogram histogram;
  std::vector<double> channel_means;  ///< over images and pixels
  std::vector<double> channel_peaks;  ///< the largest magnitudes
};

/// What all maps that can be quantized were seen to hold: independent of any choice of layers, so that one calibration
/// serves many calls of quantize().
struct Calibration {
  std::map<std::string, MapStatistics> maps;  ///< by the value's name
  size_t images = 0;
};

struct CalibrationOptions {
  int threads = 0;  ///< 0: as many as EFFDET_NUM_THREADS or the processor says; does not change the result
};

/// Runs the graph, which prepare() returned, on each image. Deterministic: the same bits for the same images at any
/// number of threads. Throws Error(kUsage) where there is no image, and Error(kBadInput) that names map and image where
/// a value is not finite.
Calibration calibrate(const ir::Graph& graph, InputSource source, const CalibrationOptions& options = {});

/// How the range of a map is chosen, whose ends become codes 0 and 255.
enum class Ranges : uint8_t {
  kMinMax,      ///< all values seen
  kPercentile,  ///< all but the share beyond Options::percentile, at both ends
  kMse,         ///< the least mean square error, rounding and clipping together
  kAuto,        ///< what has proved best on detectors whose channels are equalised: as kMse
};

struct Options {
  Ranges ranges = Ranges::kAuto;
  double percentile = 99.99;
  /// Layers that stay float32, by name or by a shell pattern ("*predict*"). One that matches no layer is Error(kUsage).
  std::vector<std::string> keep_float;
  bool bias_correction = true;  ///< biases take back what rounding the weights adds to each channel's mean
  bool weights_only = false;    ///< only weights become int8, and are multiplied as floats; takes no calibration
};

/// For each of quantizable_layers() whether it computes in 8 bits with these options. Throws as quantize().
std::vector<bool> computes_in_int8(const ir::Graph& graph, const Options& options);

/// Names for keep_float to start with: layers that lose much and gain little by 8 bits.
std::vector<std::string> default_keep_float(const ir::Graph& graph);

/// A graph with QuantizeLinear and DequantizeLinear around the maps, weights and biases of the layers that compute in 8
/// bits: uint8 maps with one scale and zero point, int8 weights with one scale an output channel, int32 biases.
/// Metadata, inputs and outputs stay. Throws Error(kUsage) for a wrong option and Error(kBadInput) where the
/// calibration lacks a map of the graph.
ir::Graph quantize(const ir::Graph& graph, const Calibration& calibration, const Options& options = {});

}  // namespace effdet::quantize

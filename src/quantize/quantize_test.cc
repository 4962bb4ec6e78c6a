// Small graphs from float32 to QDQ: which maps get codes, with which ranges, and what the result computes.
#include "quantize/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <set>

#include "base/error.h"
#include "compiler/compile.h"
#include "ir/graph_text_test_util.h"
#include "ops/op.h"
#include "quantize/equalize.h"
#include "quantize/sensitivity.h"
#include "quantize/weights.h"
#include "runtime/engine.h"

namespace effdet::quantize {
namespace {

/// Image i is waves of another phase; the same in each test.
class Images {
 public:
  explicit Images(size_t count, float amplitude = 1) : count_(count), amplitude_(amplitude) {}

  bool operator()(size_t index, std::span<std::byte> input, std::string& name) const {
    if (index >= count_) return false;
    name = "image " + std::to_string(index);
    const std::span<float> values(reinterpret_cast<float*>(input.data()), input.size() / sizeof(float));
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = amplitude_ * std::sin(static_cast<float>(i * (index + 3)) * 0.37f);
    return true;
  }

 private:
  size_t count_;
  float amplitude_;
};

Tensor image_of(const ir::Graph& graph, size_t index) {
  Tensor image(DType::kF32, *graph.value(graph.inputs[0]).shape);
  std::string name;
  Images(index + 1)(index, image.mutable_bytes(), name);
  return image;
}

/// A depthwise layer with squeeze-excite, a residual sum, a pool and a sum of two sizes: all that EfficientDet has.
constexpr std::string_view kNetwork = R"(
  input x [1,8,8,8]
  expand = Conv(x, waves[8,8,1,1], waves[8])
  expand.sigmoid = Sigmoid(expand)
  expand.swish = Mul(expand, expand.sigmoid)
  depthwise = Conv(expand.swish, waves[8,1,3,3], waves[8]) pads=[1,1,1,1] group=8
  depthwise.relu = Relu(depthwise)
  mean = ReduceMean(depthwise.relu) axes=[2,3] keepdims=1
  squeeze = Conv(mean, waves[4,8,1,1], waves[4])
  excite = Conv(squeeze, waves[8,4,1,1], waves[8])
  gate = Sigmoid(excite)
  gated = Mul(depthwise.relu, gate)
  project = Conv(gated, waves[8,8,1,1], waves[8])
  sum = Add(project, x)
  pool = MaxPool(sum) kernel_shape=[2,2] strides=[2,2]
  up = Resize(pool, _, float[1,1,2,2]) mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor
  half = Mul(up, float[0.5])
  node = Add(half, sum)
  node.relu = Relu(node)
  head = Conv(node.relu, waves[8,1,3,3]) pads=[1,1,1,1] group=8
  predict = Conv(head, waves[4,8,1,1], waves[4])
  output predict
)";

ir::Graph network() { return prepare(ir::GraphText::parse(kNetwork)); }

/// A value's name is its node's, but for what this takes off.
std::string node_of(const std::string& value) { return value.substr(0, value.find("_output_0")); }

/// The nodes whose values have codes.
std::vector<std::string> maps_with_codes(const ir::Graph& graph) {
  std::vector<std::string> names;
  for (const ir::Node& node : graph.nodes)
    if (node.is("QuantizeLinear")) names.push_back(node_of(graph.value(node.inputs[0]).name));
  return names;
}

/// Scale and zero point of a map's codes.
std::pair<float, int> codes_of_map(const ir::Graph& graph, const std::string& map) {
  for (const ir::Node& node : graph.nodes)
    if (node.is("QuantizeLinear") && node_of(graph.value(node.inputs[0]).name) == map)
      return {graph.constant(node.inputs[1])->data<float>()[0], graph.constant(node.inputs[2])->data<uint8_t>()[0]};
  ADD_FAILURE() << map << " has no codes";
  return {};
}

std::string reason(FunctionRef<void()> call, ErrorCode code) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "no error";
}

TEST(Quantize, LayersAreWhatTheCompilerFuses) {
  std::string text;
  for (const Layer& layer : quantizable_layers(network())) {
    text += layer.name + ": " + layer.op + "(";
    for (const std::string& input : layer.inputs) text += node_of(input) + (input == layer.inputs.back() ? "" : ", ");
    text += ") -> " + node_of(layer.output) + "\n";
  }
  EXPECT_EQ(text, R"(expand: Conv(x) -> expand.swish
depthwise: DepthwiseConv(expand.swish) -> depthwise.relu
gated: Gate(depthwise.relu) -> gated
project: Conv(gated) -> project
sum: Sum(x) -> sum
node: Sum(pool, sum) -> node.relu
head: DepthwiseConv(node.relu) -> head
predict: Conv(head) -> predict
)");
}

TEST(Quantize, EveryMapBetweenLayersHasCodesOnce) {
  const ir::Graph graph = network();
  const ir::Graph quantized = quantize(graph, calibrate(graph, Images(3)));
  EXPECT_EQ(maps_with_codes(quantized), (std::vector<std::string>{"x", "expand.swish", "depthwise.relu", "gated", "sum",
                                                                  "pool", "node.relu", "head"}));
  EXPECT_EQ(codes_of_map(quantized, "pool"), codes_of_map(quantized, "sum"));
  const ir::Uses uses(quantized);
  for (const ir::Node& node : quantized.nodes) {
    const auto made_by = [&](size_t input) {
      const int producer = uses.producer(node.inputs[input]);
      return producer < 0 ? "" : quantized.nodes[static_cast<size_t>(producer)].op;
    };
    if (node.name == "sum") {  // the residual is added to the convolution's sums
      EXPECT_EQ(made_by(0), "Conv");
    }
    if (node.name == "mean" || node.name == "gated") {
      EXPECT_EQ(made_by(0), "DequantizeLinear");
    }
    if (node.name == "squeeze") {  // float32 but for its weights
      EXPECT_EQ(made_by(0), "ReduceMean");
      EXPECT_EQ(made_by(1), "DequantizeLinear");
      EXPECT_EQ(made_by(2), "");
    }
    if (node.name == "predict") {
      for (size_t i = 0; i < 3; ++i) EXPECT_EQ(made_by(i), "DequantizeLinear");
    }
  }
}

TEST(Quantize, ComputesNearlyTheSame) {
  const ir::Graph graph = network();
  const Calibration calibration = calibrate(graph, Images(3));
  for (const bool weights_only : {true, false}) {
    const ir::Graph quantized = quantize(graph, calibration, {.weights_only = weights_only});
    EXPECT_EQ(maps_with_codes(quantized).empty(), weights_only);
    const Tensor image = image_of(graph, 1);
    const Tensor expected = ops::run_reference(graph, {&image, 1})[0],
                 actual = ops::run_reference(quantized, {&image, 1})[0];
    double signal = 0, noise = 0;
    for (size_t i = 0; i < expected.data<float>().size(); ++i) {
      const double a = expected.data<float>()[i], b = actual.data<float>()[i];
      signal += a * a;
      noise += (a - b) * (a - b);
    }
    EXPECT_GT(noise, 0);
    EXPECT_LT(std::sqrt(noise / signal), weights_only ? 0.01 : 0.03);
  }
}

TEST(Quantize, ThreadsDoNotChangeTheCalibration) {
  const ir::Graph graph = network();
  const Calibration one = calibrate(graph, Images(2), {.threads = 1}),
                    three = calibrate(graph, Images(2), {.threads = 3});
  ASSERT_EQ(one.maps.size(), three.maps.size());
  EXPECT_EQ(one.images, 2u);
  for (const auto& [name, map] : one.maps) {
    const MapStatistics& other = three.maps.at(name);
    EXPECT_EQ(map.channel_means, other.channel_means) << name;
    EXPECT_EQ(map.channel_peaks, other.channel_peaks) << name;
    EXPECT_EQ(map.histogram.count(), other.histogram.count()) << name;
    EXPECT_EQ(map.histogram.least_squares().high, other.histogram.least_squares().high) << name;
  }
}

TEST(Quantize, CalibrationSeesWhatTheReferenceComputes) {
  const ir::Graph graph = network();
  const Calibration calibration = calibrate(graph, Images(1));
  const Tensor image = image_of(graph, 0);
  size_t seen = 0;
  ops::run_reference(graph, {&image, 1}, nullptr, [&](ir::ValueId id, const Tensor& tensor) {
    const auto found = calibration.maps.find(graph.value(id).name);
    if (found == calibration.maps.end()) return;
    ++seen;
    const auto values = tensor.data<float>();
    EXPECT_EQ(found->second.histogram.count(), values.size());
    EXPECT_NEAR(found->second.histogram.range().high, std::max(0.0f, *std::ranges::max_element(values)), 1e-4);
    EXPECT_NEAR(found->second.histogram.range().low, std::min(0.0f, *std::ranges::min_element(values)), 1e-4);
    double sum = 0;
    const size_t pixels = values.size() / static_cast<size_t>(tensor.dim(1));
    for (size_t i = 0; i < pixels; ++i) sum += static_cast<double>(values[i]);
    EXPECT_NEAR(found->second.channel_means[0], sum / static_cast<double>(pixels), 1e-4);
  });
  EXPECT_EQ(seen + 1, calibration.maps.size());  // and the input
}

/// Outputs that repeat the input or a constant are looked at, too.
TEST(Quantize, OutputsThatNothingComputes) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
    input x [1,2,4,4]
    copy = Cast(x) to=1
    conv = Conv(x, waves[2,2,1,1])
    fixed = Relu(waves[1,2,2,2])
    output copy
    output conv
    output fixed
  )"));
  const Calibration calibration = calibrate(graph, Images(1));
  std::map<std::string, uint64_t> values;
  for (const auto& [name, map] : calibration.maps) values[name] = map.histogram.count();
  EXPECT_EQ(values, (std::map<std::string, uint64_t>{
                        {"conv_output_0", 32}, {"copy_output_0", 32}, {"fixed_output_0", 8}, {"x", 32}}));
  EXPECT_EQ(ops::run_reference(quantize(graph, calibration), {{image_of(graph, 0)}}).size(), 3u);
}

TEST(Quantize, OperatorSetsBehindTheLastThatIsWritten) {
  ir::Graph graph = ir::GraphText::parse(R"(
    input x [1,2,4,4]
    y = Conv(x, waves[2,2,1,1])
    output y
  )");
  graph.opset = 23;
  EXPECT_EQ(prepare(graph).opset, 23);
}

TEST(Quantize, BlackImagesHaveScales) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
    input x [1,2,4,4]
    a = Conv(x, waves[2,2,1,1])
    b = Conv(a, waves[2,2,1,1])
    output b
  )"));
  const ir::Graph quantized = quantize(graph, calibrate(graph, Images(1, 0)));
  EXPECT_EQ(codes_of_map(quantized, "a"), (std::pair<float, int>(1, 0)));
}

TEST(Quantize, ValuesThatAreNotFiniteAreErrors) {
  const ir::Graph graph = network();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(reason([&] { calibrate(graph, Images(1, infinity)); }, ErrorCode::kBadInput),
            "the map 'x' has a value that is not a finite number for image 0: ranges cannot be found");
  EXPECT_EQ(reason([&] { calibrate(graph, Images(0)); }, ErrorCode::kUsage),
            "there are no images to find the ranges of maps with");
}

TEST(Quantize, PatternsKeepLayersInFloat) {
  const ir::Graph graph = network();
  const Calibration calibration = calibrate(graph, Images(1));
  // The layer on the images, and its block; "predict" makes no boxes.
  EXPECT_EQ(default_keep_float(graph), (std::vector<std::string>{"expand", "depthwise", "gated", "project", "sum"}));
  const ir::Graph quantized =
      quantize(graph, calibration, {.keep_float = {"expand", "sum", "g*", "project", "node", "head", "predict"}});
  EXPECT_EQ(maps_with_codes(quantized), std::vector<std::string>{"expand.swish"});  // for the depthwise layer
  EXPECT_NE(reason([&] { quantize(graph, calibration, {.keep_float = {"none*"}}); }, ErrorCode::kUsage).find("'none*'"),
            std::string::npos);
}

TEST(Quantize, NamesMayLookLikePatterns) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
    input x [1,4,8,8]
    c* = Conv(x, waves[4,4,1,1])
    c1 = Conv(c*, waves[4,4,1,1])
    output c1
  )"));
  EXPECT_EQ(computes_in_int8(graph, {.keep_float = {"c*"}}), (std::vector<bool>{false, true}));
  EXPECT_EQ(computes_in_int8(graph, {.keep_float = {"c?"}}), (std::vector<bool>{false, false}));
}

/// Around its region such a Resize has numbers that its input has not.
TEST(Quantize, AResizeThatExtrapolatesHasARangeOfItsOwn) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
    input x [1,4,4,4]
    first = Conv(x, waves[4,4,1,1])
    around = Resize(first, float[0,0,-1,-1,1,1,2,2], _, int[1,4,8,8]) mode=nearest coordinate_transformation_mode=tf_crop_and_resize extrapolation_value=90.5
    last = Conv(around, waves[4,4,1,1])
    output last
  )"));
  const ir::Graph quantized = quantize(graph, calibrate(graph, Images(1)));
  EXPECT_GT(codes_of_map(quantized, "around").first, 0.3f);
}

/// A file may give all of its nodes one name.
TEST(Quantize, ManyNodesOfOneNameAreToldApart) {
  ir::Graph graph;
  graph.opset = 13;
  ir::ValueId value = graph.add_input("x", DType::kF32, {1, 1, 2, 2});
  const ir::ValueId weights = graph.add_constant("w", Tensor(DType::kF32, {1, 1, 1, 1}));
  constexpr int kNodes = 20000;
  for (int i = 0; i < kNodes; ++i) {
    value = graph.add_node("Conv", "same", {value, weights});
    graph.value(value).name = "map" + std::to_string(i);
  }
  graph.outputs = {value};
  const ir::Graph named = prepare(std::move(graph));
  std::set<std::string> names;
  for (const ir::Node& node : named.nodes) names.insert(node.name);
  EXPECT_EQ(names.size(), named.nodes.size());
  EXPECT_TRUE(names.contains("same_" + std::to_string(named.nodes.size())));
}

TEST(Quantize, WeightsThatAreNotFiniteAreErrors) {
  for (const char* layer : {"expand", "squeeze"}) {
    ir::Graph graph = network();
    const auto node = std::ranges::find(graph.nodes, layer, &ir::Node::name);
    graph.value(node->inputs[1]).constant->mutable_data<float>()[3] = std::nanf("");
    EXPECT_NE(reason([&] { quantize(graph, {}, {.weights_only = true}); }, ErrorCode::kBadInput).find(layer),
              std::string::npos);
  }
}

/// The error of each layer of a graph with input [1, 4, 8, 8].
std::vector<double> errors_by_one_image(const ir::Graph& graph) {
  Samples samples(1, std::vector<std::byte>(4 * 8 * 8 * sizeof(float)));
  std::string name;
  Images(1)(0, samples[0], name);
  return layer_errors(graph, calibrate(graph, Images(1)), {}, samples, 1, nullptr);
}

/// Outputs need not be floats.
TEST(Quantize, SensitivityIsOfAllOutputs) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
    input x [1,4,8,8]
    first = Conv(x, waves[4,4,1,1])
    last = Conv(first, waves[4,4,1,1])
    most = ArgMax(last) axis=1
    output last
    output most
  )"));
  const auto errors = errors_by_one_image(graph);
  ASSERT_EQ(errors.size(), 2u);
  for (const double error : errors) EXPECT_TRUE(error > 0 && error < 0.1) << error;
}

TEST(Quantize, SensitivityWeighsBoxesAboveClasses) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
    input x [1,4,8,8]
    above = Relu(x)
    box = Conv(above, waves[4,4,1,1])
    negative = Neg(x)
    below = Relu(negative)
    class = Conv(below, waves[4,4,1,1])
    output box
    output class
  )"));
  const auto errors = errors_by_one_image(graph);
  ASSERT_EQ(errors.size(), 2u);
  // The input's waves have as much above 0 as below.
  EXPECT_GT(errors[0], 5 * errors[1]);
  EXPECT_LT(errors[0], 20 * errors[1]);
}

TEST(Quantize, SensitivityOfLargeNetworksIsOfNeighboursTogether) {
  const auto plan = [](size_t count, int64_t products_of_each) {
    Layer layer;
    layer.products = products_of_each;
    const SensitivityPlan found = plan_sensitivity(std::vector<Layer>(count, layer), 8);
    return std::pair(found.samples, found.layers_at_a_time);
  };
  EXPECT_EQ(plan(231, 10'000'000), std::pair(size_t{8}, size_t{1}));    // a D0 at 512 px
  EXPECT_EQ(plan(700, 230'000'000), std::pair(size_t{2}, size_t{30}));  // a D7 at 1536 px
  EXPECT_EQ(plan(0, 0).second, 1u);
}

TEST(Quantize, LastLayersOfBoxesAreSensitive) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
    input x [1,3,16,16]
    stem = Conv(x, waves[64,3,3,3]) pads=[1,1,1,1]
    block = Conv(stem, waves[64,1,3,3]) pads=[1,1,1,1] group=64
    project = Conv(block, waves[64,64,1,1])
    expand = Conv(project, waves[64,64,3,3])
    box_first = Conv(expand, waves[64,64,1,1])
    box_depthwise = Conv(box_first, waves[64,1,3,3]) group=64
    box_predict = Conv(box_depthwise, waves[4,64,1,1])
    class_depthwise = Conv(expand, waves[64,1,3,3]) group=64
    class_predict = Conv(class_depthwise, waves[8,64,1,1])
    output box_predict
    output class_predict
  )"));
  // "box_first" has more than 4 % of the products.
  EXPECT_EQ(default_keep_float(graph),
            (std::vector<std::string>{"stem", "block", "project", "box_depthwise", "box_predict"}));
}

TEST(Quantize, OfManyLayersOfBoxesTheLastTwoPairsAreSensitive) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
    input x [1,3,16,16]
    stem = Conv(x, waves[64,3,9,9]) pads=[4,4,4,4]
    expand = Conv(stem, waves[64,64,5,5])
    box_first = Conv(expand, waves[4,64,1,1])
    box_depthwise = Conv(box_first, waves[4,1,3,3]) group=4
    box_second = Conv(box_depthwise, waves[4,4,1,1])
    box_third = Conv(box_second, waves[4,4,1,1])
    output box_third
  )"));
  EXPECT_EQ(default_keep_float(graph), (std::vector<std::string>{"stem", "box_depthwise", "box_second", "box_third"}));
}

TEST(Quantize, RefusesWhatItCannotQuantize) {
  const ir::Graph graph = network();
  const Calibration calibration = calibrate(graph, Images(1));
  EXPECT_NE(reason([&] { prepare(quantize(graph, calibration)); }, ErrorCode::kUnsupported).find("quantized already"),
            std::string::npos);
  EXPECT_NE(reason([&] { quantize(graph, {}); }, ErrorCode::kBadInput).find("no map 'x'"), std::string::npos);
  EXPECT_NE(reason([&] { quantize(graph, calibration, {.percentile = 12}); }, ErrorCode::kUsage).find("12"),
            std::string::npos);
}

TEST(Quantize, BiasTakesBackWhatRoundingAdds) {
  const Tensor weights = Tensor::from<float>({1, 2, 1, 1}, std::vector{127.0f, 0.4f});
  const ChannelCodes codes = quantize_weights(weights);
  EXPECT_EQ(codes.scales.data<float>()[0], 1);
  EXPECT_EQ(codes.codes.data<int8_t>()[1], 0);
  EXPECT_NEAR(mean_errors(weights, codes, std::vector{5.0, 10.0}, 1)[0], -4, 1e-6);
}

TEST(Quantize, ScalesHoldLargeBiases) {
  const Tensor weights = Tensor::from<float>({2, 1, 1, 1}, std::vector{0.0f, 1e-12f});
  ChannelCodes codes = quantize_weights(weights);
  const std::vector<double> bias{3, -100};
  widen_for_bias(weights, bias, 0.1f, codes);
  const BiasCodes own = quantize_bias(bias, 0.1f, codes.scales);
  for (size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(static_cast<double>(own.codes.data<int32_t>()[i]) * static_cast<double>(own.scales.data<float>()[i]),
                bias[i], 1e-4);
}

TEST(Equalize, ComputesTheSameWithEvenPeaks) {
  ir::Graph graph = network();
  // One channel of the map between the last two layers is far larger than the others.
  const auto head = std::ranges::find(graph.nodes, "head", &ir::Node::name);
  ir::Value& weights = graph.value(head->inputs[1]);
  for (float& weight : weights.constant->mutable_data<float>().first(9)) weight *= 30;
  const ir::Graph equalized = equalize(graph, Images(2));
  ir::verify(equalized);
  const Tensor image = image_of(graph, 0);
  const Tensor expected = ops::run_reference(graph, {&image, 1})[0],
               actual = ops::run_reference(equalized, {&image, 1})[0];
  for (size_t i = 0; i < expected.data<float>().size(); ++i)
    EXPECT_NEAR(expected.data<float>()[i], actual.data<float>()[i],
                1e-3f * std::abs(expected.data<float>()[i]) + 1e-4f);
  // How large the other channels are beside the largest.
  const auto evenness = [](const ir::Graph& of, const char* map) {
    const std::vector<double> peaks = calibrate(of, Images(2)).maps.at(map).channel_peaks;
    return std::accumulate(peaks.begin(), peaks.end(), 0.0) / *std::ranges::max_element(peaks) - 1;
  };
  EXPECT_GT(evenness(equalized, "head_output_0"), evenness(graph, "head_output_0") * 2);
}

/// A gate whose map has one channel that is far larger than the others, which the layer behind it makes small again.
ir::Graph gated_network(float largest) {
  ir::Graph graph = prepare(ir::GraphText::parse(R"(
  input x [1,4,8,8]
  first = Conv(x, waves[4,1,3,3]) pads=[1,1,1,1] group=4
  relu = Relu(first)
  mean = ReduceMean(relu) axes=[2,3] keepdims=1
  squeeze = Conv(mean, waves[2,4,1,1], waves[2])
  excite = Conv(squeeze, waves[4,2,1,1], waves[4])
  gate = Sigmoid(excite)
  gated = Mul(relu, gate)
  last = Conv(gated, waves[3,4,1,1])
  output last
)"));
  const auto weights = [&](const char* layer) {
    return graph.value(std::ranges::find(graph.nodes, layer, &ir::Node::name)->inputs[1])
        .constant->mutable_data<float>();
  };
  for (size_t i = 0; i < 9; ++i) weights("first")[i] *= largest;
  for (const size_t i : {0, 4, 8}) weights("last")[i] /= largest;
  for (const size_t i : {0, 4}) weights("squeeze")[i] /= largest;
  return graph;
}

TEST(Equalize, AGateTakesTheFactorsOfItsProduct) {
  const ir::Graph graph = gated_network(1);
  const ir::Graph equalized = equalize(graph, Images(2));
  const Tensor image = image_of(graph, 0);
  const Tensor expected = ops::run_reference(graph, {&image, 1})[0],
               actual = ops::run_reference(equalized, {&image, 1})[0];
  for (size_t i = 0; i < expected.data<float>().size(); ++i)
    EXPECT_NEAR(expected.data<float>()[i], actual.data<float>()[i], 1e-5f);
  const Calibration calibration = calibrate(equalized, Images(2));
  const std::vector<double>& peaks = calibration.maps.at("gated_output_0").channel_peaks;
  for (const double peak : peaks) EXPECT_NEAR(peak, peaks[0], 1e-5);
}

/// Small channels must not be scaled out of the fixed point that a gate has in compiled models.
TEST(Equalize, GatesStayInTheirFixedPoint) {
  const ir::Graph graph = gated_network(100);
  const ir::Graph equalized = equalize(graph, Images(2));
  const ir::Graph quantized = quantize(equalized, calibrate(equalized, Images(2)));
  const Tensor image = image_of(graph, 0);
  const Tensor expected = ops::run_reference(quantized, {&image, 1})[0];
  const auto engine = std::make_shared<runtime::Engine>(compiler::compile(quantized, {}));
  EXPECT_TRUE(
      std::ranges::any_of(engine->program().graph.nodes, [](const ir::Node& node) { return node.op == "Gate"; }));
  const Tensor actual = runtime::Session(engine, 1).run({&image, 1})[0];
  float largest = 0, error = 0;
  for (size_t i = 0; i < expected.data<float>().size(); ++i) {
    largest = std::max(largest, std::abs(expected.data<float>()[i]));
    error = std::max(error, std::abs(expected.data<float>()[i] - actual.data<float>()[i]));
  }
  EXPECT_LT(error, largest * 0.03f);
}

/// How large the other channels of the last map are beside the largest, before and after; and that the output stays.
std::pair<double, double> evenness_before(const std::string& activation) {
  const ir::Graph graph = prepare(ir::GraphText::parse(fmt::format(R"(
  input x [1,4,8,8]
  first = Conv(x, waves[4,4,1,1], float[1,9,0.5,20])
  act = {}
  last = Conv(act, waves[3,4,1,1])
  output last
)",
                                                                   activation)));
  const ir::Graph equalized = equalize(graph, Images(2));
  const Tensor image = image_of(graph, 0);
  const Tensor expected = ops::run_reference(graph, {&image, 1})[0],
               actual = ops::run_reference(equalized, {&image, 1})[0];
  for (size_t i = 0; i < expected.data<float>().size(); ++i)
    EXPECT_NEAR(expected.data<float>()[i], actual.data<float>()[i], 1e-4f) << activation;
  const auto evenness = [](const ir::Graph& of) {
    const std::vector<double> peaks = calibrate(of, Images(2)).maps.at("act_output_0").channel_peaks;
    return std::accumulate(peaks.begin(), peaks.end(), 0.0) / *std::ranges::max_element(peaks) - 1;
  };
  return {evenness(graph), evenness(equalized)};
}

TEST(Equalize, GoesThroughActivationsWithoutALimit) {
  for (const char* activation : {"Relu(first)", "LeakyRelu(first) alpha=0.1"}) {
    const auto [before, after] = evenness_before(activation);
    EXPECT_LT(before, 1.5) << activation;
    EXPECT_NEAR(after, 3, 1e-3) << activation << ": four channels, all as large";
  }
  const auto [before, after] = evenness_before("Clip(first, float[0], float[6])");
  EXPECT_EQ(before, after) << "6 is not the limit of a channel in another scale";
}

TEST(Equalize, ScalesAChainOfSumsAsOne) {
  const ir::Graph graph = prepare(ir::GraphText::parse(R"(
  input x [1,4,8,8]
  first = Conv(x, waves[8,4,1,1], waves[8])
  second = Conv(first, waves[8,8,1,1], waves[8])
  sum = Add(second, first)
  pool = MaxPool(sum) kernel_shape=[2,2] strides=[2,2]
  depthwise = Conv(sum, waves[8,1,3,3], waves[8]) pads=[1,1,1,1] group=8
  last = Conv(pool, waves[4,8,1,1], waves[4])
  relu = Relu(depthwise)
  output last
  output relu
)"));
  const ir::Graph equalized = equalize(graph, Images(2));
  const Tensor image = image_of(graph, 0);
  const std::vector<Tensor> expected = ops::run_reference(graph, {&image, 1}),
                            actual = ops::run_reference(equalized, {&image, 1});
  for (size_t output = 0; output < 2; ++output)
    for (size_t i = 0; i < expected[output].data<float>().size(); ++i)
      EXPECT_NEAR(expected[output].data<float>()[i], actual[output].data<float>()[i],
                  1e-4f * std::abs(expected[output].data<float>()[i]) + 1e-5f);
  const auto peaks = [](const ir::Graph& of) {
    return calibrate(of, Images(2)).maps.at("first_output_0").channel_peaks;
  };
  for (size_t c = 1; c < 8; ++c) EXPECT_NE(peaks(equalized)[c], peaks(graph)[c]) << c;
}

}  // namespace
}  // namespace effdet::quantize

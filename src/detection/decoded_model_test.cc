// Models with decoded outputs and no metadata: taken for what they are, and detectors as others are.
#include "detection/decoded_model.h"

#include <cstring>

#include "compiler/compile.h"
#include "detection/detection_model.h"
#include "detection/nms_graph.h"
#include "detection/row_decoder.h"
#include "detection/tiny_graph.h"
#include "eval/anchors.h"
#include "ops/op.h"
#include "vision/row_source.h"

namespace effdet::detection {
namespace {

using Ids = std::vector<ir::ValueId>;

eval::AnchorConfig tiny_anchors() { return {.image_height = kTinySide, .image_width = kTinySide}; }

/// [batch, anchors, values] of the levels' maps from `first` on, as PyTorch's permute and reshape have it.
ir::ValueId flat(ir::Graph& graph, size_t first, int64_t values, int batch, const std::string& name) {
  const ir::ValueId shape = graph.add_constant(name + "_shape", Tensor::from<int64_t>({3}, {{batch, -1, values}}));
  Ids levels;
  for (size_t i = first; i < first + 5; ++i) {
    const std::string level = name + std::to_string(i);
    const ir::ValueId nhwc =
        graph.add_node("Transpose", level + "_nhwc", {graph.outputs[i]}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
    levels.push_back(graph.add_node("Reshape", level + "_flat", {nhwc, shape}));
  }
  return graph.add_node("Concat", name, levels, {{"axis", int64_t{1}}});
}

Tensor anchor_corners(const eval::AnchorConfig& config) {
  std::vector<float> corners;
  for (const eval::Box& box : eval::make_anchors(config))
    corners.insert(corners.end(), {box.y1, box.x1, box.y2, box.x2});
  return Tensor::from<float>({1, static_cast<int64_t>(corners.size() / 4), 4}, corners);
}

/// As Yet-Another-EfficientDet-Pytorch exports: maps, boxes, scores, anchors.
ir::Graph scores_graph(int batch, const Tensor& anchors) {
  ir::Graph graph = tiny_graph(batch);
  const ir::ValueId classes = flat(graph, 0, kTinyClasses, batch, "classes"), boxes = flat(graph, 5, 4, batch, "boxes");
  const ir::ValueId scores = graph.add_node("Sigmoid", "scores", {classes});
  const ir::ValueId corners = graph.add_node("Identity", "anchors", {graph.add_constant("corners", anchors)});
  graph.outputs = {graph.outputs[0], boxes, scores, corners};
  graph.metadata.clear();
  ops::infer_shapes(graph);
  return graph;
}

/// As effdet's DetBenchPredict is exported; with_info: with img_scale and img_size, which it only seems to read here.
ir::Graph rows_graph(int batch, bool with_info) {
  ir::Graph graph = tiny_graph(batch);
  append_nms(graph, {.max_detections = 30});
  graph.metadata.clear();
  if (!with_info) return graph;
  const ir::ValueId scale = graph.add_input("img_scale", DType::kF32, {batch});
  const ir::ValueId size = graph.add_input("img_size", DType::kF32, {batch, 2});
  const ir::ValueId width =
      graph.add_node("ReduceMax", "width", {size}, {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
  const ir::ValueId zero = graph.add_constant("zero", Tensor::scalar(0.0f));
  const ir::ValueId nothing = graph.add_node("Mul", "nothing", {graph.add_node("Mul", "area", {scale, width}), zero});
  const ir::ValueId shape = graph.add_constant("rows_shape", Tensor::from<int64_t>({3}, {{batch, 1, 1}}));
  graph.outputs = {
      graph.add_node("Add", "rows", {graph.outputs[0], graph.add_node("Reshape", "of_rows", {nothing, shape})})};
  ops::infer_shapes(graph);
  return graph;
}

/// What a model finds in two images of the input's size.
std::vector<std::vector<Detection>> detections_of(const ir::Graph& graph, const DetectOptions& options) {
  const DetectionModel model(std::make_shared<runtime::Engine>(compiler::compile(graph)));
  std::vector<std::byte> batch(model.input().batch_bytes());
  for (size_t i = 0; i < model.batch(); ++i) {
    vision::Image image(kTinySide, kTinySide);
    const std::vector<float> colours = noise(static_cast<uint32_t>(i), 3 * kTinySide * kTinySide);
    for (size_t k = 0; k < colours.size(); ++k) image.row(0)[k] = static_cast<uint8_t>(255 * colours[k]);
    vision::PixelRows rows(image);
    model.input().write_to_batch(rows, batch, i);
  }
  runtime::Session session(model.engine(), 1);
  OutputBuffers outputs(*model.engine());
  session.run(model.input().pointers(batch), outputs.pointers());
  std::vector<std::vector<Detection>> found;
  for (size_t i = 0; i < model.batch(); ++i)
    found.push_back(model.detect(outputs.values(), i, {kTinySide, kTinySide}, options));
  return found;
}

void expect_same(const std::vector<std::vector<Detection>>& found, const std::vector<std::vector<Detection>>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t image = 0; image < wanted.size(); ++image) {
    ASSERT_EQ(found[image].size(), wanted[image].size());
    EXPECT_GT(wanted[image].size(), 5u);
    for (size_t i = 0; i < wanted[image].size(); ++i) {
      const Detection &got = found[image][i], &want = wanted[image][i];
      EXPECT_NEAR(got.x1, want.x1, 1e-3f);
      EXPECT_NEAR(got.y2, want.y2, 1e-3f);
      EXPECT_NEAR(got.score, want.score, 1e-6f);
      EXPECT_EQ(got.category, want.category);
    }
  }
}

/// The decoder of raw heads is compared with that project's own code (model_golden), so it is the reference here.
TEST(DecodedModel, ScoresOfAnchorsAreDecodedAsRawHeadsAre) {
  ir::Graph raw = tiny_graph(2), scores = scores_graph(2, anchor_corners(tiny_anchors()));
  model::ModelConfig config = model::default_config(*model::find_variant("zylo117_efficientdet_d0"), kTinyClasses);
  config.image_height = config.image_width = kTinySide;
  raw.metadata = model::metadata_of(config);
  recognise_decoded(scores);
  EXPECT_TRUE(contains(assumptions_of(scores.metadata), "Yet-Another-EfficientDet-Pytorch"));
  for (const DetectOptions& options : {DetectOptions{}, DetectOptions{.score_threshold = 0.55f, .agnostic = true},
                                       DetectOptions{.soft_nms = true, .categories = {2, 3}}})
    expect_same(detections_of(scores, options), detections_of(raw, options));
}

TEST(DecodedModel, AnchorsAreReadOutOfTheModel) {
  eval::AnchorConfig config = tiny_anchors();
  config.anchor_scale = {3};
  config.num_scales = 1;
  config.aspect_ratios = {{1, 1}, {1.2, 0.9}, {0.5, 2}, {2, 0.5}, {1.4, 0.7}, {0.7, 1.4}, {1.1, 1}, {1, 1.1}, {3, 1}};
  ir::Graph graph = scores_graph(1, anchor_corners(config));
  recognise_decoded(graph);
  const model::ModelInfo info = model::parse_metadata(graph.metadata, "test");
  EXPECT_EQ(info.anchor_scale, 3);
  EXPECT_EQ(info.num_scales, 1);
  EXPECT_EQ(info.aspect_ratios, config.aspect_ratios);
  EXPECT_EQ(info.num_classes, kTinyClasses);
}

TEST(DecodedModel, WithoutAnchorsTheyAreAssumedOrGiven) {
  ir::Graph graph = scores_graph(1, anchor_corners(tiny_anchors()));
  graph.outputs.pop_back();
  ir::Graph given = graph;
  recognise_decoded(graph);
  EXPECT_TRUE(contains(assumptions_of(graph.metadata), "--anchor-scale"));
  recognise_decoded(given, {.anchors = {.anchor_scale = 5}});
  EXPECT_EQ(model::parse_metadata(given.metadata, "test").anchor_scale, 5);
}

TEST(DecodedModel, RowsOfDetectionsAreTakenForWhatTheyAre) {
  ir::Graph own = tiny_graph(2), bare = rows_graph(2, false), with_info = rows_graph(2, true);
  append_nms(own, {.max_detections = 30});
  recognise_decoded(bare);
  recognise_decoded(with_info, {.model = "tf_efficientdet_lite0", .num_classes = 20});
  EXPECT_TRUE(contains(assumptions_of(bare.metadata), "DetBenchPredict"));
  EXPECT_TRUE(contains(assumptions_of(bare.metadata), "90 classes are assumed"));
  const model::ModelInfo info = model::parse_metadata(with_info.metadata, "test");
  EXPECT_EQ(info.variant, "tf_efficientdet_lite0");
  EXPECT_EQ(info.mean[0], 0.5);
  EXPECT_EQ(info.num_classes, 20);
  expect_same(detections_of(bare, {}), detections_of(own, {}));
  with_info.metadata = bare.metadata;  // with the same colours
  expect_same(detections_of(with_info, {}), detections_of(own, {}));
}

/// Where the network is told the image's size its boxes are of the image, and are not scaled once more.
TEST(DecodedModel, TheNetworkIsToldTheImagesSize) {
  ir::Graph graph = rows_graph(2, true);
  recognise_decoded(graph);
  const DetectionModel model(std::make_shared<runtime::Engine>(compiler::compile(graph)));
  std::vector<std::byte> batch(model.input().batch_bytes());
  const vision::Image image(2 * kTinySide, kTinySide);
  vision::PixelRows rows(image);
  model.input().write_to_batch(rows, batch, 1);
  const auto inputs = model.input().inputs(batch);
  ASSERT_EQ(inputs.size(), 3u);
  const auto number = [&](size_t input, size_t i) {
    float value = 0;
    std::memcpy(&value, inputs[input].data() + i * sizeof value, sizeof value);
    return value;
  };
  EXPECT_EQ(number(1, 1), 2);
  EXPECT_EQ(number(2, 2), 2 * kTinySide);
  EXPECT_EQ(number(2, 3), kTinySide);
  std::vector<float> found(2 * 30 * kRowValues);
  const std::vector<float> row{10, 20, 30, 40, 0.5f, 7};
  std::ranges::copy(row, found.begin() + 30 * kRowValues);
  const std::span<const float> output = found;
  const auto detections = model.detect({&output, 1}, 1, image.size(), {});
  ASSERT_EQ(detections.size(), 1u);
  EXPECT_EQ(detections[0].x2, 30);
}

TEST(DecodedModel, OthersStayAsTheyAre) {
  ir::Graph raw = tiny_graph(1);
  const auto own = raw.metadata;
  recognise_decoded(raw);
  EXPECT_EQ(raw.metadata, own);
  raw.metadata.clear();
  recognise_decoded(raw);
  EXPECT_TRUE(raw.metadata.empty());
}

/// Ultralytics' with nms=True: rows of 6 values, of other pixels and with categories from 0.
TEST(DecodedModel, RowsWithoutAChoiceBeforeSuppressionAreOfSomebodyElse) {
  ir::Graph graph;
  const ir::ValueId image = graph.add_input("images", DType::kF32, {1, 3, 32, 32});
  const auto shaped = [&](const char* name, std::vector<int64_t> shape) {
    const auto size = static_cast<int64_t>(shape.size());
    const ir::ValueId list = graph.add_constant(std::string(name) + ".shape", Tensor::from<int64_t>({size}, shape));
    return graph.add_node("Reshape", name, {image, list});
  };
  const ir::ValueId most = graph.add_constant("most", Tensor::scalar(int64_t{10}));
  const ir::ValueId kept =
      graph.add_node("NonMaxSuppression", "nms", {shaped("boxes", {1, 768, 4}), shaped("scores", {1, 4, 768}), most});
  const ir::ValueId number =
      graph.add_node("Cast", "number", {graph.add_node("Size", "size", {kept})}, {{"to", int64_t{1}}});
  graph.outputs = {
      graph.add_node("Add", "rows", {graph.add_constant("zeros", Tensor(DType::kF32, {1, 300, 6})), number})};
  ops::infer_shapes(graph);
  recognise_decoded(graph);
  EXPECT_TRUE(graph.metadata.empty());
}

TEST(BadInput, DecodedModel_WhatContradictsItselfIsRefused) {
  Tensor odd = anchor_corners(tiny_anchors());
  odd.mutable_data<float>()[100] += 5;
  ir::Graph graph = scores_graph(1, odd);
  recognise_decoded(graph);
  EXPECT_TRUE(graph.metadata.empty()) << "a model of somebody else, which is compiled as any other";
  EXPECT_EQ(error_of([&] { recognise_decoded(graph, {.model = "zylo117_efficientdet_d0"}); }).code(),
            ErrorCode::kUnsupported);
  graph = scores_graph(1, anchor_corners(tiny_anchors()));
  EXPECT_THROW(recognise_decoded(graph, {.class_names = {"one"}}), Error);
  EXPECT_THROW(recognise_decoded(graph, {.model = "no_such_model"}), Error);
  recognise_decoded(graph);
  for (const char* text : {"", "2", "2 ", "2 x", "9 1", "1 2", "-1 2", "2 1 "}) {
    graph.metadata["effdet.scored_anchors"] = text;
    EXPECT_THROW(DetectionModel(std::make_shared<runtime::Engine>(compiler::compile(graph))), Error) << text;
  }
}

}  // namespace
}  // namespace effdet::detection

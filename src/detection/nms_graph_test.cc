// Detections that the graph computes itself against those of the code that decodes raw outputs.
#include "detection/nms_graph.h"

#include <set>

#include "base/error.h"
#include "compiler/compile.h"
#include "detection/head_decoder.h"
#include "detection/test_support.h"
#include "detection/tiny_graph.h"
#include "eval/detect.h"
#include "model/metadata.h"
#include "ops/op.h"
#include "passes/pipeline.h"
#include "runtime/engine.h"

namespace effdet::detection {
namespace {

/// What the decoder makes of the raw outputs of one image of a batch, if it is as large as the input.
std::vector<Detection> expected(const ir::Graph& graph, const std::vector<Tensor>& raw, size_t image,
                                const DetectOptions& options) {
  const model::ModelInfo info = model::parse_metadata(graph.metadata, "test");
  const eval::AnchorConfig config = anchor_config(info, kTinySide, kTinySide);
  eval::HeadOutputs heads{.levels = {}, .num_classes = info.num_classes, .anchors_per_cell = config.anchors_per_cell()};
  const size_t levels = raw.size() / 2;
  const auto part = [&](const Tensor& tensor) {
    const size_t size = static_cast<size_t>(tensor.numel() / tensor.dim(0));
    return tensor.data<float>().subspan(image * size, size);
  };
  for (size_t i = 0; i < levels; ++i)
    heads.levels.push_back(
        {part(raw[i]), part(raw[levels + i]), static_cast<int>(raw[i].dim(2)), static_cast<int>(raw[i].dim(3))});
  return eval::detect(heads, eval::make_anchors(config), {.scale = 1, .width = kTinySide, .height = kTinySide},
                      options);
}

void expect_equal(const Tensor& found, size_t image, const std::vector<Detection>& wanted) {
  ASSERT_EQ(found.rank(), 3u);
  const size_t rows = static_cast<size_t>(found.dim(1));
  ASSERT_LE(wanted.size(), rows);
  for (size_t i = 0; i < rows; ++i) {
    const float* row = found.data<float>().data() + (image * rows + i) * 6;
    const Detection d = i < wanted.size() ? wanted[i] : Detection{};
    const float values[] = {d.x1, d.y1, d.x2, d.y2, d.score, static_cast<float>(d.category)};
    for (size_t k = 0; k < 6; ++k) EXPECT_NEAR(row[k], values[k], 1e-3f) << "image " << image << " row " << i;
  }
}

TEST(NmsGraph, DetectsAsTheDecoderDoes) {
  constexpr int kBatch = 2;
  const ir::Graph raw = tiny_graph(kBatch);
  ir::Graph whole = raw;
  const DetectOptions options{.max_candidates = 3000, .max_detections = 40};
  append_nms(whole, options);
  const std::vector<float> values = noise(5, kBatch * 3 * kTinySide * kTinySide);
  const Tensor image = Tensor::from<float>({kBatch, 3, kTinySide, kTinySide}, values);
  const auto raw_outputs = ops::run_reference(raw, {&image, 1});
  ir::Graph simple = whole;
  passes::simplify(simple);
  const auto direct = ops::run_reference(whole, {&image, 1}), simplified = ops::run_reference(simple, {&image, 1});
  ASSERT_EQ(direct.size(), 1u);
  EXPECT_EQ(direct[0].shape(), (Shape{kBatch, 40, 6}));

  const auto engine = std::make_shared<runtime::Engine>(compiler::compile(whole));
  EXPECT_EQ(*engine->output(0).shape, (Shape{kBatch, 40, 6}));
  runtime::Session session(engine, 1);
  Tensor compiled(DType::kF32, {kBatch, 40, 6});
  const std::byte* input = image.bytes().data();
  auto* output = compiled.mutable_bytes().data();
  session.run({&input, 1}, {&output, 1});
  for (size_t i = 0; i < kBatch; ++i) {
    const auto wanted = expected(raw, raw_outputs, i, options);
    EXPECT_GT(wanted.size(), 5u);
    expect_equal(direct[0], i, wanted);
    expect_equal(simplified[0], i, wanted);
    expect_equal(compiled, i, wanted);
  }
}

/// Some runtimes compute integers in float32, which loses units above 2^24: indices are looked up, never computed.
TEST(NmsGraph, NoIndexGoesThroughArithmetic) {
  ir::Graph graph = tiny_graph(2);
  append_nms(graph, {});
  const std::set<std::string> harmless{"Gather", "TopK",  "Reshape",           "Expand", "Unsqueeze", "Squeeze",
                                       "Concat", "Split", "NonMaxSuppression", "Cast"};
  for (const ir::Node& node : graph.nodes)
    for (const ir::ValueId id : node.inputs) {
      const bool is_integer = id != ir::kNoValue && graph.value(id).dtype == DType::kI64;
      // A class, which is small, becomes a category or is compared with classes.
      const bool is_label = node.name.ends_with("/category") || node.name.ends_with("/is_class");
      EXPECT_TRUE(!is_integer || is_label || harmless.contains(node.op)) << node.name << " " << node.op;
    }
}

TEST(NmsGraph, MetadataTellOfTheDetections) {
  ir::Graph graph = tiny_graph(1);
  EXPECT_FALSE(detects_itself(graph.metadata));
  append_nms(graph, {.score_threshold = 0.25f, .max_detections = 7});
  EXPECT_TRUE(detects_itself(graph.metadata));
  EXPECT_EQ(graph.metadata.at("effdet.suppression"),
            R"({"iou_threshold":0.5,"max_candidates":5000,"max_detections":7,"score_threshold":0.25})");
}

TEST(NmsGraph, RefusesWhatItCannotExpress) {
  ir::Graph graph = tiny_graph(1);
  EXPECT_THROW(append_nms(graph, {.soft_nms = true}), Error);
  EXPECT_THROW(append_nms(graph, {.iou_threshold = 2}), Error);
  ir::Graph best_class = graph;
  best_class.metadata["effdet.selection"] = "best-class";
  EXPECT_EQ(error_of([&] { append_nms(best_class, {}); }).code(), ErrorCode::kUnsupported);
  graph.metadata.clear();
  EXPECT_THROW(append_nms(graph, {}), Error);
}

}  // namespace
}  // namespace effdet::detection

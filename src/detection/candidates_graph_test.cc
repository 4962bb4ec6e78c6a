// Detections from candidates that the graph chooses against those from the whole heads.
#include "detection/candidates_graph.h"

#include "base/error.h"
#include "compiler/compile.h"
#include "detection/detection_model.h"
#include "detection/test_support.h"
#include "detection/tiny_graph.h"

namespace effdet::detection {
namespace {

std::shared_ptr<const runtime::Engine> engine_of(const ir::Graph& graph) {
  return std::make_shared<runtime::Engine>(compiler::compile(graph));
}

/// Detections of each image of a batch.
std::vector<std::vector<Detection>> detections_of(const ir::Graph& graph, const Tensor& images,
                                                  const DetectOptions& options) {
  const auto engine = engine_of(graph);
  const DetectionModel model(engine);
  const std::vector<Tensor> outputs = runtime::Session(engine, 2).run({&images, 1});
  std::vector<std::span<const float>> values;
  for (const Tensor& output : outputs) values.push_back(output.data<float>());
  std::vector<std::vector<Detection>> all;
  for (size_t image = 0; image < model.batch(); ++image) all.push_back(model.detect(values, image, {100, 90}, options));
  return all;
}

TEST(CandidatesGraph, DetectsAsTheHeadsDo) {
  constexpr int kBatch = 2;
  const ir::Graph raw = tiny_graph(kBatch);
  ir::Graph chosen = raw;
  ASSERT_TRUE(append_candidates(chosen, 2000));
  const Tensor images =
      Tensor::from<float>({kBatch, 3, kTinySide, kTinySide}, noise(5, size_t{kBatch} * 3 * kTinySide * kTinySide));
  for (const DetectOptions& options :
       {DetectOptions{.max_candidates = 2000}, DetectOptions{.max_candidates = 300, .max_detections = 40},
        DetectOptions{.max_candidates = 2000, .soft_nms = true}}) {
    const auto wanted = detections_of(raw, images, options), found = detections_of(chosen, images, options);
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t image = 0; image < wanted.size(); ++image) {
      ASSERT_EQ(found[image].size(), wanted[image].size());
      EXPECT_FALSE(found[image].empty());
      for (size_t i = 0; i < wanted[image].size(); ++i) {
        const Detection &a = found[image][i], &b = wanted[image][i];
        EXPECT_TRUE(a.x1 == b.x1 && a.y1 == b.y1 && a.x2 == b.x2 && a.y2 == b.y2 && a.score == b.score &&
                    a.category == b.category)
            << image << ": " << i;
      }
    }
  }
}

TEST(CandidatesGraph, MoreCandidatesThanThereAreAreRefused) {
  ir::Graph graph = tiny_graph(1);
  ASSERT_TRUE(append_candidates(graph, 100));
  EXPECT_EQ(candidates_of(graph.metadata), 100);
  const Tensor image = Tensor::from<float>({1, 3, kTinySide, kTinySide}, noise(5, size_t{3} * kTinySide * kTinySide));
  EXPECT_EQ(error_of([&] { detections_of(graph, image, {}); }).code(), ErrorCode::kUsage);
}

TEST(CandidatesGraph, GraphsWithoutHeadsStayAsTheyAre) {
  ir::Graph no_metadata = tiny_graph(1);
  no_metadata.metadata.clear();
  EXPECT_FALSE(append_candidates(no_metadata, 10));
  ir::Graph fewer = tiny_graph(1);
  fewer.outputs.pop_back();
  EXPECT_FALSE(append_candidates(fewer, 10));
  EXPECT_EQ(fewer.outputs.size(), 9u);
  ir::Graph twice = tiny_graph(1);
  ASSERT_TRUE(append_candidates(twice, 10));
  EXPECT_FALSE(append_candidates(twice, 10));
}

TEST(CandidatesGraph, MetadataThatDoNotFitTheOutputsAreRefused) {
  ir::Graph graph = tiny_graph(1);
  graph.metadata["effdet.candidates"] = "10";
  EXPECT_EQ(error_of([&] { DetectionModel(engine_of(graph)); }).code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace effdet::detection

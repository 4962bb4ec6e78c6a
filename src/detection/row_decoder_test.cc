// Models that detect themselves: their rows in pixels of the image, and through the pipeline.
#include "detection/row_decoder.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "compiler/compile.h"
#include "detection/detection_model.h"
#include "detection/nms_graph.h"
#include "detection/tiny_graph.h"

namespace effdet::detection {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(RowDecoder, ScalesBackToTheImageAndClips) {
  // An image of 200 x 100 lies in the upper half of an input of 100 x 100.
  const std::vector<float> rows{10, 20, 30, 40, 0.9f, 3, -1, 0, 50, 80, 0.5f, 1, 0, 0, 0, 0, 0, 0};
  const auto found = decode_rows(rows, {200, 100}, 2, {});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(std::tie(found[0].x1, found[0].y1, found[0].x2, found[0].y2), std::make_tuple(20.0f, 40.0f, 60.0f, 80.0f));
  EXPECT_EQ(found[0].category, 3);
  EXPECT_EQ(std::tie(found[1].x1, found[1].x2, found[1].y2), std::make_tuple(0.0f, 100.0f, 100.0f));
  EXPECT_EQ(decode_rows(rows, {200, 100}, 2, {.score_threshold = 0.6f}).size(), 1u);
  EXPECT_EQ(decode_rows(rows, {200, 100}, 2, {.max_detections = 1}).size(), 1u);
  EXPECT_THROW(decode_rows(rows, {200, 100}, 2, {.soft_nms = true}), Error);
}

TEST(RowDecoder, RowsThatMakeNoSenseAreLeftOutAndTold) {
  for (const std::vector<float>& row :
       {std::vector<float>{kNan, 0, 1, 1, 0.5f, 1}, {0, 0, 1, 1, kNan, 1}, {0, 0, 1, 1, 0.5f, 1e30f}}) {
    eval::DetectFaults faults;
    EXPECT_TRUE(decode_rows(row, {10, 10}, 1, {}, &faults).empty());
    EXPECT_TRUE(faults.any());
  }
}

/// An image of the input's size: what the graph finds is what the decoder makes of its raw outputs.
TEST(RowDecoder, ModelsThatDetectThemselvesAreDetectorsAsOthersAre) {
  ir::Graph raw = tiny_graph(2), whole = raw;
  const DetectOptions options{.max_detections = 30};
  append_nms(whole, options);
  std::vector<std::vector<Detection>> found;
  for (const ir::Graph& graph : {raw, whole}) {
    const DetectionModel model(std::make_shared<runtime::Engine>(compiler::compile(graph)));
    runtime::Session session(model.engine(), 1);
    OutputBuffers outputs(*model.engine());
    const std::vector<float> image = noise(5, 2 * 3 * kTinySide * kTinySide);
    const auto* input = reinterpret_cast<const std::byte*>(image.data());
    session.run({&input, 1}, outputs.pointers());
    for (size_t sample = 0; sample < 2; ++sample)
      found.push_back(model.detect(outputs.values(), sample, {kTinySide, kTinySide}, options));
  }
  for (size_t sample = 0; sample < 2; ++sample) {
    const auto &wanted = found[sample], &got = found[2 + sample];
    ASSERT_EQ(got.size(), wanted.size());
    EXPECT_GT(got.size(), 5u);
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i].x1, wanted[i].x1, 1e-3f);
      EXPECT_NEAR(got[i].y2, wanted[i].y2, 1e-3f);
      EXPECT_NEAR(got[i].score, wanted[i].score, 1e-5f);
      EXPECT_EQ(got[i].category, wanted[i].category);
    }
  }
}

/// Raw outputs whose metadata tell of rows, and rows whose metadata tell of nothing.
TEST(BadInput, RowDecoder_MetadataAndOutputsThatDisagree) {
  ir::Graph raw = tiny_graph(1), rows = raw;
  append_nms(rows, {});
  raw.metadata["effdet.detections"] = rows.metadata.at("effdet.detections");
  rows.metadata.erase("effdet.detections");
  for (const ir::Graph& graph : {raw, rows})
    EXPECT_THROW(DetectionModel(std::make_shared<runtime::Engine>(compiler::compile(graph))), Error);
}

}  // namespace
}  // namespace effdet::detection

// Detection on a device that prepares pictures and selects boxes, a GPU whose kernels run as loops on the processor,
// against what the host makes of the same: bit for bit.
#include "detection/batch_run.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "checkpoint/checkpoint.h"
#include "compiler/compile.h"
#include "detection/candidates_graph.h"
#include "detection/image_detector.h"
#include "detection/test_support.h"
#include "detection/tiny_graph.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/host_api.h"
#include "kernels/cuda/module.h"
#include "model/builder.h"
#include "model/model_options.h"
#include "runtime/compiled_model_impl.h"
#include "vision/decode.h"
#include "vision/preprocess.h"

namespace effdet::detection {
namespace {

/// A GPU's twin as a device of this process; with EFFDET_TEST_GPU in the environment, the first GPU.
class OnDevice : public testing::Test {
 protected:
  void TearDown() override {
    kernels::cuda::set_host_memory_limit(size_t{1} << 40);
    kernels::cuda::set_host_failing_launch(-1);
    EXPECT_EQ(kernels::cuda::host_overruns(), 0);
  }

  const std::unique_ptr<kernels::Device> device_ = kernels::cuda::make_device(
      "cuda-twin", 0, std::getenv("EFFDET_TEST_GPU") != nullptr ? kernels::cuda::module_api : kernels::cuda::host_api);
  const kernels::RegisteredDevice registered_{*device_};
};

vision::Image noise_image(int width, int height, uint32_t seed) {
  vision::Image image(width, height);
  for (uint8_t& sample : image.pixels()) {
    seed = seed * 1664525 + 1013904223;
    sample = static_cast<uint8_t>(seed >> 24);
  }
  return image;
}

bool same_bits(const Detection& a, const Detection& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

void expect_same(const std::vector<Detection>& found, const std::vector<Detection>& wanted, const std::string& what) {
  ASSERT_EQ(found.size(), wanted.size()) << what;
  for (size_t i = 0; i < found.size(); ++i) ASSERT_TRUE(same_bits(found[i], wanted[i])) << what << ", detection " << i;
}

constexpr int kBoxSide = 128, kBoxClasses = 5;

/// Rows of candidates as TopCandidates writes them: few logits, so that most are tied, or many; boxes that lie on each
/// other, or anywhere.
std::vector<float> candidate_rows(size_t count, size_t filled, size_t anchors, int levels_of_logits, float spread,
                                  uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> logits(filled);
  for (float& logit : logits)
    logit = static_cast<float>(random() % static_cast<uint32_t>(levels_of_logits)) * (8.0f / levels_of_logits) - 6;
  std::ranges::sort(logits, std::greater<>());
  std::vector<float> rows;
  for (size_t i = 0; i < count; ++i) {
    if (i >= filled) {
      rows.insert(rows.end(), {-INFINITY, 0, 0, 0, 0, 0, 0});
      continue;
    }
    const auto value = [&] { return (static_cast<float>(random() % 2001) / 1000.0f - 1) * spread; };
    rows.insert(rows.end(), {logits[i], static_cast<float>(random() % anchors),
                             static_cast<float>(random() % kBoxClasses), value(), value(), value(), value()});
    if (random() % 400 == 0) rows.back() = NAN;
    if (random() % 400 == 0) rows[rows.size() - 2] = 1e4f;
  }
  return rows;
}

TEST_F(OnDevice, BoxesAreThoseOfTheHost) {
  eval::AnchorConfig config;
  config.image_height = config.image_width = kBoxSide;
  const std::vector<eval::Box> anchors = eval::make_anchors(config);
  constexpr size_t kCount = 1000, kImages = 3;
  const auto selection = device_->make_box_selection({.anchors = {&anchors.data()->y1, 4 * anchors.size()},
                                                      .batch = kImages,
                                                      .candidates = kCount,
                                                      .classes = kBoxClasses});
  const auto queue = device_->make_queue();
  const auto rows_memory = device_->allocate(kImages * kCount * 7 * sizeof(float), "rows");
  const auto nans_memory = device_->allocate(kImages * sizeof(float), "nans");
  const std::vector<float> nans = {0, 1, 0};
  queue->upload(std::as_bytes(std::span(nans)), nans_memory.get());
  const eval::ImageGeometry geometries[kImages] = {
      eval::letterbox_geometry(100, 90, kBoxSide, kBoxSide), {}, {.scale = 2.0, .scale_y = 3.0, .clip = {127, 127}}};
  uint32_t seed = 0;
  for (const DetectOptions& options :
       {DetectOptions{}, DetectOptions{.iou_threshold = 0, .max_candidates = 700}, DetectOptions{.agnostic = true},
        DetectOptions{.iou_threshold = 1, .max_detections = 1000}, DetectOptions{.max_detections = 1},
        DetectOptions{.score_threshold = 0.4f, .max_detections = 64},
        DetectOptions{.max_candidates = 65, .max_detections = 2000, .categories = {1, 4}}})
    for (const auto& [levels, spread, filled] : {std::tuple{1, 0.3f, 1000},
                                                 {3, 0.0f, 1000},
                                                 {40, 1.0f, 777},
                                                 {100000, 0.2f, 1000},
                                                 {7, 0.1f, 3},
                                                 {2, 1.0f, 0}}) {
      std::vector<float> rows;
      std::vector<kernels::BoxImage> images;
      for (size_t i = 0; i < kImages; ++i) {
        const auto more = candidate_rows(kCount, static_cast<size_t>(filled), anchors.size(), levels, spread, ++seed);
        rows.insert(rows.end(), more.begin(), more.end());
        const eval::BoxGeometry g = eval::box_geometry(geometries[i]);
        images.push_back({g.clip_width, g.clip_height, g.scale, g.scale_y, g.clips ? 1 : 0});
      }
      queue->upload(std::as_bytes(std::span(rows)), rows_memory.get());
      std::vector<uint8_t> wanted;
      if (!options.categories.empty()) wanted = {1, 0, 0, 1, 0};
      const auto selected = selection->select(*queue, rows_memory.get(), nans_memory.get(), images,
                                              {.max_candidates = options.max_candidates,
                                               .max_kept = options.max_detections,
                                               .iou_threshold = options.iou_threshold,
                                               .score_threshold = options.score_threshold,
                                               .agnostic = options.agnostic,
                                               .wanted = wanted});
      for (size_t i = 0; i < kImages; ++i) {
        std::vector<eval::CandidateBox> candidates;
        for (size_t at = i * kCount; at < (i + 1) * kCount && rows[7 * at] != -INFINITY; ++at) {
          const float* row = rows.data() + 7 * at;
          candidates.push_back(
              {row[0], static_cast<uint64_t>(row[1]), static_cast<int>(row[2]), row[3], row[4], row[5], row[6]});
        }
        eval::DetectFaults faults;
        const auto expected = eval::detect(candidates, anchors, geometries[i], options, faults);
        std::vector<Detection> found;
        for (const auto& [x1, y1, x2, y2, score, label] : selected[i].boxes)
          found.push_back({x1, y1, x2, y2, score, label + 1});
        expect_same(found, expected, fmt::format("image {}, {} levels of logits, spread {}", i, levels, spread));
        EXPECT_EQ(selected[i].has_not_finite, faults.not_finite_box);
        EXPECT_EQ(selected[i].has_nan, i == 1);
        EXPECT_FALSE(selected[i].is_senseless);
      }
    }
}

/// The heads of a model as a graph's inputs, and their candidates behind them.
ir::Graph heads_graph(const std::vector<Tensor>& heads, int classes, int64_t count) {
  ir::Graph graph;
  std::vector<ir::ValueId> inputs;
  for (size_t i = 0; i < heads.size(); ++i)
    inputs.push_back(graph.add_input("head" + std::to_string(i), DType::kF32, heads[i].shape()));
  for (const char* name : {"candidates", "not_numbers"})
    graph.outputs.push_back(graph.add_value({name, DType::kF32, std::nullopt, std::nullopt}));
  graph.nodes.push_back({"TopCandidates",
                         std::string(ir::kFusedDomain),
                         "candidates",
                         inputs,
                         graph.outputs,
                         {{"count", count}, {"classes", int64_t{classes}}}});
  ops::infer_shapes(graph);
  return graph;
}

/// From whole heads (class maps, then box maps) to detections: all on the device, and all on the host.
void compare_heads(const kernels::Device& device, const std::vector<Tensor>& heads, const model::ModelInfo& info,
                   int side, const std::string& what) {
  constexpr int64_t kCount = 5000;
  const HeadDecoder decoder(info, side, side);
  const auto engine = std::make_shared<runtime::Engine>(
      compiler::compile(heads_graph(heads, info.num_classes, kCount), {.target = device.target()}));
  runtime::Session session(engine, 2);
  const std::span anchors = decoder.anchors();
  const auto selection = device.make_box_selection({.anchors = {&anchors.data()->y1, 4 * anchors.size()},
                                                    .batch = 1,
                                                    .candidates = kCount,
                                                    .classes = info.num_classes});
  std::vector<const std::byte*> sources;
  std::vector<std::span<const float>> values;
  std::vector<uint64_t> counts;
  for (const Tensor& head : heads) {
    sources.push_back(head.bytes().data());
    values.push_back(head.data<float>());
    counts.push_back(values.back().size());
  }
  const vision::ImageSize size{side + 11, side - 7};
  for (const DetectOptions& options :
       {DetectOptions{}, DetectOptions{.iou_threshold = 0.3f, .max_candidates = 300, .agnostic = true},
        DetectOptions{.score_threshold = 0.2f, .max_detections = 1000}}) {
    std::vector<kernels::SelectedBoxes> selected;
    const kernels::BoxImage image = decoder.box_image(size);
    session.run_at_device([&](kernels::Queue&, std::span<std::byte* const>) { session.upload(0, sources); },
                          [&](kernels::Queue& queue, std::span<std::byte* const> places) {
                            selected = selection->select(queue, places[0], places[1], {&image, 1},
                                                         {.max_candidates = options.max_candidates,
                                                          .max_kept = options.max_detections,
                                                          .iou_threshold = options.iou_threshold,
                                                          .score_threshold = options.score_threshold,
                                                          .agnostic = options.agnostic,
                                                          .wanted = {}});
                          });
    const auto wanted = decoder.decode(values, decoder.layout_of(counts), size, options);
    EXPECT_FALSE(wanted.empty()) << what;
    expect_same(decoder.detections_of(selected.at(0)), wanted, what);
  }
}

/// A checkpoint's heads on a photograph, as they are and with ties.
void compare_heads_of(const kernels::Device& device, const std::filesystem::path& path) {
  constexpr int kInput = 256;
  const auto checkpoint = checkpoint::read_checkpoint(path, {});
  const model::ModelConfig config = model::config_for(checkpoint, ModelOptions{.height = kInput, .width = kInput});
  const ir::Graph graph = model::build_graph(config, checkpoint);
  const auto engine = std::make_shared<runtime::Engine>(compiler::compile(graph));
  const DetectionModel model(engine);
  Tensor input(DType::kF32, {1, 3, kInput, kInput});
  const auto rows = vision::open_image(EFFDET_SOURCE_DIR "/testdata/images/progressive_420.jpg");
  vision::letterbox_to_tensor(*rows, model.input().preprocessing(), input.mutable_data<float>());
  const std::vector<Tensor> heads = runtime::Session(engine, 2).run({&input, 1});
  compare_heads(device, heads, model.info(), kInput, "as they are");
  for (const float steps : {4.0f, 0.5f}) {  // logits that are tied by the hundred
    std::vector<Tensor> tied;
    for (const Tensor& head : heads) {
      Tensor& map = tied.emplace_back(Tensor::from<float>(head.shape(), head.data<float>()));
      if (tied.size() > heads.size() / 2) continue;
      for (float& logit : map.mutable_data<float>()) logit = std::round(logit * steps) / steps;
    }
    compare_heads(device, tied, model.info(), kInput, fmt::format("in steps of {}", 1 / steps));
  }
}

TEST_F(OnDevice, HeadsOfATrainedModelGiveTheHostsDetections) {
  compare_heads_of(*device_, EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth");
}

TEST_F(OnDevice, HeadsOfNinetyClassesGiveTheHostsDetections) {
  const auto path = eval::shared_folder() / "checkpoints/tf_efficientdet_d0_256_coco.pth";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no checkpoint in " << eval::shared_folder();
  compare_heads_of(*device_, path);
}

TEST_F(OnDevice, PicturesAreThoseOfTheHost) {
  const auto pictures = device_->make_picture_input();
  const auto queue = device_->make_queue();
  vision::Preprocessing preprocessing{.height = 96, .width = 160};
  const size_t values = size_t{3} * 96 * 160;
  const auto place = device_->allocate(values * sizeof(float), "an input");
  for (const auto& [width, height] : {std::pair{160, 96},
                                      {640, 480},
                                      {31, 400},
                                      {400, 31},
                                      {1, 1},
                                      {200, 1},
                                      {7, 90},
                                      {90, 96},
                                      {161, 97},
                                      {60, 700},
                                      {333, 333},
                                      {160, 50}}) {
    const vision::Image image = noise_image(width, height, static_cast<uint32_t>(width * 1000 + height));
    std::vector<float> wanted(values), found(values);
    try {
      vision::letterbox_to_tensor(image, preprocessing, wanted);
    } catch (const Error&) {
      continue;  // too narrow
    }
    put_picture(*pictures, *queue, image.size(), preprocessing, std::as_bytes(image.pixels()), place.get());
    queue->download(place.get(), std::as_writable_bytes(std::span(found)));
    EXPECT_EQ(std::memcmp(found.data(), wanted.data(), values * sizeof(float)), 0) << width << " x " << height;
  }
}

/// A model whose candidates the device chooses.
CompiledModel model_for(const kernels::Device& device, const ir::Graph& raw, int64_t candidates) {
  ir::Graph graph = raw;
  EXPECT_TRUE(append_candidates(graph, candidates));
  return EngineAccess::model_of(
      std::make_shared<runtime::Engine>(compiler::compile(graph, {.target = device.target()})));
}

std::vector<Detection> detect(ImageDetector& detector, const vision::Image& image, const DetectOptions& options,
                              eval::DetectFaults& faults) {
  std::vector<std::byte> input(detector.input_bytes());
  vision::PixelRows rows(image);
  const InputImage prepared = detector.write_input(0, rows, input);
  detector.infer(0, input, {&prepared, 1}, options);
  return detector.decode(0, 0, image.size(), options, &faults);
}

/// The tiny heads sum a few numbers, which a GPU's product does in the same order as the reference.
TEST_F(OnDevice, ADetectorFindsWhatTheHostFindsInTheDevicesCandidates) {
  const ir::Graph raw = tiny_graph(1);
  ImageDetector detector(model_for(*device_, raw, 2000), 2, {.max_candidates = 2000});
  const auto engine = EngineAccess::first(model_for(*device_, raw, 2000));
  const DetectionModel model(engine);
  runtime::Session session(engine, 2);
  for (const auto& [width, height] :
       {std::pair{100, 90}, {60, 128}, {3, 2}, {300, 200}}) {  // the last one: by the host
    const vision::Image image = noise_image(width, height, 3);
    Tensor input(DType::kF32, {1, 3, kTinySide, kTinySide});
    vision::letterbox_to_tensor(image, model.input().preprocessing(), input.mutable_data<float>());
    const std::vector<Tensor> outputs = session.run({&input, 1});
    const std::vector<std::span<const float>> values = {outputs[0].data<float>(), outputs[1].data<float>()};
    for (const DetectOptions& options :
         {DetectOptions{.max_candidates = 2000}, DetectOptions{.max_candidates = 50, .agnostic = true},
          DetectOptions{.max_candidates = 2000, .soft_nms = true},
          DetectOptions{.max_candidates = 2000, .categories = {2}}}) {
      eval::DetectFaults faults;
      const auto found = detect(detector, image, options, faults);
      EXPECT_FALSE(found.empty());
      expect_same(found, model.detect(values, 0, image.size(), options), fmt::format("{} x {}", width, height));
      EXPECT_FALSE(faults.any());
    }
  }
  EXPECT_EQ(error_of([&] {
              eval::DetectFaults faults;
              detect(detector, noise_image(9, 9, 1), {}, faults);
            }).code(),
            ErrorCode::kUsage)
      << "more candidates than there are";
}

TEST_F(OnDevice, MemoryThatRunsOutAndKernelsThatFailAreErrors) {
  if (std::getenv("EFFDET_TEST_GPU") != nullptr) GTEST_SKIP() << "only the twin fails when it is told to";
  const CompiledModel model = model_for(*device_, tiny_graph(1), 2000);
  const DetectOptions options{.max_candidates = 2000};
  ImageDetector detector(model, 1, options);
  const vision::Image image = noise_image(100, 90, 3);
  eval::DetectFaults faults;
  kernels::cuda::set_host_memory_limit(kernels::cuda::host_memory_used() + 1000);
  const Error no_room = error_of([&] { detect(detector, image, options, faults); });
  EXPECT_EQ(no_room.code(), ErrorCode::kOutOfMemory);
  EXPECT_TRUE(contains(no_room.what(), "bytes for a picture, where 1000 of")) << no_room.what();
  kernels::cuda::set_host_memory_limit(size_t{1} << 40);
  const auto found = detect(detector, image, options, faults);
  EXPECT_FALSE(found.empty());
  kernels::cuda::set_host_memory_limit(kernels::cuda::host_memory_used() + 1000);
  EXPECT_EQ(error_of([&] { ImageDetector(model, 1, options); }).code(), ErrorCode::kOutOfMemory);
  expect_same(detect(detector, image, options, faults), found, "beside one for which there is no memory");
  kernels::cuda::set_host_memory_limit(size_t{1} << 40);

  ::setenv("CUDA_LAUNCH_BLOCKING", "1", 1);
  kernels::cuda::set_host_failing_launch(0);
  const Error failed = error_of([&] { detect(detector, image, options, faults); });
  kernels::cuda::set_host_failing_launch(-1);
  ::unsetenv("CUDA_LAUNCH_BLOCKING");
  EXPECT_EQ(failed.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(failed.what(), "step 'preparation of a picture'")) << failed.what();
}

}  // namespace
}  // namespace effdet::detection

// Measured choices on a real network: what is chosen computes the same, is kept, and is measured once.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "model/builder.h"
#include "model/init.h"
#include "model/random.h"
#include "model/synthetic_image.h"
#include "ops/op.h"
#include "runtime/engine.h"
#include "support/test_folder.h"
#include "tuning/tune.h"
#include "tuning/tuning_bank.h"

namespace effdet::tuning {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHardware = "processor";

class Tuning : public testing::Test {
 protected:
  effdet::Tuning options() const { return {.folder = folder_, .seconds = 0.01, .threads = 1}; }

  const test::TestFolder parent_{"tuning"};
  const fs::path folder_ = parent_ / "bank";  // not there: tuning makes it
};

ir::Graph small_network(model::ModelConfig& config) {
  config.image_height = config.image_width = 128;
  ThreadPool threads(2);
  const checkpoint::Checkpoint checkpoint{"random.pth", "", model::init_checkpoint(config, 5, &threads)};
  ir::Graph graph = model::build_graph(config, checkpoint);
  ops::infer_shapes(graph);
  return graph;
}

std::vector<Tensor> run(const ir::Graph& graph, const compiler::CompileOptions& options, const Tensor& image) {
  return runtime::Session(std::make_shared<runtime::Engine>(compiler::compile(graph, options)), 1)
      .run(std::span(&image, 1));
}

TEST_F(Tuning, MeasuresOnceAndComputesTheSame) {
  const model::Variant& variant = *model::find_variant("tf_efficientdet_d0");
  model::ModelConfig config = model::default_config(variant, 2);
  const ir::Graph graph = small_network(config);
  model::RandomStream random(11, "tuning_test");
  const Tensor image = model::synthetic_images(variant, 1, 128, random);
  const auto expected = run(graph, {}, image);

  compiler::CompileOptions tuned;
  double done = 0;
  effdet::Tuning tune_options = options();
  tune_options.on_progress = [&](double share) { done = share; };
  const TuneReport first = tune(graph, tuned, tune_options);
  EXPECT_EQ(done, 1);
  EXPECT_GT(first.layers, 30u);
  EXPECT_EQ(first.measured, first.layers);
  EXPECT_FALSE(tuned.choices.fuse.empty());
  EXPECT_FALSE(tuned.choices.fewer_products.empty());
  const auto got = run(graph, tuned, image);
  for (size_t i = 0; i < expected.size(); ++i) {
    float largest = 0, worst = 0;
    for (size_t j = 0; j < expected[i].data<float>().size(); ++j) {
      largest = std::max(largest, std::abs(expected[i].data<float>()[j]));
      worst = std::max(worst, std::abs(got[i].data<float>()[j] - expected[i].data<float>()[j]));
    }
    EXPECT_LT(worst, 1e-5f * largest) << "output " << i;
  }

  compiler::CompileOptions again;
  EXPECT_EQ(tune(graph, again, options()).measured, 0u);
  EXPECT_EQ(again.choices.fuse, tuned.choices.fuse);
  EXPECT_EQ(again.choices.fewer_products, tuned.choices.fewer_products);
  effdet::Tuning repeat = options();
  repeat.repeat = true;
  EXPECT_EQ(tune(graph, again, repeat).measured, first.layers);

  // bfloat16 has choices of its own, and no product but the direct one.
  compiler::CompileOptions bf16{.precision = Precision::kBfloat16};
  EXPECT_GT(tune(graph, bf16, options()).measured, 0u);
  EXPECT_TRUE(bf16.choices.fewer_products.empty());
}

TEST_F(Tuning, WhatWasMeasuredDecides) {
  compiler::LayerChoices choices;
  EXPECT_TRUE(choices.fuses("node", "key", true));
  choices.fuse["key"] = false;
  EXPECT_FALSE(choices.fuses("node", "key", true));
  choices.other_fuse = compiler::LayerChoices::Others::kYes;
  EXPECT_TRUE(choices.fuses("node", "other", false));
}

TEST_F(Tuning, DamagedBanksAreRefused) {
  const fs::path path = TuningBank(folder_, kHardware, 1).path();
  fs::create_directories(folder_);
  for (const std::string text : {"", "{", "[]", R"({"a":1})", R"({"a":[1]})", R"({"a":[1,"b"]})", "{\"a\":[1,2,3]}"}) {
    write_file(path, text);
    try {
      TuningBank(folder_, kHardware, 1);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_NE(std::string_view(error.what()).find("delete the file"), std::string_view::npos);
    }
  }
  write_file(path, R"({"a": [1.5, 2]})");
  EXPECT_EQ(TuningBank(folder_, kHardware, 1).find("a")->no, 2);
}

}  // namespace
}  // namespace effdet::tuning

// Programs that use the library may run in any locale: files must come out the same, and be read the same.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "effdet/effdet.h"
#include "support/german_locale.h"
#include "support/test_folder.h"

namespace effdet {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAipp = R"(aipp_op {
  aipp_mode: static
  input_format: RGB888_U8
  min_chn_0: 123.675
  var_reci_chn_0: 0.0171247538
}
)";

void make_all_files(const fs::path& folder) {
  write_scenes(folder / "data", {.images = 2, .seed = 3, .min_side = 100, .max_side = 160});
  OnnxModel graph = OnnxModel::from_checkpoint(
      fs::path(EFFDET_SOURCE_DIR) / "models/tf_efficientdet_d0_shapes.pth",
      {.height = 128, .width = 128, .anchors = {.aspect_ratios = {{1.0, 1.0}, {1.4, 0.7}, {0.7, 1.4}}}});
  graph.simplify();
  graph.write(folder / "d0.onnx");
  const CompiledModel model = CompiledModel::compile(OnnxModel::read(folder / "d0.onnx"));
  model.save(folder / "d0.om");
  std::ofstream(folder / "aipp.cfg") << kAipp;
  CompiledModel::compile(graph, {.insert_op_conf = folder / "aipp.cfg"}).save(folder / "aipp.om");
  const Evaluation evaluation =
      validate_dataset(folder / "data", CompiledModel::load(folder / "d0.om"), {.results = folder / "results.json"}, 1)
          .evaluation;
  const Evaluation again =
      evaluate_results(folder / "data/annotations/instances_val2017.json", folder / "results.json");
  std::string lines;
  for (const Evaluation& e : {evaluation, again})
    for (const std::string& line : e.summary) lines += line + "\n";
  write_output(folder / "summary.txt", lines);
  preprocess_dataset(folder / "data", folder / "bin", {.model = "tf_efficientdet_d0", .height = 128, .width = 128}, 1);
  graph.edit({.initializers = {{"class_net.predict.conv_pw.bias", "-4.5"}}});
  graph.write(folder / "edited.onnx");
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    files[entry.path().lexically_relative(folder)] = text.str();
  }
  return files;
}

TEST(Locale, ADecimalCommaChangesNothing) {
  const test::GermanLocale german("ISO-8859-1");
  if (!german.is_made()) GTEST_SKIP() << test::GermanLocale::kMissing;
  const test::TestFolder here("locale_c"), there("locale_de");
  make_all_files(here.path());
  german.use();
  char comma[8];
  std::snprintf(comma, sizeof comma, "%.1f", 1.5);
  EXPECT_STREQ(comma, "1,5");
  make_all_files(there.path());
  const auto expected = contents(here.path()), found = contents(there.path());
  EXPECT_GT(expected.size(), 8u);
  for (const auto& [name, content] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_TRUE(found.at(name) == content) << name;
  }
}

}  // namespace
}  // namespace effdet

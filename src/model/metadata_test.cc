// Metadata written and read back, and refused where it makes no sense.
#include "model/metadata.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace effdet::model {
namespace {

TEST(Metadata, ReadsBackWhatWasWritten) {
  for (const Variant& variant : variants()) {
    ModelConfig config = default_config(variant, 3);
    config.class_names = {"cat", "\"quoted\"\n", "größe"};
    config.label_offset = 0;
    EXPECT_EQ(parse_metadata(metadata_of(config), "model.onnx"), info_of(config)) << variant.name;
  }
}

TEST(Metadata, IsReadable) {
  const auto metadata = metadata_of(default_config(*find_variant("tf_efficientdet_lite0")));
  EXPECT_EQ(metadata.at("effdet.mean"), "[0.5,0.5,0.5]");
  EXPECT_EQ(metadata.at("effdet.fill"), "[128,128,128]");
  EXPECT_EQ(metadata.at("effdet.image_size"), "[320,320]");
  EXPECT_EQ(metadata.at("effdet.aspect_ratios"), "[[1.0,1.0],[1.4,0.7],[0.7,1.4]]");
  EXPECT_EQ(metadata.at("effdet.class_names"), "[]");
  EXPECT_EQ(metadata.at("effdet.interpolation"), "bilinear");
  EXPECT_FALSE(metadata.contains("effdet.selection"));
  const auto zylo = metadata_of(default_config(*find_variant("zylo117_efficientdet_d0")));
  EXPECT_EQ(zylo.at("effdet.interpolation"), "bilinear-sampled");
  EXPECT_EQ(zylo.at("effdet.selection"), "best-class");
  EXPECT_TRUE(has_model_info(metadata));
  EXPECT_FALSE(has_model_info({{"author", "x"}}));
}

TEST(BadInput, Metadata_EveryMissingKeyIsNamed) {
  const auto complete = metadata_of(default_config(*find_variant("tf_efficientdet_d0")));
  for (const auto& [key, value] : complete) {
    auto metadata = complete;
    metadata.erase(key);
    try {
      parse_metadata(metadata, "model.onnx");
      ADD_FAILURE() << key;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_EQ(std::string(error.what()), "model.onnx: metadata " + key + " is missing");
    }
  }
}

TEST(BadInput, Metadata_SenselessValues) {
  const std::pair<const char*, std::vector<const char*>> cases[] = {
      {"effdet.num_classes", {"", "0", "-1", "1e9", "\"90\"", "9999999999999999999999", "90.5", "[90]"}},
      {"effdet.image_size", {"[]", "[512]", "512", "[512,0]", "[512,-1]", "[512,1e10]", "{", "[[512],512]"}},
      {"effdet.min_level", {"8", "-1"}},
      {"effdet.max_level", {"2", "1000"}},
      {"effdet.num_scales", {"0", "100000"}},
      {"effdet.aspect_ratios", {"[]", "[1,2]", "[[1]]", "[[1,0]]", "[[1,-1]]", "[[1,null]]"}},
      {"effdet.anchor_scale", {"0", "-4", "null", "1e999"}},
      {"effdet.mean", {"[0,0]", "0", "[0,0,\"a\"]"}},
      {"effdet.std", {"[1,1,0]", "[1,1,-1]"}},
      {"effdet.fill", {"[0,0,256]", "[0,0,-1]", "[0,0,0.5]", "[]"}},
      {"effdet.interpolation", {"", "psychic"}},
      {"effdet.selection", {"", "all"}},
      {"effdet.class_names", {"[\"a\"]", "[1]", "null", "{}"}},
      {"effdet.label_offset", {"x", "1e300"}},
  };
  for (const auto& [key, values] : cases)
    for (const char* value : values) {
      auto metadata = metadata_of(default_config(*find_variant("tf_efficientdet_d0")));
      metadata[key] = value;
      EXPECT_THROW(parse_metadata(metadata, "model.onnx"), Error) << key << " = " << value;
    }
  auto metadata = metadata_of(default_config(*find_variant("tf_efficientdet_d0")));
  metadata["effdet.mean"] = std::string(1000000, '[');
  EXPECT_THROW(parse_metadata(metadata, "model.onnx"), Error);
}

}  // namespace
}  // namespace effdet::model

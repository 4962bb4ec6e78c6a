// The table of families, and how checkpoints and metadata lead to its rows.
#include "model/family.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/metadata.h"
#include "model/test_checkpoint.h"

namespace effdet::model {
namespace {

TEST(Family, EveryVariantHasOne) {
  for (const Variant& variant : variants()) EXPECT_EQ(family_of(variant).name, variant.family) << variant.name;
  EXPECT_EQ(find_family("Frobnicator"), nullptr);
}

TEST(Family, ACheckpointTellsItsOwn) {
  for (const char* name : {"tf_efficientdet_d1", "zylo117_efficientdet_d0"}) {
    const CheckpointFacts facts = facts_of(zero_checkpoint(name, "model.pth", 7));
    EXPECT_EQ(facts.family, find_family(kEfficientDet));
    EXPECT_EQ(facts.num_classes, 7);
    EXPECT_EQ(facts.anchors, 9);
    EXPECT_EQ(facts.head_inputs, find_variant(name)->fpn_channels);
    EXPECT_EQ(facts.naming, find_variant(name)->naming);
  }
}

TEST(Family, NoneIsAnErrorThatNamesLandmarks) {
  try {
    facts_of({"other.pth", "", {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_TRUE(std::string(error.what())
                    .starts_with("other.pth: is not an EfficientDet checkpoint: of its 0 tensors none is class_net."))
        << error.what();
  }
}

TEST(Family, MetadataNameOthersThanTheFirst) {
  auto metadata = metadata_of(default_config(*find_variant("tf_efficientdet_d0")));
  EXPECT_FALSE(metadata.contains("effdet.family"));
  metadata["effdet.family"] = kEfficientDet;
  EXPECT_EQ(parse_metadata(metadata, "m.onnx").decoding, Decoding::kAnchorLevels);
  metadata["effdet.family"] = "Frobnicator";
  EXPECT_THROW(parse_metadata(metadata, "m.onnx"), Error);
}

}  // namespace
}  // namespace effdet::model

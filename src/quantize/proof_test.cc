// The proof in the metadata, as it was written and as hostile files may have it.
#include "quantize/proof.h"

#include <gtest/gtest.h>

#include "effdet/error.h"

namespace effdet::quantize {
namespace {

QuantizationProof full_proof() {
  QuantizationProof proof{.calibration_images = 40, .calibration_sha256 = "ab12", .seed = UINT64_MAX};
  proof.accuracy = {.images = 39,
                    .sha256 = "cd34",
                    .map_float32 = 0.5776,
                    .map_int8 = 0.5741,
                    .keep = 0.99,
                    .instruction_set = "avx2"};
  proof.float_layers = {"stem", "head \"x\""};
  proof.int8_layers = 200;
  proof.int8_products = 0.97;
  return proof;
}

TEST(Proof, ComesBackAsItWasWritten) {
  std::map<std::string, std::string> metadata = {{"effdet.variant", "x"}, {"effdet.validation", "of another model"}};
  put_proof(full_proof(), metadata);
  const auto found = quantization_proof(metadata);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->calibration_images, 40u);
  EXPECT_EQ(found->calibration_sha256, "ab12");
  EXPECT_EQ(found->seed, UINT64_MAX);
  ASSERT_TRUE(found->accuracy);
  EXPECT_EQ(found->accuracy->images, 39u);
  EXPECT_EQ(found->accuracy->sha256, "cd34");
  EXPECT_EQ(found->accuracy->map_float32, 0.5776);
  EXPECT_EQ(found->accuracy->map_int8, 0.5741);
  EXPECT_EQ(found->accuracy->keep, 0.99);
  EXPECT_EQ(found->accuracy->instruction_set, "avx2");
  EXPECT_EQ(found->float_layers, full_proof().float_layers);
  EXPECT_EQ(found->int8_layers, 200u);
  EXPECT_EQ(found->int8_products, 0.97);
  EXPECT_FALSE(found->weights_only);
}

TEST(Proof, WhatWasNotMeasuredIsNotSaid) {
  std::map<std::string, std::string> metadata;
  EXPECT_FALSE(quantization_proof(metadata));
  put_proof(full_proof(), metadata);
  put_proof({.weights_only = true}, metadata);
  const auto found = quantization_proof(metadata);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->weights_only);
  EXPECT_FALSE(found->accuracy);
  EXPECT_EQ(found->calibration_sha256, "");
}

TEST(Proof, FilesThatDoNotNoteTheInstructionSetAreRead) {
  std::map<std::string, std::string> metadata;
  put_proof(full_proof(), metadata);
  metadata["effdet.validation"] = R"({"images":1,"sha256":"","mAP_float32":0.5,"mAP_int8":0.5,"keep":0.9})";
  const auto found = quantization_proof(metadata);
  ASSERT_TRUE(found && found->accuracy);
  EXPECT_EQ(found->accuracy->instruction_set, "");
}

TEST(Proof, MetadataThatMakeNoSenseAreRefused) {
  std::map<std::string, std::string> good;
  put_proof(full_proof(), good);
  for (const auto& [key, text] : std::vector<std::pair<std::string, std::string>>{
           {"effdet.quantization", "{"},
           {"effdet.quantization", "[]"},
           {"effdet.quantization", R"({"maps":1})"},
           {"effdet.calibration", R"({"images":-1,"sha256":"","seed":0})"},
           {"effdet.calibration", R"({"images":1,"sha256":2,"seed":0})"},
           {"effdet.validation", R"({"images":1,"sha256":"","mAP_float32":1e999,"mAP_int8":0,"keep":0})"},
           {"effdet.validation", R"({"images":1,"sha256":"","mAP_float32":0.5,"mAP_int8":7,"keep":0})"},
           {"effdet.validation", "3"},
           {"effdet.validation",
            R"({"images":1,"sha256":"","mAP_float32":0.5,"mAP_int8":0.5,"keep":0,"instruction_set":2})"},
           {"effdet.float_layers", R"([1])"},
           {"effdet.float_layers", "\"x\""}}) {
    auto metadata = good;
    metadata[key] = text;
    try {
      quantization_proof(metadata);
      ADD_FAILURE() << key << " " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  }
}

TEST(Proof, HashesDoNotDependOnTheOrderOfFiles) {
  const std::vector<std::string> digests = {"a", "b"}, swapped = {"b", "a"}, twice = {"a", "b", "b"};
  EXPECT_EQ(hash_of(digests), hash_of(swapped));
  EXPECT_NE(hash_of(digests), hash_of(twice));
  EXPECT_EQ(hash_of(digests).size(), 64u);
}

}  // namespace
}  // namespace effdet::quantize

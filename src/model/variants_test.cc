// The table of variants against effdet: names, shapes and order of all tensors, and legal image sizes.
#include "model/variants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "base/error.h"
#include "model/builder.h"

namespace effdet::model {
namespace {

struct Golden {
  size_t tensors = 0;
  int64_t elements = 0;
  std::string hash;
  bool operator==(const Golden&) const = default;
};

std::map<std::string, Golden> golden_variants() {
  std::ifstream file(EFFDET_SOURCE_DIR "/testdata/model_golden.txt");
  std::map<std::string, Golden> golden;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string name;
    Golden entry;
    words >> name >> entry.tensors >> entry.elements >> entry.hash;
    golden[name] = entry;
  }
  return golden;
}

/// As make_model_golden.py computes it.
Golden golden_of(const Variant& variant) {
  Golden golden;
  uint64_t hash = 0xCBF29CE484222325;
  auto tensors = expected_tensors(default_config(variant));
  if (variant.naming == Naming::kZylo117) std::ranges::sort(tensors, {}, &ExpectedTensor::name);
  for (const ExpectedTensor& tensor : tensors) {
    ++golden.tensors;
    int64_t elements = 1;
    for (int64_t dim : tensor.shape) elements *= dim;
    golden.elements += elements;
    for (char c : fmt::format("{}:{}:{}\n", tensor.name, shape_text(tensor.shape), dtype_name(tensor.dtype)))
      hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  }
  golden.hash = fmt::format("{:016x}", hash);
  return golden;
}

TEST(Variants, EveryTensorIsAsEffdetHasIt) {
  const auto golden = golden_variants();
  EXPECT_EQ(golden.size(), variants().size());
  for (const Variant& variant : variants()) {
    const auto found = golden.find(std::string(variant.name));
    ASSERT_NE(found, golden.end()) << variant.name;
    const Golden own = golden_of(variant);
    EXPECT_EQ(own.tensors, found->second.tensors) << variant.name;
    EXPECT_EQ(own.elements, found->second.elements) << variant.name;
    EXPECT_EQ(own.hash, found->second.hash) << variant.name;
  }
}

TEST(Variants, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const Variant& variant : variants()) {
    EXPECT_TRUE(names.insert(variant.name).second) << variant.name;
    EXPECT_EQ(find_variant(variant.name), &variant);
    EXPECT_NO_THROW(check_config(default_config(variant)));
  }
  EXPECT_EQ(find_variant("efficientdet_d9"), nullptr);
}

std::string size_error(const char* name, int height, int width) {
  try {
    check_image_size(*find_variant(name), height, width);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "";
}

TEST(ImageSize, MultiplesOf128AndTheDefaultAreLegal) {
  EXPECT_EQ(size_error("tf_efficientdet_d0", 512, 512), "");
  EXPECT_EQ(size_error("tf_efficientdet_d0", 128, 1920), "");
  EXPECT_EQ(size_error("tf_efficientdet_lite0", 320, 320), "");
  EXPECT_EQ(size_error("tf_efficientdet_lite2", 448, 512), "");
}

TEST(ImageSize, ErrorNamesTheNearestLegalSize) {
  EXPECT_TRUE(size_error("tf_efficientdet_d0", 320, 500).ends_with("is 384 512"));
  EXPECT_TRUE(size_error("tf_efficientdet_lite0", 330, 1).ends_with("is 320 128"));
  EXPECT_TRUE(size_error("tf_efficientdet_d0", -5, 2147483647).ends_with("is 128 16384"));
  EXPECT_TRUE(size_error("tf_efficientdet_d7x", 128, 256).ends_with("is 256 256"));
  EXPECT_TRUE(size_error("zylo117_efficientdet_d8", 384, 640).ends_with("is 512 768"));
}

}  // namespace
}  // namespace effdet::model

// Each convolution gets the scheme that suits it.
#include <map>

#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(ChooseProducts, EachByItsScheme) {
  Builder b({1, 32, 16, 16});
  const auto dense = b.conv("dense", b.x, {32, 32, 3, 3}), point = b.conv("point", dense, {32, 32, 1, 1});
  b.graph.outputs = {b.conv("strided", point, {32, 32, 3, 3}, {{"strides", Ints{2, 2}}})};
  for (const bool fewer : {false, true}) {
    CompileOptions options;
    options.choices.other_products = fewer ? LayerChoices::Others::kYes : LayerChoices::Others::kNo;
    std::map<std::string, std::string> products;
    for (const ir::Node& node : compile(b.graph, options).graph.nodes)
      products[node.name] = node.get_string("product", "");
    EXPECT_EQ(products["dense"], fewer ? "winograd" : "direct");
    EXPECT_EQ(products["point"], fewer ? "strassen" : "direct");
    EXPECT_EQ(products["strided"], "");
  }
}

}  // namespace
}  // namespace effdet::compiler

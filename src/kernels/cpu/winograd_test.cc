// Dense convolution by Winograd's scheme against the reference kernel.
#include "kernels/cpu/conv_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, ConvWinograd) {
  for (Row row : window_rows()) {
    if (row.kernel != 3 || row.stride != 1) continue;
    row.out = kChannels[row.flags >> 8 & 7];  // without 810
    if (row.channels > 100) row.height = row.batch = 1, row.pads[0] = row.pads[2] = 1;
    Case c = conv_case(row);
    add_extras(c, row);
    c.set("product", std::string("winograd"));  // where the kernel would not choose it
    check_float32(c, "cpu:winograd", row.text());
  }
}

/// Maps of many tiles, which hang over or do not; several tasks, whose ends lie within rows of tiles.
TEST_P(Kernels, ConvWinogradTasks) {
  for (const auto& [in, out, height, width] : {std::tuple{24, 24, 8, 8}, {40, 70, 31, 33}, {24, 33, 3, 150}})
    for (const uint32_t flags : {0u, 1u, 4u}) {
      const Row row{.channels = in,
                    .out = out,
                    .batch = 2,
                    .height = height,
                    .width = width,
                    .kernel = 3,
                    .pads = {1, 1, 1, 1},
                    .activation = "swish",
                    .flags = flags};
      Case c = conv_case(row);
      add_extras(c, row);
      if (height == 3) c.set("product", std::string("winograd"));
      check_float32(c, "cpu:winograd", row.text());
    }
}

}  // namespace
}  // namespace effdet::kernels

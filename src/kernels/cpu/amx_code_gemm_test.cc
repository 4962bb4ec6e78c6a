// The code for AMX's products of codes, on emulated tiles, against vectors, which other tests compare with the
// reference kernel: bit for bit.
#include <cstring>
#include <random>

#include "kernels/cpu/code_products.h"
#include "kernels/cpu/requantization.h"
#include "kernels/kernel_test_util.h"

namespace effdet::kernels::cpu {

namespace avx512_vnni {
extern const CodeProducts kEmulatedTiles;
}

namespace {

struct Sizes {
  int m, n, k;
};
void PrintTo(const Sizes& sizes, std::ostream* out) { *out << sizes.m << " x " << sizes.n << " x " << sizes.k; }

constexpr Sizes kSizes[] = {{1, 1, 1},     {13, 17, 3},    {16, 16, 64},  {17, 32, 65},
                            {33, 48, 130}, {100, 810, 63}, {31, 33, 1040}};

/// A block of random codes and weights, with all that it points to.
template <typename Out>
struct RandomBlock {
  explicit RandomBlock(const Sizes& size) : m(size.m), n(size.n), k(size.k) {
    std::mt19937 random(7);
    const int whole = (k + kQuad - 1) / kQuad * kQuad, panels = (n + kPanel - 1) / kPanel;
    a.resize(static_cast<size_t>(m * whole));
    for (uint8_t& code : a) code = static_cast<uint8_t>(random());
    b.resize(static_cast<size_t>(panels * whole * kPanel / kQuad));
    for (uint32_t& quad : b) quad = random();
    for (int i = 0; i < panels * kPanel; ++i) {
      start.push_back(static_cast<int32_t>(random() % 20000) - 10000);
      scale.push_back(0.003f / static_cast<float>(k) * static_cast<float>(1 + i % 7));
    }
    residual.resize(static_cast<size_t>(m * n), Out(random() % 200));
    block = {.a = a.data(),
             .lda = whole,
             .b = b.data(),
             .b_panel = whole * kPanel / kQuad,
             .start = start.data(),
             .scale = scale.data(),
             .residual = nullptr,
             .residual_scale = 0.5f,
             .residual_zero_point = 77,
             .c = nullptr,
             .ldc = n,
             .m = m,
             .n = n,
             .k = k,
             .activation = Activation::kRelu,
             .requantization = nullptr,
             .wide = nullptr};
  }
  std::vector<Out> run(void (*multiply)(const CodeBlock<Out>&)) {
    std::vector<Out> c(static_cast<size_t>(m * n), Out(99));
    block.c = c.data();
    multiply(block);
    return c;
  }

  int m, n, k;
  std::vector<uint8_t> a;
  std::vector<uint32_t> b;
  std::vector<int32_t> start;
  std::vector<float> scale;
  std::vector<Out> residual;
  CodeBlock<Out> block;
};

class EmulatedTiles : public testing::TestWithParam<Sizes> {
 protected:
  void SetUp() override {
    if (micro_kernels_for("avx512_vnni") == nullptr) GTEST_SKIP() << "this processor has no avx512_vnni";
  }
  const CodeProducts& tiles = avx512_vnni::kEmulatedTiles;
  const CodeProducts& vectors = avx512_vnni::kCodeProducts;
};
INSTANTIATE_TEST_SUITE_P(Sizes, EmulatedTiles, testing::ValuesIn(kSizes));

TEST_P(EmulatedTiles, ToCodes) {
  RandomBlock<uint8_t> random(GetParam());
  for (const Activation activation : {Activation::kSwish, Activation::kRelu6, Activation::kHardSwish}) {
    const Requantization r = requantization(ops::Requantizer(activation, {0.02f, 30}));
    random.block.requantization = &r;
    for (const uint8_t* residual :
         {static_cast<const uint8_t*>(nullptr), static_cast<const uint8_t*>(random.residual.data())}) {
      random.block.residual = residual;
      EXPECT_EQ(random.run(tiles.to_codes), random.run(vectors.to_codes));
    }
  }
}

TEST_P(EmulatedTiles, ToFloats) {
  RandomBlock<float> random(GetParam());
  random.block.residual = random.residual.data();
  EXPECT_EQ(random.run(tiles.to_floats), random.run(vectors.to_floats));
}

TEST_P(EmulatedTiles, ToColumns) {
  RandomBlock<float> random(GetParam());
  const std::vector<float> rows = random.run(vectors.to_floats);
  // Pixels in panels, as weights are.
  const int words = (random.k + kQuad - 1) / kQuad;
  std::vector<uint32_t> packed(static_cast<size_t>((random.m + kPanel - 1) / kPanel * words * kPanel));
  for (int i = 0; i < random.m; ++i)
    for (int word = 0; word < words; ++word)
      std::memcpy(&packed[static_cast<size_t>((i / kPanel * words + word) * kPanel + i % kPanel)],
                  random.block.a + i * random.block.lda + kQuad * word, kQuad);
  random.block.a = reinterpret_cast<const uint8_t*>(packed.data());
  random.block.lda = ptrdiff_t{words} * kPanel * kQuad;
  random.block.ldc = random.m;
  for (const CodeProducts* products : {&tiles, &vectors}) {
    const std::vector<float> columns = random.run(products->to_columns);
    for (int i = 0; i < random.m; ++i)
      for (int j = 0; j < random.n; ++j)
        ASSERT_EQ(columns[static_cast<size_t>(j * random.m + i)], rows[static_cast<size_t>(i * random.n + j)])
            << i << " " << j;
  }
}

}  // namespace
}  // namespace effdet::kernels::cpu

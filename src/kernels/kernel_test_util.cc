// Makes rows of options and random tensors, and compares kernels with the reference.
#include "kernels/kernel_test_util.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

#include "kernels/cpu/micro_kernels.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/host_api.h"

namespace effdet::kernels {
namespace {

// After scratch memory: what a kernel writes there would be another's.
constexpr size_t kGuard = 256;
constexpr std::byte kGuardByte{0xA5};

/// Where a value that is nearly 0 by chance, in an output of few values, would make any rounding look large.
constexpr double kLeastScale = 0.05;

/// Of the largest magnitude. Roundings of a sum add up like a random walk, in the reference kernel too.
double tolerance(int64_t terms) { return 2e-6 * std::max(1.0, std::sqrt(static_cast<double>(terms) / 2000)); }

/// GPUs add the bias last, and have an exponential of their own.
constexpr double kGpuFactor = 2;

/// bfloat16 has 8 significant bits, float16 11; weights, maps and the map inside of a fused operator are each rounded.
constexpr double kBf16Tolerance = 0.02, kF16Tolerance = kBf16Tolerance / 8;

/// What a GPU leaves to the host, and nothing else.
constexpr std::string_view kLeftToHost[] = {"steps after the activation", "only NHWC", "only floats",
                                            "only between float32 and a float of 16 bits"};

/// Null: the CPU.
const Device*& device_under_test() {
  static const Device* device = nullptr;
  return device;
}

/// GPU kernels on the CPU; with EFFDET_TEST_GPU in the environment, on the first GPU.
const Device& gpu_under_test() {
  static const auto twin = cuda::make_device("cuda-twin", 0, cuda::host_api);
  return std::getenv("EFFDET_TEST_GPU") != nullptr ? cuda::device(cuda::kTarget) : *twin;
}

/// Whether a GPU runs a step itself; it must, but for what it leaves to the host.
bool is_kernel_of_gpu(const Choice& choice) {
  if (choice.implementation != "cuda:on_host") return true;
  for (const std::string& refusal : choice.refusals)
    EXPECT_TRUE(std::ranges::any_of(kLeftToHost, [&](std::string_view reason) { return refusal.ends_with(reason); }))
        << refusal;
  return false;
}

double largest_magnitude(const Tensor& tensor) {
  double largest = kLeastScale;
  const Tensor wide = tensor.to(DType::kF32);
  for (const float value : wide.data<float>()) largest = std::max(largest, std::abs(double{value}));
  return largest;
}

/// The largest difference; infinite where a value is not finite.
double difference(const Tensor& got, const Tensor& want) {
  double worst = 0;
  const Tensor wide = got.to(DType::kF32), wide_want = want.to(DType::kF32);
  const auto numbers = wide.data<float>(), wanted = wide_want.data<float>();
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double g = numbers[i], w = wanted[i];
    if (!std::isfinite(g)) return INFINITY;
    worst = std::max(worst, std::abs(g - w));
  }
  return worst;
}

Ints pads_of(bool same, int64_t height, int64_t width, int64_t kernel, int64_t stride) {
  const int64_t half = kernel / 2;
  if (!same) return {half, half, half, half};
  const auto total = [&](int64_t side) {
    return std::max<int64_t>(0, ((side + stride - 1) / stride - 1) * stride + kernel - side);
  };
  const int64_t vertical = total(height), horizontal = total(width);
  return {vertical / 2, horizontal / 2, vertical - vertical / 2, horizontal - horizontal / 2};
}

/// The members that take turns: sides in order, so that every channel count meets each; the others at random.
Row turned(size_t number, int64_t channels) {
  std::mt19937 random(static_cast<uint32_t>(number));
  Row row;
  row.channels = row.out = channels;
  row.height = 1 + static_cast<int64_t>(number % 9);
  row.width = 1 + static_cast<int64_t>(random() % 9);
  row.batch = 1 + random() % 3;
  row.activation = kActivations[random() % kFusedActivations].name;
  row.flags = static_cast<uint32_t>(random());
  return row;
}

}  // namespace

Tensor random_tensor(const Shape& shape, uint32_t seed) {
  Tensor tensor(DType::kF32, shape);
  std::mt19937 random(seed);
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random() % 2001) / 500.0f - 2.0f;
  return tensor;
}

Tensor random_weights(const Shape& shape, int64_t terms, uint32_t seed) {
  Tensor tensor = random_tensor(shape, seed);
  const float divisor = std::sqrt(static_cast<float>(terms));
  for (float& value : tensor.mutable_data<float>()) value /= divisor;
  return tensor;
}

Tensor panel_bias(int64_t channels, uint32_t seed) { return random_tensor({ops::padded_to_panels(channels)}, seed); }

Case::Case(std::string op, std::map<std::string, ir::Attribute> attributes)
    : node{std::move(op), std::string(ir::kFusedDomain), "test", {}, {}, std::move(attributes)} {
  want(1);
}

void Case::set(const std::string& attribute, ir::Attribute value) {
  node.attributes.insert_or_assign(attribute, std::move(value));
}

void Case::add(Tensor input) {
  node.inputs.push_back(input.empty() ? ir::kNoValue : static_cast<ir::ValueId>(inputs.size()));
  inputs.push_back(std::move(input));
}

void Case::want(size_t outputs) {
  constexpr ir::ValueId kFirst = 100;  // after every input
  node.outputs.clear();
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(kFirst + static_cast<ir::ValueId>(i));
}

std::vector<ops::Inferred> infer(const Case& c) {
  std::vector<ops::InputInfo> infos;
  for (const Tensor& input : c.inputs)
    infos.push_back({!input.empty(), input.dtype(), input.empty() ? std::optional<Shape>() : input.shape(),
                     input.empty() ? nullptr : &input});
  return ops::infer_node(c.node, c.opset, infos);
}

std::optional<Case> as_narrow(const Case& c, DType dtype) {
  const ops::Card& card = ops::card_of(c.node);
  if (!card.takes(dtype) || card.slot(0) != ops::Slot::kMap) return std::nullopt;
  DType input = dtype, output = dtype;
  Case narrow = c;
  if (card.layout == ops::LayoutRule::kAttributes) {  // as the compiler has it: what is NCHW is float32
    const auto layouts = ops::MapLayouts::of(c.node);
    if (layouts.input == ir::Layout::kPlain) input = DType::kF32;
    if (layouts.output == ir::Layout::kPlain) output = DType::kF32;
    if (input == output && input == DType::kF32) return std::nullopt;
    narrow.set("output_type", std::string(dtype_name(output)));
  }
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const auto type = ops::type_in_slot(card.slot(i), input, output);
    if (c.inputs[i].empty() || !type) continue;
    if (card.slot(i) != ops::Slot::kPackedWeights) {
      narrow.inputs[i] = c.inputs[i].to(*type);
    } else if (*type != DType::kF32) {
      const bool has_padding = ops::padded_depth(c.inputs[i].dim(1), *type) != c.inputs[i].dim(1);
      if (output == DType::kF32 && has_padding) return std::nullopt;  // kernels that write NCHW know none
      narrow.inputs[i] = ops::pack_narrow(c.inputs[i], *type);
    }
  }
  return narrow;
}

namespace {

/// Inputs and outputs of a case as a plan sees them, and tensors for the outputs.
struct Planned {
  explicit Planned(const Case& c) {
    for (const Tensor& input : c.inputs)
      inputs.push_back({input.dtype(), input.shape(), input.empty() ? nullptr : &input, !input.empty()});
    for (const ops::Inferred& inferred : infer(c)) {
      if (results.size() == c.node.outputs.size()) break;
      outputs.push_back({inferred.dtype, *inferred.shape});
      results.emplace_back(inferred.dtype, *inferred.shape);
      // Not a number, of either type: what a kernel forgets to write shows.
      std::ranges::fill(results.back().mutable_bytes(), std::byte{0xFF});
    }
  }
  std::vector<ValueInfo> inputs, outputs;
  std::vector<Tensor> results;
};

std::vector<Tensor> run_on_cpu(const Case& c, Planned planned, bool reference_only, int threads,
                               std::string_view implementation) {
  std::vector<const std::byte*> sources;
  for (const Tensor& input : c.inputs) sources.push_back(input.empty() ? nullptr : input.bytes().data());
  std::vector<std::byte*> targets;
  for (Tensor& result : planned.results) targets.push_back(result.mutable_bytes().data());
  const Choice choice = choose(cpu::device(), {c.node, c.opset, planned.inputs, planned.outputs}, reference_only);
  if (!implementation.empty()) {
    EXPECT_EQ(choice.implementation, implementation);
  }
  ThreadPool pool(threads);
  const size_t bytes = choice.kernel->scratch_bytes(pool.size());
  // Memory of its own, so that AddressSanitizer sees what lies beyond; filled, since it is not cleared in an engine.
  // Not for valgrind, which knows what was never written; but kernels of codes may multiply that with zeros, which are
  // padding of weights, and nothing comes of it: of numbers without NaN, but valgrind does not know.
  const std::unique_ptr<std::byte, void (*)(void*)> scratch(
      static_cast<std::byte*>(std::aligned_alloc(64, (bytes + kGuard + 63) / 64 * 64)), std::free);
  const bool of_codes = std::ranges::any_of(c.inputs, [](const Tensor& input) { return input.dtype() == DType::kU8; });
  if (!kValgrind || of_codes) std::memset(scratch.get(), 0xFF, bytes);
  std::byte* const end = scratch.get() + bytes;
  std::fill_n(end, kGuard, kGuardByte);
  choice.kernel->run({sources, targets, scratch.get(), pool});
  EXPECT_TRUE(std::all_of(end, end + kGuard, [](std::byte b) { return b == kGuardByte; }))
      << "written after the end of the scratch memory";
  return planned.results;
}

bool has_kernel_of_gpu(const Case& c) {
  const Planned planned(c);
  return is_kernel_of_gpu(choose(*device_under_test(), {c.node, c.opset, planned.inputs, planned.outputs}));
}

std::vector<Tensor> run_on_gpu(const Device& device, const Case& c, Planned planned, int threads) {
  const Choice choice = choose(device, {c.node, c.opset, planned.inputs, planned.outputs});
  is_kernel_of_gpu(choice);
  static Queue* const queue = device.make_queue().release();  // one for all tests: it takes longer than most of them
  choice.kernel->prepare(queue);
  ThreadPool pool(threads);
  std::vector<std::shared_ptr<std::byte>> memory;
  const auto copy = [&](const Tensor& tensor) {
    if (tensor.empty()) return static_cast<std::byte*>(nullptr);
    std::byte* place = memory.emplace_back(device.allocate(tensor.byte_size(), "a tensor")).get();
    queue->upload(tensor.bytes(), place);
    return place;
  };
  std::vector<const std::byte*> sources;
  for (const Tensor& input : c.inputs) sources.push_back(copy(input));
  std::vector<std::byte*> targets;
  for (const Tensor& result : planned.results) targets.push_back(copy(result));
  const auto scratch = device.allocate(choice.kernel->scratch_bytes(pool.size()), "scratch");
  choice.kernel->run({sources, targets, scratch.get(), pool, queue});
  for (size_t i = 0; i < targets.size(); ++i) queue->download(targets[i], planned.results[i].mutable_bytes());
  return planned.results;
}

}  // namespace

std::vector<Tensor> run(const Case& c, bool reference_only, int threads, std::string_view implementation) {
  const Device* gpu = device_under_test();
  if (gpu == nullptr || reference_only) return run_on_cpu(c, Planned(c), reference_only, threads, implementation);
  return run_on_gpu(*gpu, c, Planned(c), threads);
}

std::string Row::text() const {
  return fmt::format("{} x {}x{} x {} -> {}, kernel {} stride {} pads {}, {}, flags {:x}", batch, height, width,
                     channels, out, kernel, stride, fmt::join(pads, ","), activation, flags & 0xff);
}

std::vector<Row> channel_rows() {
  std::vector<Row> rows;
  for (int turn = 0; turn < kTurns; ++turn)
    for (const int64_t channels : kChannels)
      for (const int64_t out : kChannels) {
        rows.push_back(turned(rows.size() + 1, channels));
        rows.back().out = out;
        // The reference kernel takes as many steps as there are products.
        if (channels * out > 100'000) rows.back().height = rows.back().batch = 1;
      }
  return rows;
}

std::vector<Row> window_rows() {
  std::vector<Row> rows;
  for (int turn = 0; turn < kTurns; ++turn)
    for (const int64_t channels : kChannels)
      for (const int64_t kernel : {3, 5})
        for (const int64_t stride : {1, 2})
          for (const bool same : {false, true}) {
            Row& row = rows.emplace_back(turned(rows.size() + 1, channels));
            row.kernel = kernel;
            row.stride = stride;
            row.pads = pads_of(same, row.height, row.width, kernel, stride);
          }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Isa, Kernels,
                         testing::Values("amx_bf16", "avx512_bf16", "avx512_wide", "avx512", "avx2", "sse2", "cuda"),
                         [](const auto& isa) { return std::string(isa.param); });

void Kernels::SetUp() {
  if (GetParam() == std::string_view("cuda")) {
    device_under_test() = &gpu_under_test();
    return;
  }
  if (cpu::micro_kernels_for(GetParam()) == nullptr) GTEST_SKIP() << "this processor has no " << GetParam();
  ::setenv("EFFDET_ISA", GetParam(), 1);
}

bool Kernels::on_gpu() { return device_under_test() != nullptr; }

void Kernels::TearDown() {
  device_under_test() = nullptr;
  ::unsetenv("EFFDET_ISA");
  EXPECT_EQ(cuda::host_overruns(), 0) << "written after the end of a GPU's memory";
}

void Kernels::check(const Case& c, std::string_view implementation, const std::string& what) {
  check_float32(c, implementation, what);
  check_bf16(c, implementation, what);
  if (!on_gpu()) return;
  if (const auto narrow = as_narrow(c, DType::kF16))
    compare(*narrow, implementation, kF16Tolerance, what + ", float16");
}

void Kernels::check_bf16(const Case& c, std::string_view implementation, const std::string& what) {
  if (const auto narrow = as_bf16(c)) compare(*narrow, implementation, kBf16Tolerance, what + ", bfloat16");
}

void Kernels::check_float32(const Case& c, std::string_view implementation, const std::string& what) {
  compare(c, implementation, (on_gpu() ? kGpuFactor : 1) * tolerance(c.terms), what);
}

void Kernels::compare(const Case& c, std::string_view implementation, double tolerance, const std::string& what) {
  SCOPED_TRACE(what);
  if (on_gpu() && !has_kernel_of_gpu(c)) return;
  const auto want = run(c, true, 1);
  const auto got = run(c, false, 1, implementation), threaded = run(c, false, 3, implementation);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_LT(difference(got[i], want[i]), tolerance * largest_magnitude(want[0])) << "output " << i;
    EXPECT_TRUE(std::ranges::equal(got[i].bytes(), threaded[i].bytes())) << "bits differ between threads, output " << i;
  }
}

}  // namespace effdet::kernels

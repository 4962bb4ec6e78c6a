// Inference takes no memory: counted through the global operator new of this test program.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "compiler/compile.h"
#include "model/builder.h"
#include "model/init.h"
#include "ops/op.h"
#include "runtime/engine.h"

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace effdet::runtime {
namespace {

TEST(Session, RunAllocatesNothing) {
  model::ModelConfig config = model::default_config(*model::find_variant("tf_efficientdet_d0"), 90);
  ThreadPool threads(default_thread_count());
  const checkpoint::Checkpoint checkpoint{"random.pth", "", model::init_checkpoint(config, 1, &threads)};
  const auto engine = std::make_shared<Engine>(compiler::compile(model::build_graph(config, checkpoint)));
  for (const kernels::Choice& choice : engine->choices()) EXPECT_NE(choice.implementation, "reference");
  Session session(engine, 2);
  const Tensor image(DType::kF32, *engine->input(0).shape);
  std::vector<Tensor> outputs;
  std::vector<std::byte*> targets;
  for (size_t i = 0; i < engine->output_count(); ++i) {
    outputs.emplace_back(engine->output(i).dtype, *engine->output(i).shape);
    targets.push_back(outputs.back().mutable_bytes().data());
  }
  const std::byte* source = image.bytes().data();
  const int64_t before = allocations;
  ASSERT_GT(before, 0) << "nothing is counted";
  session.run({&source, 1}, targets);
  EXPECT_EQ(allocations - before, 0);
}

}  // namespace
}  // namespace effdet::runtime

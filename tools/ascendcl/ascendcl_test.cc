// Programs for Ascend on a CPU: results are the Runner's to the bit, and errors are codes, whatever a program does.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <tuple>

#include "effdet/checkpoint.h"
#include "effdet/compiled_model.h"
#include "effdet/onnx_model.h"
#include "effdet/streams.h"
#include "kernels/ascend/functions.h"
#include "support/test_folder.h"

namespace effdet::acl {

using namespace kernels::ascend::acl;  // NOLINT(google-build-using-namespace): the interface under test
namespace {

namespace fs = std::filesystem;
using test::TestFolder;

/// A D0 with another number of classes and 128 x 128 pixels; with several batch sizes or sizes where plans says so.
CompiledModel small_model(const std::vector<std::vector<int64_t>>& shapes = {}) {
  const OnnxModel graph = OnnxModel::open(EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth",
                                          {.model = "tf_efficientdet_d0", .height = 128, .width = 128});
  CompileOptions options;
  for (const auto& shape : shapes) options.plans.push_back({{graph.inputs()[0].name, shape}});
  return CompiledModel::compile(graph, options);
}

fs::path saved(const CompiledModel& model, const TestFolder& folder, const std::string& name = "m.om") {
  model.save(folder.path() / name);
  return folder.path() / name;
}

std::vector<char> bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What a Runner computes from made-up input.
std::vector<std::vector<std::byte>> expected_outputs(const CompiledModel& model, size_t plan = 0) {
  Runner runner(model, 1);
  const std::vector<float> input = made_up_input(runner.input_bytes(plan)[0] / sizeof(float));
  const auto source = std::as_bytes(std::span(input));
  std::vector<std::vector<std::byte>> outputs;
  for (const size_t bytes : runner.output_bytes(plan)) outputs.emplace_back(bytes);
  std::vector<std::span<std::byte>> targets(outputs.begin(), outputs.end());
  runner.run({&source, 1}, targets, plan);
  return outputs;
}

/// Buffers in device memory for a data set.
class Buffers {
 public:
  void add(size_t bytes) {
    void* memory = nullptr;
    ASSERT_EQ(aclrtMalloc(&memory, bytes, ACL_MEM_MALLOC_HUGE_FIRST), kSuccess);
    memory_.push_back(memory);
    sizes_.push_back(bytes);
    buffers_.push_back(aclCreateDataBuffer(memory, bytes));
    ASSERT_EQ(aclmdlAddDatasetBuffer(set_, buffers_.back()), kSuccess);
  }
  ~Buffers() {
    for (aclDataBuffer* buffer : buffers_) aclDestroyDataBuffer(buffer);
    for (void* memory : memory_) aclrtFree(memory);
    aclmdlDestroyDataset(set_);
  }
  aclmdlDataset* set() const { return set_; }
  void* memory(size_t i) const { return memory_[i]; }
  aclDataBuffer* buffer(size_t i) const { return buffers_[i]; }
  std::vector<std::byte> read(size_t i, size_t bytes) const {
    std::vector<std::byte> host(bytes);
    EXPECT_EQ(aclrtMemcpy(host.data(), bytes, memory_[i], bytes, ACL_MEMCPY_DEVICE_TO_HOST), kSuccess);
    return host;
  }

 private:
  aclmdlDataset* set_ = aclmdlCreateDataset();
  std::vector<void*> memory_;
  std::vector<size_t> sizes_;
  std::vector<aclDataBuffer*> buffers_;
};

class AscendCl : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(aclInit(nullptr), kSuccess);
    ASSERT_EQ(aclrtSetDevice(0), kSuccess);
    ASSERT_EQ(aclrtCreateContext(&context_, 0), kSuccess);
  }
  void TearDown() override {
    aclrtDestroyContext(context_);
    aclrtResetDevice(0);
    EXPECT_EQ(aclFinalize(), kSuccess);
  }

  uint32_t load(const fs::path& path) {
    uint32_t id = 0;
    EXPECT_EQ(aclmdlLoadFromFile(path.c_str(), &id), kSuccess) << aclGetRecentErrMsg();
    return id;
  }
  /// Buffers for a model, the input filled with made-up values of the first plan's or another size.
  void fill(uint32_t id, Buffers& inputs, Buffers& outputs, size_t input_bytes = 0) {
    aclmdlDesc* desc = aclmdlCreateDesc();
    ASSERT_EQ(aclmdlGetDesc(desc, id), kSuccess);
    for (size_t i = 0; i < aclmdlGetNumInputs(desc); ++i) inputs.add(aclmdlGetInputSizeByIndex(desc, i));
    for (size_t i = 0; i < aclmdlGetNumOutputs(desc); ++i) outputs.add(aclmdlGetOutputSizeByIndex(desc, i));
    const size_t bytes = input_bytes > 0 ? input_bytes : aclmdlGetInputSizeByIndex(desc, 0);
    const std::vector<float> values = made_up_input(bytes / sizeof(float));
    ASSERT_EQ(aclrtMemcpy(inputs.memory(0), bytes, values.data(), bytes, ACL_MEMCPY_HOST_TO_DEVICE), kSuccess);
    EXPECT_EQ(aclmdlDestroyDesc(desc), kSuccess);
  }
  static void expect_outputs(const Buffers& outputs, const std::vector<std::vector<std::byte>>& expected) {
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(outputs.read(i, expected[i].size()), expected[i]) << "output " << i;
  }

  TestFolder folder_{"ascendcl"};
  aclrtContext context_ = nullptr;
};

TEST_F(AscendCl, ModelsGiveTheBitsOfARunner) {
  const CompiledModel model = small_model();
  const fs::path path = saved(model, folder_);
  const auto expected = expected_outputs(model);
  const std::vector<char> file = bytes_of(path);
  size_t work = 0, weights = 0;
  ASSERT_EQ(aclmdlQuerySize(path.c_str(), &work, &weights), kSuccess);
  void *work_memory = nullptr, *weight_memory = nullptr;
  ASSERT_EQ(aclrtMalloc(&work_memory, work, ACL_MEM_MALLOC_HUGE_FIRST), kSuccess);
  ASSERT_EQ(aclrtMalloc(&weight_memory, weights, ACL_MEM_MALLOC_HUGE_FIRST), kSuccess);
  std::vector<uint32_t> ids(4);
  EXPECT_EQ(aclmdlLoadFromFile(path.c_str(), &ids[0]), kSuccess);
  EXPECT_EQ(aclmdlLoadFromMem(file.data(), file.size(), &ids[1]), kSuccess);
  EXPECT_EQ(aclmdlLoadFromFileWithMem(path.c_str(), &ids[2], work_memory, work, weight_memory, weights), kSuccess);
  EXPECT_EQ(aclmdlLoadFromMemWithMem(file.data(), file.size(), &ids[3], work_memory, work, weight_memory, weights),
            kSuccess);
  uint32_t none = 0;
  EXPECT_EQ(aclmdlLoadFromFileWithMem(path.c_str(), &none, work_memory, work, weight_memory, weights - 1),
            kGeParamInvalid);
  for (const uint32_t id : ids) {
    Buffers inputs, outputs;
    fill(id, inputs, outputs);
    EXPECT_EQ(aclmdlExecute(id, inputs.set(), outputs.set()), kSuccess) << aclGetRecentErrMsg();
    expect_outputs(outputs, expected);
    EXPECT_EQ(aclmdlUnload(id), kSuccess);
    EXPECT_EQ(aclmdlUnload(id), kGeExecModelIdInvalid);
    EXPECT_EQ(aclmdlExecute(id, inputs.set(), outputs.set()), kGeExecModelIdInvalid);
  }
  aclrtFree(work_memory);
  aclrtFree(weight_memory);
}

TEST_F(AscendCl, StreamsRunInOrderAndBesideTheCaller) {
  const CompiledModel model = small_model();
  const uint32_t id = load(saved(model, folder_));
  Buffers inputs, outputs;
  fill(id, inputs, outputs);
  aclrtStream stream = nullptr;
  ASSERT_EQ(aclrtCreateStream(&stream), kSuccess);
  const auto expected = expected_outputs(model);
  std::vector<std::byte> host(expected[0].size());
  aclrtEvent before = nullptr, after = nullptr;
  ASSERT_EQ(aclrtCreateEvent(&before), kSuccess);
  ASSERT_EQ(aclrtCreateEventWithFlag(&after, 8), kSuccess);
  aclrtEventRecordedStatus recorded = ACL_EVENT_RECORDED_STATUS_COMPLETE;
  EXPECT_EQ(aclrtQueryEventStatus(before, &recorded), kSuccess);
  EXPECT_EQ(recorded, ACL_EVENT_RECORDED_STATUS_NOT_READY);
  EXPECT_EQ(aclrtRecordEvent(before, stream), kSuccess);
  EXPECT_EQ(aclmdlExecuteAsync(id, inputs.set(), outputs.set(), stream), kSuccess);
  EXPECT_EQ(
      aclrtMemcpyAsync(host.data(), host.size(), outputs.memory(0), host.size(), ACL_MEMCPY_DEVICE_TO_HOST, stream),
      kSuccess);
  EXPECT_EQ(aclrtRecordEvent(after, stream), kSuccess);
  EXPECT_EQ(aclrtSynchronizeEvent(after), kSuccess);
  EXPECT_EQ(host, expected[0]);
  EXPECT_EQ(aclrtSynchronizeStream(stream), kSuccess);
  float milliseconds = -1;
  EXPECT_EQ(aclrtEventElapsedTime(&milliseconds, before, after), kSuccess);
  EXPECT_GT(milliseconds, 0);
  EXPECT_EQ(aclrtEventElapsedTime(&milliseconds, after, before), kRtEventTimestampReversal);
  // One stream waits for another.
  aclrtStream second = nullptr;
  ASSERT_EQ(aclrtCreateStream(&second), kSuccess);
  EXPECT_EQ(aclrtMemsetAsync(outputs.memory(0), host.size(), 7, host.size(), stream), kSuccess);
  EXPECT_EQ(aclrtRecordEvent(after, stream), kSuccess);
  EXPECT_EQ(aclrtStreamWaitEvent(second, after), kSuccess);
  EXPECT_EQ(
      aclrtMemcpyAsync(host.data(), host.size(), outputs.memory(0), host.size(), ACL_MEMCPY_DEVICE_TO_HOST, second),
      kSuccess);
  EXPECT_EQ(aclrtSynchronizeStreamWithTimeout(second, 60000), kSuccess);
  EXPECT_TRUE(std::ranges::all_of(host, [](std::byte b) { return b == std::byte{7}; }));
  EXPECT_EQ(aclrtDestroyEvent(before), kSuccess);
  EXPECT_EQ(aclrtDestroyEvent(before), kRtInvalidHandle);
  EXPECT_EQ(aclrtDestroyStream(stream), kSuccess);
  EXPECT_EQ(aclrtSynchronizeStream(stream), kRtInvalidHandle);
  EXPECT_EQ(aclrtDestroyStreamForce(second), kSuccess);
}

/// Two streams that hand work to each other by two events, recorded again and again: a wait is for the record before
/// it.
TEST_F(AscendCl, EventsAreReused) {
  aclrtStream first = nullptr, second = nullptr;
  aclrtEvent filled = nullptr, emptied = nullptr;
  ASSERT_EQ(aclrtCreateStream(&first), kSuccess);
  ASSERT_EQ(aclrtCreateStream(&second), kSuccess);
  ASSERT_EQ(aclrtCreateEvent(&filled), kSuccess);
  ASSERT_EQ(aclrtCreateEventExWithFlag(&emptied, 0), kSuccess);
  EXPECT_EQ(aclrtSynchronizeEvent(filled), kSuccess);  // it was not recorded: there is nothing to wait for
  aclrtEventStatus status = ACL_EVENT_STATUS_NOT_READY;
  EXPECT_EQ(aclrtQueryEvent(filled, &status), kSuccess);
  EXPECT_EQ(status, ACL_EVENT_STATUS_COMPLETE);
  aclrtEventRecordedStatus recorded = ACL_EVENT_RECORDED_STATUS_NOT_READY;
  EXPECT_EQ(aclrtQueryEventStatus(emptied, &recorded), kSuccess);
  EXPECT_EQ(recorded, ACL_EVENT_RECORDED_STATUS_COMPLETE);
  std::atomic<int> steps = 0;
  const auto count = [](void* data) { ++*static_cast<std::atomic<int>*>(data); };
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(aclrtStreamWaitEvent(first, emptied), kSuccess);
    EXPECT_EQ(aclrtLaunchHostFunc(first, count, &steps), kSuccess);
    EXPECT_EQ(aclrtRecordEvent(filled, first), kSuccess);
    EXPECT_EQ(aclrtStreamWaitEvent(second, filled), kSuccess);
    EXPECT_EQ(aclrtLaunchHostFunc(second, count, &steps), kSuccess);
    EXPECT_EQ(aclrtRecordEvent(emptied, second), kSuccess);
    if (i % 10 == 9) {
      EXPECT_EQ(aclrtResetEvent(filled, second), kSuccess);
    }
  }
  EXPECT_EQ(aclrtSynchronizeStreamWithTimeout(second, 60000), kSuccess);
  EXPECT_EQ(steps, 200);
}

TEST_F(AscendCl, NobodyWaitsForWhatIsDropped) {
  aclrtStream slow = nullptr, other = nullptr;
  aclrtEvent event = nullptr;
  ASSERT_EQ(aclrtCreateStream(&slow), kSuccess);
  ASSERT_EQ(aclrtCreateStream(&other), kSuccess);
  ASSERT_EQ(aclrtCreateEvent(&event), kSuccess);
  static std::atomic<bool> go;  // nobody waits for the task that reads it, either
  go = false;
  const auto wait = [](void* data) {
    while (!*static_cast<std::atomic<bool>*>(data)) std::this_thread::yield();
  };
  EXPECT_EQ(aclrtLaunchHostFunc(slow, wait, &go), kSuccess);
  EXPECT_EQ(aclrtRecordEvent(event, slow), kSuccess);
  EXPECT_EQ(aclrtStreamWaitEvent(other, event), kSuccess);
  EXPECT_EQ(aclrtDestroyStreamForce(slow), kSuccess);
  EXPECT_EQ(aclrtSynchronizeEventWithTimeout(event, 60000), kSuccess);
  EXPECT_EQ(aclrtSynchronizeStreamWithTimeout(other, 60000), kSuccess);
  go = true;
  // A task that waits for its own stream would wait for ever.
  aclError of_task = kSuccess;
  struct Own {
    aclrtContext context;
    aclrtStream stream;
    aclError* code;
  } own{context_, other, &of_task};
  EXPECT_EQ(aclrtLaunchHostFunc(
                other,
                [](void* data) {
                  const auto& o = *static_cast<Own*>(data);
                  aclrtSetCurrentContext(o.context);
                  *o.code = aclrtSynchronizeStream(o.stream);
                },
                &own),
            kSuccess);
  EXPECT_EQ(aclrtSynchronizeStream(other), kSuccess);
  EXPECT_EQ(of_task, kRtParamInvalid);
}

TEST_F(AscendCl, MemoryStaysWhileItIsUsed) {
  aclrtStream stream = nullptr;
  ASSERT_EQ(aclrtCreateStream(&stream), kSuccess);
  void* memory = nullptr;
  ASSERT_EQ(aclrtMalloc(&memory, 1 << 20, ACL_MEM_MALLOC_HUGE_FIRST), kSuccess);
  std::atomic<bool> go = false;
  const auto wait = [](void* data) {
    while (!*static_cast<std::atomic<bool>*>(data)) std::this_thread::yield();
  };
  EXPECT_EQ(aclrtLaunchHostFunc(stream, wait, &go), kSuccess);
  EXPECT_EQ(aclrtMemsetAsync(memory, 1 << 20, 1, 1 << 20, stream), kSuccess);
  EXPECT_EQ(aclrtFree(memory), kSuccess);
  go = true;
  EXPECT_EQ(aclrtSynchronizeStream(stream), kSuccess);
  // What was freed is not the host's memory.
  char byte = 0;
  EXPECT_EQ(aclrtMemset(memory, 1, 0, 1), kRtParamInvalid);
  EXPECT_EQ(aclrtMemset(stream, 1, 0, 1), kRtParamInvalid);
  EXPECT_EQ(aclrtMemcpy(memory, 1, &byte, 1, ACL_MEMCPY_DEFAULT), kRtParamInvalid);
  EXPECT_EQ(aclrtMemcpy(&byte, 1, memory, 1, ACL_MEMCPY_HOST_TO_HOST), kRtParamInvalid);
}

TEST_F(AscendCl, WordsFillMemoryOfBothSides) {
  void *device = nullptr, *host = nullptr;
  ASSERT_EQ(aclrtMalloc(&device, 64, ACL_MEM_MALLOC_HUGE_FIRST), kSuccess);
  ASSERT_EQ(aclrtMallocHost(&host, 64), kSuccess);
  auto* words = static_cast<uint32_t*>(host);
  EXPECT_EQ(aclrtMemsetD32(host, 64, 0x01020304, 16), kSuccess);
  EXPECT_EQ(words[15], 0x01020304u);
  EXPECT_EQ(aclrtMemsetD32(device, 64, 7, 16), kSuccess);
  EXPECT_EQ(aclrtMemsetD32Async(static_cast<std::byte*>(device) + 4, 8, 0xfffffffe, 2, nullptr), kSuccess);
  EXPECT_EQ(aclrtSynchronizeStream(nullptr), kSuccess);
  EXPECT_EQ(aclrtMemcpy(host, 64, device, 64, ACL_MEMCPY_DEVICE_TO_HOST), kSuccess);
  EXPECT_EQ(std::vector(words, words + 4), (std::vector<uint32_t>{7, 0xfffffffe, 0xfffffffe, 7}));
  EXPECT_EQ(aclrtMemsetD32Async(static_cast<uint32_t*>(host) + 15, 4, 9, 1, nullptr), kSuccess);
  EXPECT_EQ(words[15], 9u);  // of the host: when it is called

  uint32_t own[4] = {};
  for (const auto set :
       {+[](void*at, size_t room, size_t count) { return aclrtMemsetD32(at, room, 1, count); },
        +[](void*at, size_t room, size_t count) { return aclrtMemsetD32Async(at, room, 1, count, nullptr); }}) {
    EXPECT_EQ(set(nullptr, 64, 1), kInvalidParam);
    EXPECT_EQ(set(device, 64, 0), kInvalidParam);
    EXPECT_EQ(set(device, 64, 17), kInvalidParam);
    EXPECT_EQ(set(device, 64, SIZE_MAX / 2), kInvalidParam);
    EXPECT_EQ(set(static_cast<std::byte*>(device) + 2, 8, 1), kInvalidParam);
    EXPECT_EQ(set(own, sizeof own, 1), kInvalidParam);          // no memory of AscendCL
    EXPECT_EQ(set(words + 15, 8, 2), kInvalidParam);            // past the block
    EXPECT_EQ(set(device, 1 << 20, 1 << 18), kRtParamInvalid);  // past the block
  }
  uint32_t groups = 1;
  EXPECT_EQ(aclrtGetGroupCount(&groups), kSuccess);
  EXPECT_EQ(groups, 0u);
  EXPECT_EQ(aclrtGetGroupCount(nullptr), kInvalidParam);
  EXPECT_EQ(aclrtFree(device), kSuccess);
  EXPECT_EQ(aclrtFreeHost(host), kSuccess);
}

TEST_F(AscendCl, OneDataSetForBothSidesIsACode) {
  const uint32_t id = load(saved(small_model(), folder_));
  aclmdlDataset* set = aclmdlCreateDataset();
  EXPECT_EQ(aclmdlExecute(id, set, set), kGeParamInvalid);
  EXPECT_EQ(aclmdlDestroyDataset(set), kSuccess);
}

TEST_F(AscendCl, BatchSizesAreChosenByTheExtraInput) {
  const CompiledModel model = small_model({{1, 3, 128, 128}, {2, 3, 128, 128}, {4, 3, 128, 128}});
  const uint32_t id = load(saved(model, folder_));
  aclmdlDesc* desc = aclmdlCreateDesc();
  ASSERT_EQ(aclmdlGetDesc(desc, id), kSuccess);
  ASSERT_EQ(aclmdlGetNumInputs(desc), 2U);
  size_t index = 0;
  ASSERT_EQ(aclmdlGetInputIndexByName(desc, kDynamicTensorName, &index), kSuccess);
  EXPECT_EQ(index, 1U);
  aclmdlBatch batch;
  ASSERT_EQ(aclmdlGetDynamicBatch(desc, &batch), kSuccess);
  EXPECT_EQ(std::vector(batch.batch, batch.batch + batch.batchCount), (std::vector<uint64_t>{1, 2, 4}));
  aclmdlIODims dims;
  ASSERT_EQ(aclmdlGetInputDims(desc, 0, &dims), kSuccess);
  EXPECT_EQ(std::vector(dims.dims, dims.dims + dims.dimCount), (std::vector<int64_t>{-1, 3, 128, 128}));
  EXPECT_EQ(aclmdlGetInputSizeByIndex(desc, 0), 4U * 3 * 128 * 128 * sizeof(float));

  Buffers inputs, outputs;
  fill(id, inputs, outputs, 2 * 3 * 128 * 128 * sizeof(float));
  EXPECT_EQ(aclmdlExecute(id, inputs.set(), outputs.set()), kGeParamInvalid);  // none is chosen
  EXPECT_EQ(aclmdlSetDynamicBatchSize(id, inputs.set(), index, 3), kGeDynamicBatchSizeInvalid);
  EXPECT_EQ(aclmdlSetDynamicHWSize(id, inputs.set(), index, 128, 128), kGeDynamicBatchSizeInvalid);
  EXPECT_EQ(aclmdlSetDynamicBatchSize(id, inputs.set(), 0, 2), kGeDynamicBatchSizeInvalid);
  ASSERT_EQ(aclmdlSetDynamicBatchSize(id, inputs.set(), index, 2), kSuccess) << aclGetRecentErrMsg();
  ASSERT_EQ(aclmdlExecute(id, inputs.set(), outputs.set()), kSuccess) << aclGetRecentErrMsg();
  expect_outputs(outputs, expected_outputs(model, 1));
  ASSERT_EQ(aclmdlGetOutputDims(desc, 0, &dims), kSuccess);
  EXPECT_EQ(dims.dims[0], 4);
  ASSERT_EQ(aclmdlGetCurOutputDims(desc, 0, &dims), kSuccess);
  EXPECT_EQ(dims.dims[0], 2);
  EXPECT_EQ(aclmdlDestroyDesc(desc), kSuccess);
}

TEST_F(AscendCl, SizesAndDimensionsAreChosen) {
  const CompiledModel sizes = small_model({{1, 3, 128, 128}, {1, 3, 128, 256}});
  const CompiledModel mixed = small_model({{1, 3, 128, 128}, {2, 3, 128, 256}});
  const uint32_t by_size = load(saved(sizes, folder_)), by_dims = load(saved(mixed, folder_, "mixed.om"));
  aclmdlDesc* desc = aclmdlCreateDesc();
  ASSERT_EQ(aclmdlGetDesc(desc, by_size), kSuccess);
  aclmdlHW hw;
  ASSERT_EQ(aclmdlGetDynamicHW(desc, static_cast<size_t>(-1), &hw), kSuccess);
  ASSERT_EQ(hw.hwCount, 2U);
  EXPECT_EQ(hw.hw[1][0], 128U);
  EXPECT_EQ(hw.hw[1][1], 256U);
  {
    Buffers inputs, outputs;
    fill(by_size, inputs, outputs, size_t{3} * 128 * 256 * sizeof(float));
    ASSERT_EQ(aclmdlSetDynamicHWSize(by_size, inputs.set(), 1, 128, 256), kSuccess);
    ASSERT_EQ(aclmdlExecute(by_size, inputs.set(), outputs.set()), kSuccess);
    expect_outputs(outputs, expected_outputs(sizes, 1));
  }
  ASSERT_EQ(aclmdlGetDesc(desc, by_dims), kSuccess);
  size_t count = 0;
  ASSERT_EQ(aclmdlGetInputDynamicGearCount(desc, static_cast<size_t>(-1), &count), kSuccess);
  ASSERT_EQ(count, 2U);
  std::vector<aclmdlIODims> gears(count);
  ASSERT_EQ(aclmdlGetInputDynamicDims(desc, static_cast<size_t>(-1), gears.data(), count), kSuccess);
  Buffers inputs, outputs;
  fill(by_dims, inputs, outputs, size_t{2} * 3 * 128 * 256 * sizeof(float));
  ASSERT_EQ(aclmdlSetInputDynamicDims(by_dims, inputs.set(), 1, &gears[1]), kSuccess) << aclGetRecentErrMsg();
  ASSERT_EQ(aclmdlExecute(by_dims, inputs.set(), outputs.set()), kSuccess);
  expect_outputs(outputs, expected_outputs(mixed, 1));
  EXPECT_EQ(aclmdlDestroyDesc(desc), kSuccess);
}

TEST_F(AscendCl, WhatDoesNotFitIsACode) {
  const fs::path path = saved(small_model(), folder_);
  const uint32_t id = load(path);
  Buffers inputs, outputs;
  fill(id, inputs, outputs);
  Buffers small;
  small.add(16);
  EXPECT_EQ(aclmdlExecute(id, small.set(), outputs.set()), kGeParamInvalid);
  EXPECT_NE(std::string(aclGetRecentErrMsg()).find("input 0 has 16 bytes"), std::string::npos);
  EXPECT_EQ(aclGetRecentErrMsg(), nullptr);
  EXPECT_EQ(aclmdlExecute(id, inputs.set(), small.set()), kGeParamInvalid);
  EXPECT_EQ(aclmdlExecute(id, nullptr, outputs.set()), kInvalidParam);
  EXPECT_EQ(aclmdlExecute(id + 1, inputs.set(), outputs.set()), kGeExecModelIdInvalid);

  std::vector<float> host(128 * 128 * 3);
  const size_t bytes = host.size() * sizeof(float);
  EXPECT_EQ(aclrtMemcpy(inputs.memory(0), bytes - 1, host.data(), bytes, ACL_MEMCPY_HOST_TO_DEVICE), kRtParamInvalid);
  EXPECT_EQ(aclrtMemcpy(inputs.memory(0), bytes + 64, host.data(), bytes + 64, ACL_MEMCPY_HOST_TO_DEVICE),
            kRtParamInvalid);  // past the block
  EXPECT_EQ(aclrtMemcpy(host.data(), bytes, host.data(), bytes, ACL_MEMCPY_HOST_TO_DEVICE), kRtParamInvalid);
  EXPECT_EQ(aclrtMemcpy(inputs.memory(0), bytes, inputs.memory(0), bytes, ACL_MEMCPY_HOST_TO_DEVICE), kRtParamInvalid);
  EXPECT_EQ(aclrtMemcpy(nullptr, bytes, host.data(), bytes, ACL_MEMCPY_HOST_TO_DEVICE), kInvalidParam);
  EXPECT_EQ(aclrtMemcpy(nullptr, 0, nullptr, 0, ACL_MEMCPY_HOST_TO_DEVICE), kSuccess);
  EXPECT_EQ(aclrtMemcpy(inputs.memory(0), bytes, host.data(), bytes, static_cast<aclrtMemcpyKind>(99)), kInvalidParam);
  void* memory = nullptr;
  EXPECT_EQ(aclrtMalloc(&memory, 0, ACL_MEM_MALLOC_HUGE_FIRST), kInvalidParam);
  EXPECT_EQ(aclrtMalloc(nullptr, 8, ACL_MEM_MALLOC_HUGE_FIRST), kInvalidParam);
  EXPECT_EQ(aclrtMalloc(&memory, SIZE_MAX - 8, ACL_MEM_MALLOC_HUGE_FIRST), kInvalidParam);
  EXPECT_EQ(aclrtMalloc(&memory, SIZE_MAX / 2, ACL_MEM_MALLOC_HUGE_FIRST), kRtMemoryAllocation);
  EXPECT_EQ(aclrtFree(host.data()), kRtParamInvalid);
  ASSERT_EQ(aclrtMalloc(&memory, 100, ACL_MEM_MALLOC_HUGE_FIRST), kSuccess);
  EXPECT_EQ(aclrtFree(memory), kSuccess);
  EXPECT_EQ(aclrtFree(memory), kRtParamInvalid);

  EXPECT_EQ(aclrtSetDevice(1), kRtInvalidDeviceid);
  EXPECT_EQ(aclrtSetDevice(-1), kRtInvalidDeviceid);
  uint32_t none = 0;
  EXPECT_EQ(aclmdlLoadFromFile((folder_.path() / "none.om").c_str(), &none), kGeExecModelPathInvalid);
  EXPECT_EQ(aclmdlLoadFromFile(nullptr, &none), kInvalidParam);
  EXPECT_EQ(aclmdlLoadFromFile(path.c_str(), nullptr), kInvalidParam);
}

TEST_F(AscendCl, HandlesOutliveNothing) {
  aclDataBuffer* buffer = aclCreateDataBuffer(nullptr, 4);
  EXPECT_EQ(aclGetDataBufferSizeV2(buffer), 4U);
  EXPECT_EQ(aclGetDataBufferSize(buffer), 4U);
  aclmdlDataset* set = aclmdlCreateDataset();
  ASSERT_EQ(aclmdlAddDatasetBuffer(set, buffer), kSuccess);
  EXPECT_EQ(aclmdlGetDatasetBuffer(set, 0), buffer);
  EXPECT_EQ(aclmdlGetDatasetBuffer(set, 1), nullptr);
  EXPECT_EQ(aclDestroyDataBuffer(buffer), kSuccess);
  EXPECT_EQ(aclDestroyDataBuffer(buffer), kInvalidParam);
  EXPECT_EQ(aclGetDataBufferSizeV2(buffer), 0U);
  EXPECT_EQ(aclmdlGetDatasetNumBuffers(set), 1U);
  EXPECT_EQ(aclmdlDestroyDataset(set), kSuccess);
  EXPECT_EQ(aclmdlAddDatasetBuffer(set, buffer), kInvalidParam);
  EXPECT_EQ(aclmdlGetNumInputs(reinterpret_cast<aclmdlDesc*>(set)), 0U);  // of another kind
  aclmdlDesc* desc = aclmdlCreateDesc();
  EXPECT_EQ(aclmdlGetDesc(desc, 12345), kGeExecModelIdInvalid);
  EXPECT_EQ(aclmdlDestroyDesc(desc), kSuccess);
  EXPECT_EQ(aclmdlGetNumInputs(desc), 0U);
}

TEST_F(AscendCl, ContextsAreOfThreadsAndOfModels) {
  const uint32_t id = load(saved(small_model(), folder_));
  Buffers inputs, outputs;
  fill(id, inputs, outputs);
  aclrtStream stream = nullptr;
  ASSERT_EQ(aclrtCreateStream(&stream), kSuccess);
  std::thread([&] {
    void* memory = nullptr;
    EXPECT_EQ(aclrtMalloc(&memory, 8, ACL_MEM_MALLOC_HUGE_FIRST), kRtContextNull);
    EXPECT_EQ(aclmdlExecute(id, inputs.set(), outputs.set()), kRtContextNull);
    EXPECT_EQ(aclrtSetCurrentContext(context_), kSuccess);
    EXPECT_EQ(aclmdlExecute(id, inputs.set(), outputs.set()), kSuccess);
    EXPECT_EQ(aclrtSetDevice(0), kSuccess);  // the device's own context
    EXPECT_EQ(aclmdlExecute(id, inputs.set(), outputs.set()), kRtModelContext);
    EXPECT_EQ(aclrtSynchronizeStream(stream), kRtStreamContext);
    EXPECT_EQ(aclrtSynchronizeStream(nullptr), kSuccess);
    EXPECT_EQ(aclrtResetDevice(0), kSuccess);
  }).join();
  aclrtContext other = nullptr;
  ASSERT_EQ(aclrtCreateContext(&other, 0), kSuccess);
  EXPECT_EQ(aclrtDestroyContext(other), kSuccess);
  EXPECT_EQ(aclrtSetCurrentContext(other), kRtContextNull);
  EXPECT_EQ(aclrtGetCurrentContext(&other), kRtContextNull);
  EXPECT_EQ(aclrtSetCurrentContext(context_), kSuccess);
}

TEST_F(AscendCl, AModelRunsForOneCallerAtATime) {
  const uint32_t id = load(saved(small_model(), folder_));
  std::atomic<int> done = 0, refused = 0, other = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      ASSERT_EQ(aclrtSetCurrentContext(context_), kSuccess);
      Buffers inputs, outputs;
      fill(id, inputs, outputs);
      for (int i = 0; i < 20; ++i) {
        const aclError code = aclmdlExecute(id, inputs.set(), outputs.set());
        ++(code == kSuccess ? done : code == kRtModelRunning ? refused : other);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(done, 0);
  EXPECT_EQ(other, 0);
  EXPECT_EQ(done + refused, 80);
}

TEST_F(AscendCl, CallbacksRunWhereTheySubscribed) {
  aclrtStream stream = nullptr;
  ASSERT_EQ(aclrtCreateStream(&stream), kSuccess);
  std::atomic<int> calls = 0;
  std::atomic<bool> stop = false;
  std::thread reports([&] {
    ASSERT_EQ(aclrtSetCurrentContext(context_), kSuccess);
    while (!stop) aclrtProcessReport(20);
  });
  const auto number = static_cast<uint64_t>(reports.native_handle());
  const auto count = [](void* data) { ++*static_cast<std::atomic<int>*>(data); };
  EXPECT_EQ(aclrtLaunchCallback(count, &calls, ACL_CALLBACK_BLOCK, stream), kRtStreamNoCbReg);
  ASSERT_EQ(aclrtSubscribeReport(number, stream), kSuccess);
  EXPECT_EQ(aclrtSubscribeReport(number, stream), kRtStreamSubscribe);
  EXPECT_EQ(aclrtLaunchCallback(count, &calls, ACL_CALLBACK_BLOCK, stream), kSuccess);
  EXPECT_EQ(aclrtSynchronizeStream(stream), kSuccess);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(aclrtLaunchHostFunc(stream, count, &calls), kSuccess);
  EXPECT_EQ(aclrtSynchronizeStream(stream), kSuccess);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(aclrtUnSubscribeReport(number, stream), kSuccess);
  EXPECT_EQ(aclrtUnSubscribeReport(number, stream), kRtThreadSubscribe);
  EXPECT_EQ(aclrtProcessReport(5), kRtThreadSubscribe);
  stop = true;
  reports.join();
}

TEST_F(AscendCl, DamagedModelsAreRefused) {
  const std::vector<char> good = bytes_of(saved(small_model(), folder_));
  uint32_t id = 0;
  size_t work = 0, weights = 0;
  for (size_t bytes = 0; bytes < good.size(); bytes += good.size() / 20) {
    EXPECT_NE(aclmdlLoadFromMem(good.data(), bytes, &id), kSuccess) << bytes;
    EXPECT_NE(aclmdlQuerySizeFromMem(good.data(), bytes, &work, &weights), kSuccess) << bytes;
  }
  aclmdlDesc* desc = aclmdlCreateDesc();
  for (size_t at = 0; at < good.size(); at += at < 200 ? 5 : good.size() / 20) {
    std::vector<char> bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x5a);
    EXPECT_EQ(aclmdlLoadFromMem(bad.data(), bad.size(), &id), kGeLoadModel) << at;
    EXPECT_EQ(aclmdlGetDescFromMem(desc, bad.data(), bad.size()), kGeLoadModel) << at;
  }
  EXPECT_EQ(aclmdlDestroyDesc(desc), kSuccess);
}

TEST(AscendClInit, CallsAreCounted) {
  uint32_t id = 0;
  EXPECT_EQ(aclmdlLoadFromFile("m.om", &id), kGeExecNotInit);
  uint64_t left = 9;
  EXPECT_EQ(aclFinalizeReference(&left), kRepeatFinalize);
  EXPECT_EQ(aclInit(nullptr), kSuccess);
  EXPECT_EQ(aclInit(nullptr), kRepeatInitialize);
  EXPECT_EQ(aclInit(""), kRepeatInitialize);
  EXPECT_EQ(aclFinalizeReference(&left), kSuccess);
  EXPECT_EQ(left, 2U);
  EXPECT_EQ(aclFinalize(), kSuccess);
  EXPECT_EQ(aclFinalize(), kRepeatFinalize);
  EXPECT_EQ(aclmdlUnload(1), kGeExecNotInit);
  EXPECT_EQ(aclmdlSetDump("acl.json"), kUninitialize);
  EXPECT_EQ(aclInit(nullptr), kSuccess);  // and again
  EXPECT_EQ(aclFinalize(), kSuccess);
}

TEST(AscendClInit, ConfigurationsAreChecked) {
  const TestFolder folder("ascendcl");
  const auto file = [&](const std::string& text) {
    const fs::path path = folder.path() / "acl.json";
    std::ofstream(path) << text;
    return path;
  };
  EXPECT_EQ(aclInit((folder.path() / "none.json").c_str()), kInvalidFile);
  for (const std::string text : {"", "[1]", "{", "{\"dump\": }", "nul", "{} {}"})
    EXPECT_EQ(aclInit(file(text).c_str()), kParseFile) << text;
  EXPECT_EQ(aclInit(file(std::string(100000, '[')).c_str()), kParseFile);
  EXPECT_EQ(aclInit(folder.path().c_str()), kInvalidFile);
  EXPECT_EQ(aclInit(file("{\"dump\": {\"dump_list\": []}}").c_str()), kSuccess);
  EXPECT_EQ(aclFinalize(), kSuccess);
}

/// Calls a function with nothing: null pointers and zeros.
template <typename Result, typename... Parameters>
void call_with_nothing(Result (*function)(Parameters...)) {
  std::apply(function, std::tuple<Parameters...>{});
}

void call_with_nothing(void (*log)(aclLogLevel, const char*, const char*, uint32_t, const char*, ...)) {
  log(ACL_DEBUG, nullptr, nullptr, 0, nullptr);
}

TEST(AscendClInit, NothingCrashesOnNothing) {
#define ACL_FUNCTION(result, name, parameters) call_with_nothing(&name);
#include "kernels/ascend/functions.inc"
#undef ACL_FUNCTION
}

TEST(AscendClNumbers, HalvesRoundToEven) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const float value = aclFloat16ToFloat(static_cast<aclFloat16>(half));
    if (value != value) continue;
    EXPECT_EQ(aclFloatToFloat16(value), half);
  }
  EXPECT_EQ(aclFloatToFloat16(2049.0F), 0x6800);  // between 2048 and 2050
  EXPECT_EQ(aclFloatToFloat16(2051.0F), 0x6802);
  EXPECT_EQ(aclFloatToFloat16(65519.9F), 0x7bff);
  EXPECT_EQ(aclFloatToFloat16(65520.0F), 0x7c00);
  EXPECT_EQ(aclFloatToFloat16(-0x1p-25F), 0x8000);
  EXPECT_EQ(aclFloatToFloat16(0x1.8p-24F), 0x0002);
  EXPECT_EQ(aclDataTypeSize(ACL_BF16), 2U);
  EXPECT_EQ(aclDataTypeSize(ACL_DT_UNDEFINED), 0U);
}

// The environment is read once, so that these run in processes of their own.

TEST(AscendClDebugDeathTest, HostCodeThatTouchesDeviceMemoryIsCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ::setenv("EFFDET_ASCEND_DEBUG", "1", 1);
  EXPECT_DEATH(
      {
        void* memory = nullptr;
        aclInit(nullptr);
        aclrtSetDevice(0);
        aclrtMalloc(&memory, 100, ACL_MEM_MALLOC_HUGE_FIRST);
        const char value = 5;
        if (aclrtMemcpy(memory, 1, &value, 1, ACL_MEMCPY_HOST_TO_DEVICE) != kSuccess) std::exit(0);
        static_cast<volatile char*>(memory)[3] = 1;
      },
      "touches memory of device 0: byte 3 of the 100");
  ::unsetenv("EFFDET_ASCEND_DEBUG");
}

TEST(AscendClDebugDeathTest, DevicesHaveTheMemoryThatTheyAreGiven) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ::setenv("EFFDET_ASCEND_DEVICES", "3", 1);
  ::setenv("EFFDET_ASCEND_MEMORY_MB", "1", 1);
  const auto uses_memory = [] {
    void *first = nullptr, *second = nullptr;
    uint32_t count = 0;
    aclrtGetDeviceCount(&count);
    const auto allocate = [](void*& memory) { return aclrtMalloc(&memory, 700 << 10, ACL_MEM_MALLOC_HUGE_FIRST); };
    return count == 3 && aclrtSetDevice(2) == kSuccess && allocate(first) == kSuccess &&
           allocate(second) == kRtMemoryAllocation && aclrtSetDevice(1) == kSuccess && allocate(second) == kSuccess &&
           aclrtFree(first) == kSuccess && aclrtSetDevice(3) == kRtInvalidDeviceid;
  };
  EXPECT_EXIT(std::exit(uses_memory() ? 17 : 1), testing::ExitedWithCode(17), "");
  ::setenv("EFFDET_ASCEND_DEVICES", "many", 1);
  EXPECT_EXIT(std::exit(aclInit(nullptr) == kInvalidParam ? 17 : 1), testing::ExitedWithCode(17), "");
  ::unsetenv("EFFDET_ASCEND_DEVICES");
  ::unsetenv("EFFDET_ASCEND_MEMORY_MB");
}

}  // namespace
}  // namespace effdet::acl

// Random checkpoints that behave like trained ones numerically: for benchmarks and tests without trained weights.
#pragma once

#include <cstdint>
#include <vector>

#include "base/thread_pool.h"
#include "checkpoint/checkpoint.h"
#include "model/config.h"

namespace effdet::model {

/// All tensors of the model in the order of PyTorch's state_dict, so that effdet loads them strictly. Batch norm
/// statistics are calibrated on synthetic images, so that activations of every layer stay in a natural range; class
/// logits lie around -4.6 and box codes around 0. The same seed and config give the same bits, whatever the number of
/// threads (which may be null). The config's image size and batch have no influence.
std::vector<checkpoint::NamedTensor> init_checkpoint(const ModelConfig& config, uint64_t seed,
                                                     ThreadPool* threads = nullptr);

}  // namespace effdet::model

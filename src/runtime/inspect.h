// What a compiled model is, for people: its steps, sizes and precision.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "effdet/model_description.h"
#include "effdet/model_options.h"
#include "runtime/engine.h"

namespace effdet::runtime {

/// The steps in execution order, with the kernels that were chosen here.
std::vector<StepInfo> describe_steps(const Engine& engine);

/// One line on the steps that the device leaves to the processor; empty where it runs all of them.
std::string fallback_note(const Engine& engine);

/// Memory for activations in bytes: that of the plan that needs most.
uint64_t arena_bytes(std::span<const std::shared_ptr<const Engine>> plans);

/// Bytes of all weights; what plans share counts once.
uint64_t weight_bytes(std::span<const std::shared_ptr<const Engine>> plans);

/// What a program computes in.
Precision precision_of(const Engine& engine);

}  // namespace effdet::runtime

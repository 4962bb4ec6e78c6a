// PyTorch checkpoints: named tensors in and out, without executing anything that a file says.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/tensor.h"

namespace effdet {

/// A tensor and its key in the state_dict, such as "backbone.conv_stem.weight".
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// The weights of one state_dict.
struct Checkpoint {
  std::string path;
  /// The key that the state_dict was under ("state_dict", "state_dict_ema", "ema.module", ...); "" where it is the
  /// file's root.
  std::string container;
  /// In the order of the file; names are unique, and stripped of the prefixes of wrapper modules.
  std::vector<NamedTensor> tensors;
};

struct ReadOptions {
  /// Prefer the exponential moving average of the weights, where the file has one (as timm's use_ema).
  bool use_ema = false;
};

/// Reads what torch.save wrote (zip + pickle, or the legacy format of torch < 1.6), or a safetensors file; the first
/// bytes tell which. The weights are a state_dict, or a dict that holds one under the keys that trainers use
/// ("state_dict", "model", "model_state_dict", "net", ..., or an EMA key), however these are nested. Prefixes of
/// wrapper modules that all keys have ("module.", "_orig_mod.", "model.", ...) are removed, and with them anchor boxes
/// of effdet's benches. Tensors refer to the mapped file where they are stored uncompressed, aligned and contiguous,
/// and keep it mapped; others are copied into row-major order.
///
/// The pickle is interpreted with a closed list of opcodes and globals, that of torch.load(weights_only=True) and some
/// inert types more (argparse.Namespace, numpy scalars, ...); nothing is imported or called. Memory stays under twice
/// the file's size + 256 MB whatever the file says.
///
/// Throws Error: kIo where the file cannot be read, kUnsupported for other formats (TorchScript, tar, ...; the message
/// names it) and tensors (sparse, quantized, complex), else kBadInput.
Checkpoint read_checkpoint(const std::filesystem::path& path, const ReadOptions& options = {});

/// Writes tensors as an OrderedDict that torch.load(path, weights_only=True) reads, data aligned to 64 bytes, whole or
/// not at all; the same tensors give the same bytes. Throws Error: kUsage for a name that is repeated or not UTF-8,
/// kUnsupported for unsigned types above 8 bits and for 4 GiB and more, kIo.
void write_checkpoint(const std::filesystem::path& path, std::span<const NamedTensor> tensors);

}  // namespace effdet

// PyTorch checkpoints: named tensors in and out, without executing anything that a file says.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/tensor.h"

namespace effdet::checkpoint {

/// A tensor and its key in the state_dict, such as "backbone.conv_stem.weight".
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// A tensor that weights cannot be made of, and its type: "sparse", "complex64", "float8_e4m3fn", ...
struct ForeignTensor {
  std::string name, type;
};

/// Something that the file says beside its weights: "args.model" and "\"tf_efficientdet_d0\"", "config.image_size" and
/// "[512,512]". Names are keys with dots between, values are JSON.
struct Hint {
  std::string name, value;
};

/// The weights of one state_dict.
struct Checkpoint {
  std::string path;
  /// The key that the state_dict was under ("state_dict", "state_dict_ema", "ema.module", ...); "" where it is the
  /// file's root.
  std::string container;
  /// In the order of the file; names are unique, and stripped of the prefixes of wrapper modules.
  std::vector<NamedTensor> tensors;
  std::vector<ForeignTensor> foreign = {};  ///< of the state_dict, named like tensors
  /// Foreign tensors elsewhere in the file: those whose names are known, and how many there are.
  std::vector<ForeignTensor> foreign_beside = {};
  size_t foreign_beside_count = 0;
  std::vector<Hint> hints = {};  ///< in the order of the file
  bool has_checksums = true;     ///< false: damage inside of a tensor cannot be seen
  size_t files = 1;              ///< more where the weights are sharded
};

struct ReadOptions {
  /// Prefer the exponential moving average of the weights, where the file has one (as timm's use_ema).
  bool use_ema = false;
  /// Keep names and tensors as they are, prefixes of wrapper modules included.
  bool keep_names = false;
};

/// Reads what torch.save wrote (zip + pickle, or the legacy format of torch < 1.6), or a safetensors file; the first
/// bytes tell which. Also weights in several such files: path is then their index (*.index.json), or the folder. The
/// weights are a state_dict, or a dict that holds one under the keys that trainers use
/// ("state_dict", "model", "model_state_dict", "net", ..., or an EMA key), however these are nested. Prefixes of
/// wrapper modules that all keys have ("module.", "_orig_mod.", "model.", ...) are removed, and with them anchor boxes
/// of effdet's benches. Tensors refer to the mapped file where they are stored uncompressed, aligned and contiguous,
/// and keep it mapped; others are copied into row-major order.
///
/// The pickle is interpreted with a closed list of opcodes and globals, that of torch.load(weights_only=True) and some
/// inert types more (argparse.Namespace, OmegaConf, numpy scalars, ...); nothing is imported or called. Memory stays
/// under twice the file's size + 256 MB whatever the file says. Checksums are compared where the file has them.
///
/// Throws Error: kIo where the file cannot be read, kUnsupported for other formats (TorchScript, tar, ...; the message
/// names it) and where no tensor has a type that weights have, else kBadInput.
Checkpoint read_checkpoint(const std::filesystem::path& path, const ReadOptions& options = {});

/// Writes tensors as an OrderedDict that torch.load(path, weights_only=True) reads, data aligned to 64 bytes, whole or
/// not at all; the same tensors give the same bytes. Throws Error: kUsage for a name that is repeated or not UTF-8,
/// kUnsupported for unsigned types above 8 bits and for 4 GiB and more, kIo.
void write_checkpoint(const std::filesystem::path& path, std::span<const NamedTensor> tensors);

}  // namespace effdet::checkpoint

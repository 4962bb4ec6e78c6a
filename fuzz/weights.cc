// Weights: PyTorch's checkpoints and safetensors files, whole and in shards.
#include "targets.h"

#include "checkpoint/checkpoint.h"
#include "checkpoint/little_endian.h"
#include "input_file.h"

namespace effdet::fuzz {
namespace {

void read_weights(const std::filesystem::path& file) {
  for (const bool keep_names : {false, true}) {
    read([&] {
      unsigned sum = 0;  // what a tensor says that it has must be there
      for (const auto& named : checkpoint::read_checkpoint(file, {.keep_names = keep_names}).tensors)
        for (const std::byte byte : named.tensor.bytes()) sum += std::to_integer<unsigned>(byte);
      [[maybe_unused]] volatile unsigned kept = sum;
    });
  }
}

/// A safetensors file whose one tensor has one element.
std::string small_shard() {
  const std::string header = R"({"y": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})";
  std::string file;
  checkpoint::append_le(file, static_cast<uint64_t>(header.size()));
  file += header;
  checkpoint::append_le(file, 1.0f);
  return file;
}

}  // namespace

void checkpoint(Bytes input) { read_weights(write_input("input", text_of(input))); }

/// The part before the first line "---" is the index, the rest a.safetensors; b.safetensors has "y".
void sharded_checkpoint(Bytes input) {
  static const bool once = (write_input("shards/b.safetensors", small_shard()), true);
  static_cast<void>(once);
  const auto [index, shard] = halves_of(input);
  write_input("shards/a.safetensors", shard);
  read_weights(write_input("shards/model.safetensors.index.json", index));
}

}  // namespace effdet::fuzz

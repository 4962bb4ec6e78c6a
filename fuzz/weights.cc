// Weights: PyTorch's checkpoints and safetensors files.
#include "targets.h"

#include "checkpoint/checkpoint.h"
#include "input_file.h"

namespace effdet::fuzz {

void checkpoint(Bytes input) {
  const std::filesystem::path file = write_input("input", text_of(input));
  for (const bool keep_names : {false, true}) {
    read([&] {
      unsigned sum = 0;  // what a tensor says that it has must be there
      for (const auto& named : checkpoint::read_checkpoint(file, {.keep_names = keep_names}).tensors)
        for (const std::byte byte : named.tensor.bytes()) sum += std::to_integer<unsigned>(byte);
      [[maybe_unused]] volatile unsigned kept = sum;
    });
  }
}

}  // namespace effdet::fuzz

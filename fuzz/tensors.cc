// Tensors in files of their own, and the preprocessing that atc takes into a model.
#include "aipp/config.h"
#include "base/npy.h"
#include "input_file.h"
#include "targets.h"

namespace effdet::fuzz {

void npy(Bytes input) { read_file_of(input, read_npy); }

void aipp(Bytes input) {
  read([&] { aipp::parse_config(std::string(text_of(input)), "input.cfg").resolve({1, 3, 64, 64}); });
}

}  // namespace effdet::fuzz

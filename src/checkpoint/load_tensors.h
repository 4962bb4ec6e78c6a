// From strided windows into storages to dense tensors.
#pragma once

#include <string_view>
#include <vector>

#include "checkpoint/pickle_value.h"
#include "checkpoint/zip_archive.h"

namespace effdet {

/// Loads the tensors of one archive. A storage's record is checked (CRC) and, where it is compressed, expanded once.
class TensorLoader {
 public:
  /// top: the archive's top folder with its slash. All must outlive the loader. Throws Error(kBadInput) where a storage
  /// has no record, or one of another size.
  TensorLoader(const ZipArchive& archive, std::string_view top, const ValueStore& store, Budget& budget);

  /// Row-major; shares the archive's bytes where these are aligned and already so, else a copy.
  Tensor load(const TensorSpec& spec);

 private:
  std::shared_ptr<const std::byte> storage_bytes(uint32_t index);

  const ZipArchive& archive_;
  const ValueStore& store_;
  Budget& budget_;
  struct Storage {
    const ZipEntry* entry;
    std::shared_ptr<const std::byte> bytes;  // null until first used
  };
  std::vector<Storage> storages_;
};

}  // namespace effdet

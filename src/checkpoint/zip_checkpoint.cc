// Finds the pickle and the storages in an archive; explains TorchScript and exported programs.
#include "checkpoint/zip_checkpoint.h"

#include "base/checked.h"
#include "checkpoint/load_tensors.h"
#include "checkpoint/quoted.h"
#include "checkpoint/state_dict.h"
#include "checkpoint/unpickler.h"
#include "checkpoint/zip_archive.h"

namespace effdet::checkpoint {
namespace {

/// Archives of torch.export.save, which have their program beside the weights; before torch 2.9 without a folder.
void refuse_exported_program(const ZipArchive& archive) {
  for (const ZipEntry& entry : archive.entries()) {
    if (entry.name != "serialized_exported_program.json" && !entry.name.ends_with("/archive_format")) continue;
    fail(ErrorCode::kUnsupported,
         "{}: is a PyTorch export archive (.pt2; it has the record {}), not a checkpoint: re-save its weights with "
         "torch.save(torch.export.load(path).state_dict, path)",
         archive.path(), quote_text(entry.name));
  }
}

/// The archive's only top folder, with its slash.
std::string_view find_top_folder(const ZipArchive& archive) {
  const std::string_view first = archive.entries().front().name;
  const std::string_view top = first.substr(0, first.find('/') + 1);
  for (const ZipEntry& entry : archive.entries()) {
    if (top.empty() || !entry.name.starts_with(top)) {
      bad_input("{}: not a PyTorch checkpoint: its zip records are not all in one folder ({}, {} at byte {})",
                archive.path(), quote_text(first), quote_text(entry.name), entry.header_offset);
    }
  }
  return top;
}

/// The pickle's record. TorchScript archives have one, too, beside code that only TorchScript can run.
const ZipEntry& find_pickle(const ZipArchive& archive, std::string_view top) {
  const std::string folder(top);
  if (archive.find(folder + "constants.pkl") != nullptr || archive.find(folder + "bytecode.pkl") != nullptr) {
    fail(ErrorCode::kUnsupported,
         "{}: is a TorchScript archive (it has the record {}), not a checkpoint: re-save it with "
         "torch.save(torch.jit.load(path).state_dict(), path)",
         archive.path(), quote_text(folder + "constants.pkl"));
  }
  const ZipEntry* entry = archive.find(folder + "data.pkl");
  if (entry == nullptr)
    bad_input("{}: a zip archive, but not a PyTorch checkpoint: the record {} is missing", archive.path(),
              quote_text(folder + "data.pkl"));
  return *entry;
}

void check_byte_order(const ZipArchive& archive, std::string_view top) {
  const ZipEntry* entry = archive.find(std::string(top) + "byteorder");
  if (entry == nullptr) return;  // torch < 2.1 did not say
  const auto bytes = archive.read(*entry);
  const std::string_view order(reinterpret_cast<const char*>(bytes.get()), entry->size);
  if (order == "little") return;
  fail(ErrorCode::kUnsupported, "{}: record {} at byte {} says {}; only little-endian checkpoints are read",
       archive.path(), quote_text(entry->name), entry->data_offset, quote_text(order));
}

/// Each storage is a record of its own, which is checked (CRC) and, where it is compressed, expanded once.
class ZipStorages : public StorageReader {
 public:
  /// Throws Error(kBadInput) where a storage has no record, or one of another size.
  ZipStorages(const ZipArchive& archive, std::string_view top, const ValueStore& store) : archive_(archive) {
    storages_.reserve(store.storages().size());
    for (const StorageRef& storage : store.storages()) storages_.push_back({find(storage, top), nullptr});
  }

  Place place(uint32_t index) const override {
    const ZipEntry& entry = *storages_[index].entry;
    return {entry.name, entry.data_offset};
  }

  std::shared_ptr<const std::byte> read(uint32_t index) override {
    Storage& storage = storages_[index];
    if (!storage.bytes) storage.bytes = archive_.read(*storage.entry);
    return storage.bytes;
  }

 private:
  const ZipEntry* find(const StorageRef& storage, std::string_view top) const {
    const std::string name = std::string(top).append("data/").append(storage.key);
    const ZipEntry* entry = archive_.find(name);
    if (entry == nullptr) {
      bad_input("{}: the record {} is missing, which the pickle refers to at byte {}", archive_.path(),
                quote_text(name), storage.pickle_offset);
    }
    const auto size = checked_mul(storage.numel, storage.element_size());
    if (!size || *size != entry->size) {
      bad_input("{}: record {} at byte {} has {} bytes, but its storage {} x {}", archive_.path(), quote_text(name),
                entry->data_offset, entry->size, storage.numel, storage.type_name());
    }
    return entry;
  }

  struct Storage {
    const ZipEntry* entry;
    std::shared_ptr<const std::byte> bytes;  // null until first used
  };
  const ZipArchive& archive_;
  std::vector<Storage> storages_;
};

}  // namespace

Checkpoint read_zip_checkpoint(MappedFile file, const ReadOptions& options, Budget& budget) {
  const ZipArchive archive(std::move(file), budget);
  refuse_exported_program(archive);
  const std::string_view top = find_top_folder(archive);
  const ZipEntry& pickle = find_pickle(archive, top);
  check_byte_order(archive, top);

  const auto bytes = archive.read(pickle);
  const PickleSource source{{reinterpret_cast<const char*>(bytes.get()), pickle.size}, archive.path(), pickle.name};
  ValueStore store(budget);
  const Value root = Unpickler(source, store, budget).load();

  ZipStorages storages(archive, top, store);
  StateDict state_dict = select_state_dict(root, store, options, source, budget);
  Checkpoint checkpoint = load_checkpoint(std::move(state_dict), store, storages, source, budget);
  checkpoint.has_checksums = archive.has_checksums();
  return checkpoint;
}

}  // namespace effdet::checkpoint

// Reads the pickles of a legacy file one after the other, then the storages' bytes.
#include "checkpoint/legacy_checkpoint.h"

#include <map>

#include "base/checked.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/load_tensors.h"
#include "checkpoint/quoted.h"
#include "checkpoint/state_dict.h"
#include "checkpoint/unpickler.h"

namespace effdet::checkpoint {
namespace {

constexpr int64_t kProtocolVersion = 1001;

/// Takes one pickle after the other from the front of the file.
class LegacyFile {
 public:
  explicit LegacyFile(const MappedFile& file)
      : path_(file.path()), content_(reinterpret_cast<const char*>(file.bytes().data()), file.size()) {}

  PickleSource next_pickle(std::string_view name) {
    const PickleSource source = PickleSource{content_.substr(offset_), path_, name, offset_}.up_to_stop();
    offset_ += source.bytes.size();
    return source;
  }

  /// The bytes of a storage that its count and size say are next.
  uint64_t take_storage(const StorageRef& storage) {
    const uint64_t start = offset_;
    if (!fits(start, sizeof(uint64_t), content_.size())) fail_cut(storage, start);
    const auto numel = load_le<uint64_t>(content_.data() + start);
    if (numel != storage.numel)
      bad_input("{}: storage {} at byte {} has {} elements, but the pickle says {} at byte {}", path_,
                quote_text(storage.key), start, numel, storage.numel, storage.pickle_offset);
    const auto size = checked_mul(numel, storage.element_size());
    offset_ += sizeof(uint64_t);
    if (!size || !fits(offset_, *size, content_.size())) fail_cut(storage, start);
    const uint64_t data = offset_;
    offset_ += *size;
    return data;
  }

  void expect_end() const {
    if (offset_ != content_.size())
      bad_input("{}: {} bytes at byte {} follow the last storage", path_, content_.size() - offset_, offset_);
  }

 private:
  [[noreturn]] void fail_cut(const StorageRef& storage, uint64_t offset) const {
    bad_input("{}: storage {} at byte {} ({} x {}) reaches past the end of the file: it is cut off or damaged", path_,
              quote_text(storage.key), offset, storage.numel, storage.type_name());
  }

  const std::string& path_;
  std::string_view content_;
  uint64_t offset_ = 0;
};

/// The number that is the whole of a pickle.
void check_protocol(const PickleSource& source, ValueStore& store, Budget& budget) {
  const Value version = Unpickler(source, store, budget).load();
  if (version.kind != ValueKind::kInt) source.fail_at(0, "the protocol version is {}", kind_name(version.kind));
  if (version.integer != kProtocolVersion)
    source.fail_at(0, "the protocol version is {} instead of {}", version.integer, kProtocolVersion);
}

/// {"protocol_version": 1000, "little_endian": True, "type_sizes": {...}}
void check_byte_order(const PickleSource& source, ValueStore& store, Budget& budget) {
  const Value info = Unpickler(source, store, budget).load();
  if (info.kind != ValueKind::kDict) source.fail_at(0, "the system's description is {}", kind_name(info.kind));
  const auto items = std::as_const(store).items(info);
  for (size_t i = 0; i < items.size(); i += 2) {
    if (items[i].kind != ValueKind::kText || items[i].as_text() != "little_endian") continue;
    if (items[i + 1].kind == ValueKind::kBool && items[i + 1].integer != 0) return;
    source.unsupported_at(source.offset_of(items[i].as_text()), "only little-endian checkpoints are read");
  }
  source.fail_at(0, "the system's description does not say 'little_endian'");
}

/// Storages lie one after the other, each after its number of elements, in the order of the last pickle's keys.
class LegacyStorages : public StorageReader {
 public:
  LegacyStorages(LegacyFile& file, const MappedFile& mapping, const ValueStore& store, std::span<const Value> keys,
                 const PickleSource& source)
      : mapping_(mapping), store_(store), offsets_(store.storages().size()) {
    std::map<std::string_view, uint32_t> indices;  // not hashed: a hostile file could make keys collide
    for (uint32_t i = 0; i < offsets_.size(); ++i) indices.emplace(store.storage(i).key, i);
    for (const Value& key : keys) {
      if (key.kind != ValueKind::kText) source.fail_at(0, "a storage's key is {}", kind_name(key.kind));
      const auto found = indices.find(key.as_text());
      if (found == indices.end())
        source.fail_at(source.offset_of(key.as_text()), "the key {} is no storage of the state_dict, or there twice",
                       quote_text(key.as_text()));
      offsets_[found->second] = file.take_storage(store.storage(found->second));
      indices.erase(found);
    }
    if (!indices.empty())
      source.fail_at(0, "the key {} is missing, which the state_dict refers to at byte {}",
                     quote_text(indices.begin()->first), store.storage(indices.begin()->second).pickle_offset);
    file.expect_end();
  }

  Place place(uint32_t index) const override { return {store_.storage(index).key, offsets_[index]}; }

  std::shared_ptr<const std::byte> read(uint32_t index) override {
    return {mapping_.owner(), mapping_.bytes().data() + offsets_[index]};
  }

 private:
  const MappedFile& mapping_;
  const ValueStore& store_;
  std::vector<uint64_t> offsets_;
};

}  // namespace

Checkpoint read_legacy_checkpoint(MappedFile mapping, const ReadOptions& options, Budget& budget) {
  LegacyFile file(mapping);
  ValueStore store(budget);
  file.next_pickle("magic number");  // checkpoint_format() has compared it
  check_protocol(file.next_pickle("protocol version"), store, budget);
  check_byte_order(file.next_pickle("system"), store, budget);

  const PickleSource source = file.next_pickle("state_dict");
  const Value root = Unpickler(source, store, budget).load();
  const PickleSource keys_source = file.next_pickle("storage keys");
  ValueStore keys_store(budget);
  const Value keys = Unpickler(keys_source, keys_store, budget).load();
  if (keys.kind != ValueKind::kList) keys_source.fail_at(0, "the storages' keys are {}", kind_name(keys.kind));
  budget.charge(store.storages().size() * sizeof(uint64_t));
  LegacyStorages storages(file, mapping, store, std::as_const(keys_store).items(keys), keys_source);

  StateDict state_dict = select_state_dict(root, store, options, source, budget);
  Checkpoint checkpoint = load_checkpoint(std::move(state_dict), store, storages, source, budget);
  checkpoint.has_checksums = false;
  return checkpoint;
}

}  // namespace effdet::checkpoint

#include "checkpoint/checkpoint.h"

#include <optional>

#include "checkpoint/file_kind.h"
#include "checkpoint/load_tensors.h"
#include "checkpoint/quoted.h"
#include "checkpoint/state_dict.h"
#include "checkpoint/unpickler.h"
#include "checkpoint/zip_archive.h"

namespace effdet {
namespace {

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

/// More are refused: a tensor takes 100 bytes here, but as little as 8 in a file that names one again and again.
constexpr size_t kMostTensors = 1 << 20;

std::vector<NamedTensor> load_tensors(const StateDict& state_dict, const ValueStore& store, TensorLoader& loader,
                                      Budget& budget) {
  std::vector<NamedTensor> tensors;
  budget.charge(state_dict.entries.size() * sizeof(NamedTensor));
  tensors.reserve(state_dict.entries.size());
  for (const auto& [name, index] : state_dict.entries) {
    const TensorSpec& spec = store.tensor(index);
    // The shape and, past the string's own room, the name are on the heap.
    budget.charge(16 + spec.sizes().size_bytes() + (name.size() < 16 ? 0 : name.size() + 16));
    tensors.push_back({std::string(name), loader.load(spec)});
  }
  return tensors;
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path, const ReadOptions& options) {
  MappedFile file(path);
  require_zip(file);
  Budget budget(file.path(), file.size());
  const ZipArchive archive(std::move(file), budget);
  const std::string_view top = find_top_folder(archive);
  const ZipEntry& pickle = find_pickle(archive, top);
  check_byte_order(archive, top);

  const auto bytes = archive.read(pickle);
  const PickleSource source{{reinterpret_cast<const char*>(bytes.get()), pickle.size}, archive.path(), pickle.name};
  ValueStore store(budget);
  const Value root = Unpickler(source, store, budget).load();

  TensorLoader loader(archive, top, store, budget);
  StateDict state_dict = select_state_dict(root, store, options, source, budget);
  if (state_dict.entries.size() > kMostTensors)
    source.unsupported_at(0, "{} tensors; {} are the most", state_dict.entries.size(), kMostTensors);
  auto tensors = load_tensors(state_dict, store, loader, budget);
  return {archive.path(), std::move(state_dict.container), std::move(tensors)};
}

}  // namespace effdet

// Reads the index of a sharded checkpoint, and the shards that it names, from the same folder alone.
#include "checkpoint/sharded.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "checkpoint/load_tensors.h"
#include "checkpoint/quoted.h"
#include "checkpoint/state_dict.h"

namespace effdet::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndexEnd = ".index.json";
constexpr size_t kMostShards = 4096;
constexpr uint64_t kLargestIndex = uint64_t{64} << 20;

struct Index {
  std::map<std::string, std::string, std::less<>> file_of;  // by tensor
  std::optional<uint64_t> total_size;
};

/// Takes what it knows and passes the rest over, without a document of the text in memory.
class IndexParser : public nlohmann::json_sax<nlohmann::json> {
 public:
  IndexParser(const MappedFile& file, Budget& budget) : file_(file), budget_(budget) {}

  Index parse() {
    const auto* text = reinterpret_cast<const char*>(file_.bytes().data());
    nlohmann::json::sax_parse(text, text + file_.size(), this);
    if (!has_map_) fail_here("has no \"weight_map\"");
    if (index_.file_of.empty()) fail_here("\"weight_map\" is empty");
    return std::move(index_);
  }

  bool start_object(std::size_t) override {
    ++depth_;
    if (depth_ == 2 && lists_ == 0) {
      in_map_ = key_ == "weight_map";
      in_metadata_ = key_ == "metadata";
      if (in_map_ && std::exchange(has_map_, true)) fail_here("\"weight_map\" is there twice");
    } else if (in_map_) {
      fail_here("the file of {} is not text", quote_text(key_));
    }
    return true;
  }
  bool end_object() override {
    if (--depth_ == 1) in_map_ = in_metadata_ = false;
    return true;
  }
  bool start_array(std::size_t) override { return ++lists_, value(); }
  bool end_array() override { return --lists_, true; }
  bool key(string_t& text) override {
    key_ = text;
    return true;
  }

  bool string(string_t& text) override {
    if (!in_map_) return true;
    if (!is_clean_utf8(key_) || key_.empty()) fail_here("the tensor's name {} is not UTF-8", quote_text(key_));
    budget_.charge(2 * (sizeof(std::string) + 64) + key_.size() + text.size());
    if (!index_.file_of.emplace(key_, text).second) fail_here("the tensor {} is there twice", quote_text(key_));
    check_tensor_count(index_.file_of.size(), file_.path());
    return true;
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (depth_ == 2 && in_metadata_ && lists_ == 0 && key_ == "total_size") index_.total_size = number;
    return value();
  }
  bool number_float(number_float_t number, const string_t&) override {  // some writers have 1.5e7
    if (number >= 0 && number < 0x1p53) return number_unsigned(static_cast<number_unsigned_t>(number));
    return value();
  }
  bool number_integer(number_integer_t) override { return value(); }
  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool binary(binary_t&) override { return value(); }

  bool parse_error(std::size_t place, const std::string&, const nlohmann::detail::exception&) override {
    bad_input("{}: not JSON at byte {}", file_.path(), place);
  }

 private:
  /// A value that is no text.
  bool value() {
    if (in_map_) fail_here("the file of {} is not text", quote_text(key_));
    return true;
  }
  template <typename... Args>
  [[noreturn]] void fail_here(fmt::format_string<Args...> format, Args&&... args) const {
    bad_input("{}: {}", file_.path(), fmt::format(format, std::forward<Args>(args)...));
  }

  const MappedFile& file_;
  Budget& budget_;
  Index index_;
  std::string key_;
  int depth_ = 0, lists_ = 0;
  bool in_map_ = false, in_metadata_ = false, has_map_ = false;
};

std::set<std::string> files_of(const Index& index, const std::string& path) {
  std::set<std::string> files;
  for (const auto& [tensor, file] : index.file_of) files.insert(file);
  if (files.size() > kMostShards)
    fail(ErrorCode::kUnsupported, "{}: {} shards; {} are the most", path, files.size(), kMostShards);
  return files;
}

/// Moves a shard's tensors, which the index must know.
void append_shard(Checkpoint& whole, Checkpoint shard, const std::string& file, const Index& index) {
  const auto check = [&](const std::string& tensor) {
    const auto entry = index.file_of.find(tensor);
    if (entry == index.file_of.end())
      bad_input("{}: the shard {} has the tensor {}, which the index does not name", whole.path, quote_text(file),
                quote_text(tensor));
    if (entry->second != file)
      bad_input("{}: the tensor {} is in the shard {}, but the index says {}", whole.path, quote_text(tensor),
                quote_text(file), quote_text(entry->second));
  };
  for (NamedTensor& tensor : shard.tensors) {
    check(tensor.name);
    whole.tensors.push_back(std::move(tensor));
  }
  for (ForeignTensor& tensor : shard.foreign) {
    check(tensor.name);
    whole.foreign.push_back(std::move(tensor));
  }
  whole.foreign_beside_count += shard.foreign_beside_count;
  std::ranges::move(shard.foreign_beside, std::back_inserter(whole.foreign_beside));
  std::ranges::move(shard.hints, std::back_inserter(whole.hints));
  whole.has_checksums = whole.has_checksums && shard.has_checksums;
}

/// Every tensor of the index has been found.
void check_complete(const Checkpoint& whole, const Index& index) {
  std::set<std::string_view> found;
  for (const NamedTensor& tensor : whole.tensors) found.insert(tensor.name);
  for (const ForeignTensor& tensor : whole.foreign) found.insert(tensor.name);
  for (const auto& [tensor, file] : index.file_of)
    if (!found.contains(tensor))
      bad_input("{}: the index says that the tensor {} is in the shard {}, but it is not there", whole.path,
                quote_text(tensor), quote_text(file));
}

/// total_size counts bytes; some writers count those that tensors share once.
void check_total_size(const Checkpoint& whole, const Index& index) {
  if (!index.total_size || !whole.foreign.empty()) return;
  uint64_t bytes = 0, apart = 0;
  std::set<const std::byte*> seen;
  for (const NamedTensor& named : whole.tensors) {
    bytes += named.tensor.byte_size();
    if (seen.insert(named.tensor.bytes().data()).second) apart += named.tensor.byte_size();
  }
  if (*index.total_size != bytes && *index.total_size != apart)
    bad_input(
        "{}: total_size is {}, but the shards' tensors have {} bytes: index and shards are of different models; copy "
        "them again, or take total_size out",
        whole.path, *index.total_size, bytes);
}

/// As unwrap_names, for tensors that own their names.
void unwrap(Checkpoint& checkpoint, bool use_ema) {
  std::vector<StateDictEntry> entries;
  for (uint32_t i = 0; i < checkpoint.tensors.size(); ++i) entries.push_back({checkpoint.tensors[i].name, i});
  for (uint32_t i = 0; i < checkpoint.foreign.size(); ++i) entries.push_back({checkpoint.foreign[i].name, i, true});
  unwrap_names(entries, use_ema);
  std::vector<NamedTensor> tensors;
  std::vector<ForeignTensor> foreign;
  for (const StateDictEntry& entry : entries) {
    if (entry.foreign) {
      foreign.push_back({std::string(entry.name), checkpoint.foreign[entry.tensor].type});
    } else {
      tensors.push_back({std::string(entry.name), checkpoint.tensors[entry.tensor].tensor});
    }
  }
  checkpoint.tensors = std::move(tensors);
  checkpoint.foreign = std::move(foreign);
}

}  // namespace

fs::path checkpoint_in_folder(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  // As Hugging Face names them; then any index.
  for (const char* name :
       {"model.safetensors.index.json", "pytorch_model.bin.index.json", "model.safetensors", "pytorch_model.bin"})
    if (fs::exists(path / name, ignored)) return path / name;
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().filename().string().ends_with(kIndexEnd)) found.push_back(entry->path());
  if (error) fail(ErrorCode::kIo, "{}: cannot read the folder: {}", path.string(), error.message());
  if (found.empty())
    bad_input("{}: a folder without an index of sharded weights (*{}), model.safetensors or pytorch_model.bin",
              path.string(), kIndexEnd);
  if (found.size() > 1)
    bad_input("{}: {} indices of sharded weights in this folder; give the file instead", path.string(), found.size());
  return found[0];
}

void refuse_single_shard(const std::string& path) {
  // NAME-00001-of-00002.EXTENSION
  const std::string stem = fs::path(path).stem().string();
  constexpr std::string_view kOf = "-of-";
  constexpr size_t kDigits = 5;
  const size_t tail = 1 + kDigits + kOf.size() + kDigits;
  if (stem.size() < tail) return;
  const std::string_view end = std::string_view(stem).substr(stem.size() - tail);
  const auto is_number = [](std::string_view text) { return std::ranges::all_of(text, is_digit); };
  const std::string_view count = end.substr(1 + kDigits + kOf.size());
  if (end[0] != '-' || !is_number(end.substr(1, kDigits)) || end.substr(1 + kDigits, kOf.size()) != kOf ||
      !is_number(count) || count == "00001")
    return;
  bad_input("{}: is one of several shards; give their index (*{}) or the folder", path, kIndexEnd);
}

Checkpoint read_sharded(const MappedFile& file, const ReadOptions& options) {
  if (file.size() > kLargestIndex)
    bad_input("{}: an index of {} bytes; {} are the most", file.path(), file.size(), kLargestIndex);
  Budget budget(file.path(), file.size());
  const Index index = IndexParser(file, budget).parse();
  const fs::path path(file.path()), folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  Checkpoint whole{file.path(), "", {}};
  whole.files = 0;
  for (const std::string& name : files_of(index, file.path())) {
    MappedFile shard = open_below(folder, name, fmt::format("{}: the shard", file.path()));
    budget.add_file(shard.path(), shard.size());
    append_shard(whole,
                 read_checkpoint_file(std::move(shard), {.use_ema = options.use_ema, .keep_names = true}, budget), name,
                 index);
    ++whole.files;
  }
  check_complete(whole, index);
  check_total_size(whole, index);
  if (!options.keep_names) unwrap(whole, options.use_ema);
  return whole;
}

}  // namespace effdet::checkpoint

// Writes a state_dict as torch.save does: a pickle and one stored record for each storage.
#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/quoted.h"
#include "checkpoint/zip_writer.h"

namespace effdet::checkpoint {
namespace {

std::string_view storage_type(const NamedTensor& named) {
  switch (named.tensor.dtype()) {
    case DType::kF32:
      return "FloatStorage";
    case DType::kF16:
      return "HalfStorage";
    case DType::kBF16:
      return "BFloat16Storage";
    case DType::kF64:
      return "DoubleStorage";
    case DType::kI64:
      return "LongStorage";
    case DType::kI32:
      return "IntStorage";
    case DType::kI16:
      return "ShortStorage";
    case DType::kI8:
      return "CharStorage";
    case DType::kU8:
      return "ByteStorage";
    case DType::kBool:
      return "BoolStorage";
    default:
      fail(ErrorCode::kUnsupported, "tensor {} is {}, which a checkpoint cannot hold", quote_text(named.name),
           dtype_name(named.tensor.dtype()));
  }
}

/// Builds the pickle of an OrderedDict of tensors, protocol 2, without a memo.
class StateDictPickle {
 public:
  StateDictPickle() {
    text_ = "\x80\x02";
    empty_ordered_dict();
    text_ += '(';
  }

  void add(const NamedTensor& named, std::string_view storage_key) {
    const Tensor& tensor = named.tensor;
    unicode(named.name);
    text_ += "ctorch._utils\n_rebuild_tensor_v2\n((";
    unicode("storage");
    text_.append("ctorch\n").append(storage_type(named)) += '\n';
    unicode(storage_key);
    unicode("cpu");
    integer(tensor.numel());
    text_ += "tQ";  // the storage
    integer(0);     // its offset
    dims(tensor.shape());
    dims(row_major_strides(tensor.shape()));
    text_ += '\x89';  // requires_grad: NEWFALSE
    empty_ordered_dict();
    text_ += "tR";
  }

  std::string finish() && { return std::move(text_ += "u."); }

 private:
  static Shape row_major_strides(const Shape& shape) {
    Shape strides(shape.size(), 1);
    for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<int64_t>(shape[i], 1);
    return strides;
  }

  void empty_ordered_dict() { text_ += "ccollections\nOrderedDict\n)R"; }
  void unicode(std::string_view text) {
    text_ += 'X';
    append_le(text_, static_cast<uint32_t>(text.size()));
    text_ += text;
  }
  void integer(int64_t value) {  // LONG1 of 8 bytes
    text_ += "\x8a\x08";
    append_le(text_, value);
  }
  void dims(const Shape& values) {
    text_ += '(';
    for (const int64_t value : values) integer(value);
    text_ += 't';
  }

  std::string text_;
};

void check_names(std::span<const NamedTensor> tensors) {
  std::unordered_set<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    if (!is_clean_utf8(name)) fail(ErrorCode::kUsage, "the tensor name {} is not UTF-8", quote_text(name));
    if (!names.insert(name).second) fail(ErrorCode::kUsage, "two tensors are named {}", quote_text(name));
  }
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  check_names(tensors);
  StateDictPickle pickle;
  for (size_t i = 0; i < tensors.size(); ++i) pickle.add(tensors[i], std::to_string(i));

  AtomicFile file(path);
  ZipWriter zip(file);
  zip.add("archive/data.pkl", std::move(pickle).finish());
  zip.add("archive/byteorder", "little");
  for (size_t i = 0; i < tensors.size(); ++i) zip.add(fmt::format("archive/data/{}", i), tensors[i].tensor.bytes());
  zip.add("archive/version", "3\n");
  zip.finish();
  file.commit();
}

}  // namespace effdet::checkpoint

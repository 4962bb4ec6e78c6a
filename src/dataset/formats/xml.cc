// Expat's callbacks as events with paths. No exception may pass through expat, so that they wait until it is done.
#include "dataset/formats/xml.h"

#include <expat.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "base/error.h"
#include "base/file.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace {

constexpr size_t kXmlDepth = 32;
constexpr uint64_t kXmlLimit = 16 << 20;

/// Encodings of a byte a character that iconv may be asked for: a file that names another one does not choose which of
/// the C library's modules are loaded.
constexpr std::string_view kEncodings[] = {
    "windows-874",  "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255",
    "windows-1256", "windows-1257", "windows-1258", "cp874",        "cp1250",       "cp1251",       "cp1252",
    "cp1253",       "cp1254",       "cp1255",       "cp1256",       "cp1257",       "cp1258",       "iso-8859-2",
    "iso-8859-3",   "iso-8859-4",   "iso-8859-5",   "iso-8859-6",   "iso-8859-7",   "iso-8859-8",   "iso-8859-9",
    "iso-8859-10",  "iso-8859-11",  "iso-8859-13",  "iso-8859-14",  "iso-8859-15",  "iso-8859-16",  "koi8-r",
    "koi8-u",       "cp437",        "cp850",        "cp852",        "cp866",        "ibm437",       "ibm850",
    "ibm852",       "ibm866",       "macintosh",    "tis-620",      "ascii",
};

/// What Python's ElementTree may call UTF-8 in the files that it writes; expat does not know the name.
constexpr std::string_view kUtf8 = "utf8";

/// The encoding in <?xml version="1.0" encoding="..."?>; empty where there is none.
std::string_view declared_encoding(std::string_view text) {
  if (!text.starts_with("<?xml")) return {};
  text = text.substr(0, text.find("?>"));
  const size_t name = text.find("encoding"), open = text.find_first_of("\"'", name);
  if (name == text.npos || open == text.npos) return {};
  return text.substr(open + 1, text.find(text[open], open + 1) - open - 1);
}

bool may_be_asked_for(std::string_view name) {
  return std::ranges::any_of(kEncodings, [&](std::string_view known) { return same_letters(name, known); });
}

/// What a byte of an encoding stands for, -1 for nothing; nothing where it is the first of several.
std::optional<int> code_point(iconv_t converter, char byte) {
  std::array<char, 4> code{};
  char *from = &byte, *to = code.data();
  size_t left = 1, room = code.size();
  iconv(converter, nullptr, nullptr, nullptr, nullptr);
  if (iconv(converter, &from, &left, &to, &room) == static_cast<size_t>(-1))
    return errno == EILSEQ ? std::optional(-1) : std::nullopt;
  if (room != 0) return std::nullopt;
  uint32_t value = 0;
  std::memcpy(&value, code.data(), code.size());
  return static_cast<int>(value);
}

/// Encodings of a byte a character that expat does not know itself, as windows-1252; Python's parser reads those, too.
int describe_encoding(void*, const char* name, XML_Encoding* encoding) {
  if (!may_be_asked_for(name)) return XML_STATUS_ERROR;
  const iconv_t converter = iconv_open("UTF-32LE", name);
  if (converter == reinterpret_cast<iconv_t>(-1)) return XML_STATUS_ERROR;
  bool is_known = true;
  for (int byte = 0; byte < 256 && is_known; ++byte) {
    const std::optional<int> code = code_point(converter, static_cast<char>(byte));
    is_known = code.has_value();
    encoding->map[byte] = code.value_or(-1);
  }
  iconv_close(converter);
  encoding->data = nullptr;
  encoding->convert = nullptr;
  encoding->release = nullptr;
  return is_known ? XML_STATUS_OK : XML_STATUS_ERROR;
}

class XmlParser {
 public:
  XmlParser(const std::filesystem::path& file, const XmlEvents& events)
      : name_(file.string()), events_(events), parser_(XML_ParserCreate(nullptr), XML_ParserFree) {
    if (!parser_) throw std::bad_alloc();
    XML_SetUserData(parser_.get(), this);
    XML_SetUnknownEncodingHandler(parser_.get(), describe_encoding, nullptr);
    XML_SetElementHandler(
        parser_.get(),
        [](void* self, const char* name, const char**) { of(self).guard([&] { of(self).begin(name); }); },
        [](void* self, const char*) { of(self).guard([&] { of(self).end(); }); });
    XML_SetCharacterDataHandler(parser_.get(), [](void* self, const char* text, int length) {
      of(self).guard([&] { of(self).text_.append(text, static_cast<size_t>(length)); });
    });
    XML_SetEntityDeclHandler(parser_.get(), [](void* self, const char*, int, const char*, int, const char*, const char*,
                                               const char*, const char*) {
      of(self).guard([&] { bad_input("{}: entities are declared, which is refused", of(self).where()); });
    });
  }

  void parse(std::string_view text) {
    if (same_letters(declared_encoding(text), kUtf8)) XML_SetEncoding(parser_.get(), "UTF-8");
    const XML_Status status = XML_Parse(parser_.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
    if (error_) std::rethrow_exception(error_);
    if (status == XML_STATUS_OK) return;
    const XML_Error code = XML_GetErrorCode(parser_.get());
    bad_input("{}: no XML that can be read: {}{}", where(), XML_ErrorString(code),
              code == XML_ERROR_UNKNOWN_ENCODING ? "; convert it to UTF-8" : "");
  }

 private:
  static XmlParser& of(void* self) { return *static_cast<XmlParser*>(self); }

  template <typename Action>
  void guard(Action action) {
    if (error_) return;
    try {
      action();
    } catch (...) {
      error_ = std::current_exception();
      XML_StopParser(parser_.get(), XML_FALSE);
    }
  }

  std::string where() const { return fmt::format("{}:{}", name_, XML_GetCurrentLineNumber(parser_.get())); }

  void begin(const char* name) {
    if (lengths_.size() == kXmlDepth) bad_input("{}: elements are more than {} deep", where(), kXmlDepth);
    lengths_.push_back(path_.size());
    if (!path_.empty()) path_ += '/';
    path_ += name;
    text_.clear();
    events_.begin(path_, where());
  }

  void end() {
    const size_t first = text_.find_first_not_of(" \t\r\n");
    std::string_view text;
    if (first != std::string::npos)
      text = std::string_view(text_).substr(first, text_.find_last_not_of(" \t\r\n") + 1 - first);
    events_.end(path_, text, where());
    text_.clear();
    path_.resize(lengths_.back());
    lengths_.pop_back();
  }

  std::string name_;
  const XmlEvents& events_;
  std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser_;
  std::string path_, text_;
  std::vector<size_t> lengths_;  ///< of the path before each element
  std::exception_ptr error_;
};

}  // namespace

void read_xml(const std::filesystem::path& file, const XmlEvents& events) {
  XmlParser(file, events).parse(read_file(file, kXmlLimit));
}

}  // namespace effdet::dataset

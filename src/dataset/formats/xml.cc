// Expat's callbacks as events with paths. No exception may pass through expat, so that they wait until it is done.
#include "dataset/formats/xml.h"

#include <expat.h>

#include <exception>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace {

constexpr size_t kXmlDepth = 32;
constexpr uint64_t kXmlLimit = 16 << 20;

class XmlParser {
 public:
  XmlParser(const std::filesystem::path& file, const XmlEvents& events)
      : name_(file.string()), events_(events), parser_(XML_ParserCreate(nullptr), XML_ParserFree) {
    if (!parser_) throw std::bad_alloc();
    XML_SetUserData(parser_.get(), this);
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
    const XML_Status status = XML_Parse(parser_.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
    if (error_) std::rethrow_exception(error_);
    if (status != XML_STATUS_OK)
      bad_input("{}: no XML that can be read: {}", where(), XML_ErrorString(XML_GetErrorCode(parser_.get())));
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

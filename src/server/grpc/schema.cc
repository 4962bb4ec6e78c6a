// Converts by protobuf's own functions for JSON.
#include "server/grpc/schema.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <map>
#include <stdexcept>

#include "server/grpc/descriptor.h"
#include "server/grpc/wire.h"
#include "server/http_error.h"

namespace effdet::server::grpc_module {

namespace protobuf = google::protobuf;

namespace {

const std::string kPrefix = "type.googleapis.com";

std::string url_of(const std::string& message) { return kPrefix + "/inference." + message; }

}  // namespace

Schema::Schema() {
  protobuf::FileDescriptorSet files;
  if (!files.ParseFromArray(kDescriptor.data(), static_cast<int>(kDescriptor.size())) ||
      pool_.BuildFile(files.file(0)) == nullptr)
    throw std::logic_error("inference.proto is broken");
  resolver_.reset(protobuf::util::NewTypeResolverForDescriptorPool(kPrefix, &pool_));
}

std::string Schema::encode(const std::string& message, const std::string& json) const {
  protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  std::string bytes;
  const auto status = protobuf::util::JsonToBinaryString(resolver_.get(), url_of(message), json, &bytes, options);
  if (!status.ok()) throw HttpError(500, "the server failed on this request");
  return bytes;
}

nlohmann::json Schema::decode(const std::string& message, const std::string& bytes) const {
  // Its functions for JSON take what is broken for the end, and leave out bytes that are no UTF-8.
  const protobuf::Descriptor* type = pool_.FindMessageTypeByName("inference." + message);
  std::map<std::string, std::string> texts;
  FieldReader reader(std::as_bytes(std::span(bytes)));
  for (Field field; reader.next(field);) {
    const protobuf::FieldDescriptor* known = type->FindFieldByNumber(field.number);
    if (known != nullptr && known->type() == protobuf::FieldDescriptor::TYPE_STRING)
      texts[known->name()] = field.text();
  }
  protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!protobuf::util::BinaryToJsonString(resolver_.get(), url_of(message), bytes, &json, options).ok())
    throw HttpError(400, "the message is no {}", message);
  nlohmann::json parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) throw HttpError(400, "the message is no {}", message);
  for (const auto& [name, text] : texts)
    if (parsed.value(name, std::string()) != text) throw HttpError(400, "{}: is not UTF-8", name);
  return parsed;
}

}  // namespace effdet::server::grpc_module

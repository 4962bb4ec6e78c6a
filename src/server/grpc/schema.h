// The messages of inference.proto, from and to JSON.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/type_resolver.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace effdet::server::grpc_module {

/// What HTTP answers is the JSON of these messages. They are known to a pool of their own: classes that protoc makes
/// register their names with the whole process, and a program that is also a client of the protocol has such names,
/// too.
class Schema {
 public:
  Schema();
  /// A message's bytes. Members that it does not have are left out.
  std::string encode(const std::string& message, const std::string& json) const;
  /// Throws HttpError(400) for bytes that are no such message.
  nlohmann::json decode(const std::string& message, const std::string& bytes) const;

 private:
  google::protobuf::DescriptorPool pool_;
  std::unique_ptr<google::protobuf::util::TypeResolver> resolver_;
};

}  // namespace effdet::server::grpc_module

// What each method of the service asks of the server.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "server/message.h"

namespace effdet::server::grpc_module {

enum class Kind { kSmall, kInfer, kStream };

struct Method {
  std::string_view name;  ///< its messages are NAMERequest and NAMEResponse
  Kind kind = Kind::kSmall;
  bool is_open = false;  ///< to clients without the token
  // Of kSmall:
  std::string_view verb = "GET";
  std::vector<std::string> (*path)(const nlohmann::json& request) = nullptr;  ///< throws HttpError
  std::string (*answer)(const Answer& answer) = nullptr;                      ///< the JSON of its response; throws, too
  bool sends_request = false;                                                 ///< as JSON, in the body
};

/// By its path, "/inference.GRPCInferenceService/ServerLive". nullptr: there is none.
const Method* find_method(std::string_view path);

}  // namespace effdet::server::grpc_module

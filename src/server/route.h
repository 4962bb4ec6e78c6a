// Which work a path names.
#pragma once

#include <string>

#include "server/target.h"

namespace effdet::server {

enum class Endpoint {
  kPage,
  kLive,
  kReady,
  kMetrics,
  kServer,
  kIndex,
  kRepository,    ///< loading and unloading
  kSharedStatus,  ///< regions of shared memory
  kSharedChange,  ///< registering and unregistering them
  kModel,
  kModelReady,
  kConfig,
  kStatistics,  ///< of all models where no model is named
  kInfer,
  kDetect,
};

struct Route {
  Endpoint endpoint = Endpoint::kPage;
  std::string model;     ///< as the client calls it; empty where the path names none
  std::string region;    ///< of shared memory, in the same way
  bool is_cuda = false;  ///< of that memory: a GPU's
  std::string action;    ///< what a path that changes something ends with: "register"
  bool is_json = true;   ///< of health: the protocol's JSON, not plain text
  /// The thread of the connections reads its body itself.
  bool is_small() const { return endpoint == Endpoint::kRepository || endpoint == Endpoint::kSharedChange; }
  bool by_post() const {
    return endpoint == Endpoint::kInfer || endpoint == Endpoint::kDetect || endpoint == Endpoint::kIndex ||
           endpoint == Endpoint::kRepository || endpoint == Endpoint::kSharedChange;
  }
};

/// Throws HttpError(404) for paths without a meaning, and for versions of models but "1".
Route find_route(const Target& target);

}  // namespace effdet::server

// What the server says of itself and its models, as JSON.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/hosted_model.h"

namespace effdet::server {

/// A model's interface that a request names.
struct Interface {
  std::shared_ptr<HostedModel> model;
  bool pictures = false;

  std::string name() const { return pictures ? model->pictures_name() : model->name(); }
  StatisticsBoard& statistics() const { return pictures ? model->picture_statistics() : model->tensor_statistics(); }
};

std::string server_metadata(bool shared_memory);
std::string model_metadata(const Interface& of);
/// In the form of Triton's model configuration, for clients that ask for it.
std::string model_config(const Interface& of);
/// In the form of Triton's statistics extension.
std::string model_statistics(const std::vector<Interface>& of);
/// In the form of Triton's model repository extension.
std::string repository_index(const std::vector<Interface>& of);

}  // namespace effdet::server

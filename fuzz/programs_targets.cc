// The targets that are programs: the server and the commands.
#include "targets.h"

namespace effdet::fuzz {
namespace {

constexpr Target kAll[] = {
    {"infer_request", infer_request},   {"grpc_request", grpc_request},
    {"multipart", multipart},           {"compressed_body", compressed_body},
    {"request_target", request_target}, {"http", http},
    {"command_line", command_line},     {"calibration_config", calibration_config},
};

}  // namespace

const std::span<const Target> kTargets = kAll;

}  // namespace effdet::fuzz

// Requests over HTTP to a test's server, and what their answers hold.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/http_client_test_util.h"
#include "server/server_test_util.h"

namespace effdet::server {

inline std::string error_of(const Reply& reply) {
  const nlohmann::json body = nlohmann::json::parse(reply.body, nullptr, false);
  return body.is_object() && body.contains("error") ? body["error"].get<std::string>() : "no error: " + reply.body;
}

inline void expect_error(const Reply& reply, int status) {
  ASSERT_EQ(reply.status, status) << reply.body.substr(0, 200);
  EXPECT_EQ(reply.fields.at("content-type"), "application/json");
  EXPECT_FALSE(error_of(reply).starts_with("no error")) << reply.body;
  EXPECT_EQ(reply.body.find("/work"), std::string::npos) << reply.body;
  EXPECT_EQ(reply.body.find(EFFDET_SOURCE_DIR), std::string::npos) << reply.body;
}

inline nlohmann::json binary_header(nlohmann::json parameters = {{"binary_data_output", true}}) {
  const TensorInfo input = small_model().inputs()[0];
  return {{"id", "7"},
          {"inputs",
           {{{"name", input.name},
             {"shape", input.shape},
             {"datatype", "FP32"},
             {"parameters", {{"binary_data_size", expected().input.size()}}}}}},
          {"parameters", std::move(parameters)}};
}

inline Reply post_binary(HttpClient& client, const nlohmann::json& header, const std::string& fields = "") {
  const std::string text = header.dump();
  return client.post("/v2/models/d0/infer", text + expected().input,
                     "Inference-Header-Content-Length: " + std::to_string(text.size()) + "\r\n" + fields);
}

/// Binary outputs of an answer, by its JSON.
inline std::vector<std::string> binary_outputs(const Reply& reply) {
  const size_t length = std::stoul(reply.fields.at("inference-header-content-length"));
  const nlohmann::json header = nlohmann::json::parse(reply.body.substr(0, length));
  std::vector<std::string> outputs;
  size_t at = length;
  for (const nlohmann::json& output : header["outputs"]) {
    const size_t size = output["parameters"]["binary_data_size"];
    outputs.push_back(reply.body.substr(at, size));
    at += size;
  }
  EXPECT_EQ(at, reply.body.size());
  return outputs;
}

/// Sends four requests at once, of which one takes longer than the others.
inline void expect_answers_in_order(HttpClient& client) {
  const std::string ready = "GET /v2/health/ready HTTP/1.1\r\nHost: t\r\nX-Request-Id: ";
  const std::string file = picture_file();
  client.send(ready + "1\r\n\r\nPOST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nX-Request-Id: 2\r\nContent-Length: " +
              std::to_string(file.size()) + "\r\n\r\n" + file + ready + "3\r\n\r\n" + ready + "4\r\n\r\n");
  for (const char* id : {"1", "2", "3", "4"}) {
    const Reply reply = client.read();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.fields.at("x-request-id"), id);
  }
}

/// The number of a line of /metrics.
inline uint64_t metric(int port, const std::string& line) {
  const std::string text = HttpClient(port).get("/metrics").body;
  const size_t at = text.find("\n" + line + " ");
  return at == std::string::npos ? ~uint64_t{0} : std::stoull(text.substr(at + line.size() + 2));
}

}  // namespace effdet::server

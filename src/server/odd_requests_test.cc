// Requests that few clients send: rare but right ones, and what is said of those that are wrong.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "effdet/server.h"
#include "server/compression.h"
#include "server/server_requests_test_util.h"

namespace effdet::server {
namespace {

using nlohmann::json;

/// "pair" has two inputs and is no detector, "half" takes and gives float16, "d0" is one.
Server& mixed_server() {
  const auto open = [](const char* file) {
    return CompiledModel::open(std::string(EFFDET_SOURCE_DIR "/testdata/onnx/") + file);
  };
  static Server server(
      {{"d0", small_model()}, {"pair", open("several_tensors.onnx")}, {"half", open("half/model.onnx")}},
      {.port = 0, .layout = {1, 1}, .priority_levels = 3});
  return server;
}

std::string refusal_of(const std::string& path, const std::string& body, int status = 400,
                       const std::string& fields = "") {
  HttpClient client(mixed_server().port());
  const Reply reply = client.post(path, body, fields);
  expect_error(reply, status);
  return error_of(reply);
}

TEST(OddRequests, PathsThatLeadNowhere) {
  HttpClient client(mixed_server().port());
  for (const char* path :
       {"/v2/models", "/v3/models/d0", "/v2/other/d0", "/v2/models/d0/nothing", "/v2/models/d0/infer/more",
        "/healthz/x", "/v2/models/d0/versions", "/v2/models/d0/versions/1/nothing", "/v2/repository/models/d0/other",
        "/v2/repository/others/d0/load", "/v2/storage/models/d0/load", "/v1/repository/models/d0/load",
        "/v2/repository/models/d0", "/v2/systemsharedmemory", "/v1/systemsharedmemory/status",
        "/v2/systemsharedmemory/register", "/v2/systemsharedmemory/other/r/status",
        "/v2/systemsharedmemory/region/r/other", "/v2/systemsharedmemory/region/status"}) {
    const Reply reply = client.get(path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(error_of(reply), "there is nothing at this path") << path;
  }
  EXPECT_EQ(error_of(client.get("/v2/models/d0/versions/2")), "model 'd0' has no version '2', only 1");
  EXPECT_EQ(json::parse(client.get("/v2/models/stats").body)["model_stats"].size(), 4u);
  EXPECT_EQ(client.get("/v2/models/d0/versions/1/config").status, 200);
  EXPECT_EQ(client.get("/v2/cudasharedmemory/status").body, "[]\n");
}

/// Tensors in JSON of a model with two inputs; what is given last of a name counts for nothing else.
json pair_request(const json& a = {4, -1, 1, 0}, const json& b = {2, 0, 0, 0}) {
  const auto input = [](const char* name, const json& data) {
    return json{{"name", name}, {"datatype", "FP32"}, {"shape", {2, 2}}, {"data", data}};
  };
  return {{"inputs", {input("b", b), input("a", a)}}};
}

TEST(OddRequests, TensorsOfEachTypeInJson) {
  HttpClient client(mixed_server().port());
  json request = pair_request();
  request["later"] = {{"unknown", 1}};  // what others put in is passed over
  request["parameters"] = {{"other", 1}, {"timeout", 0}, {"binary_data_output", false}};
  request["inputs"][0]["parameters"] = {{"other", "x"}};
  request["inputs"][1]["more"] = {1, 2};
  const Reply reply = client.post("/v2/models/pair/infer", request.dump());
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_NE(reply.body.find(R"("name":"quotient","datatype":"FP32","shape":[2,2],"data":[2,-Infinity,Infinity,NaN])"),
            std::string::npos)
      << reply.body;
  EXPECT_NE(reply.body.find(R"("name":"greater","datatype":"BOOL","shape":[2,2],"data":[true,false,true,false])"),
            std::string::npos)
      << reply.body;
  EXPECT_NE(reply.body.find(R"("name":"whole","datatype":"INT32","shape":[2,2],"data":[4,-1,1,0])"), std::string::npos)
      << reply.body;

  json chosen = pair_request({{4, -1}, {1, 0}});  // nested as the shape
  chosen["outputs"] = {{{"name", "whole"}, {"more", 1}, {"parameters", {{"other", 1}, {"binary_data", false}}}}};
  const json answer = json::parse(client.post("/v2/models/pair/infer", chosen.dump()).body);
  ASSERT_EQ(answer["outputs"].size(), 1u);
  EXPECT_EQ(answer["outputs"][0]["data"], json({4, -1, 1, 0}));
}

TEST(OddRequests, WhatIsWrongWithTensors) {
  const std::string path = "/v2/models/pair/infer";
  const auto changed = [&](auto change) {
    json request = pair_request();
    change(request);
    return refusal_of(path, request.dump());
  };
  EXPECT_EQ(changed([](json& r) { r["inputs"].erase(0); }), "1 inputs, but the model has 2");
  EXPECT_EQ(changed([](json& r) { r["inputs"][0]["name"] = "c"; }), "the model has no input 'c'");
  EXPECT_EQ(changed([](json& r) { r["inputs"][0] = r["inputs"][1]; }), "input 'b' is missing");
  EXPECT_EQ(changed([](json& r) {
              r["outputs"] = {{{"name", "whole"}}, {{"name", "whole"}}};
            }),
            "output 'whole' is asked for twice");
  EXPECT_EQ(refusal_of(path, std::string(16, '\0'), 400, kRaw),
            "a raw request is for models with one input; this one has 2");
  EXPECT_EQ(refusal_of("/v2/models/pair/detect", picture_file()),
            "model 'pair' does not tell how pictures become its input: send tensors");
  EXPECT_EQ(changed([](json& r) { r["inputs"][0]["datatype"] = "FLOAT"; }),
            "request: inputs[0].datatype: 'FLOAT' is no datatype of the protocol (FP32, UINT8, ...) (byte 47)");
  EXPECT_EQ(changed([](json& r) { r["inputs"][0].erase("shape"); }),
            "request: inputs[0]: \"shape\" is missing (byte 58)");
  const auto with_data = [&](const json& data) {
    const std::string error = changed([&](json& r) { r["inputs"][0]["data"] = data; });
    EXPECT_TRUE(error.starts_with("request: data of input 'b': ")) << error;
    return error.substr(std::min<size_t>(error.size(), 28));
  };
  EXPECT_EQ(with_data(1), "expected an array of the tensor's elements (byte 19)");
  EXPECT_EQ(with_data({1, 2, 3}), "3 elements, but the shape has 4 (byte 26)");
  EXPECT_EQ(with_data({1, 2, 3, 4, 5}), "[4]: more elements than the 4 of the shape (byte 28)");
  const std::string nested = "arrays are not nested as the shape says: dimension 1 has 2";
  EXPECT_EQ(with_data({{1, 2, 3}, {4}}), "[0]: " + nested + " (byte 27)");
  EXPECT_EQ(with_data({{1, 2, 3, 4}}), "[0]: " + nested + " (byte 29)");
  EXPECT_EQ(with_data({{1, 2}, {{3}, 4}}), "[1][0]: nested deeper than the shape (byte 27)");
  EXPECT_EQ(with_data({{1, 2}, 3, 4}), "arrays are not nested as the shape says: dimension 0 has 2 (byte 30)");
  EXPECT_EQ(with_data({{{1, 2}}, {{3, 4}}}), "[0][0]: nested deeper than the shape (byte 21)");
  EXPECT_EQ(changed([](json& r) {
              r["parameters"] = {{"binary_data_output", 1}};
            }),
            "request: parameters.binary_data_output: expected true or false (byte 172)");
  EXPECT_EQ(changed([](json& r) {
              r["outputs"] = {{{"name", "whole"}, {"parameters", {{"classification", 3}}}}};
            }),
            "request: outputs[0].parameters.classification: classification is not offered (byte 195)");
  EXPECT_EQ(changed([](json& r) { r["outputs"] = {json::object()}; }),
            "request: outputs[0]: \"name\" is missing (byte 150)");
  EXPECT_EQ(changed([](json& r) { r["inputs"][0]["shape"] = std::vector<int>(100, 1); }),
            "request: inputs[0].shape[32]: more than 32 dimensions (byte 131)");
  EXPECT_EQ(changed([](json& r) { r["inputs"] = std::vector<json>(2000, r["inputs"][0]); }),
            "request: inputs[1024]: more than 1024 inputs (byte 63499)");
  EXPECT_EQ(changed([](json& r) {
              r["outputs"] = std::vector<json>(2000, json{{"name", "whole"}});
            }),
            "request: outputs[1024]: more than 1024 outputs (byte 17556)");
  // Read as what they say that they are, before the model is asked.
  EXPECT_EQ(changed([](json& r) {
              r["inputs"][0]["datatype"] = "BOOL";
              r["inputs"][0]["data"] = {true, false, true, true};
            }),
            "input 'b': datatype BOOL, but the model's is FP32");

  const json half = {
      {"inputs", {{{"name", "x"}, {"datatype", "FP16"}, {"shape", {1, 3, 8, 8}}, {"data", std::vector<int>(192, 1)}}}}};
  EXPECT_EQ(refusal_of("/v2/models/half/infer", half.dump()),
            "tensors of FP16 have no form in JSON: send and ask for binary data");
}

TEST(OddRequests, PicturesAsTensorsThatAreNone) {
  const std::string path = "/v2/models/d0_detect/infer";
  const auto with_input = [](const json& input) { return json{{"inputs", {input}}}.dump(); };
  const json good = {{"name", "images"}, {"datatype", "BYTES"}, {"shape", {1}}, {"data", {"no picture"}}};
  const auto changed = [&](const char* member, const json& value) {
    json input = good;
    input[member] = value;
    return refusal_of(path, with_input(input));
  };
  EXPECT_EQ(refusal_of(path, R"({"inputs": []})"), "0 inputs, but the model has 1, 'images'");
  EXPECT_EQ(changed("name", "image"), "the model has no input 'image', only 'images'");
  json number = good;
  number["datatype"] = "UINT8";
  number["data"] = {7};
  EXPECT_EQ(refusal_of(path, with_input(number)), "input 'images': datatype UINT8, but the model's is BYTES");
  json square = good;
  square["shape"] = {1, 1};
  EXPECT_TRUE(
      refusal_of(path, with_input(square)).starts_with("input 'images': shape [1,1], but the model takes [1] to ["));
  json none = good;
  none["shape"] = {0};
  none["data"] = json::array();
  EXPECT_TRUE(
      refusal_of(path, with_input(none)).starts_with("input 'images': shape [0], but the model takes [1] to ["));
  json many = good;
  many["shape"] = {100'000};
  many["data"] = std::vector<std::string>(100'000, "");
  EXPECT_TRUE(refusal_of(path, with_input(many)).starts_with("input 'images': shape [100000], but"));
  EXPECT_EQ(refusal_of(path, with_input(good)), "picture: a text: it holds no image; give a picture, as JPEG or PNG");
  const std::string jxl("\xff\x0a\0\0\0\0\0\0\0\0\0\0", 12);
  EXPECT_EQ(refusal_of("/v2/models/d0/detect", jxl, 415), "picture: a JPEG XL codestream: convert it to JPEG or PNG");
}

TEST(OddRequests, ClassesByNameAndNumber) {
  HttpClient client(mixed_server().port());
  const std::string file = picture_file();
  const auto categories = [&](const std::string& classes) {
    const Reply reply = client.post("/v2/models/d0/detect?score=0&max=500&classes=" + classes, file);
    EXPECT_EQ(reply.status, 200) << reply.body;
    const json answer = json::parse(reply.body, nullptr, false);
    std::set<int> found;
    for (const json& detection : answer["detections"]) found.insert(detection["category_id"].get<int>());
    return found;
  };
  EXPECT_EQ(categories("CLASS%201"), std::set<int>{1});
  EXPECT_EQ(categories("1"), std::set<int>{1});
  EXPECT_EQ(categories("6,class%202"), (std::set<int>{2, 6}));
  const std::string path = "/v2/models/d0/detect?classes=";
  EXPECT_EQ(refusal_of(path + "0", file), "classes: '0' is none of the model's 6 classes");
  EXPECT_EQ(refusal_of(path + "7", file), "classes: '7' is none of the model's 6 classes");
  EXPECT_EQ(refusal_of(path + "1,", file), "classes: '' is none of the model's 6 classes");
}

TEST(OddRequests, EncodingsThatClientsOffer) {
  HttpClient client(mixed_server().port());
  const std::string file = picture_file();
  const auto encoding = [&](const std::string& accepted) {
    const Reply reply =
        client.post("/v2/models/d0/detect?score=0&max=100", file, "Accept-Encoding: " + accepted + "\r\n");
    EXPECT_EQ(reply.status, 200);
    return reply.fields.contains("content-encoding") ? reply.fields.at("content-encoding") : "none";
  };
  EXPECT_EQ(encoding("br,\tgzip ;q=0.5"), "gzip");
  EXPECT_EQ(encoding("deflate\t;q=1, gzip;q=0"), "deflate");
  EXPECT_EQ(encoding("gzip; level=1"), "gzip");
  EXPECT_EQ(encoding("identity"), "none");
  EXPECT_EQ(encoding("gzip;q=0.000"), "none");
  EXPECT_EQ(encoding(" , ,"), "none");
  const Reply drawn =
      client.post("/v2/models/d0/detect", picture_file(), "Accept: image/*;q=0.8\r\nAccept-Encoding: gzip\r\n");
  EXPECT_EQ(drawn.fields.at("content-type"), "image/jpeg");
  EXPECT_FALSE(drawn.fields.contains("content-encoding"));  // it is compressed
  EXPECT_EQ(client.post("/v2/models/d0/detect", picture_file(), "Content-Encoding: identity\r\n").status, 200);
  EXPECT_EQ(client.post("/v2/models/pair/infer", pair_request().dump(), "Content-Encoding: identity\r\n").status, 200);
}

TEST(OddRequests, EncodingsOfBodies) {
  HttpClient client(mixed_server().port());
  const auto encoded = [](const std::string& encoding) {
    const std::string text = pair_request().dump();
    Answer body;
    body.text = text + std::string(4096, ' ');
    compress_answer(body, encoding == "deflate" ? "deflate" : "gzip");
    return std::string(reinterpret_cast<const char*>(body.parts.at(0).data()), body.parts.at(0).size());
  };
  for (const std::string encoding : {"gzip", "x-gzip", "deflate"})
    EXPECT_EQ(client.post("/v2/models/pair/infer", encoded(encoding), "Content-Encoding: " + encoding + "\r\n").status,
              200)
        << encoding;
  EXPECT_EQ(refusal_of("/v2/models/pair/infer", "x", 415, "Content-Encoding: zstd\r\n"),
            "Content-Encoding: this server reads gzip and deflate");
}

TEST(OddRequests, PrioritiesAndTimeoutsInQueryAndJson) {
  const std::string path = "/v2/models/pair/infer";
  const auto with = [](const json& parameters) {
    json request = pair_request();
    request["parameters"] = parameters;
    return request.dump();
  };
  HttpClient client(mixed_server().port());
  for (const json& good : {json{{"priority", 1}}, json{{"priority", "3"}},
                           json{{"priority", 0}, {"timeout", 60'000'000}}, json{{"timeout", 5'000'000'000'000'000}}})
    EXPECT_EQ(client.post(path, with(good)).status, 200) << good;
  EXPECT_EQ(client.post(path + "?priority=2&timeout=60000000", with({{"priority", 9}, {"timeout", 1}})).status,
            200);  // the query's
  EXPECT_EQ(refusal_of(path, with({{"priority", 4}})), "priority 4: this server has 1 (first) to 3");
  EXPECT_EQ(refusal_of(path, with({{"priority", -1}})), "parameter 'priority': -1 is below 0");
  EXPECT_EQ(refusal_of(path, with({{"priority", "high"}})), "parameter 'priority': expected a whole number");
  EXPECT_EQ(refusal_of(path + "?priority=x", with({{"a", 1}})), "priority=x: expected a whole number");
}

}  // namespace
}  // namespace effdet::server

// A server on loopback: answers that equal the library's own, and clients that are hostile.
#include "effdet/server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "effdet/detector.h"
#include "effdet/encoded_image.h"
#include "effdet/error.h"
#include "effdet/image.h"
#include "server/http_client_test_util.h"
#include "server/server_requests_test_util.h"
#include "support/test_folder.h"

namespace effdet::server {
namespace {

using nlohmann::json;

std::string compressed(const std::string& text) {
  z_stream stream{};
  std::string out(compressBound(text.size()) + 100, '\0');
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string decompressed(const std::string& text, size_t most) {
  z_stream stream{};
  std::string out(most, '\0');
  EXPECT_EQ(inflateInit2(&stream, 15 + 32), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TestServer& shared_server() {
  static TestServer server;
  return server;
}

TEST(Server, TellsOfItself) {
  HttpClient client(shared_server().port());
  EXPECT_EQ(json::parse(client.get("/v2").body)["name"], "effdet");
  EXPECT_EQ(client.get("/v2/health/live").status, 200);
  EXPECT_EQ(client.get("/v2/health/ready").body, "{\"ready\":true}\n");
  EXPECT_EQ(client.get("/healthz").body, "ok\n");
  EXPECT_EQ(client.get("/readyz").status, 200);
  EXPECT_EQ(client.get("/v2/models/d0/ready").status, 200);
  EXPECT_EQ(client.get("/v2/models/d0/versions/1/ready").status, 200);
  const json model = json::parse(client.get("/v2/models/d0").body);
  EXPECT_EQ(model["inputs"][0]["datatype"], "FP32");
  EXPECT_EQ(model["inputs"][0]["shape"], json({1, 3, 128, 128}));
  EXPECT_EQ(json::parse(client.get("/v2/models/d0_detect").body)["inputs"][0]["datatype"], "BYTES");
  EXPECT_EQ(json::parse(client.get("/v2/models/d0/config").body)["input"][0]["data_type"], "TYPE_FP32");
  EXPECT_EQ(json::parse(client.post("/v2/repository/index", "{}").body).size(), 2u);
  EXPECT_TRUE(client.get("/").fields.at("content-type").starts_with("text/html"));
  client.send("HEAD /v2 HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(client.read(/*has_body=*/false).status, 200);
  EXPECT_EQ(client.get("/v2", "X-Request-Id: abc-1\r\n").fields.at("x-request-id"), "abc-1");
  for (const char* other : {"a\\b", "caf\xc3\xa9", ""})  // nothing for logs
    EXPECT_NE(client.get("/v2", std::string("X-Request-Id: ") + other + "\r\n").fields.at("x-request-id"), other);
}

TEST(Server, BinaryTensorsGiveTheLibrarysBits) {
  HttpClient client(shared_server().port());
  const Reply reply = post_binary(client, binary_header());
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(binary_outputs(reply), expected().outputs);
  const Reply raw = client.post("/v2/models/d0/infer", expected().input, kRaw);
  ASSERT_EQ(raw.status, 200) << raw.body;
  EXPECT_EQ(binary_outputs(raw), expected().outputs);
}

TEST(Server, CompressesBothWays) {
  HttpClient client(shared_server().port());
  const std::string text = binary_header().dump();
  const std::string body = compressed(text + expected().input);
  for (const char* encoding : {"gzip", "deflate"}) {
    Reply reply =
        client.post("/v2/models/d0/infer", body,
                    "Content-Encoding: gzip\r\nInference-Header-Content-Length: " + std::to_string(text.size()) +
                        "\r\nAccept-Encoding: br, " + encoding + "\r\n");
    ASSERT_EQ(reply.status, 200) << reply.body.substr(0, 200);
    EXPECT_EQ(reply.fields.at("content-encoding"), encoding);
    reply.body = decompressed(reply.body, 10'000'000);
    EXPECT_EQ(binary_outputs(reply), expected().outputs);
  }
  const Reply plain =
      client.post("/v2/models/d0/infer", expected().input, std::string(kRaw) + "Accept-Encoding: gzip;q=0\r\n");
  EXPECT_EQ(plain.fields.count("content-encoding"), 0u);
}

TEST(Server, JsonTensorsGiveTheLibrarysBits) {
  HttpClient client(shared_server().port());
  std::vector<float> values(expected().input.size() / sizeof(float));
  std::memcpy(values.data(), expected().input.data(), expected().input.size());
  const TensorInfo input = small_model().inputs()[0];
  const json request = {
      {"inputs", {{{"name", input.name}, {"shape", input.shape}, {"datatype", "FP32"}, {"data", values}}}}};
  const Reply reply = client.post("/v2/models/d0/versions/1/infer", request.dump());
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.fields.count("inference-header-content-length"), 0u);
  const json answer = json::parse(reply.body);
  EXPECT_EQ(answer["model_name"], "d0");
  EXPECT_EQ(answer.count("id"), 0u);
  ASSERT_EQ(answer["outputs"].size(), expected().outputs.size());
  for (size_t i = 0; i < expected().outputs.size(); ++i) {
    const std::vector<float> given = answer["outputs"][i]["data"];
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(given.data()), given.size() * sizeof(float)),
              expected().outputs[i]);
  }
}

TEST(Server, AnswersWithTheOutputsThatAreNamed) {
  HttpClient client(shared_server().port());
  json header = binary_header(json::object());
  const std::vector<TensorInfo> outputs = small_model().outputs();
  header["outputs"] = {{{"name", outputs[2].name}, {"parameters", {{"binary_data", true}}}}};
  const Reply reply = post_binary(client, header);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(binary_outputs(reply), std::vector<std::string>{expected().outputs[2]});
  header["outputs"] = {{{"name", "nothing"}}};
  expect_error(post_binary(client, header), 400);
}

TEST(Server, PicturesGiveTheLibrarysDetections) {
  HttpClient client(shared_server().port());
  const std::string file = picture_file("exif_6.jpg");
  const RgbImage image = decode_upright(bytes_of(file));
  const std::vector<Detection> found = Detector(small_model(), 1, {.max_detections = 7}).detect(view_of(image));
  ASSERT_EQ(found.size(), 7u);

  const Reply reply = client.post("/v2/models/d0/detect?max=7", file, "Content-Type: image/jpeg\r\n");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const json answer = json::parse(reply.body);
  EXPECT_EQ(answer["width"], image.width);
  ASSERT_EQ(answer["detections"].size(), found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(answer["detections"][i]["score"].get<float>(), found[i].score);
    EXPECT_EQ(answer["detections"][i]["category_id"], found[i].category);
    EXPECT_EQ(answer["detections"][i]["bbox"][0].get<float>(), found[i].x1);
  }

  const Reply drawn = client.post("/v2/models/d0/detect?max=7", file, "Accept: image/jpeg\r\n");
  EXPECT_EQ(drawn.fields.at("content-type"), "image/jpeg");
  const std::vector<std::byte> jpeg = encode_jpeg(annotate(image, found, class_names_of(small_model().description())));
  EXPECT_EQ(drawn.body, std::string(reinterpret_cast<const char*>(jpeg.data()), jpeg.size()));
}

TEST(Server, SeveralPicturesAreAForm) {
  HttpClient client(shared_server().port());
  const std::string file = picture_file();
  const std::string part =
      "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"x.jpg\"\r\n\r\n" + file + "\r\n";
  const std::string type = "Content-Type: multipart/form-data; boundary=b\r\n";
  const Reply reply = client.post("/v2/models/d0/detect", part + part + "--b--\r\n", type);
  ASSERT_EQ(reply.status, 200) << reply.body.substr(0, 200);
  const json one = json::parse(client.post("/v2/models/d0/detect", file).body), list = json::parse(reply.body);
  ASSERT_EQ(list.size(), 2u);
  for (const json& result : list) {
    EXPECT_EQ(result["image"], "x.jpg");
    EXPECT_EQ(result["detections"], one["detections"]);
  }
  expect_error(client.post("/v2/models/d0/detect", part + part + "--b--", type + "Accept: image/jpeg\r\n"), 400);
  expect_error(client.post("/v2/models/d0/detect", part, type), 400);
}

TEST(Server, PicturesAsBytesTensors) {
  HttpClient client(shared_server().port());
  const std::string file = picture_file();
  const auto length = static_cast<uint32_t>(file.size());
  std::string element(reinterpret_cast<const char*>(&length), sizeof length);
  element += file;
  const json header = {{"inputs",
                        {{{"name", "images"},
                          {"shape", {2}},
                          {"datatype", "BYTES"},
                          {"parameters", {{"binary_data_size", 2 * element.size()}}}}}}};
  const std::string text = header.dump();
  const Reply reply = client.post("/v2/models/d0_detect/infer?max=5", text + element + element,
                                  "Inference-Header-Content-Length: " + std::to_string(text.size()) + "\r\n");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const json outputs = json::parse(reply.body)["outputs"];
  EXPECT_EQ(outputs[0]["data"], json({5, 5}));
  EXPECT_EQ(outputs[1]["shape"], json({2, 5, 4}));
  const std::vector<float> scores = outputs[2]["data"];
  const std::vector<Detection> found =
      Detector(small_model(), 1, {.max_detections = 5}).detect(view_of(decode_upright(bytes_of(file))));
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(scores[i], found[i % 5].score);
  const Reply raw = client.post("/v2/models/d0_detect/infer", file, kRaw);
  EXPECT_EQ(raw.status, 200) << raw.body;
}

TEST(Server, RequestsOfOneConnectionAreAnsweredInOrder) {
  HttpClient client(shared_server().port());
  expect_answers_in_order(client);
}

TEST(Server, ChunkedBodiesAndExpectations) {
  HttpClient client(shared_server().port());
  const std::string file = picture_file();
  const std::string expected_body = json::parse(client.post("/v2/models/d0/detect", file).body)["detections"].dump();
  client.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (size_t at = 0; at < file.size(); at += 1000) {
    const std::string part = file.substr(at, 1000);
    std::ostringstream size;
    size << std::hex << part.size();
    client.send(size.str() + "\r\n" + part + "\r\n");
  }
  client.send("0\r\n\r\n");
  EXPECT_EQ(json::parse(client.read().body)["detections"].dump(), expected_body);

  client.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(file.size()) + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  client.send(file);
  EXPECT_EQ(json::parse(client.read().body)["detections"].dump(), expected_body);
}

TEST(BadInput, Case92_ABodyByteByByte) {
  HttpClient client(shared_server().port());
  const std::string file = picture_file().substr(0, 500);
  client.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : file) client.send(std::string("1\r\n") + c + "\r\n");
  client.send("0\r\n\r\n");
  expect_error(client.read(), 400);  // a cut picture
  EXPECT_EQ(client.get("/v2/health/ready").status, 200);
}

TEST(BadInput, Case93_LengthsOfBodies) {
  for (const char* fields :
       {"Content-Length: -1", "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1\r\nTransfer-Encoding: chunked", "Content-Length: 99999999999999999999", "Content-Length: 1x",
        "Content-Length: +1", "Transfer-Encoding: chunked\r\nContent-Length: 1"}) {
    HttpClient client(shared_server().port());
    client.send(std::string("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\n") + fields + "\r\n\r\nx");
    expect_error(client.read(), 400);
    EXPECT_TRUE(client.ends()) << fields;
  }
  HttpClient client(shared_server().port());
  client.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
  expect_error(client.read(), 501);
}

TEST(BadInput, Case94_BodiesAtTheLimit) {
  TestServer server({.most_body = 10000});
  HttpClient exact(server.port());
  expect_error(exact.post("/v2/models/d0/detect", std::string(10000, 'x')), 400);
  HttpClient above(server.port());
  expect_error(above.post("/v2/models/d0/detect", std::string(10001, 'x')), 413);
  EXPECT_TRUE(above.ends());
  HttpClient chunked(server.port());
  chunked.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n" +
               std::string(10001, 'x') + "\r\n0\r\n\r\n");
  expect_error(chunked.read(), 413);
  HttpClient huge(server.port());
  huge.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nContent-Length: 18446744073709551615\r\n\r\n");
  expect_error(huge.read(), 413);
  const std::string bomb = compressed(std::string(20'000'000, '\0'));
  ASSERT_LT(bomb.size(), 100000u);
  TestServer larger({.most_body = 10'000'000});
  expect_error(HttpClient(larger.port()).post("/v2/models/d0/detect", bomb, "Content-Encoding: gzip\r\n"), 413);
  for (const std::string& broken : {std::string("x"), std::string(), bomb.substr(0, 2000), compressed("x") + "y"})
    expect_error(HttpClient(larger.port()).post("/v2/models/d0/detect", broken, "Content-Encoding: gzip\r\n"), 400);
  expect_error(HttpClient(larger.port()).post("/v2/models/d0/detect", "x", "Content-Encoding: br\r\n"), 415);
}

/// The thread of the connections reads them, which others wait for.
TEST(BadInput, Case94_BodiesOfSmallRequests) {
  TestServer server({.shared_memory = true, .open_model = [](const std::string&) { return small_model(); }});
  const std::string load = "/v2/repository/models/d0/load";
  for (const std::string& path : {load, std::string("/v2/systemsharedmemory/region/r/register")}) {
    const auto post = [&](const std::string& body, const char* fields = "") {
      return HttpClient(server.port()).post(path, body, fields);
    };
    const std::string large = "{\"a\": \"" + std::string(65536, 'x') + "\"}";
    expect_error(post(large), 413);
    expect_error(post(compressed(large), "Content-Encoding: gzip\r\n"), 413);
    HttpClient chunked(server.port());
    chunked.send("POST " + path + " HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" +
                 fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", large.size(), large));
    expect_error(chunked.read(), 413);
    expect_error(post(compressed("{"), "Content-Encoding: gzip\r\n"), 400);
  }
  EXPECT_EQ(HttpClient(server.port()).post(load, compressed("{}"), "Content-Encoding: gzip\r\n").status, 200);
}

TEST(BadInput, Case94_PicturesAndRequestsLargerThanMemory) {
  TestServer pixels({.most_pixels = 100});
  expect_error(HttpClient(pixels.port()).post("/v2/models/d0/detect", picture_file()), 413);
  TestServer memory({.most_memory = 2000});
  HttpClient client(memory.port());
  const Reply reply = client.post("/v2/models/d0/detect", picture_file());
  expect_error(reply, 503);
  EXPECT_EQ(reply.fields.at("retry-after"), "1");
  EXPECT_EQ(HttpClient(memory.port()).get("/v2/health/ready").status, 200);
}

TEST(BadInput, Case94_ARequestThatIsRefusedGivesItsMemoryToOthers) {
  constexpr size_t kBody = 2'500'000;
  TestServer server({.most_memory = 3'000'000});
  const std::string head =
      "POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(kBody) + "\r\n\r\n";
  HttpClient first(server.port()), second(server.port());
  first.send(head + std::string(kBody - 1'000'000, 'x'));
  // Until the server has read it: else the second one may have the memory, and the first is the one that is refused.
  for (int i = 0; i < 3000 && metric(server.port(), "effdet_memory_bytes") < kBody - 1'000'000; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  second.send(head + std::string(kBody - 100, 'x'));
  expect_error(second.read(), 503);
  first.send(std::string(1'000'000, 'x'));  // while the second one does not close
  expect_error(first.read(), 400);
}

TEST(BadInput, Case95_HeadersAndPaths) {
  HttpClient large(shared_server().port());
  large.send("GET /v2 HTTP/1.1\r\nHost: t\r\nX: " + std::string(1 << 20, 'x') + "\r\n\r\n");
  expect_error(large.read(), 431);
  HttpClient many(shared_server().port());
  std::string fields;
  for (int i = 0; i < 100000; ++i) fields += "X: y\r\n";
  many.send("GET /v2 HTTP/1.1\r\nHost: t\r\n" + fields + "\r\n");
  expect_error(many.read(), 431);
  TestServer small({.most_header = 2000});
  EXPECT_EQ(HttpClient(small.port()).get("/v2", "X: " + std::string(1800, 'x') + "\r\n").status, 200);
  expect_error(HttpClient(small.port()).get("/v2", "X: " + std::string(2000, 'x') + "\r\n"), 431);
  TestServer wide({.most_header = 64 << 10});
  EXPECT_EQ(HttpClient(wide.port()).get("/v2", "X: " + std::string(65'400, 'x') + "\r\n").status, 200);
  expect_error(HttpClient(wide.port()).get("/v2", "X: " + std::string(65'600, 'x') + "\r\n"), 431);
  for (const char* path : {"/v2/models/..%2fd0", "/v2/models/%00", "/v2/models/../d0", "/v2/models/a%2Fb/infer"})
    expect_error(HttpClient(shared_server().port()).get(path), 400);
  expect_error(HttpClient(shared_server().port()).get("/v2/models/nope"), 404);
  expect_error(HttpClient(shared_server().port()).get("/v2/models/a/b/infer"), 404);
  expect_error(HttpClient(shared_server().port()).get("/v2/models/d0/infer"), 405);
  expect_error(HttpClient(shared_server().port()).post("/v2/models/d0", ""), 405);
  expect_error(HttpClient(shared_server().port()).post("/v2/repository/models/..%2f..%2fetc/load", "{}"), 400);
  expect_error(HttpClient(shared_server().port()).post("/v2/repository/models/d7/load", "{}"), 400);
}

TEST(BadInput, Case97_OtherProtocols) {
  for (const std::string& bytes : {std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                                   std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n",
                                   std::string("GET /v2\r\n\r\n"), std::string("GET /v2 HTTP/3.7\r\n\r\n"),
                                   std::string(1000, '\0') + "\r\n\r\n", std::string("GET /v2 HTTP/1.1\r\n\r\n")}) {
    HttpClient client(shared_server().port());
    client.send(bytes);
    const Reply reply = client.read();
    EXPECT_TRUE(reply.status == 400 || reply.status == 505) << reply.status << bytes.substr(0, 20);
    EXPECT_TRUE(client.ends());
  }
  HttpClient greeting(shared_server().port());
  greeting.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(500, '\1'));
  EXPECT_NE(error_of(greeting.read()).find("TLS"), std::string::npos);
  HttpClient client(shared_server().port());
  client.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\n");
  expect_error(client.read(), 417);
}

TEST(BadInput, Case91_TensorsThatTheModelDoesNotHave) {
  HttpClient client(shared_server().port());
  const auto refused = [&](auto change) {
    json header = binary_header();
    change(header);
    const Reply reply = post_binary(client, header);
    expect_error(reply, 400);
  };
  refused([](json& header) { header["inputs"][0]["name"] = "other"; });
  refused([](json& header) { header["inputs"][0]["datatype"] = "INT32"; });
  refused([](json& header) { header["inputs"][0]["shape"] = {1, 3, 64, 256}; });
  refused([](json& header) { header["inputs"].push_back(header["inputs"][0]); });
  refused([](json& header) { header["inputs"] = json::array(); });
  expect_error(client.post("/v2/models/d0/infer", "abc", kRaw), 400);
  expect_error(client.post("/v2/models/d0/infer", "abc", "Inference-Header-Content-Length: -1\r\n"), 400);
}

TEST(BadInput, ErrorsAreOneShortLine) {
  HttpClient client(shared_server().port());
  const auto error_for = [&](const std::string& name) {
    json header = binary_header();
    header["outputs"] = {{{"name", name}}};
    const Reply reply = post_binary(client, header);
    expect_error(reply, 400);
    return error_of(reply);
  };
  EXPECT_EQ(error_for(std::string("a\0b\n", 4)), "the model has no output 'a\\x00b\\x0a'");
  std::string name = "n";
  for (int i = 0; i < 100'000; ++i) name += "ü";
  const std::string cut = error_for(name);
  EXPECT_TRUE(cut.starts_with("the model has no output 'nü") && cut.ends_with("ü..."));
  EXPECT_LE(cut.size(), 1024u);
}

TEST(BadInput, PicturesAndOptionsThatAreNone) {
  HttpClient client(shared_server().port());
  expect_error(client.post("/v2/models/d0/detect", ""), 400);
  expect_error(client.post("/v2/models/d0/detect", picture_file().substr(0, 500)), 400);
  for (const char* query : {"score=2", "score=nan", "score=", "max=0", "max=1e9", "classes=unicorn", "classes=", "x=1",
                            "iou=-1", "timeout=-1"})
    expect_error(client.post(std::string("/v2/models/d0/detect?") + query, picture_file()), 400);
}

TEST(BadInput, SlowSendersAreGivenUp) {
  TestServer server({.idle_seconds = 0.2, .header_seconds = 0.2, .body_seconds = 0.2});
  HttpClient idle(server.port()), header(server.port()), body(server.port());
  header.send("GET /v2 HT");
  body.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\nabc");
  EXPECT_TRUE(idle.ends());
  expect_error(header.read(), 408);
  expect_error(body.read(), 408);
}

TEST(Server, WantsItsToken) {
  TestServer server({.token = "secret"});
  const Reply refused = HttpClient(server.port()).get("/v2");
  expect_error(refused, 401);
  EXPECT_EQ(refused.fields.at("www-authenticate"), "Bearer");
  for (const char* field : {"Bearer", "Bearer ", "Bearer secrez", "Bearer secret2", "bearer", "Basic secret"})
    expect_error(HttpClient(server.port()).get("/v2", std::string("Authorization: ") + field + "\r\n"), 401);
  EXPECT_EQ(HttpClient(server.port()).get("/").status, 200);  // the page asks for it
  EXPECT_EQ(HttpClient(server.port()).get("/v2", "Authorization: Bearer secret\r\n").status, 200);
  EXPECT_EQ(HttpClient(server.port()).get("/v2/health/ready").status, 200);
}

TEST(Server, FinishesWhatItAcceptedBeforeItEnds) {
  std::mutex mutex;
  std::vector<ServedRequest> log;
  TestServer server({.on_request = [&](const ServedRequest& request) {
    const std::lock_guard lock(mutex);
    log.push_back(request);
  }});
  const std::string file = picture_file();
  HttpClient idle(server.port());
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server.port()));
    clients.back()->send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: " +
                         std::to_string(file.size()) + "\r\n\r\n");
    ASSERT_EQ(clients.back()->read().status, 100);  // it has the header
    clients.back()->send(file);
  }
  server->stop();
  for (auto& client : clients) EXPECT_EQ(client->read().status, 200);
  EXPECT_TRUE(server->wait());
  EXPECT_TRUE(idle.ends());
  EXPECT_THROW(HttpClient{server.port()}, std::runtime_error);
  ASSERT_EQ(log.size(), 8u);
  EXPECT_EQ(log[0].path, "/v2/models/d0/detect");
  EXPECT_EQ(log[0].received, file.size());
}

TEST(Server, LoadsModelsAnewWhileTheOldOnesGoOn) {
  std::atomic<bool> broken = false;
  std::atomic<int> notes = 0;
  TestServer server({.open_model =
                         [&](const std::string& name) {
                           if (broken || name == "other") throw Error(ErrorCode::kBadInput, "/secret/d0.om: damaged");
                           return small_model();
                         },
                     .on_note = [&](const std::string&) { ++notes; }});
  std::atomic<bool> stop = false;
  std::atomic<int> bad = 0, good = 0;
  std::jthread load([&] {
    HttpClient client(server.port());
    while (!stop) (post_binary(client, binary_header()).status == 200 ? good : bad)++;
  });
  while (good + bad == 0) std::this_thread::yield();
  HttpClient client(server.port());
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(client.post("/v2/repository/models/d0/load", R"({"parameters":{"unload_dependents":false}})").status,
              200);
  broken = true;
  const Reply refused = client.post("/v2/repository/models/d0/load", "{}");
  expect_error(refused, 400);
  EXPECT_EQ(refused.body.find("secret"), std::string::npos);
  expect_error(client.post("/v2/repository/models/d0/load", R"({"parameters":{"file:1/m.om":"AA=="}})"), 400);
  expect_error(client.post("/v2/repository/models/other/load", "{}"), 400);
  expect_error(client.post("/v2/repository/models/a%20b/load", "{}"), 400);
  stop = true;
  load.join();
  EXPECT_EQ(bad, 0);
  EXPECT_EQ(client.post("/v2/repository/models/d0/unload", "{}").status, 200);
  expect_error(client.get("/v2/models/d0"), 404);
  expect_error(client.post("/v2/repository/models/d0/unload", "{}"), 404);
  broken = false;
  EXPECT_EQ(client.post("/v2/repository/models/new/load", "").status, 200);
  EXPECT_EQ(client.get("/v2/models/new/ready").status, 200);
  EXPECT_EQ(notes, 7);
}

TEST(Server, NewFilesTakeOverBetweenRequestsAndBrokenOnesDoNot) {
  const test::TestFolder folder("server");
  const std::filesystem::path path = folder / "d0.om";
  const auto write = [&](const std::string& bytes) {
    const std::filesystem::path fresh = folder / "new.om";
    std::ofstream(fresh, std::ios::binary) << bytes;
    std::filesystem::rename(fresh, path);
  };
  const auto compiled = [&](const CompiledModel& model) {
    const std::filesystem::path file = folder / "saved.om";
    model.save(file);
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream bytes;
    bytes << stream.rdbuf();
    return bytes.str();
  };
  const std::string old_file = compiled(small_model());
  const std::string new_file = compiled(
      CompiledModel::open(EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth", {.height = 256, .width = 128}));
  write(old_file);
  Server server(
      {{"d0", CompiledModel::open(path)}},
      {.port = 0, .layout = {1, 1}, .open_model = [&](const std::string&) { return CompiledModel::open(path); }});
  HttpClient client(server.port());
  std::string flipped = new_file;
  flipped[flipped.size() / 2] ^= 1;
  for (const std::string& broken :
       {new_file.substr(0, new_file.size() / 2), flipped, std::string("no model"), std::string()}) {
    write(broken);
    expect_error(client.post("/v2/repository/models/d0/load", "{}"), 400);
    const Reply reply = post_binary(client, binary_header());
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(binary_outputs(reply), expected().outputs);
  }
  write(new_file);
  EXPECT_EQ(client.post("/v2/repository/models/d0/load", "{}").status, 200);
  EXPECT_EQ(json::parse(client.get("/v2/models/d0").body)["inputs"][0]["shape"], json({1, 3, 256, 128}));
  expect_error(post_binary(client, binary_header()), 400);  // the new model's shape
  write(old_file);
  EXPECT_EQ(client.post("/v2/repository/models/d0/load", "{}").status, 200);
  EXPECT_EQ(post_binary(client, binary_header()).status, 200);
}

TEST(Server, ListensOnAUnixSocket) {
  const test::TestFolder folder("server");
  const std::string path = folder.path() / "socket";
  const ServerOptions options{.unix_socket = path, .layout = {1, 1}};
  {
    Server server({{"d0", small_model()}}, options);
    EXPECT_EQ(HttpClient(path).get("/v2/health/ready").status, 200);
    EXPECT_THROW(Server({{"d0", small_model()}}, options), Error);  // somebody listens
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  std::ofstream(path) << "a file";
  EXPECT_THROW(Server({{"d0", small_model()}}, options), Error);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(Server, TakesOverASocketThatListens) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto serve = [&](int descriptor) {
    return Server({{"d0", small_model()}}, {.port = 1, .listening_socket = descriptor, .layout = {1, 1}}).port();
  };
  EXPECT_THROW(serve(socket), Error);  // it does not listen
  EXPECT_THROW(serve(100'000), Error);
  ASSERT_EQ(::listen(socket, 10), 0);
  Server server({{"d0", small_model()}}, {.listening_socket = socket, .layout = {1, 1}});
  EXPECT_GT(server.port(), 0);
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/v2/health/ready").status, 200);
}

TEST(Server, PagesOfOtherSitesAreClientsOnlyWhereThatIsAllowed) {
  const std::string allow = "access-control-allow-origin", mine = "Origin: https://a.example\r\n";
  const std::string question =
      "OPTIONS /v2/models/d0/infer HTTP/1.1\r\nHost: t\r\n" + mine + "Access-Control-Request-Method: POST\r\n\r\n";
  HttpClient closed(shared_server().port());
  EXPECT_EQ(closed.get("/v2", mine).fields.count(allow), 0u);
  closed.send(question);
  const Reply refused = closed.read();
  expect_error(refused, 405);
  EXPECT_EQ(refused.fields.count(allow), 0u);

  TestServer server({.token = "secret", .cors_origin = "https://a.example"});
  const Reply error = HttpClient(server.port()).get("/v2", mine);
  expect_error(error, 401);
  EXPECT_EQ(error.fields.at(allow), "https://a.example");
  EXPECT_EQ(error.fields.at("vary"), "Origin");
  EXPECT_EQ(HttpClient(server.port()).get("/v2", "Origin: https://b.example\r\n").fields.count(allow), 0u);
  HttpClient browser(server.port());  // which sends no token with its question
  browser.send(question);
  const Reply answer = browser.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at(allow), "https://a.example");
  EXPECT_NE(answer.fields.at("access-control-allow-headers").find("Authorization"), std::string::npos);
  TestServer open({.cors_origin = "*"});
  EXPECT_EQ(HttpClient(open.port()).get("/v2", mine).fields.at(allow), "*");
  EXPECT_EQ(HttpClient(open.port()).get("/v2").fields.count(allow), 0u);  // no browser asks
}

TEST(Server, RefusesOptionsThatItCannotServe) {
  const auto code = [](std::vector<ServedModel> models, ServerOptions options) {
    try {
      const Server server(std::move(models), options);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code({{"a/b", small_model()}}, {.port = 0}), ErrorCode::kUsage);
  EXPECT_EQ(code({{"", small_model()}}, {.port = 0}), ErrorCode::kUsage);
  EXPECT_EQ(code({{"a", small_model()}, {"a", small_model()}}, {.port = 0}), ErrorCode::kUsage);
  EXPECT_EQ(code({{"a", small_model()}}, {.host = "example.org", .port = 0}), ErrorCode::kUsage);
  EXPECT_EQ(code({{"a", small_model()}}, {.port = 0, .most_header = 100'000}), ErrorCode::kUsage);
  EXPECT_EQ(code({{"a", small_model()}}, {.port = shared_server().port()}), ErrorCode::kIo);
}

}  // namespace
}  // namespace effdet::server

// Tensors in shared memory: the same bits as in bodies, and clients that take memory away.
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "server/server_requests_test_util.h"
#include "server/shared_memory_test_util.h"

namespace effdet::server {
namespace {

using nlohmann::json;

ServerOptions with_shared_memory(ServerOptions options = {}) {
  options.shared_memory = true;
  return options;
}

TestServer& sharing_server() {
  static TestServer server(with_shared_memory());
  return server;
}

const std::string kRegions = "/v2/systemsharedmemory";

Reply register_region(HttpClient& client, const std::string& name, const json& body) {
  return client.post(kRegions + "/region/" + name + "/register", body.dump());
}

json infer_header(json input_parameters, json outputs) {
  const TensorInfo input = small_model().inputs()[0];
  return {{"inputs",
           {{{"name", input.name},
             {"shape", input.shape},
             {"datatype", "FP32"},
             {"parameters", std::move(input_parameters)}}}},
          {"outputs", std::move(outputs)}};
}

Reply infer(HttpClient& client, const json& header) { return client.post("/v2/models/d0/infer", header.dump()); }

/// The input at the beginning of a region "r", and room for all outputs behind it, each `gap` bytes after the last one.
struct Layout {
  SharedObject object;
  std::vector<size_t> places;
  json outputs = json::array();

  explicit Layout(size_t gap = 0) : object(size_with(gap)) {
    object.write(0, expected().input);
    size_t at = expected().input.size();
    for (size_t i = 0; i < expected().outputs.size(); ++i) {
      at += gap;
      places.push_back(at);
      const size_t bytes = expected().outputs[i].size();
      outputs.push_back({{"name", small_model().outputs()[i].name}, {"parameters", part_of("r", at, bytes)}});
      at += bytes;
    }
  }
  json header() const { return infer_header(part_of("r", 0, expected().input.size()), outputs); }
  json region() const { return {{"key", object.key()}, {"byte_size", object.size()}}; }

 private:
  static size_t size_with(size_t gap) {
    size_t bytes = expected().input.size();
    for (const std::string& output : expected().outputs) bytes += gap + output.size();
    return bytes;
  }
};

class SharedMemory : public testing::Test {
 protected:
  SharedMemory() { client_.post(kRegions + "/unregister", ""); }

  HttpClient client_{sharing_server().port()};
};

TEST_F(SharedMemory, HasTheBitsOfBodies) {
  for (const size_t gap : {size_t{0}, size_t{64}, size_t{1}}) {  // 1: outputs are not aligned
    const Layout layout(gap);
    ASSERT_EQ(register_region(client_, "r", layout.region()).status, 200);
    const Reply reply = infer(client_, layout.header());
    ASSERT_EQ(reply.status, 200) << reply.body;
    const json outputs = json::parse(reply.body)["outputs"];
    ASSERT_EQ(outputs.size(), layout.places.size());
    for (size_t i = 0; i < layout.places.size(); ++i) {
      const std::string& expected_bytes = expected().outputs[i];
      EXPECT_FALSE(outputs[i].contains("data") || outputs[i].contains("parameters"));
      EXPECT_TRUE(layout.object.read(layout.places[i], expected_bytes.size()) == expected_bytes)
          << i << ", gap " << gap;
    }
    EXPECT_EQ(client_.post(kRegions + "/region/r/unregister", "").status, 200);
  }
}

TEST_F(SharedMemory, GoesTogetherWithBodies) {
  Layout layout;
  ASSERT_EQ(register_region(client_, "r", layout.region()).status, 200);
  // The input in the body, an output there, another one here, and the rest not at all.
  json header = binary_header();
  header["outputs"] = {layout.outputs[1],
                       {{"name", small_model().outputs()[0].name}, {"parameters", {{"binary_data", true}}}}};
  const Reply reply = post_binary(client_, header);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_TRUE(reply.body.ends_with(expected().outputs[0]));
  EXPECT_TRUE(layout.object.read(layout.places[1], expected().outputs[1].size()) == expected().outputs[1]);
  EXPECT_TRUE(layout.object.read(layout.places[2], 64) == std::string(64, '\0'));
}

TEST_F(SharedMemory, TakesPictures) {
  const std::string file = picture_file();
  const auto length = static_cast<uint32_t>(file.size());
  std::string element(sizeof length, '\0');
  std::memcpy(element.data(), &length, sizeof length);
  SharedObject object(element.size() + file.size() + 4096);
  object.write(0, element + file);
  ASSERT_EQ(register_region(client_, "p", {{"key", object.key()}, {"byte_size", object.size()}}).status, 200);
  const size_t at = element.size() + file.size();
  const json header = {
      {"inputs", {{{"name", "images"}, {"shape", {1}}, {"datatype", "BYTES"}, {"parameters", part_of("p", 0, at)}}}},
      {"outputs", {{{"name", "num_detections"}, {"parameters", part_of("p", at, 4)}}}}};
  const Reply reply = client_.post("/v2/models/d0_detect/infer?score=0", header.dump());
  ASSERT_EQ(reply.status, 200) << reply.body;
  int32_t count = 0;
  std::memcpy(&count, object.read(at, 4).data(), sizeof count);
  const json direct = json::parse(client_.post("/v2/models/d0/detect?score=0", file).body);
  EXPECT_EQ(static_cast<size_t>(count), direct["detections"].size());
}

TEST_F(SharedMemory, TellsWhatIsRegistered) {
  const SharedObject object(10'000);
  EXPECT_EQ(json::parse(client_.get(kRegions + "/status").body), json::array());
  ASSERT_EQ(register_region(client_, "a", {{"key", object.key()}, {"byte_size", 10}}).status, 200);
  ASSERT_EQ(register_region(client_, "b", {{"key", object.key()}, {"byte_size", "20"}, {"offset", 5000}}).status, 200);
  const json a = {{"name", "a"}, {"key", object.key()}, {"offset", 0}, {"byte_size", 10}};
  const json b = {{"name", "b"}, {"key", object.key()}, {"offset", 5000}, {"byte_size", 20}};
  EXPECT_EQ(json::parse(client_.get(kRegions + "/status").body), json::array({a, b}));
  EXPECT_EQ(json::parse(client_.get(kRegions + "/region/b/status").body), json::array({b}));
  expect_error(client_.get(kRegions + "/region/c/status"), 400);
  expect_error(register_region(client_, "a", {{"key", object.key()}, {"byte_size", 10}}), 400);
  EXPECT_EQ(client_.post(kRegions + "/region/a/unregister", "").status, 200);
  EXPECT_EQ(client_.post(kRegions + "/region/a/unregister", "").status, 200);
  EXPECT_EQ(json::parse(client_.get(kRegions + "/status").body), json::array({b}));
  const json extensions = json::parse(client_.get("/v2").body)["extensions"];
  EXPECT_NE(std::ranges::find(extensions, "system_shared_memory"), extensions.end());
}

TEST_F(SharedMemory, RefusesRegionsThatAreNone) {
  const SharedObject object(100);
  for (const json& body : std::vector<json>{{{"key", "/effdet_no_such_object"}, {"byte_size", 10}},
                                            {{"key", "../../etc/passwd"}, {"byte_size", 10}},
                                            {{"key", "/../etc/passwd"}, {"byte_size", 10}},
                                            {{"key", "/a/b"}, {"byte_size", 10}},
                                            {{"key", ""}, {"byte_size", 10}},
                                            {{"key", "/"}, {"byte_size", 10}},
                                            {{"key", "."}, {"byte_size", 10}},
                                            {{"key", ".."}, {"byte_size", 10}},
                                            {{"key", std::string(300, 'a')}, {"byte_size", 10}},
                                            {{"key", object.key() + std::string("\0x", 2)}, {"byte_size", 10}},
                                            {{"key", object.key()}, {"byte_size", 101}},
                                            {{"key", object.key()}, {"byte_size", 0}},
                                            {{"key", object.key()}, {"byte_size", 10}, {"offset", 91}},
                                            {{"key", object.key()}, {"byte_size", 10}, {"offset", 101}},
                                            {{"key", object.key()}, {"byte_size", 10}, {"offset", ~uint64_t{0}}},
                                            {{"key", object.key()}, {"byte_size", 10}, {"offset", -1}},
                                            {{"key", object.key()}, {"byte_size", "x"}},
                                            {{"key", object.key()}},
                                            {{"byte_size", 10}},
                                            json::array()})
    expect_error(register_region(client_, "a", body), 400);
  const Reply missing = register_region(client_, "a", {{"key", "/effdet_no_such_object"}, {"byte_size", 10}});
  EXPECT_NE(error_of(missing).find("none of that name"), std::string::npos) << missing.body;
  expect_error(client_.post(kRegions + "/region/a/register", "{"), 400);
  // After these the server closes.
  const auto another = [] { return HttpClient(sharing_server().port()); };
  expect_error(another().post(kRegions + "/register", "{}"), 404);
  expect_error(another().post(kRegions + "/region/a/other", "{}"), 404);
  expect_error(another().get(kRegions), 404);
  expect_error(another().get(kRegions + "/region/a/register"), 405);
  expect_error(another().post(kRegions + "/status", ""), 405);
}

TEST_F(SharedMemory, RefusesPartsThatDoNotFit) {
  const Layout layout;
  ASSERT_EQ(register_region(client_, "r", layout.region()).status, 200);
  const size_t bytes = expected().input.size();
  expect_error(infer(client_, infer_header(part_of("other", 0, bytes), json::array())), 400);
  expect_error(infer(client_, infer_header(part_of("r", 0, bytes - 4), json::array())), 400);
  expect_error(infer(client_, infer_header(part_of("r", layout.object.size() - 4, bytes), json::array())), 400);
  for (const uint64_t beyond : {uint64_t{layout.object.size()} + 1, ~uint64_t{0}})
    expect_error(infer(client_, infer_header(part_of("r", beyond, bytes), json::array())), 400);
  json both = infer_header(part_of("r", 0, bytes), json::array());
  both["inputs"][0]["data"] = {1.5};
  expect_error(infer(client_, both), 400);
  json small = layout.outputs;
  small[0]["parameters"]["shared_memory_byte_size"] = expected().outputs[0].size() - 1;
  const Reply refused = infer(client_, infer_header(part_of("r", 0, bytes), small));
  expect_error(refused, 400);
  EXPECT_NE(error_of(refused).find(small_model().outputs()[0].name), std::string::npos) << refused.body;
}

TEST_F(SharedMemory, RefusesOutputsOverEachOther) {
  const Layout layout;
  ASSERT_EQ(register_region(client_, "r", layout.region()).status, 200);
  ASSERT_EQ(register_region(client_, "again", layout.region()).status, 200);
  const size_t first = expected().outputs[0].size();
  const auto place_second = [&](const std::string& region, size_t at) {
    json outputs = {layout.outputs[0], layout.outputs[1]};
    outputs[1]["parameters"] = part_of(region, at, expected().outputs[1].size());
    return infer(client_, infer_header(part_of("r", 0, expected().input.size()), outputs));
  };
  for (const std::string region : {"r", "again"}) {  // of one object
    for (const size_t behind : {size_t{0}, first - 1}) {
      const Reply refused = place_second(region, layout.places[0] + behind);
      expect_error(refused, 400);
      EXPECT_NE(error_of(refused).find(small_model().outputs()[1].name), std::string::npos) << refused.body;
    }
    EXPECT_EQ(place_second(region, layout.places[0] + first).status, 200);
    EXPECT_TRUE(layout.object.read(layout.places[0], first) == expected().outputs[0]);
  }
  // Nor does it matter where the input is, which was read before.
  json over = json::array({layout.outputs[0]});
  over[0]["parameters"]["shared_memory_offset"] = 0;
  ASSERT_EQ(infer(client_, infer_header(part_of("r", 0, expected().input.size()), over)).status, 200);
  EXPECT_TRUE(layout.object.read(0, first) == expected().outputs[0]);
}

TEST_F(SharedMemory, SeesEndsWithinAPage) {
  Layout layout;
  const size_t input = expected().input.size();
  ASSERT_EQ(register_region(client_, "r", layout.region()).status, 200);
  ASSERT_EQ(register_region(client_, "input", {{"key", layout.object.key()}, {"byte_size", input}}).status, 200);
  layout.object.resize(layout.object.size() - 1);
  expect_error(infer(client_, layout.header()), 400);
  EXPECT_EQ(infer(client_, infer_header(part_of("input", 0, input), json::array())).status, 200);
  layout.object.resize(input - 1);
  expect_error(infer(client_, infer_header(part_of("input", 0, input), json::array())), 400);
}

TEST_F(SharedMemory, OutlivesMemoryThatGoes) {
  Layout layout;
  ASSERT_EQ(register_region(client_, "r", layout.region()).status, 200);
  json header = binary_header();  // the input is in the body: the model runs, and writes where pages are missing
  header["outputs"] = layout.outputs;
  const auto expect_told = [](const Reply& refused, const std::string& why) {
    expect_error(refused, 400);
    EXPECT_NE(error_of(refused).find(why), std::string::npos) << refused.body;
  };
  layout.object.resize(expected().input.size());
  expect_told(post_binary(client_, header), "became shorter");
  layout.object.resize(layout.object.size());
  expect_told(post_binary(client_, header), "lost pages");
  ASSERT_EQ(client_.post(kRegions + "/region/r/unregister", "").status, 200);
  ASSERT_EQ(register_region(client_, "r", layout.region()).status, 200);
  EXPECT_EQ(post_binary(client_, header).status, 200);
  layout.object.resize(0);  // the input's, too
  expect_told(infer(client_, layout.header()), "became shorter");
  EXPECT_EQ(client_.get("/v2/health/ready").status, 200);
}

TEST_F(SharedMemory, IsBounded) {
  const SharedObject object(100);
  const json body = {{"key", object.key()}, {"byte_size", 10}};
  int registered = 0;
  while (registered < 1000 && register_region(client_, "n" + std::to_string(registered), body).status == 200)
    ++registered;
  EXPECT_EQ(registered, 256);
  expect_error(register_region(client_, "one_more", body), 503);
  EXPECT_EQ(client_.post(kRegions + "/unregister", "").status, 200);
  EXPECT_EQ(register_region(client_, "r", body).status, 200);
}

TEST_F(SharedMemory, OfGpusIsNotOffered) {
  const std::string path = "/v2/cudasharedmemory";
  EXPECT_EQ(client_.post(path + "/unregister", "").status, 200);
  EXPECT_EQ(json::parse(client_.get(path + "/status").body), json::array());
  const json body = {{"raw_handle", {{"b64", "AAAA"}}}, {"device_id", 0}, {"byte_size", 10}};
  expect_error(client_.post(path + "/region/r/register", body.dump()), 400);
}

TEST(SharedMemoryOff, IsRefused) {
  TestServer server;
  HttpClient client(server.port());
  const Layout layout;
  // What clients do before they begin succeeds.
  EXPECT_EQ(client.post(kRegions + "/unregister", "").status, 200);
  EXPECT_EQ(json::parse(client.get(kRegions + "/status").body), json::array());
  const Reply refused = register_region(client, "r", layout.region());
  expect_error(refused, 400);
  EXPECT_NE(error_of(refused).find("--shared-memory"), std::string::npos) << refused.body;
  expect_error(infer(client, layout.header()), 400);
}

TEST(SharedMemoryToken, IsAskedFor) {
  TestServer server(with_shared_memory({.token = "secret"}));
  HttpClient client(server.port());
  const SharedObject object(100);
  const json body = {{"key", object.key()}, {"byte_size", 10}};
  expect_error(register_region(client, "r", body), 401);
  expect_error(HttpClient(server.port()).get(kRegions + "/status"), 401);
}

}  // namespace
}  // namespace effdet::server

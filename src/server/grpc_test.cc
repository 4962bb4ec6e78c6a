// gRPC beside HTTP on loopback: the same answers, and clients that are hostile.
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "effdet/detector.h"
#include "effdet/encoded_image.h"
#include "effdet/error.h"
#include "effdet/image.h"
#include "server/certificate_test_util.h"
#include "server/inference.pb.h"
#include "server/server_requests_test_util.h"
#include "server/shared_memory_test_util.h"

namespace effdet::server {
namespace {

using nlohmann::json;
using Code = grpc::StatusCode;
namespace pb = ::inference;

ServerOptions with_grpc(ServerOptions options = {}) {
  options.grpc_port = 0;
  return options;
}

TestServer& shared_server() {
  static TestServer server(with_grpc());
  return server;
}

class GrpcClient {
 public:
  explicit GrpcClient(TestServer& server) : GrpcClient(server, grpc::InsecureChannelCredentials()) {}
  GrpcClient(TestServer& server, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
             grpc::ChannelArguments arguments = {}) {
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server->grpc_port()), credentials, arguments);
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  /// A call of one message, whose bytes are given.
  grpc::Status call(const std::string& method, const std::string& request, std::string* reply = nullptr,
                    grpc::ClientContext* context = nullptr) {
    grpc::ClientContext own;
    const grpc::Slice slice(request);
    const grpc::ByteBuffer message(&slice, 1);
    grpc::ByteBuffer answer;
    std::promise<grpc::Status> done;
    grpc::GenericStub(channel_).UnaryCall(context != nullptr ? context : &own, path(method), {}, &message, &answer,
                                          [&](grpc::Status status) { done.set_value(std::move(status)); });
    grpc::Status status = done.get_future().get();
    grpc::Slice bytes;
    if (reply != nullptr && status.ok() && answer.DumpToSingleSlice(&bytes).ok())
      reply->assign(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
    return status;
  }
  template <typename Request, typename Reply>
  grpc::Status call(const std::string& method, const Request& request, Reply& reply,
                    grpc::ClientContext* context = nullptr) {
    std::string bytes;
    grpc::Status status = call(method, request.SerializeAsString(), &bytes, context);
    EXPECT_TRUE(reply.ParseFromString(bytes));
    return status;
  }
  grpc::Status infer(const pb::ModelInferRequest& request, pb::ModelInferResponse& reply) {
    return call("ModelInfer", request, reply);
  }
  grpc::Status infer(const pb::ModelInferRequest& request) {
    pb::ModelInferResponse reply;
    return infer(request, reply);
  }

  static std::string path(const std::string& method) { return "/inference.GRPCInferenceService/" + method; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

/// A call of many messages; waits for each step.
class Stream {
 public:
  Stream(GrpcClient& client, const std::string& method) {
    call_ = grpc::GenericStub(client.channel()).PrepareCall(&context_, GrpcClient::path(method), &queue_);
    call_->StartCall(this);
    wait();
  }
  ~Stream() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) continue;
  }

  bool write(const pb::ModelInferRequest& request) {
    const grpc::Slice slice(request.SerializeAsString());
    call_->Write(grpc::ByteBuffer(&slice, 1), this);
    return wait();
  }
  void writes_done() {
    call_->WritesDone(this);
    wait();
  }
  /// False: the end.
  bool read(pb::ModelStreamInferResponse& reply) {
    grpc::ByteBuffer buffer;
    call_->Read(&buffer, this);
    if (!wait()) return false;
    grpc::Slice bytes;
    EXPECT_TRUE(buffer.DumpToSingleSlice(&bytes).ok());
    return reply.ParseFromArray(bytes.begin(), static_cast<int>(bytes.size()));
  }
  grpc::Status finish() {
    grpc::Status status;
    call_->Finish(&status, this);
    wait();
    return status;
  }

 private:
  bool wait() {
    void* tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

pb::ModelInferRequest tensor_request() {
  const TensorInfo info = small_model().inputs()[0];
  pb::ModelInferRequest request;
  request.set_model_name("d0");
  request.set_id("7");
  auto& input = *request.add_inputs();
  input.set_name(info.name);
  input.set_datatype("FP32");
  for (const int64_t dimension : info.shape) input.add_shape(dimension);
  request.add_raw_input_contents(expected().input);
  return request;
}

pb::ModelInferRequest picture_request(const std::string& file, int count = 1) {
  pb::ModelInferRequest request;
  request.set_model_name("d0_detect");
  auto& input = *request.add_inputs();
  input.set_name("images");
  input.set_datatype("BYTES");
  input.add_shape(count);
  for (int i = 0; i < count; ++i) input.mutable_contents()->add_bytes_contents(file);
  return request;
}

std::vector<std::string> raw_outputs(const pb::ModelInferResponse& reply) {
  return {reply.raw_output_contents().begin(), reply.raw_output_contents().end()};
}

/// Errors name no files of the machine.
void expect_status(const grpc::Status& status, Code code) {
  EXPECT_EQ(status.error_code(), code) << status.error_message();
  EXPECT_EQ(status.error_message().find("/work"), std::string::npos) << status.error_message();
  EXPECT_EQ(status.error_message().find(EFFDET_SOURCE_DIR), std::string::npos) << status.error_message();
}

TEST(Grpc, TellsOfItselfAsHttpDoes) {
  GrpcClient client(shared_server());
  HttpClient http(shared_server().port());
  pb::ServerLiveResponse live;
  EXPECT_TRUE(client.call("ServerLive", pb::ServerLiveRequest(), live).ok() && live.live());
  pb::ServerReadyResponse ready;
  EXPECT_TRUE(client.call("ServerReady", pb::ServerReadyRequest(), ready).ok() && ready.ready());
  pb::ModelReadyRequest which;
  pb::ModelReadyResponse model_ready;
  which.set_name("d0");
  EXPECT_TRUE(client.call("ModelReady", which, model_ready).ok() && model_ready.ready());
  which.set_name("nope");
  EXPECT_TRUE(client.call("ModelReady", which, model_ready).ok() && !model_ready.ready());
  expect_status(client.call("ModelReady", pb::ModelReadyRequest(), model_ready), Code::INVALID_ARGUMENT);

  pb::ServerMetadataResponse server;
  EXPECT_TRUE(client.call("ServerMetadata", pb::ServerMetadataRequest(), server).ok());
  EXPECT_EQ(server.version(), json::parse(http.get("/v2").body)["version"]);
  pb::ModelMetadataRequest of;
  of.set_name("d0");
  of.set_version("1");
  pb::ModelMetadataResponse metadata;
  EXPECT_TRUE(client.call("ModelMetadata", of, metadata).ok());
  const json told = json::parse(http.get("/v2/models/d0").body);
  ASSERT_EQ(static_cast<size_t>(metadata.outputs_size()), told["outputs"].size());
  EXPECT_EQ(metadata.outputs(3).name(), told["outputs"][3]["name"]);
  EXPECT_EQ(std::vector<int64_t>(metadata.inputs(0).shape().begin(), metadata.inputs(0).shape().end()),
            told["inputs"][0]["shape"].get<std::vector<int64_t>>());
  of.set_version("2");
  expect_status(client.call("ModelMetadata", of, metadata), Code::NOT_FOUND);

  pb::ModelConfigRequest config_of;
  config_of.set_name("d0_detect");
  pb::ModelConfigResponse config;
  EXPECT_TRUE(client.call("ModelConfig", config_of, config).ok());
  EXPECT_EQ(config.config().input(0).data_type(), pb::TYPE_STRING);
  EXPECT_EQ(config.config().instance_group(0).count(), 1);
  pb::RepositoryIndexResponse index;
  EXPECT_TRUE(client.call("RepositoryIndex", pb::RepositoryIndexRequest(), index).ok());
  ASSERT_EQ(index.models_size(), 2);
  EXPECT_EQ(index.models(1).name(), "d0_detect");
  pb::ModelStatisticsResponse statistics;
  EXPECT_TRUE(client.call("ModelStatistics", pb::ModelStatisticsRequest(), statistics).ok());
  EXPECT_EQ(statistics.model_stats_size(), 2);
}

TEST(Grpc, TensorsGiveTheLibrarysBits) {
  GrpcClient client(shared_server());
  pb::ModelInferResponse reply;
  ASSERT_TRUE(client.infer(tensor_request(), reply).ok());
  EXPECT_EQ(reply.model_name(), "d0");
  EXPECT_EQ(reply.id(), "7");
  EXPECT_EQ(raw_outputs(reply), expected().outputs);
  ASSERT_EQ(static_cast<size_t>(reply.outputs_size()), expected().outputs.size());
  EXPECT_EQ(reply.outputs(0).datatype(), "FP32");

  pb::ModelInferRequest typed = tensor_request();
  typed.clear_raw_input_contents();
  std::vector<float> values(expected().input.size() / sizeof(float));
  std::memcpy(values.data(), expected().input.data(), expected().input.size());
  for (const float value : values) typed.mutable_inputs(0)->mutable_contents()->add_fp32_contents(value);
  ASSERT_TRUE(client.infer(typed, reply).ok());
  EXPECT_EQ(raw_outputs(reply), expected().outputs);

  pb::ModelInferRequest named = tensor_request();
  const std::string name = small_model().outputs()[2].name;
  named.add_outputs()->set_name(name);
  ASSERT_TRUE(client.infer(named, reply).ok());
  EXPECT_EQ(raw_outputs(reply), std::vector<std::string>{expected().outputs[2]});
  EXPECT_EQ(reply.outputs(0).name(), name);
}

TEST(Grpc, SharedMemoryHoldsTheLibrarysBits) {
  ServerOptions options = with_grpc();
  options.shared_memory = true;
  TestServer server(std::move(options));
  GrpcClient client(server);
  const std::string& input = expected().input;
  const std::string& output = expected().outputs[0];
  SharedObject object(input.size() + output.size());
  object.write(0, input);

  pb::SystemSharedMemoryRegisterRequest region;
  pb::SystemSharedMemoryRegisterResponse registered;
  region.set_name("a/region");
  region.set_key(object.key());
  region.set_byte_size(object.size());
  ASSERT_TRUE(client.call("SystemSharedMemoryRegister", region, registered).ok());
  EXPECT_EQ(client.call("SystemSharedMemoryRegister", region, registered).error_code(), Code::INVALID_ARGUMENT);
  pb::SystemSharedMemoryStatusResponse status;
  ASSERT_TRUE(client.call("SystemSharedMemoryStatus", pb::SystemSharedMemoryStatusRequest(), status).ok());
  ASSERT_EQ(status.regions().count("a/region"), 1u);
  EXPECT_EQ(status.regions().at("a/region").key(), object.key());
  EXPECT_EQ(status.regions().at("a/region").byte_size(), object.size());

  const auto share = [&](auto& tensor, size_t offset, size_t bytes) {
    auto& parameters = *tensor.mutable_parameters();
    parameters["shared_memory_region"].set_string_param("a/region");
    parameters["shared_memory_offset"].set_int64_param(static_cast<int64_t>(offset));
    parameters["shared_memory_byte_size"].set_int64_param(static_cast<int64_t>(bytes));
  };
  pb::ModelInferRequest request = tensor_request();
  request.clear_raw_input_contents();
  share(*request.mutable_inputs(0), 0, input.size());
  auto& there = *request.add_outputs();
  there.set_name(small_model().outputs()[0].name);
  share(there, input.size(), output.size());
  request.add_outputs()->set_name(small_model().outputs()[1].name);
  pb::ModelInferResponse reply;
  const grpc::Status inferred = client.infer(request, reply);
  ASSERT_TRUE(inferred.ok()) << inferred.error_message();
  EXPECT_TRUE(object.read(input.size(), output.size()) == output);
  ASSERT_EQ(reply.raw_output_contents_size(), 2);
  EXPECT_EQ(reply.raw_output_contents(0), "");
  EXPECT_TRUE(reply.raw_output_contents(1) == expected().outputs[1]);
  const auto& parameters = reply.outputs(0).parameters();
  EXPECT_EQ(parameters.at("shared_memory_region").string_param(), "a/region");
  EXPECT_EQ(parameters.at("shared_memory_offset").int64_param(), static_cast<int64_t>(input.size()));
  EXPECT_EQ(parameters.at("shared_memory_byte_size").int64_param(), static_cast<int64_t>(output.size()));

  request.add_raw_input_contents(input);  // besides
  EXPECT_EQ(client.infer(request).error_code(), Code::INVALID_ARGUMENT);
  // No name would be all regions.
  for (const std::string name : {"\xff", "a/region\xff"}) {
    std::string message = "\x0a";
    message += static_cast<char>(name.size());
    EXPECT_EQ(client.call("SystemSharedMemoryUnregister", message + name).error_code(), Code::INVALID_ARGUMENT);
  }
  ASSERT_TRUE(client.call("SystemSharedMemoryStatus", pb::SystemSharedMemoryStatusRequest(), status).ok());
  EXPECT_EQ(status.regions_size(), 1);
  pb::SystemSharedMemoryUnregisterRequest all;
  pb::SystemSharedMemoryUnregisterResponse unregistered;
  ASSERT_TRUE(client.call("SystemSharedMemoryUnregister", all, unregistered).ok());
  request.clear_raw_input_contents();
  EXPECT_EQ(client.infer(request).error_code(), Code::INVALID_ARGUMENT);
  pb::CudaSharedMemoryUnregisterResponse of_gpus;
  EXPECT_TRUE(client.call("CudaSharedMemoryUnregister", pb::CudaSharedMemoryUnregisterRequest(), of_gpus).ok());
  EXPECT_EQ(client.call("SystemSharedMemoryRegister", pb::SystemSharedMemoryRegisterRequest(), registered).error_code(),
            Code::INVALID_ARGUMENT);
}

TEST(Grpc, MemoryOfGpusIsNotOffered) {
  GrpcClient client(shared_server());
  pb::CudaSharedMemoryStatusResponse none;
  EXPECT_TRUE(client.call("CudaSharedMemoryStatus", pb::CudaSharedMemoryStatusRequest(), none).ok());
  EXPECT_EQ(none.regions_size(), 0);
  pb::CudaSharedMemoryRegisterRequest region;
  pb::CudaSharedMemoryRegisterResponse registered;
  region.set_name("r");
  const grpc::Status status = client.call("CudaSharedMemoryRegister", region, registered);
  expect_status(status, Code::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "shared memory of GPUs is not offered, only that of the system");
  region.clear_name();
  EXPECT_EQ(client.call("CudaSharedMemoryRegister", region, registered).error_message(), "the request names no region");
  pb::SystemSharedMemoryRegisterRequest own;
  pb::SystemSharedMemoryRegisterResponse refused;
  own.set_name("r");
  EXPECT_EQ(client.call("SystemSharedMemoryRegister", own, refused).error_message(),
            "shared memory is off: the server was started without --shared-memory");
  pb::ModelStatisticsRequest which;
  pb::ModelStatisticsResponse statistics;
  which.set_name("d0");
  EXPECT_TRUE(client.call("ModelStatistics", which, statistics).ok());
  EXPECT_EQ(statistics.model_stats_size(), 1);
}

TEST(Grpc, MoreCallsThanAreAllowedAreRefused) {
  TestServer server(with_grpc({.most_connections = 1}));
  GrpcClient client(server);
  const Stream open(client, "ModelStreamInfer");
  pb::ServerReadyResponse ready;
  const grpc::Status status = client.call("ServerReady", pb::ServerReadyRequest(), ready);
  expect_status(status, Code::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "too many calls are open: try again later");
}

TEST(Grpc, ListensAtOtherAddresses) {
  for (const char* host : {"localhost", "::"}) {
    TestServer server(with_grpc({.host = host}));
    EXPECT_TRUE(GrpcClient(server).infer(tensor_request()).ok()) << host;
  }
}

TEST(Grpc, PicturesGiveTheLibrarysDetections) {
  GrpcClient client(shared_server());
  const std::string file = picture_file();
  const std::vector<Detection> found =
      Detector(small_model(), 1, {.max_detections = 5}).detect(view_of(decode_upright(bytes_of(file))));
  pb::ModelInferRequest request = picture_request(file, 2);
  (*request.mutable_parameters())["max"].set_int64_param(5);
  pb::ModelInferResponse reply;
  ASSERT_TRUE(client.infer(request, reply).ok());
  ASSERT_EQ(reply.outputs_size(), 4);
  EXPECT_EQ(reply.outputs(1).shape(2), 4);
  std::vector<float> scores(10);
  ASSERT_EQ(reply.raw_output_contents(2).size(), scores.size() * sizeof(float));
  std::memcpy(scores.data(), reply.raw_output_contents(2).data(), reply.raw_output_contents(2).size());
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(scores[i], found[i % 5].score);
  (*request.mutable_parameters())["max"].set_int64_param(0);
  expect_status(client.infer(request), Code::INVALID_ARGUMENT);
}

TEST(Grpc, AStreamIsAnsweredInItsOrder) {
  GrpcClient client(shared_server());
  Stream stream(client, "ModelStreamInfer");
  constexpr int kRequests = 30;
  pb::ModelStreamInferResponse reply;
  for (int i = 0; i < kRequests; ++i) {
    pb::ModelInferRequest request = i == 7 ? picture_request("no picture") : tensor_request();
    request.set_id(std::to_string(i));
    ASSERT_TRUE(stream.write(request));
  }
  stream.writes_done();
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(stream.read(reply)) << i;
    EXPECT_EQ(reply.infer_response().id(), std::to_string(i));
    EXPECT_EQ(reply.error_message().empty(), i != 7) << reply.error_message();
    EXPECT_TRUE(i == 7 || raw_outputs(reply.infer_response()) == expected().outputs);
  }
  EXPECT_FALSE(stream.read(reply));
  EXPECT_TRUE(stream.finish().ok());
}

TEST(Grpc, WantsItsToken) {
  TestServer server(with_grpc({.token = "secret"}));
  GrpcClient client(server);
  pb::ServerReadyResponse ready;
  EXPECT_TRUE(client.call("ServerReady", pb::ServerReadyRequest(), ready).ok());
  expect_status(client.infer(tensor_request()), Code::UNAUTHENTICATED);
  pb::ModelInferResponse reply;
  for (const auto& [token, code] :
       {std::pair{"Bearer secret", Code::OK}, std::pair{"Bearer secrez", Code::UNAUTHENTICATED}}) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", token);
    EXPECT_EQ(client.call("ModelInfer", tensor_request(), reply, &context).error_code(), code);
  }
}

TEST(Grpc, GoesOverTls) {
  const TestCertificate certificate;
  TestServer server(with_grpc({.certificate = certificate.certificate(), .key = certificate.key()}));
  grpc::SslCredentialsOptions trust;
  trust.pem_root_certs = certificate.text();
  GrpcClient client(server, grpc::SslCredentials(trust));
  pb::ModelInferResponse reply;
  ASSERT_TRUE(client.infer(tensor_request(), reply).ok());
  EXPECT_EQ(raw_outputs(reply), expected().outputs);
  EXPECT_FALSE(GrpcClient(server).infer(tensor_request()).ok());
  EXPECT_TRUE(client.infer(tensor_request(), reply).ok());
}

TEST(Grpc, RequestsAreLogged) {
  std::mutex mutex;
  std::vector<ServedRequest> log;
  {
    TestServer server(with_grpc({.on_request = [&](const ServedRequest& request) {
      const std::lock_guard lock(mutex);
      log.push_back(request);
    }}));
    GrpcClient client(server);
    grpc::ClientContext context;
    context.AddMetadata("x-request-id", "abc-1");
    context.AddMetadata("traceparent", "00-1-2-01");
    pb::ModelInferResponse reply;
    EXPECT_TRUE(client.call("ModelInfer", tensor_request(), reply, &context).ok());
    EXPECT_EQ(context.GetServerInitialMetadata().find("x-request-id")->second, "abc-1");
    expect_status(client.infer(picture_request("no picture")), Code::INVALID_ARGUMENT);
  }
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0].id, "abc-1");
  EXPECT_EQ(log[0].traceparent, "00-1-2-01");
  EXPECT_EQ(log[0].method, "gRPC");
  EXPECT_EQ(log[0].path, GrpcClient::path("ModelInfer"));
  EXPECT_EQ(log[0].status, 200);
  EXPECT_EQ(log[0].received, tensor_request().ByteSizeLong());
  EXPECT_EQ(log[1].status, 400);
}

TEST(Grpc, LoadsModelsOnlyWhereThatIsAllowed) {
  pb::RepositoryModelLoadRequest load;
  pb::RepositoryModelLoadResponse loaded;
  load.set_model_name("new");
  GrpcClient closed(shared_server());
  expect_status(closed.call("RepositoryModelLoad", load, loaded), Code::INVALID_ARGUMENT);
  TestServer server(with_grpc({.open_model = [&](const std::string&) { return small_model(); }}));
  GrpcClient client(server);
  EXPECT_TRUE(client.call("RepositoryModelLoad", load, loaded).ok());
  pb::ModelInferRequest request = tensor_request();
  request.set_model_name("new");
  EXPECT_TRUE(client.infer(request).ok());
  (*load.mutable_parameters())["file:1/m.om"].set_bytes_param("x");
  expect_status(client.call("RepositoryModelLoad", load, loaded), Code::INVALID_ARGUMENT);
  pb::RepositoryModelUnloadRequest unload;
  pb::RepositoryModelUnloadResponse unloaded;
  unload.set_model_name("new");
  (*unload.mutable_parameters())["unload_dependents"].set_bool_param(false);
  EXPECT_TRUE(client.call("RepositoryModelUnload", unload, unloaded).ok());
  expect_status(client.infer(request), Code::NOT_FOUND);
  for (const char* name : {"", "../d0", "a/b", "a b"}) {
    load.clear_parameters();
    load.set_model_name(name);
    EXPECT_FALSE(client.call("RepositoryModelLoad", load, loaded).ok()) << name;
  }
}

TEST(Grpc, RefusesWhatTheQueueCannotHold) {
  constexpr int kClients = 24;
  TestServer server(with_grpc({.queue = 2}));
  GrpcClient client(server);
  std::atomic<int> good = 0, refused = 0, other = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kClients; ++i)
      threads.emplace_back([&] {
        pb::ModelInferResponse reply;
        const Code code = client.infer(tensor_request(), reply).error_code();
        ++(code == Code::OK && raw_outputs(reply) == expected().outputs ? good
           : code == Code::UNAVAILABLE                                  ? refused
                                                                        : other);
      });
  }
  EXPECT_EQ(other, 0);
  EXPECT_GE(good, 1);
  EXPECT_EQ(good + refused, kClients);
}

TEST(Grpc, WorkOfClientsThatLeaveIsDropped) {
  TestServer server(with_grpc({.queue = 100}));
  constexpr int kCalls = 60;
  GrpcClient client(server);
  const std::string bytes = picture_request(picture_file(), 8).SerializeAsString();
  uint64_t calls = 0, dropped = 0;
  // A slow machine may not have read a request when its client leaves: then they stay longer.
  for (int milliseconds = 30; dropped == 0 && milliseconds < 10'000; milliseconds *= 3) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kCalls; ++i)
      threads.emplace_back([&] {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(milliseconds));
        const Code code = client.call("ModelInfer", bytes, nullptr, &context).error_code();
        EXPECT_TRUE(code == Code::DEADLINE_EXCEEDED || code == Code::OK || code == Code::UNAVAILABLE) << code;
      });
    threads.clear();
    EXPECT_TRUE(client.infer(picture_request(picture_file())).ok());
    calls += kCalls + 1;
    pb::ModelStatisticsRequest of;
    of.set_name("d0_detect");
    pb::ModelStatisticsResponse statistics;
    EXPECT_TRUE(client.call("ModelStatistics", of, statistics).ok());
    const auto& now = statistics.model_stats(0).inference_stats();
    dropped = now.fail().count();
    EXPECT_LE(now.success().count() + dropped, calls);
  }
  EXPECT_GE(dropped, 1u);
}

TEST(Grpc, TimeoutsAreAnsweredWhenTheyAreOver) {
  TestServer server(with_grpc({.queue = 100, .priority_levels = 3}));
  GrpcClient client(server);
  std::jthread busy([&] { client.infer(picture_request(picture_file(), 200)); });
  pb::ModelInferRequest request = tensor_request();
  (*request.mutable_parameters())["timeout"].set_int64_param(1);
  while (client.infer(request).ok()) continue;  // until the only stream is busy
  const grpc::Status status = client.infer(request);
  EXPECT_TRUE(status.error_code() == Code::UNAVAILABLE || status.ok()) << status.error_message();
  (*request.mutable_parameters())["timeout"].set_int64_param(0);
  (*request.mutable_parameters())["priority"].set_uint64_param(4);
  expect_status(client.infer(request), Code::INVALID_ARGUMENT);
  (*request.mutable_parameters())["priority"].set_uint64_param(1);
  EXPECT_TRUE(client.infer(request).ok());
}

TEST(Grpc, FinishesWhatItAcceptedBeforeItEnds) {
  TestServer server(with_grpc({.queue = 100}));
  GrpcClient client(server);
  Stream stream(client, "ModelStreamInfer");
  pb::ModelStreamInferResponse reply;
  ASSERT_TRUE(stream.write(tensor_request()));
  ASSERT_TRUE(stream.read(reply));
  std::atomic<int> good = 0, other = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        const Code code = client.infer(picture_request(picture_file(), 4)).error_code();
        ++(code == Code::OK ? good : other);
        EXPECT_TRUE(code == Code::OK || code == Code::UNAVAILABLE) << code;
      });
    // The first answer tells that calls have arrived; what comes after the stop is refused.
    while (good == 0) std::this_thread::yield();
    server->stop();
  }
  EXPECT_FALSE(stream.read(reply));
  expect_status(stream.finish(), Code::UNAVAILABLE);
  EXPECT_TRUE(server->wait());
  EXPECT_FALSE(client.infer(tensor_request()).ok());
}

TEST(BadInput, Case91_CallsWithTensorsThatTheModelDoesNotHave) {
  GrpcClient client(shared_server());
  const auto refused = [&](auto change) {
    pb::ModelInferRequest request = tensor_request();
    change(request);
    expect_status(client.infer(request), Code::INVALID_ARGUMENT);
  };
  refused([](auto& request) { request.mutable_inputs(0)->set_name("other"); });
  refused([](auto& request) { request.mutable_inputs(0)->set_datatype("INT32"); });
  refused([](auto& request) {
    request.mutable_inputs(0)->set_shape(2, 64);
    request.mutable_inputs(0)->set_shape(3, 256);
  });
  refused([](auto& request) { request.set_raw_input_contents(0, "short"); });
  refused([](auto& request) {
    *request.add_inputs() = request.inputs(0), request.add_raw_input_contents(expected().input);
  });
  refused([](auto& request) { request.clear_inputs(), request.clear_raw_input_contents(); });
  refused([](auto& request) { request.add_outputs()->set_name("nothing"); });
  refused([](auto& request) {
    request.add_outputs()->set_name(small_model().outputs()[0].name);
    *request.add_outputs() = request.outputs(0);
  });
  pb::ModelInferRequest pictures = picture_request("");
  pictures.mutable_inputs(0)->clear_contents();
  for (const std::string& bytes : {std::string("\xff\xff\xff\xff"
                                               "abc"),
                                   std::string("\xff\xff\xff\x7f"), std::string("abc"), std::string()}) {
    pictures.clear_raw_input_contents();
    pictures.add_raw_input_contents(bytes);
    expect_status(client.infer(pictures), Code::INVALID_ARGUMENT);
  }
  pictures = picture_request(picture_file().substr(0, 500));
  expect_status(client.infer(pictures), Code::INVALID_ARGUMENT);
  pictures = picture_request(picture_file());
  pictures.mutable_inputs(0)->set_shape(0, 1000);
  expect_status(client.infer(pictures), Code::INVALID_ARGUMENT);
  for (const char* name : {"", "nope", "a/b", "..", "d0/infer"}) {
    pb::ModelInferRequest request = tensor_request();
    request.set_model_name(name);
    expect_status(client.infer(request), Code::NOT_FOUND);
  }
}

TEST(BadInput, Case94_MessagesAtTheLimit) {
  TestServer server(with_grpc({.most_body = 10000}));
  GrpcClient client(server);
  expect_status(client.call("ModelInfer", std::string(10000, '\xff')), Code::INVALID_ARGUMENT);
  expect_status(client.call("ModelInfer", std::string(10001, '\xff')), Code::RESOURCE_EXHAUSTED);
  expect_status(GrpcClient(shared_server()).call("ModelMetadata", std::string(100'000, 'x')), Code::RESOURCE_EXHAUSTED);
  TestServer pixels(with_grpc({.most_pixels = 100}));
  expect_status(GrpcClient(pixels).infer(picture_request(picture_file())), Code::RESOURCE_EXHAUSTED);
  TestServer memory(with_grpc({.most_memory = 200'000}));
  GrpcClient small(memory);
  const Code full = small.infer(tensor_request()).error_code();
  EXPECT_TRUE(full == Code::UNAVAILABLE || full == Code::RESOURCE_EXHAUSTED) << full;  // the latter is gRPC's own
  pb::ServerReadyResponse ready;
  EXPECT_TRUE(small.call("ServerReady", pb::ServerReadyRequest(), ready).ok());
  // A bomb is not unpacked.
  grpc::ChannelArguments arguments;
  arguments.SetCompressionAlgorithm(GRPC_COMPRESS_GZIP);
  GrpcClient compressing(server, grpc::InsecureChannelCredentials(), arguments);
  expect_status(compressing.call("ModelInfer", std::string(20'000'000, '\0')), Code::UNIMPLEMENTED);
}

TEST(BadInput, Case96_CallsWhoseMessagesAreNone) {
  GrpcClient client(shared_server());
  for (const char* method : {"ModelInfer", "ModelMetadata", "ModelConfig", "ModelStatistics", "RepositoryModelLoad"})
    expect_status(client.call(method, std::string(50, '\xff')), Code::INVALID_ARGUMENT);
  expect_status(client.call("Nothing", ""), Code::UNIMPLEMENTED);
  expect_status(client.call("ModelInfer", ""), Code::NOT_FOUND);
  Stream stream(client, "ModelInfer");
  stream.writes_done();
  expect_status(stream.finish(), Code::INVALID_ARGUMENT);
}

TEST(BadInput, Case97_OtherProtocolsOnGrpcsPort) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: t\r\n\r\n"), std::string("\x16\x03\x01\x02\x00\x01", 6),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string(100, '\xff')}) {
    HttpClient client(shared_server()->grpc_port());
    client.send(bytes);
  }
  EXPECT_TRUE(GrpcClient(shared_server()).infer(tensor_request()).ok());
}

TEST(BadInput, CallsWithoutAMessageAreGivenUp) {
  TestServer server(with_grpc({.body_seconds = 0.2}));
  GrpcClient client(server);
  Stream stream(client, "ModelInfer");
  expect_status(stream.finish(), Code::DEADLINE_EXCEEDED);
}

TEST(BadInput, AnswersThatNobodyReadsAreGivenUp) {
  TestServer server(with_grpc({.body_seconds = 0.5}));
  const auto used = [&] { return metric(server.port(), "effdet_memory_bytes"); };
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // the client takes 64 KiB without being asked
  GrpcClient client(server, grpc::InsecureChannelCredentials(), arguments);
  Stream stream(client, "ModelStreamInfer");
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(stream.write(tensor_request()));
  const auto wait_until = [&](auto is_true) {
    for (int i = 0; i < 1000 && !is_true(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return is_true();
  };
  EXPECT_TRUE(wait_until([&] { return used() > 0; }));
  EXPECT_TRUE(wait_until([&] { return used() == 0; }));
}

TEST(Grpc, APortThatIsTaken) {
  ServerOptions options{.port = 0, .grpc_port = shared_server()->grpc_port(), .layout = {1, 1}};
  try {
    const Server server({{"d0", small_model()}}, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(error.what()).find("gRPC"), std::string::npos);
  }
}

}  // namespace
}  // namespace effdet::server

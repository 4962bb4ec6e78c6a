// HTTPS on loopback: what goes over plain HTTP goes over it, and who speaks otherwise is told.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "effdet/error.h"
#include "server/certificate.h"
#include "server/certificate_test_util.h"
#include "server/server_requests_test_util.h"

namespace effdet::server {
namespace {

using nlohmann::json;

const TestCertificate& certificate() {
  static const TestCertificate made;
  return made;
}

ServerOptions with_tls(ServerOptions options = {}) {
  options.certificate = certificate().certificate();
  options.key = certificate().key();
  return options;
}

TestServer& shared_server() {
  static TestServer server(with_tls());
  return server;
}

class TlsClient final : public HttpClient {
 public:
  /// Offers these protocols by ALPN, each behind its length.
  explicit TlsClient(int port, int version = TLS1_3_VERSION, const std::string& protocols = "")
      : HttpClient(port), context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
    SSL_set_security_level(ssl_, 0);  // which would not let a client ask for less than TLS 1.2
    SSL_set_min_proto_version(ssl_, version);
    SSL_set_max_proto_version(ssl_, version);
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
    SSL_set_fd(ssl_, socket());
    is_connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() override {
    if (is_connected_) SSL_shutdown(ssl_);
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  bool is_connected() const { return is_connected_; }
  std::string name() const {
    X509* peer = SSL_get1_peer_certificate(ssl_);
    char text[100] = "";
    if (peer != nullptr) X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, text, sizeof text);
    X509_free(peer);
    return text;
  }
  /// What the server chose of the protocols that were offered.
  std::string protocol() const {
    const unsigned char* chosen = nullptr;
    unsigned bytes = 0;
    SSL_get0_alpn_selected(ssl_, &chosen, &bytes);
    return {reinterpret_cast<const char*>(chosen), bytes};
  }
  /// Past the encryption.
  void send_plain(std::string_view bytes) { ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

 protected:
  ssize_t write_some(const char* data, size_t size) override {
    return SSL_write(ssl_, data, static_cast<int>(std::min<size_t>(size, 1 << 30)));
  }
  ssize_t read_some(char* data, size_t size) override { return SSL_read(ssl_, data, static_cast<int>(size)); }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  bool is_connected_;
};

TEST(Tls, AnswersAsPlainHttpDoes) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(shared_server().port(), version);
    ASSERT_TRUE(client.is_connected());
    EXPECT_EQ(client.name(), "localhost");
    EXPECT_EQ(client.get("/v2/health/ready").body, "{\"ready\":true}\n");
    for (int i = 0; i < 3; ++i) {
      const Reply reply = client.post("/v2/models/d0/infer", expected().input, kRaw);
      ASSERT_EQ(reply.status, 200) << reply.body;
      std::string outputs;
      for (const std::string& output : expected().outputs) outputs += output;
      EXPECT_EQ(reply.body.substr(std::stoul(reply.fields.at("inference-header-content-length"))), outputs);
    }
    const std::string file = picture_file();
    EXPECT_EQ(client.post("/v2/models/d0/detect", file).status, 200);
    client.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char c : file.substr(0, 300)) client.send(std::string("1\r\n") + c + "\r\n");
    client.send("0\r\n\r\n");
    EXPECT_EQ(client.read().status, 400);  // a cut picture
  }
}

TEST(Tls, RequestsOfOneConnectionAreAnsweredInOrder) {
  TlsClient client(shared_server().port());
  expect_answers_in_order(client);
  client.send("GET /v2 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(client.ends());
}

TEST(Tls, ChoosesHttp11AmongWhatClientsOffer) {
  const std::string http1 = "\x08http/1.1", http2 = "\x02h2";
  EXPECT_EQ(TlsClient(shared_server().port(), TLS1_3_VERSION, http2 + http1).protocol(), "http/1.1");
  TlsClient other(shared_server().port(), TLS1_2_VERSION, http2);
  EXPECT_EQ(other.protocol(), "");
  EXPECT_EQ(other.get("/readyz").body, "ok\n");
}

TEST(Tls, ReadsRenewedFilesAgain) {
  TestCertificate files("first");
  std::vector<std::string> notes;
  Certificate loaded(
      files.certificate(), files.key(), [&](const std::string& note) { notes.push_back(note); },
      std::chrono::seconds(0));
  const auto touch = [&](int seconds) {  // as if it were written later: clocks of file systems are coarse
    const auto time = std::filesystem::file_time_type::clock::now() + std::chrono::seconds(seconds);
    std::filesystem::last_write_time(files.certificate(), time);
  };
  EXPECT_NE(loaded.accept(), nullptr);
  EXPECT_TRUE(notes.empty());
  std::ofstream(files.certificate()) << "half of a fi";
  touch(1);
  EXPECT_NE(loaded.accept(), nullptr);  // with the first one
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(notes[0].starts_with("the certificate was not read again: " + files.certificate())) << notes[0];
  files.write("second");
  touch(2);
  EXPECT_NE(loaded.accept(), nullptr);
  EXPECT_EQ(notes.back(), "the certificate was read again");
  EXPECT_NE(loaded.accept(), nullptr);
  EXPECT_EQ(notes.size(), 2u);
}

TEST(Tls, BytesThatAreNotEncryptedEndAConnection) {
  std::signal(SIGPIPE, SIG_IGN);  // the clients go on writing
  const std::string file = picture_file();
  const std::string head =
      "POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(file.size()) + "\r\n\r\n";
  for (const std::string& before :
       {std::string(), std::string("GET /v2 HT"), head + file.substr(0, 100), head + file}) {
    TlsClient client(shared_server().port());
    ASSERT_TRUE(client.is_connected());
    client.send(before);
    client.send_plain("these are no records of TLS, and long enough to be seen as such");
    const Reply reply = client.read();
    EXPECT_TRUE(reply.status == 0 || reply.status == 200) << reply.status;
  }
  TlsClient halves(shared_server().port());
  halves.send(head + file.substr(0, 100));
  halves.end();
  EXPECT_TRUE(halves.ends());
  EXPECT_EQ(TlsClient(shared_server().port()).get("/readyz").body, "ok\n");
}

TEST(Tls, WorkOfClientsThatLeaveIsDropped) {
  TestServer server(with_tls({.queue = 100}));
  const std::string file = picture_file();
  constexpr int kClients = 40;
  {
    std::vector<std::unique_ptr<TlsClient>> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<TlsClient>(server.port()));
      clients.back()->send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                           std::to_string(file.size()) + "\r\n\r\n" + file);
    }
  }
  TlsClient client(server.port());
  EXPECT_EQ(client.post("/v2/models/d0/detect", file).status, 200);
  const json statistics = json::parse(client.get("/v2/models/d0_detect/stats").body)["model_stats"][0];
  const json& counts = statistics["inference_stats"];
  EXPECT_LE(counts["success"]["count"].get<int>() + counts["fail"]["count"].get<int>(), kClients + 1);
  EXPECT_GE(counts["success"]["count"].get<int>(), 1);
}

TEST(Tls, FinishesWhatItAcceptedBeforeItEnds) {
  TestServer server(with_tls());
  const std::string file = picture_file();
  TlsClient idle(server.port()), busy(server.port());
  HttpClient silent(server.port());  // never greets
  busy.send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: " +
            std::to_string(file.size()) + "\r\n\r\n");
  ASSERT_EQ(busy.read().status, 100);
  busy.send(file);
  server->stop();
  EXPECT_EQ(busy.read().status, 200);
  EXPECT_TRUE(server->wait());
  EXPECT_TRUE(idle.ends());
  EXPECT_TRUE(silent.ends());
}

TEST(BadInput, Case97_PlainBytesOnThePortOfTls) {
  std::mutex mutex;
  std::vector<ServedRequest> log;
  {
    TestServer server(with_tls({.header_seconds = 0.3, .on_request = [&](const ServedRequest& request) {
                                  const std::lock_guard lock(mutex);
                                  log.push_back(request);
                                }}));
    HttpClient plain(server.port());
    plain.send("GET /v2 HTTP/1.1\r\nHost: t\r\n\r\n");
    const Reply reply = plain.read();
    EXPECT_EQ(reply.status, 400);
    EXPECT_NE(json::parse(reply.body)["error"].get<std::string>().find("https://"), std::string::npos);
    EXPECT_TRUE(plain.ends());
    HttpClient noise(server.port());
    noise.send(std::string("\x16\x03\x01\xff\xff", 5) + std::string(1000, '\x01'));
    EXPECT_EQ(noise.read().status, 0);  // an alert may come before the end
    EXPECT_FALSE(TlsClient(server.port(), TLS1_1_VERSION).is_connected());
    HttpClient silent(server.port()), slow(server.port());
    slow.send(std::string("\x16\x03\x01", 3));
    EXPECT_TRUE(silent.ends());  // after the time for a header
    EXPECT_TRUE(slow.ends());
    EXPECT_EQ(TlsClient(server.port()).get("/v2/health/ready").status, 200);
  }
  ASSERT_GE(log.size(), 3u);
  EXPECT_EQ(log[0].status, 400);
  EXPECT_NE(log[0].error.find("https://"), std::string::npos);
  EXPECT_EQ(log[1].method, "TLS");
  EXPECT_EQ(log[2].method, "TLS");
  EXPECT_NE(log[2].error.find("protocol"), std::string::npos) << log[2].error;
}

ErrorCode code_of(const std::string& certificate_file, const std::string& key, std::string* message = nullptr) {
  try {
    const Certificate loaded(certificate_file, key, {});
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(BadInput, CertificatesThatAreNone) {
  const test::TestFolder folder("certificates");
  const std::string file = folder.path() / "some.pem", nothing = folder.path() / "nothing.pem";
  const TestCertificate other;
  std::string message;
  EXPECT_EQ(code_of(certificate().certificate(), ""), ErrorCode::kUsage);
  EXPECT_EQ(code_of("", certificate().key()), ErrorCode::kUsage);
  EXPECT_EQ(code_of(nothing, certificate().key()), ErrorCode::kIo);
  EXPECT_EQ(code_of(certificate().certificate(), nothing), ErrorCode::kIo);
  EXPECT_EQ(code_of(folder.path(), certificate().key()), ErrorCode::kBadInput);
  std::ofstream(file) << "no PEM";
  EXPECT_EQ(code_of(file, certificate().key(), &message), ErrorCode::kBadInput);
  EXPECT_TRUE(message.starts_with(file)) << message;
  EXPECT_EQ(code_of(certificate().certificate(), file, &message), ErrorCode::kBadInput);
  EXPECT_TRUE(message.starts_with(file)) << message;
  EXPECT_EQ(code_of(certificate().certificate(), other.key(), &message), ErrorCode::kBadInput);
  EXPECT_NE(message.find("is not the key of"), std::string::npos) << message;
  EXPECT_EQ(code_of(certificate().key(), certificate().certificate()), ErrorCode::kBadInput);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace effdet::server

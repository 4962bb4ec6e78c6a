// TLS 1.2 and 1.3 by OpenSSL, on memory.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <climits>

#include "server/tls_module.h"

namespace effdet::server::tls_module {
namespace {

std::string last_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown reason";
}

int limited(size_t bytes) { return static_cast<int>(std::min<size_t>(bytes, INT_MAX)); }

class Session final : public TlsSession {
 public:
  explicit Session(SSL* ssl) : ssl_(ssl), input_(BIO_new(BIO_s_mem())), output_(BIO_new(BIO_s_mem())) {
    if (input_ == nullptr || output_ == nullptr) return;
    BIO_set_mem_eof_return(input_, -1);  // more may come
    SSL_set_bio(ssl_, input_, output_);
    SSL_set_accept_state(ssl_);
  }
  ~Session() override { SSL_free(ssl_); }  // and what it reads and writes
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  bool is_whole() const { return input_ != nullptr && output_ != nullptr; }

  void receive(std::span<const std::byte> bytes) override { BIO_write(input_, bytes.data(), limited(bytes.size())); }
  TlsState handshake() override { return state_of(SSL_do_handshake(ssl_)); }
  TlsState read(std::span<std::byte> to, size_t& bytes) override {
    return state_of(SSL_read_ex(ssl_, to.data(), to.size(), &bytes));
  }
  TlsState look() override {
    std::byte byte;
    size_t bytes = 0;
    return state_of(SSL_peek_ex(ssl_, &byte, 1, &bytes));
  }
  TlsState write(std::span<const std::byte> bytes) override {
    size_t written = 0;
    return state_of(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written));
  }
  void end() override {
    if (error_.empty()) SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  bool has_input() const override { return BIO_pending(input_) > 0 || SSL_has_pending(ssl_) == 1; }
  std::vector<std::byte> take_output() override {
    std::vector<std::byte> bytes(BIO_ctrl_pending(output_));
    if (!bytes.empty()) BIO_read(output_, bytes.data(), limited(bytes.size()));
    return bytes;
  }
  std::string error() const override { return error_; }

 private:
  TlsState state_of(int result) {
    if (result == 1) return TlsState::kGood;
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
        return TlsState::kWantsInput;
      case SSL_ERROR_ZERO_RETURN:
        return TlsState::kEnded;
      default:
        error_ = last_error();
        return TlsState::kBroken;
    }
  }

  SSL* ssl_;
  BIO *input_, *output_;
  std::string error_;
};

class Context final : public TlsContext {
 public:
  Context() : context_(SSL_CTX_new(TLS_server_method())) {
    if (context_ == nullptr) return;
    SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
    SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);  // many connections only wait
    SSL_CTX_set_alpn_select_cb(context_, choose_protocol, nullptr);
    // A key under a passphrase is refused: nobody is there to type it.
    SSL_CTX_set_default_passwd_cb(context_, [](char*, int, int, void*) { return 0; });
  }
  ~Context() override { SSL_CTX_free(context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Empty: all is well.
  std::string load(const std::string& certificate, const std::string& key) {
    if (context_ == nullptr) return last_error();
    if (SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) != 1)
      return certificate + ": is no certificate in PEM (" + last_error() + ")";
    if (SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1) {
      const unsigned long code = ERR_peek_last_error();
      if (ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
        ERR_clear_error();
        return key + ": is not the key of " + certificate;
      }
      return key + ": is no private key in PEM without a passphrase (" + last_error() + ")";
    }
    return "";
  }

  std::unique_ptr<TlsSession> accept() override {
    SSL* ssl = SSL_new(context_);
    if (ssl == nullptr) return nullptr;
    auto session = std::make_unique<Session>(ssl);
    if (!session->is_whole()) return nullptr;
    return session;
  }

 private:
  static int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                             unsigned int bytes, void*) {
    static constexpr unsigned char kHttp[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, length, kHttp, sizeof kHttp, offered, bytes) != OPENSSL_NPN_NEGOTIATED)
      return SSL_TLSEXT_ERR_NOACK;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
  }

  SSL_CTX* context_;
};

std::shared_ptr<TlsContext> load(const std::string& certificate, const std::string& key, std::string& error) {
  auto context = std::make_shared<Context>();
  error = context->load(certificate, key);
  if (!error.empty()) return nullptr;
  return context;
}

constexpr TlsModule kModule{kTlsModuleVersion, load};

}  // namespace
}  // namespace effdet::server::tls_module

extern "C" __attribute__((visibility("default"))) const effdet::server::TlsModule* effdet_tls_module() {
  return &effdet::server::tls_module::kModule;
}

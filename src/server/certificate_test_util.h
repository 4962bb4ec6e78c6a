// Certificates that tests make for themselves.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/test_folder.h"

namespace effdet::server {

/// A certificate for localhost and 127.0.0.1, signed by itself, with its key, in a temporary folder.
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& name = "localhost") : folder_("certificate") { write(name); }

  std::string certificate() const { return folder_.path() / "cert.pem"; }
  std::string key() const { return folder_.path() / "key.pem"; }
  std::string text() const { return text_; }

  /// Another one in the place of the last.
  void write(const std::string& name) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(made.get(), subject);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_add_ext(made.get(), names, -1);
    X509_EXTENSION_free(names);
    if (X509_sign(made.get(), key.get(), EVP_sha256()) == 0) throw std::runtime_error("no certificate was made");
    text_ = pem([&](BIO* out) { PEM_write_bio_X509(out, made.get()); });
    std::ofstream(certificate()) << text_;
    std::ofstream(this->key()) << pem(
        [&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }

 private:
  template <typename Write>
  static std::string pem(Write write) {
    BIO* out = BIO_new(BIO_s_mem());
    write(out);
    char* data = nullptr;
    const long bytes = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<size_t>(bytes));
    BIO_free(out);
    return text;
  }

  test::TestFolder folder_;
  std::string text_;
};

}  // namespace effdet::server

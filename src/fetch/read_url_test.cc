// Files from a server of the test's own: redirects, limits, and addresses that are refused.
#include "fetch/read_url.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "fetch/http_server.h"

namespace effdet::fetch {
namespace {

HttpServer::Response redirect(const std::string& to) {
  return {.status = "302 Found", .headers = "Location: " + to + "\r\n", .body = ""};
}

class ReadUrl : public testing::Test {
 protected:
  std::string read(const std::string& path, ReadUrlOptions options = {.private_addresses = true}) {
    const std::vector<std::byte> bytes = read_url(server_.url(path), options);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string refusal(const std::string& path, ErrorCode code, ReadUrlOptions options = {.private_addresses = true}) {
    try {
      read(path, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    ADD_FAILURE() << path << " was read";
    return "";
  }

  HttpServer server_{[](const HttpServer::Request& request) -> HttpServer::Response {
    if (request.path == "/a.jpg") return {.headers = "", .body = "picture"};
    if (request.path == "/moved") return redirect("/a.jpg");
    if (request.path == "/round") return redirect("/round");
    if (request.path == "/file") return redirect("file:///etc/passwd");
    if (request.path == "/ftp") return redirect("ftp://127.0.0.1/x");
    if (request.path == "/cut") return {.headers = "", .body = "picture", .cut = 3};
    if (request.path == "/slow") return {.headers = "", .body = "p", .announced = false, .stalls = true};
    if (request.path == "/endless")
      return {.headers = "", .body = std::string(1000, 'x'), .announced = false, .endless = true};
    if (request.path == "/empty") return {.headers = "", .body = ""};
    return {.status = "404 Not Found", .headers = "", .body = "no"};
  }};
};

TEST_F(ReadUrl, GivesTheContentAlsoAfterARedirect) {
  EXPECT_EQ(read("/a.jpg"), "picture");
  EXPECT_EQ(read("/moved"), "picture");
}

TEST_F(ReadUrl, OtherRedirectsAreRefused) {
  EXPECT_NE(refusal("/file", ErrorCode::kIo).find("redirected to file:///etc/passwd"), std::string::npos);
  EXPECT_NE(refusal("/ftp", ErrorCode::kIo).find("redirected to ftp://"), std::string::npos);
  EXPECT_NE(refusal("/round", ErrorCode::kIo).find("more than 5 times"), std::string::npos);
}

TEST_F(ReadUrl, WhatIsCutStalledEmptyOrTooLargeIsAnError) {
  refusal("/cut", ErrorCode::kIo);
  refusal("/slow", ErrorCode::kIo, {.stall_seconds = 1, .private_addresses = true});
  refusal("/endless", ErrorCode::kBadInput, {.max_bytes = 5000, .private_addresses = true});
  refusal("/empty", ErrorCode::kBadInput);
  EXPECT_NE(refusal("/none", ErrorCode::kIo).find("status 404"), std::string::npos);
}

TEST_F(ReadUrl, PrivateAddressesAreNotConnectedTo) {
  EXPECT_NE(refusal("/a.jpg", ErrorCode::kIo, {}).find("leads to 127.0.0.1"), std::string::npos);
  EXPECT_EQ(server_.requests(), 0);
  for (const char* address : {"http://[::1]:9/", "http://[::ffff:10.0.0.1]:9/", "http://169.254.169.254/",
                              "http://2130706433/", "http://0/", "http://[fe80::1]/", "http://[64:ff9b::7f00:1]/"}) {
    try {
      read_url(address, {.stall_seconds = 1});
      ADD_FAILURE() << address;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo) << error.what();
      EXPECT_NE(std::string(error.what()).find("leads to "), std::string::npos) << error.what();
    }
  }
}

TEST_F(ReadUrl, OnlyHttpIsAUrl) {
  EXPECT_TRUE(is_url("http://a/b.jpg") && is_url("https://a/b.jpg"));
  for (const char* name : {"file:///a", "ftp://a", "http:/a", "a.jpg"}) EXPECT_FALSE(is_url(name)) << name;
}

}  // namespace
}  // namespace effdet::fetch

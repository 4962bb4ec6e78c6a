// Multipart bodies, right and broken.
#include "server/multipart.h"

#include <gtest/gtest.h>

#include "server/http_error.h"

namespace effdet::server {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=XyZ";

std::vector<std::pair<std::string, std::string>> parts(const std::string& body, const std::string& type = kType) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const MultipartFile& file : multipart_files(body, type, 3))
    all.emplace_back(file.name, std::string(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()));
  return all;
}

TEST(Multipart, PartsHaveNamesAndBytes) {
  const std::string body =
      "--XyZ\r\nContent-Disposition: form-data; name=\"a\"; filename=\"dog.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
      "x\r\n--Xy\r\n\r\nz\r\n--XyZ\r\ncontent-disposition: form-data; name=b\r\n\r\n\r\n--XyZ--\r\n";
  EXPECT_EQ(parts(body),
            (std::vector<std::pair<std::string, std::string>>{{"dog.jpg", "x\r\n--Xy\r\n\r\nz"}, {"b", ""}}));
  EXPECT_EQ(parts(body, "Multipart/Form-Data; boundary=\"XyZ\""), parts(body));
  EXPECT_FALSE(is_multipart("image/jpeg"));
}

TEST(Multipart, ParametersAsClientsWriteThem) {
  const auto name = [](const std::string& parameters) {
    const std::string body = "--XyZ\r\nContent-Disposition: form-data" + parameters + "\r\n\r\nx\r\n--XyZ--\r\n";
    return parts(body, "multipart/form-data; charset=utf-8;  Boundary=XyZ; ").at(0).first;
  };
  EXPECT_EQ(name(";   NAME=a"), "a");
  EXPECT_EQ(name("; filename*=UTF-8''b.jpg; name=\"a\""), "a");  // the other form of a name (RFC 5987) is passed over
  EXPECT_EQ(name("; filename; name=a; "), "a");
  EXPECT_EQ(name("; filename=; name=a;"), "a");
  EXPECT_EQ(name(";filename=b;name=a"), "b");
  EXPECT_EQ(name("; size=3"), "");
  EXPECT_EQ(name(""), "");
}

TEST(BadInput, MultipartBodiesThatAreBroken) {
  const std::string part = "--XyZ\r\nA: b\r\n\r\nx\r\n";
  for (const std::string& body :
       {std::string(), std::string("x"), std::string("--XyZ"), std::string("--XyZ--"), std::string("--XyZ\r\n"),
        std::string("--XyZ\r\n\r\n--XyZ--"), part, part + "--XyZ", std::string("--XyZ\r\nA: b\r\n--XyZ--\r\n\r\n"),
        part + part + part + part + "--XyZ--", std::string("--XyZx\r\n\r\n\r\n--XyZ--")})
    EXPECT_THROW(parts(body), HttpError) << body;
  for (const char* type : {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\""})
    EXPECT_THROW(parts(part + "--XyZ--", type), HttpError) << type;
  EXPECT_THROW(parts(part, "multipart/form-data; boundary=" + std::string(71, 'x')), HttpError);
}

}  // namespace
}  // namespace effdet::server

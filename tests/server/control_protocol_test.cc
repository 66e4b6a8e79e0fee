#include "kurir/server/control_protocol.hh"

#include <gtest/gtest.h>

namespace kurir::server {
namespace {

TEST(ControlProtocol, requests_survive_the_way) {
  const ControlRequest request{"user add", {{"address", "b\n\"\xff@x"}, {"quota", 5}}};
  const std::string line = control_line(request);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto parsed = parse_control_request(line);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->command, "user add");
  EXPECT_EQ(parsed->arguments["quota"], 5);
  EXPECT_EQ(parsed->arguments["address"], "b\n\"\xef\xbf\xbd@x");
}

TEST(ControlProtocol, what_is_no_request_is_refused) {
  EXPECT_TRUE(parse_control_request(R"({"command":"stop"})").has_value());
  for (const std::string_view line :
       {"", "x", "[]", "{}", R"({"command":5})", R"({"command":"x","arguments":[]})",
        R"({"command":"x"} y)", R"({"command":"x")"})
    EXPECT_FALSE(parse_control_request(line).has_value()) << line;
  const std::string deep(100'000, '[');
  EXPECT_FALSE(parse_control_request(deep).has_value());
  const std::string large =
      R"({"command":")" + std::string(control_request_octets_max, 'x') + R"("})";
  EXPECT_FALSE(parse_control_request(large).has_value());
}

TEST(ControlProtocol, answers_are_success_or_failure) {
  EXPECT_EQ(control_line(control_success(nullptr)), "{\"ok\":true,\"result\":null}\n");
  EXPECT_TRUE(parse_control_answer(control_line(control_success({1, 2}))).has_value());
  EXPECT_TRUE(parse_control_answer(control_line(control_failure("no"))).has_value());
  for (const std::string_view line :
       {"", "{}", R"({"ok":true})", R"({"ok":false})", R"({"ok":false,"error":5})", R"({"ok":1})"})
    EXPECT_FALSE(parse_control_answer(line).has_value()) << line;
}

}  // namespace
}  // namespace kurir::server

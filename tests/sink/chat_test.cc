// Runs the golden chats of tests/golden/sink (support/chat.hh says how they are written), each with
// options of its own.

#include "fixture.hh"

namespace kurir::sink::test {
namespace {

struct Chat {
  std::string_view name;
  void (*set)(Options& options);
};

void add(Options& options, std::string_view rule, std::string_view domain = {}) {
  options.rules.push_back(*parse_rule(rule, domain));
}

const Chat chats[] = {
    {"friendly", [](Options&) {}},
    {"chunks", [](Options&) {}},
    {"addresses", [](Options&) {}},
    {"lmtp",
     [](Options& options) {
       options.lmtp = true;
       add(options, "END 452 4.2.2 full", "full.test");
     }},
    {"rules",
     [](Options& options) {
       add(options, "EHLO 550 5.7.1 not you");
       add(options, "MAIL 451 4.3.0 later");
       add(options, "RSET 250 2.9.9 gone");
       add(options, "NOOP 500 5.0.0 no noop");
       add(options, "VRFY 502 5.5.1 no vrfy");
       add(options, "QUIT 221 2.0.0 bye and thanks");
     }},
    {"domains",
     [](Options& options) {
       add(options, "RCPT 550 5.1.1 nobody", "no.test");
       add(options, "DATA 451 4.3.0 not now", "slow.test");
     }},
    {"greylist", [](Options& options) { options.greylist = true; }},
    {"busy", [](Options& options) { add(options, "RCPT 421 4.3.2 busy"); }},
    {"old",
     [](Options& options) {
       options.greeting = "220 " + std::string(32, '*');
       options.extended = false;
       options.message_octets_max = 30;
       options.recipients_max = 2;
     }},
};

class SinkChat : public testing::TestWithParam<Chat> {};

TEST_P(SinkChat, goes_as_written) {
  const auto chat = kurir::test::read_chat(std::filesystem::path(KURIR_GOLDEN) /
                                           (std::string(GetParam().name) + ".chat"));
  ASSERT_FALSE(chat.empty());
  Options options;
  GetParam().set(options);
  Sinkhole::run(options,
                [&](Sinkhole& sinkhole) { return kurir::test::hold_chat(sinkhole, chat); });
}

INSTANTIATE_TEST_SUITE_P(Golden, SinkChat, testing::ValuesIn(chats),
                         [](const auto& chat) { return std::string(chat.param.name); });

}  // namespace
}  // namespace kurir::sink::test

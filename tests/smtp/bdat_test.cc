// BDAT (RFC 3030): what is stored is what was sent, however it came.

#include "fixture.hh"
#include "kurir/store/message_record.hh"
#include "kurir/wire/smtp_data.hh"

namespace kurir::smtp::test {
namespace {

using namespace std::string_view_literals;

Task<std::string> next_line(FakeStream& stream) {
  co_return co_await stream.take_line(deadline_in(Seconds(10)));
}

// The last line of the answer.
Task<std::string> answer(FakeStream& stream, std::string octets) {
  stream.feed(octets);
  std::string line = co_await next_line(stream);
  while (line.size() > 3 && line[3] == '-') line = co_await next_line(stream);
  co_return line;
}

std::string chunk(std::string_view octets, bool last) {
  return "BDAT " + std::to_string(octets.size()) + (last ? " LAST\r\n" : "\r\n") +
         std::string(octets);
}

// Without the Received field.
std::string body_of(const std::string& record) {
  const auto stored = store::decode_message(record);
  EXPECT_TRUE(stored.has_value());
  if (!stored) return {};
  const std::string content(stored->tail);
  return content.substr(content.find("\r\nSubject") + 2);
}

Task<FakeStream*> begin(House& house, std::string mail, std::string recipient) {
  FakeStream& stream = *co_await house.greeted();
  const std::string hello = co_await answer(stream, "EHLO client.example\r\n");
  EXPECT_EQ(hello, "250 HELP");
  EXPECT_EQ(co_await answer(stream, "MAIL FROM:<a@b.example>" + mail + "\r\n"), "250 2.1.0 Ok");
  EXPECT_EQ(co_await answer(stream, "RCPT TO:<" + recipient + ">\r\n"), "250 2.1.5 Ok");
  co_return &stream;
}

// Dots, commands and what looks like an end are content; each place to cut it.
constexpr std::string_view content =
    "Subject: x\r\n\r\n.\r\n..\r\nQUIT\r\nBDAT 5 LAST\r\n\r\n.\r\nend\r\n";

Task<void> cut(House& house) {
  for (std::size_t at = 0; at <= content.size(); at += 7) {
    FakeStream& stream = *co_await begin(house, "", "bob@example.test");
    const std::string octets =
        chunk(content.substr(0, at), false) + chunk(content.substr(at), true) + "NOOP\r\n";
    for (std::size_t sent = 0; sent < octets.size(); sent += 11) {
      stream.feed(octets.substr(sent, 11));
      co_await yield_turn();
    }
    EXPECT_EQ(co_await next_line(stream), "250 2.0.0 " + std::to_string(at) + " octets received");
    EXPECT_TRUE((co_await next_line(stream)).starts_with("250 2.0.0 queued as "));
    EXPECT_EQ(co_await next_line(stream), "250 2.0.0 Ok");
  }
  const std::vector<std::string> records = co_await house.after_a_crash();
  EXPECT_EQ(records.size(), content.size() / 7 + 1);
  for (const std::string& record : records) EXPECT_EQ(body_of(record), content);
  for (const queue::Message* message : house.queued())
    EXPECT_TRUE(message->envelope.has_dot_line) << "DATA would have to stuff it";
}
TEST(SmtpBdat, content_is_what_was_sent_however_it_is_cut) { House::run({}, cut); }

// The same after extents were written, and what is not taken leaves nothing.
Task<void> large(House& house) {
  FakeStream& stream = *co_await begin(house, "", "alice@example.test");
  std::string body = "Subject: x\r\n\r\n";
  while (body.size() < 400'000) body += ".a line of some length in a large message\r\n";
  for (std::size_t at = 0; at < body.size(); at += 100'000) {
    const std::string_view piece = std::string_view(body).substr(at, 100'000);
    const bool last = at + piece.size() == body.size();
    const std::string said = co_await answer(stream, chunk(piece, last));
    EXPECT_TRUE(said.starts_with("250 2.0.0 ")) << said;
  }
  EXPECT_EQ(house.queued().size(), 1U);
  if (house.queued().empty()) co_return;
  const queue::Message& message = *house.queued().front();
  EXPECT_FALSE(message.envelope.extents().empty());
  auto stored = co_await store::MessageContent::open(house.shard().reader(), message.record);
  EXPECT_TRUE(stored.has_value());
  if (!stored) co_return;
  std::string octets(stored->size(), '\0');
  const Result<std::size_t> count = co_await stored->read(0, octets);
  EXPECT_EQ(count.value_or(0), octets.size());
  EXPECT_TRUE(octets.ends_with(body));
}
TEST(SmtpBdat, a_large_message_is_stored_in_extents) {
  HouseOptions options;
  options.server.message_octets_max = 1'000'000;
  House::run(options, large);
}

Task<void> too_large(House& house) {
  FakeStream& stream = *co_await begin(house, "", "alice@example.test");
  const std::string piece(60'000, 'x');
  EXPECT_TRUE((co_await answer(stream, chunk(piece, false))).starts_with("250 "));
  EXPECT_TRUE((co_await answer(stream, chunk(piece, false))).starts_with("552 5.3.4 "));
  EXPECT_TRUE((co_await answer(stream, chunk(piece, true))).starts_with("503 5.5.1 "));
  EXPECT_EQ(co_await answer(stream, "NOOP\r\n"), "250 2.0.0 Ok");
  EXPECT_TRUE(house.queued().empty());
}
TEST(SmtpBdat, the_sum_of_chunks_is_bounded) { House::run({}, too_large); }

struct Row {
  std::string_view name, mail, octets, said, stored;  // stored empty: it is not
};
constexpr Row rows[] = {
    {"bare_lf_is_refused", "", "Subject: x\r\n\r\na\nb\r\n"sv, "550 5.6.0 "sv, ""sv},
    {"bare_cr_is_refused", "", "Subject: x\r\n\r\na\rb\r\n"sv, "550 5.6.0 "sv, ""sv},
    {"nul_is_refused", "", "Subject: x\r\n\r\na\0b\r\n"sv, "550 5.6.0 "sv, ""sv},
    {"clean_content_stays", " BODY=BINARYMIME", "Subject: x\r\n\r\n\xC3\xA5\r\n"sv, "250 2.0.0 "sv,
     "Subject: x\r\n\r\n\xC3\xA5\r\n"sv},
    {"binary_is_converted_for_mailboxes", " BODY=BINARYMIME",
     "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: a/b\r\n"
     "Content-Transfer-Encoding: binary\r\n\r\n\0\n."sv,
     "250 2.0.0 "sv,
     "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: a/b\r\n"
     "Content-Transfer-Encoding: base64\r\n\r\nAAou\r\n"sv},
    {"what_cannot_be_converted_is_refused", " BODY=BINARYMIME", "Subject: x\ry\r\n\r\nx\r\n"sv,
     "554 5.6.3 "sv, ""sv},
};
class SmtpBdatContent : public testing::TestWithParam<Row> {};
Task<void> content_row(House& house, Row row) {
  FakeStream& stream = *co_await begin(house, std::string(row.mail), "bob@example.test");
  const std::string said = co_await answer(stream, chunk(row.octets, true));
  EXPECT_TRUE(said.starts_with(row.said)) << said;
  EXPECT_EQ(co_await answer(stream, "NOOP\r\n"), "250 2.0.0 Ok") << "the frame is known";
  const std::vector<std::string> records = co_await house.after_a_crash();
  EXPECT_EQ(records.size(), row.stored.empty() ? 0U : 1U);
  if (!records.empty()) EXPECT_EQ(body_of(records.front()), row.stored);
}
TEST_P(SmtpBdatContent, as_written) {
  House::run({}, [](House& house) { return content_row(house, GetParam()); });
}
INSTANTIATE_TEST_SUITE_P(Rows, SmtpBdatContent, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

// A connection that is lost within a chunk leaves nothing.
Task<void> lost(House& house) {
  FakeStream& stream = *co_await begin(house, "", "bob@example.test");
  stream.feed("BDAT 500 LAST\r\nSubject: x\r\n");
  co_await yield_turn();
  stream.hang_up();
  const bool ended = co_await house.has_ended(0, deadline_in(Seconds(10)));
  EXPECT_TRUE(ended);
  EXPECT_TRUE(house.queued().empty());
}
TEST(SmtpBdat, a_lost_chunk_leaves_nothing) { House::run({}, lost); }

}  // namespace
}  // namespace kurir::smtp::test

#pragma once
// A client session on a stream whose other end is the test, with messages to send that lie in a
// real log. Core-local.

#include <functional>
#include <string>
#include <vector>

#include "kurir/coro/scope.hh"
#include "kurir/smtp/client_session.hh"
#include "support/fake_stream.hh"
#include "support/on_cores.hh"
#include "support/shard.hh"
#include "support/temporary_directory.hh"

namespace kurir::smtp::test {

using kurir::test::FakeStream;

inline std::string text_of(const Answer& answer) {
  using Verdict = Answer::Verdict;
  const char* verdict = answer.verdict == Verdict::accepted           ? "accepted"
                        : answer.verdict == Verdict::refused_for_now  ? "for now"
                        : answer.verdict == Verdict::refused_for_good ? "for good"
                                                                      : "not tried";
  return std::string(verdict) + " (" + std::string(answer.command) + ") " + answer.reply;
}

// A message to send; views into `letter` and the log.
struct Letter {
  std::string sender;
  std::vector<std::string> recipients;
  std::string content;
  bool has_8bit = false, is_binary = false, is_utf8 = false;
  std::int8_t priority = 0;
  bool requires_tls = false;
  std::optional<wire::DeliverBy> deliver_by = {};
  // By recipient; may be shorter.
  std::vector<OutgoingRecipient> asked = {};
  std::string envid = {};
  queue::Returned returned = queue::Returned::unspecified;
  std::size_t piece_octets = 0;  // written in extents of so many octets; 0: in one piece
};

inline bool has_dot_line(std::string_view content) {
  return content.starts_with('.') || content.find("\n.") != std::string_view::npos;
}

// Where letters are kept, as the queue keeps them.
class LetterBox {
 public:
  using Body = std::function<Task<void>(LetterBox&)>;
  static void run(Body body) {
    const kurir::test::TemporaryDirectory folder;
    LetterBox box(folder.path() + "/data");
    kurir::test::on_cores(1, [&](CoreIndex) { return box.live(body); });
  }

  Task<store::MessageContent> content_of(const Letter& letter) {
    store::Log& log = shard_.spool();
    store::MessageEnvelope envelope;
    envelope.content_octets = letter.content.size();
    std::string_view rest = letter.content;
    while (letter.piece_octets > 0 && rest.size() > letter.piece_octets) {
      const auto extent =
          log.append(store::record_type::content_extent, rest.substr(0, letter.piece_octets));
      KURIR_ASSERT(extent.has_value());
      envelope.extents.push_back(*extent);
      rest.remove_prefix(letter.piece_octets);
    }
    const std::string head = store::encode_message(envelope, rest.size());
    const std::string_view parts[] = {head, rest};
    const auto record = log.append(store::record_type::message, parts);
    KURIR_ASSERT(record.has_value());
    const Result<void> committed = co_await log.commit(*record);
    KURIR_ASSERT(committed.has_value());
    auto content = co_await store::MessageContent::open(shard_.reader(), *record);
    KURIR_ASSERT(content.has_value());
    co_return std::move(*content);
  }

 private:
  explicit LetterBox(std::string path) : shard_(std::move(path)) {}
  Task<void> live(const Body& body) {
    co_await shard_.open();
    co_await body(*this);
    co_await shard_.stop();
  }
  kurir::test::Shard shard_;
};

// One connection from open() to close(), and what came of it.
class Visit {
 public:
  struct Outcome {
    std::string opened;                             // "ready", or why not
    std::vector<std::vector<std::string>> answers;  // by letter
    bool was_usable = false;                        // before close()
    bool has_ended = false;
  };

  Visit(LetterBox& box, std::vector<Letter> letters, ClientTimeouts timeouts = {},
        bool is_lmtp = false)
      : box_(box), letters_(std::move(letters)) {
    auto owned = std::make_unique<FakeStream>();
    stream_ = owned.get();
    session_.emplace(std::move(owned), ClientOptions{"me.example.test", timeouts, {}, is_lmtp});
  }

  FakeStream& stream() { return *stream_; }
  const Outcome& outcome() const { return outcome_; }
  void start() { scope_.start(live()); }
  // All of it must have ended by itself before the patience ends.
  Task<void> join() {
    const Woken woken = co_await scope_.join(deadline_in(Seconds(10)));
    if (woken == Woken::by_signal) co_return;
    ADD_FAILURE() << "the session waits; sent so far: " << stream_->sent();
    session_->abort();
    co_await scope_.join();
  }

 private:
  Task<void> live() {
    const std::optional<Answer> refused = co_await session_->open();
    outcome_.opened = refused ? text_of(*refused) : "ready";
    for (const Letter& letter : letters_) {
      if (refused || !session_->is_usable()) break;
      co_await send(letter);
    }
    outcome_.was_usable = session_->is_usable();
    co_await session_->close();
    outcome_.has_ended = true;
  }
  Task<void> send(const Letter& letter) {
    store::MessageContent content = co_await box_.content_of(letter);
    OutgoingMessage message;
    message.reverse_path = letter.sender;
    message.recipients = letter.asked;
    message.recipients.resize(letter.recipients.size());
    for (std::size_t at = 0; at < letter.recipients.size(); ++at)
      message.recipients[at].address = letter.recipients[at];
    message.envid = letter.envid;
    message.returned = letter.returned;
    message.has_8bit = letter.has_8bit;
    message.is_binary = letter.is_binary;
    message.is_utf8 = letter.is_utf8;
    message.priority = letter.priority;
    message.requires_tls = letter.requires_tls;
    message.deliver_by = letter.deliver_by;
    message.has_dot_line = has_dot_line(letter.content);
    const std::vector<Answer> answers = co_await session_->send(message, content);
    EXPECT_EQ(answers.size(), letter.recipients.size());
    std::vector<std::string>& texts = outcome_.answers.emplace_back();
    for (const Answer& answer : answers) texts.push_back(text_of(answer));
  }

  LetterBox& box_;
  std::vector<Letter> letters_;
  FakeStream* stream_ = nullptr;
  std::optional<ClientSession> session_;
  Outcome outcome_;
  Scope scope_;
};

}  // namespace kurir::smtp::test

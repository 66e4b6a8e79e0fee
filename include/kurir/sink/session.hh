#pragma once
// Session: one connection to the sink, SMTP or LMTP: friendly where no rule says otherwise. What
// needs no wait is done by plain functions, a batch of commands at a time; the coroutine only
// reads, sends and waits. Core-local.

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/coro/event.hh"
#include "kurir/io/line_reader.hh"
#include "kurir/io/socket.hh"
#include "kurir/sink/greylist.hh"
#include "kurir/sink/letter.hh"
#include "kurir/sink/options.hh"
#include "kurir/sink/report.hh"
#include "kurir/wire/smtp_data.hh"

namespace kurir::sink {

// What the sessions of all cores share.
struct Street {
  std::atomic<std::uint64_t> connections{0};  // ever: each one's number
  std::atomic<unsigned> open{0};
  Greylist* greylist = nullptr;  // null: none
};

// What the sessions of a core share.
struct House {
  House(const Options& options_of, Street& street_of);
  const Options& options;
  Street& street;
  const RuleBook rules;
  std::string greeting, hello;  // whole replies, without the last CRLF
  std::string extended_hello, extended_hello_in_tls;
  std::vector<Keeper*> keepers;
  Report report;
  Event stopping;  // nobody waits any more
};

// An answer that is not given at once.
struct Pending {
  Nanoseconds delay{};
  Rule::Action action = Rule::Action::reply;
  std::string reply;          // of action reply and abort
  Nanoseconds abort_after{};  // the reply
};

class Session {
 public:
  // Where a connection stands when its session begins: a session in TLS is another than the one
  // before it.
  enum class Begin : std::uint8_t { greeting, handshake, after_starttls };
  enum class End : std::uint8_t { over, handshake };

  Session(io::Stream& stream, House& house, Begin begin = Begin::greeting);
  // To the end of the connection, or of the part without TLS; the caller closes the stream.
  Task<End> run();

 private:
  static constexpr std::size_t line_octets_max = 4096;
  enum class Need : std::uint8_t { nothing, input, wait, keep, end };
  struct Recipient {
    std::string address, arguments;
    std::optional<Rule> asked;  // behind the content
    bool is_friend = false;
    bool is_taken = false;
  };
  // session.cc: the loop, and what goes out
  Need work();
  bool must_wait() const;
  Task<bool> read();
  Task<bool> wait();
  Task<bool> sleep(Nanoseconds time);
  Task<bool> carry_out(Pending pending);
  Task<bool> keep_silent();
  // Whether what is answered is a success.
  bool answer(Stage stage, std::string_view domain, std::string_view friendly);
  bool obey(const Decision& decision, Stage stage, std::string_view friendly);
  void say(std::string_view reply);
  std::size_t allowed(std::size_t octets) const;
  void spend(std::size_t octets);
  void show(std::string_view who, std::string_view line) const;

  // commands.cc
  Need read_line();
  void act(std::string_view line);
  void hello(std::string_view line);
  void starttls();
  void begin_handshake();
  void mail(std::string_view line);
  void rcpt(std::string_view line);
  void data();
  void bdat(std::string_view line);
  bool is_greylisted(std::string_view recipient);
  Recipient& new_recipient(std::string_view address);

  // content.cc
  Need take_content();
  bool take_piece();
  void keep_piece(std::string_view piece);
  bool looks_at_content() const;
  Need end_content();
  Need end_chunk();
  Decision decide_end(std::size_t index);
  Task<bool> keep();
  void answer_end();
  void count_message();
  void end_transaction();

  io::Stream& stream_;
  House& house_;
  io::LineReader lines_;
  Chance chance_;
  std::optional<Pending> pending_;
  bool closing_ = false;            // ends when all is said
  bool wants_tls_ = false;          // when all is said before it
  bool handshake_follows_ = false;  // behind the end
  std::uint64_t rate_ = 0;          // octets a second; 0: any
  const Begin begin_;
  std::uint64_t unpaced_ = 0;         // octets taken that the rate has not seen
  std::optional<std::uint64_t> cut_;  // goes after so many octets more
  bool cuts_content_ = false;         // of the content, else of anything
  Nanoseconds pause_{};               // before reading goes on

  std::string helo_, sender_, mail_arguments_;
  bool extended_ = false, has_sender_ = false;
  std::vector<Recipient> recipients_;  // the first recipients_count_ are real; capacity is kept
  std::size_t recipients_count_ = 0;

  enum class Content : std::uint8_t { none, data, counted };
  Content content_kind_ = Content::none;
  wire::DataScanner scanner_;
  std::uint64_t octets_left_ = 0;  // of a BDAT
  bool is_last_ = false;
  std::string content_;  // where it is looked at
  std::uint64_t octets_ = 0;
  std::vector<Decision> ends_;  // an answer each, while they are given
  std::size_t ends_given_ = 0;
  Order order_;
};

}  // namespace kurir::sink

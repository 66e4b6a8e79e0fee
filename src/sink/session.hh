#pragma once
// Session: one connection to the sink, SMTP or LMTP: friendly where no rule says otherwise.
// Core-local.

#include <string>
#include <string_view>
#include <unordered_set>

#include "kurir/base/intrusive_list.hh"
#include "kurir/io/line_reader.hh"
#include "kurir/io/socket.hh"
#include "kurir/sink/options.hh"
#include "kurir/sink/report.hh"
#include "kurir/wire/smtp_data.hh"

namespace kurir::sink {

// What the sessions of a core share.
struct House {
  House(const Options& options_of, std::uint64_t seed) : options(options_of), chance(seed) {}
  const Options& options;
  Report report;
  Chance chance;
  Instant first_message{};                       // none yet: the epoch
  std::unordered_set<std::uint64_t> greylisted;  // that came once; forgotten when there are many
};

class Session : public ListLink {
 public:
  Session(io::Stream& stream, House& house)
      : stream_(stream), house_(house), lines_(stream, line_octets_max) {}

  Task<void> run();

 private:
  static constexpr std::size_t line_octets_max = 4096;
  enum class Next : bool { go_on, end };

  Task<Next> read();
  Task<Next> read_command();
  Task<Next> act(std::string_view line);
  Task<Next> mail(std::string_view line);
  Task<Next> rcpt(std::string_view line);
  Task<Next> data();
  Task<Next> bdat(std::string_view line);
  Task<Next> take_content();
  Task<Next> take_octets(std::uint64_t octets);
  Task<Next> end_of_message();

  // Obeys a rule, or says what a friendly server says.
  Task<Next> answer(Stage stage, std::string_view domain, std::string_view friendly);
  Task<Next> obey(const Rule& rule);
  bool is_greylisted(std::string_view recipient);
  void say(std::string_view reply);
  void hello(bool extended);
  void count_message();
  void end_transaction();

  io::Stream& stream_;
  House& house_;
  io::LineReader lines_;
  bool succeeded_ = false;  // the last answer was a success
  std::string sender_;
  unsigned recipients_ = 0;
  bool has_sender_ = false;
  std::string content_;  // of this message, where it is looked at
  std::uint64_t octets_ = 0;
};

}  // namespace kurir::sink

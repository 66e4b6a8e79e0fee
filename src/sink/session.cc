#include "session.hh"

#include <algorithm>
#include <charconv>

#include "kurir/base/hash.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/clock.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::sink {
namespace {

constexpr std::size_t greylisted_max = 1'000'000;
constexpr std::size_t content_capacity_kept = 256 << 10;
constexpr std::size_t seconds_max = 24 * 3600;

bool is_verb(std::string_view line, std::string_view verb) {
  return line.size() >= verb.size() &&
         wire::equals_ignoring_case(line.substr(0, verb.size()), verb) &&
         (line.size() == verb.size() || line[verb.size()] == ' ' || line[verb.size()] == ':');
}

// What stands between "<" and ">".
std::string_view path_of(std::string_view line) {
  const std::size_t begin = line.find('<');
  const std::size_t end = line.find('>', begin == std::string_view::npos ? 0 : begin);
  if (begin == std::string_view::npos || end == std::string_view::npos) return {};
  return line.substr(begin + 1, end - begin - 1);
}

}  // namespace

Task<void> Session::run() {
  Next next = co_await answer(Stage::connect, {}, "220 " + house_.options.hostname + " sink");
  while (next == Next::go_on) next = co_await read_command();
  static_cast<void>(co_await stream_.flush(deadline_in(house_.options.timeout)));
}

// --- what comes in

Task<Session::Next> Session::read() {
  const Result<void> flushed = co_await stream_.flush(deadline_in(house_.options.timeout));
  if (!flushed) co_return Next::end;
  const std::size_t before = stream_.input().octets();
  const Result<void> filled = co_await stream_.fill(deadline_in(house_.options.timeout));
  if (!filled) co_return Next::end;
  const std::uint64_t rate = house_.options.octets_per_second;
  if (rate > 0) {
    const std::size_t came = stream_.input().octets() - before;
    co_await sleep_for(Nanoseconds(came * 1'000'000'000 / rate));
  }
  co_return Next::go_on;
}

Task<Session::Next> Session::read_command() {
  std::string_view line;
  switch (lines_.next(line_octets_max, line)) {
    case io::LineReader::Found::incomplete: {
      const Next next = co_await read();
      co_return next;
    }
    case io::LineReader::Found::too_long:
      say("500 5.5.2 Line too long");
      co_return Next::go_on;
    case io::LineReader::Found::endless:
      say("500 5.5.2 Line without end");
      co_return Next::end;
    case io::LineReader::Found::line:
      break;
  }
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  const std::string owned(line);  // answers may wait
  lines_.done();
  const Next next = co_await act(owned);
  co_return next;
}

Task<Session::Next> Session::act(std::string_view line) {
  Next next = Next::go_on;
  const bool is_hello = is_verb(line, "EHLO") || is_verb(line, "HELO") || is_verb(line, "LHLO");
  if (is_hello) {
    next = co_await answer(Stage::hello, {}, {});
    if (succeeded_ && next == Next::go_on) hello(!is_verb(line, "HELO"));
  } else if (is_verb(line, "MAIL")) {
    next = co_await mail(line);
  } else if (is_verb(line, "RCPT")) {
    next = co_await rcpt(line);
  } else if (is_verb(line, "DATA")) {
    next = co_await data();
  } else if (is_verb(line, "BDAT")) {
    next = co_await bdat(line);
  } else if (is_verb(line, "RSET")) {
    end_transaction();
    say("250 2.0.0 ok");
  } else if (is_verb(line, "NOOP")) {
    say("250 2.0.0 ok");
  } else if (is_verb(line, "QUIT")) {
    static_cast<void>(co_await answer(Stage::quit, {}, "221 2.0.0 bye"));
    next = Next::end;
  } else {
    say("500 5.5.1 No such command here");
  }
  co_return next;
}

void Session::hello(bool extended) {
  if (extended && !house_.options.extended) return say("502 5.5.1 Only HELO here");
  end_transaction();
  if (!extended) return say("250 " + house_.options.hostname);
  std::string reply = "250-" + house_.options.hostname + "\r\n";
  for (const std::string& extension : house_.options.extensions)
    reply += "250-" + extension + "\r\n";
  say(reply + "250 SIZE " + std::to_string(house_.options.message_octets_max));
}

Task<Session::Next> Session::mail(std::string_view line) {
  if (has_sender_) {
    say("503 5.5.1 There is a sender already");
    co_return Next::go_on;
  }
  sender_ = path_of(line);
  const Next next = co_await answer(Stage::mail, {}, "250 2.1.0 ok");
  has_sender_ = succeeded_;
  co_return next;
}

Task<Session::Next> Session::rcpt(std::string_view line) {
  if (!has_sender_) {
    say("503 5.5.1 MAIL first");
    co_return Next::go_on;
  }
  const std::string_view path = path_of(line);
  const std::size_t at = path.rfind('@');
  const std::string_view domain = at == std::string_view::npos ? "" : path.substr(at + 1);
  if (house_.options.local_parts) {
    if (const std::optional<Rule> asked = rule_of_local_part(path.substr(0, at))) {
      const Next next = co_await obey(*asked);
      co_return next;
    }
  }
  if (house_.options.greylist && is_greylisted(path)) {
    say("451 4.7.1 Greylisted, try again");
    co_return Next::go_on;
  }
  const Next next = co_await answer(Stage::rcpt, domain, "250 2.1.5 ok");
  if (succeeded_) ++recipients_;
  co_return next;
}

bool Session::is_greylisted(std::string_view recipient) {
  std::string key = sender_;
  key += '\0';
  key += recipient;
  if (house_.greylisted.size() >= greylisted_max) house_.greylisted.clear();
  return house_.greylisted.insert(checksum(key)).second;
}

Task<Session::Next> Session::data() {
  if (recipients_ == 0) {
    say(has_sender_ ? "554 5.5.1 No valid recipients" : "503 5.5.1 MAIL first");
    co_return Next::go_on;
  }
  const Next next = co_await answer(Stage::data, {}, "354 go on");
  if (next == Next::end || !succeeded_) co_return next;
  const Next taken = co_await take_content();
  if (taken == Next::end) co_return Next::end;
  const Next ended = co_await end_of_message();
  co_return ended;
}

Task<Session::Next> Session::take_content() {
  wire::DataScanner scanner;
  while (!scanner.finished()) {
    if (stream_.input().empty()) {
      const Next next = co_await read();
      if (next == Next::end) co_return Next::end;
    }
    const std::string_view slice = stream_.input().front();
    const wire::DataScanner::Step step = scanner.step(slice);
    octets_ += step.piece.size();
    const bool keeps = house_.options.audits && octets_ <= house_.options.message_octets_max;
    if (keeps) content_ += step.piece;
    stream_.input().consume(step.consumed);
  }
  co_return Next::go_on;
}

// RFC 3030: BDAT octets [LAST].
Task<Session::Next> Session::bdat(std::string_view line) {
  std::uint64_t octets = 0;
  const std::string_view size = line.substr(std::min<std::size_t>(5, line.size()));
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), octets);
  if (error != std::errc{}) {
    say("501 5.5.4 BDAT needs a size");
    co_return Next::end;  // what follows cannot be told from commands
  }
  const bool is_last = line.find("LAST") != std::string_view::npos;
  const Next taken = co_await take_octets(octets);
  if (taken == Next::end) co_return Next::end;
  if (recipients_ == 0) {
    say("503 5.5.1 No valid recipients");
    end_transaction();
    co_return Next::go_on;
  }
  if (!is_last) {
    say("250 2.0.0 ok");
    co_return Next::go_on;
  }
  const Next ended = co_await end_of_message();
  co_return ended;
}

Task<Session::Next> Session::take_octets(std::uint64_t octets) {
  while (octets > 0) {
    if (stream_.input().empty()) {
      const Next next = co_await read();
      if (next == Next::end) co_return Next::end;
    }
    const std::string_view piece = stream_.input().front().substr(0, octets);
    octets_ += piece.size();
    const bool keeps = house_.options.audits && octets_ <= house_.options.message_octets_max;
    if (keeps) content_ += piece;
    octets -= piece.size();
    stream_.input().consume(piece.size());
  }
  co_return Next::go_on;
}

// LMTP: an answer for each recipient (RFC 2033 4.2).
Task<Session::Next> Session::end_of_message() {
  if (octets_ > house_.options.message_octets_max) {
    for (unsigned index = 0; index < (house_.options.lmtp ? recipients_ : 1); ++index)
      say("552 5.3.4 Message too large");
    end_transaction();
    co_return Next::go_on;
  }
  const unsigned answers = house_.options.lmtp ? recipients_ : 1;
  bool taken = false;
  Next next = Next::go_on;
  for (unsigned index = 0; index < answers && next == Next::go_on; ++index) {
    next = co_await answer(Stage::end, {}, "250 2.0.0 taken");
    taken = taken || succeeded_;
  }
  if (taken) count_message();
  end_transaction();
  co_return next;
}

void Session::count_message() {
  Report& report = house_.report;
  ++report.messages;
  report.recipients += recipients_;
  report.octets += octets_;
  if (house_.options.audits) house_.report.audit.take(content_);
  const Instant now = io::now();
  if (house_.first_message == Instant{}) house_.first_message = now;
  const auto second = static_cast<std::size_t>((now - house_.first_message) / Seconds(1));
  if (second >= seconds_max) return;
  if (report.by_second.size() <= second) report.by_second.resize(second + 1);
  ++report.by_second[second];
}

void Session::end_transaction() {
  has_sender_ = false;
  recipients_ = 0;
  octets_ = 0;
  content_.clear();
  if (content_.capacity() > content_capacity_kept) content_.shrink_to_fit();
}

// --- what goes out

Task<Session::Next> Session::answer(Stage stage, std::string_view domain,
                                    std::string_view friendly) {
  const std::string reply(friendly);
  const Decision decision = decide(house_.options.rules, stage, domain, house_.chance);
  if (decision.delay > Nanoseconds(0)) {
    // What was said before is not held up.
    const Result<void> flushed = co_await stream_.flush(deadline_in(house_.options.timeout));
    if (!flushed) co_return Next::end;
    co_await sleep_for(decision.delay);
  }
  succeeded_ = true;
  if (decision.rule == nullptr) {
    if (!reply.empty()) say(reply);
    co_return Next::go_on;
  }
  const Next next = co_await obey(*decision.rule);
  co_return next;
}

Task<Session::Next> Session::obey(const Rule& rule) {
  succeeded_ = false;
  if (rule.action == Rule::Action::reply) {
    succeeded_ = rule.code < 400;
    say(rule.reply);
    co_return rule.code == 421 ? Next::end : Next::go_on;
  }
  if (rule.action == Rule::Action::silent) {
    ++house_.report.silenced;
    // Until the peer gives up; what it says meanwhile is thrown away.
    Next next = Next::go_on;
    while (next == Next::go_on) {
      stream_.input().clear();
      next = co_await read();
    }
    co_return Next::end;
  }
  ++house_.report.disconnected;
  stream_.output().clear();
  stream_.abort();
  co_return Next::end;
}

void Session::say(std::string_view reply) {
  if (reply.size() >= 3 && reply[0] >= '4')
    ++house_.report.replies[static_cast<unsigned>((reply[0] - '0') * 100 + (reply[1] - '0') * 10 +
                                                  (reply[2] - '0'))];
  stream_.output() += reply;
  stream_.output() += "\r\n";
}

}  // namespace kurir::sink

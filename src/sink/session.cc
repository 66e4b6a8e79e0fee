// The loop of a connection, and what goes out.

#include "kurir/sink/session.hh"

#include <algorithm>
#include <utility>

#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"

namespace kurir::sink {
namespace {

using Action = Rule::Action;

// A slow reader takes so many times a second what its rate allows.
constexpr std::uint64_t steps_per_second = 10;
constexpr std::string_view abort_reply = "550 5.0.0 Enough of that";

std::uint64_t octets_per_step(std::uint64_t rate) { return rate / steps_per_second + 1; }

}  // namespace

House::House(const Options& options_of, Street& street_of)
    : options(options_of), street(street_of), rules(options_of.rules) {
  greeting =
      options.greeting.empty() ? "220 " + options.hostname + " ESMTP kurir-sink" : options.greeting;
  hello = "250 " + options.hostname;
  extended_hello_in_tls = "250-" + options.hostname + "\r\n";
  for (const std::string& extension : options.extensions)
    extended_hello_in_tls += "250-" + extension + "\r\n";
  extended_hello = extended_hello_in_tls;
  if (options.tls) extended_hello += "250-STARTTLS\r\n";
  for (std::string* offered : {&extended_hello, &extended_hello_in_tls})
    *offered += "250 SIZE " + std::to_string(options.message_octets_max);
}

// The chance of a connection hangs on its number, so that a run with the same seed repeats itself
// as far as connections come in the same order.
Session::Session(io::Stream& stream, House& house, Begin begin)
    : stream_(stream),
      house_(house),
      lines_(stream, line_octets_max),
      chance_(house.options.seed * 0x9e3779b97f4a7c15 +
              house.street.connections.fetch_add(1, std::memory_order_relaxed)),
      rate_(house.options.octets_per_second),
      begin_(begin) {}

Task<Session::End> Session::run() {
  if (begin_ == Begin::greeting) answer(Stage::connect, {}, house_.greeting);
  wants_tls_ = begin_ == Begin::handshake;
  for (Need need = work(); need != Need::end; need = work()) {
    bool goes_on = false;
    if (need == Need::input) {
      goes_on = co_await read();
    } else if (need == Need::wait) {
      goes_on = co_await wait();
    } else {
      goes_on = co_await keep();
    }
    if (!goes_on) break;
  }
  const Result<void> flushed = co_await stream_.flush(deadline_in(house_.options.timeout));
  co_return flushed&& closing_&& handshake_follows_ ? End::handshake : End::over;
}

// As far as it goes without waiting.
Session::Need Session::work() {
  for (;;) {
    if (must_wait()) return Need::wait;
    if (closing_) return Need::end;
    if (wants_tls_) {
      begin_handshake();
      continue;
    }
    Need need = Need::nothing;
    if (ends_given_ < ends_.size()) {
      answer_end();
    } else if (content_kind_ != Content::none) {
      need = take_content();
    } else {
      need = read_line();
    }
    if (need != Need::nothing) return need;
  }
}

bool Session::must_wait() const {
  return pending_ || pause_ > Nanoseconds(0) || (rate_ > 0 && unpaced_ >= octets_per_step(rate_));
}

Task<bool> Session::read() {
  const Deadline deadline = deadline_in(house_.options.timeout);
  const Result<void> flushed = co_await stream_.flush(deadline);
  if (!flushed) co_return false;
  const Result<void> filled = co_await stream_.fill(deadline);
  co_return filled.has_value();
}

Task<bool> Session::wait() {
  if (pending_) {
    Pending pending = std::move(*pending_);
    pending_.reset();
    const bool goes_on = co_await carry_out(std::move(pending));
    co_return goes_on;
  }
  const Nanoseconds paced(rate_ > 0 ? unpaced_ * 1'000'000'000 / rate_ : 0);
  unpaced_ = 0;
  const Nanoseconds time = std::exchange(pause_, Nanoseconds(0)) + paced;
  const bool goes_on = co_await sleep(time);
  co_return goes_on;
}

// What was said before is not held up.
Task<bool> Session::sleep(Nanoseconds time) {
  const Result<void> flushed = co_await stream_.flush(deadline_in(house_.options.timeout));
  if (!flushed) co_return false;
  const Woken woken = co_await house_.stopping.wait(deadline_in(time));
  co_return woken == Woken::by_deadline;
}

Task<bool> Session::carry_out(Pending pending) {
  const bool waited = co_await sleep(pending.delay);
  if (!waited) co_return false;
  if (pending.action == Action::silent) {
    const bool goes_on = co_await keep_silent();
    co_return goes_on;
  }
  if (pending.action == Action::disconnect) {
    ++house_.report.disconnected;
    stream_.abort();
    co_return false;
  }
  say(pending.reply);
  if (pending.action == Action::reply) co_return true;
  const bool waited_again = co_await sleep(pending.abort_after);
  if (waited_again) say(abort_reply);
  co_return false;
}

// Until the peer gives up; what it says meanwhile is thrown away.
Task<bool> Session::keep_silent() {
  ++house_.report.silenced;
  for (;;) {
    stream_.input().clear();
    const Result<void> filled = co_await stream_.fill(no_deadline);
    if (!filled) co_return false;
  }
}

bool Session::answer(Stage stage, std::string_view domain, std::string_view friendly) {
  if (house_.rules.empty(stage)) {
    say(friendly);
    return true;
  }
  return obey(house_.rules.decide(stage, domain, chance_), stage, friendly);
}

bool Session::obey(const Decision& decision, Stage stage, std::string_view friendly) {
  if (decision.octets_per_second > 0) rate_ = decision.octets_per_second;
  if (decision.cuts) {
    cut_ = decision.cut_after;
    cuts_content_ = stage == Stage::data;
  }
  const Rule* rule = decision.rule;
  const Action action = rule == nullptr ? Action::reply : rule->action;
  const bool replies = action == Action::reply;
  const std::string_view reply = rule != nullptr && replies ? rule->reply : friendly;
  const bool succeeds = replies && (rule == nullptr || rule->code < 400);
  if (succeeds) pause_ = decision.pause;
  if (replies && decision.delay <= Nanoseconds(0)) {
    say(reply);
    return succeeds;
  }
  pending_.emplace();
  pending_->delay = decision.delay;
  pending_->action = action;
  pending_->reply = reply;
  if (action == Action::abort) pending_->abort_after = rule->delay;
  return succeeds;
}

void Session::say(std::string_view reply) {
  if (reply.empty()) return;  // of a handshake, which has none
  const auto digit = [reply](std::size_t at) { return static_cast<std::size_t>(reply[at] - '0'); };
  const std::size_t code = digit(0) * 100 + digit(1) * 10 + digit(2);
  if (code < Report::codes_end) ++house_.report.replies[code];
  if (code == 421) closing_ = true;
  stream_.output() += reply;
  stream_.output() += "\r\n";
  if (house_.options.show_conversations) show("S: ", reply);
}

// Of what was received, how much may be taken at once.
std::size_t Session::allowed(std::size_t octets) const {
  if (rate_ > 0) octets = std::min<std::uint64_t>(octets, octets_per_step(rate_));
  if (cut_) octets = std::min<std::uint64_t>(octets, *cut_);
  return octets;
}

void Session::spend(std::size_t octets) {
  if (rate_ > 0) unpaced_ += octets;
  if (!cut_ || (cuts_content_ && content_kind_ == Content::none)) return;
  *cut_ -= std::min<std::uint64_t>(*cut_, octets);
  if (*cut_ > 0) return;
  cut_.reset();
  pending_.emplace();
  pending_->action = Action::disconnect;
}

void Session::show(std::string_view who, std::string_view line) const {
  io::print_error(stream_.peer().text() + ' ' + std::string(who) + std::string(line));
}

}  // namespace kurir::sink

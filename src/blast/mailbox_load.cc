#include "mailbox_load.hh"

#include <algorithm>

#include "kurir/io/clock.hh"

namespace kurir::blast {
namespace {

std::vector<Weighted> weights_of(const Options& options) {
  std::vector<Weighted> weights;
  for (const auto& [operation, weight] : options.mix) weights.push_back({{}, weight});
  return weights;
}

// RFC 9051: quoted.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

MailboxLoad::MailboxLoad(const Options& options, const Letters& letters, Course& course,
                         Report& report, unsigned ordinal)
    : options_(options),
      letters_(letters),
      course_(course),
      report_(report),
      ordinal_(ordinal),
      choice_(weights_of(options)),
      client_(options),
      other_(options) {}

void MailboxLoad::abort() {
  aborted_ = true;
  client_.abort();
  other_.abort();
}

Task<void> MailboxLoad::run() {
  while (const std::optional<Course::Turn> turn = course_.take(io::now())) {
    if (turn->due > io::now()) co_await sleep_until(turn->due);
    const Operation operation = options_.mix[choice_.of(turn->number)].first;
    Result<bool> done = true;
    const bool is_login = operation == Operation::login;  // which makes its own connection
    if (!is_login && !client_.is_open()) done = co_await log_in(client_, ordinal_);
    const Instant begin = options_.rate > 0 ? turn->due : io::now();
    if (done && *done) done = co_await operate(operation, turn->number);
    if (aborted_) break;
    if (!done) {
      ++report_.losses[static_cast<std::size_t>(loss_of(done.error()))];
      co_await client_.close();
      co_await other_.close();
    }
    if (!course_.is_measured(turn->due)) continue;
    report_.accepted += done && *done ? 1 : 0;
    report_.refused += done && !*done ? 1 : 0;
    report_.lost += done ? 0 : 1;
    // Of IDLE only the notification counts; it is noted where it comes.
    const bool is_timed = done && *done && operation != Operation::idle;
    const auto stage = static_cast<std::size_t>(Stage::login) + static_cast<std::size_t>(operation);
    if (is_timed)
      report_.stages[stage].record(static_cast<std::uint64_t>((io::now() - begin).count()));
  }
  co_await client_.close();
  co_await other_.close();
}

std::optional<io::SocketAddress> MailboxLoad::from() const {
  if (options_.sources.empty()) return std::nullopt;
  return options_.sources[ordinal_ % options_.sources.size()];
}

// Connected, logged in, INBOX selected.
Task<Result<bool>> MailboxLoad::log_in(MailboxClient& client, std::uint64_t turn) {
  const Options::Login login = options_.login(turn);
  ++report_.connections;
  const Result<void> opened = co_await client.open(from());
  if (!opened) co_return std::unexpected(opened.error());
  if (options_.protocol == Protocol::pop3) {
    const Result<bool> named = co_await client.command("USER " + login.user);
    if (!named || !*named) co_return named;
    const Result<bool> known = co_await client.command("PASS " + login.password);
    if (!known || !*known) co_return known;
    co_return co_await client.command("STAT");
  }
  const Result<bool> known =
      co_await client.command("LOGIN " + quoted(login.user) + ' ' + quoted(login.password));
  if (!known || !*known) co_return known;
  co_return co_await client.command("SELECT INBOX");
}

Task<Result<bool>> MailboxLoad::operate(Operation operation, std::uint64_t number) {
  if (operation == Operation::login) co_return co_await log_in_and_out();
  if (options_.protocol == Protocol::pop3) co_return co_await pop3(operation, number);
  const std::string message = std::to_string(number % std::max(client_.messages(), 1U) + 1);
  switch (operation) {
    case Operation::select:
      co_return co_await client_.command("SELECT INBOX");
    case Operation::fetch_flags:
      co_return co_await client_.command("FETCH 1:* (FLAGS UID)");
    case Operation::fetch_envelope:
      co_return co_await client_.command("FETCH 1:* (FLAGS UID ENVELOPE)");
    case Operation::fetch_body:
      co_return co_await client_.command("FETCH " + message + " BODY.PEEK[]");
    case Operation::store:
      co_return co_await client_.command("STORE " + message + (number % 2 == 0 ? " +" : " -") +
                                         "FLAGS (\\Flagged)");
    case Operation::search:
      co_return co_await client_.command("SEARCH SUBJECT \"zebra\"");
    case Operation::append:
      co_return co_await append(client_, number);
    default:
      co_return co_await idle(number);
  }
}

Task<Result<bool>> MailboxLoad::log_in_and_out() {
  co_await other_.close();
  const std::uint64_t turn = ordinal_ + logins_++ * options_.sessions;
  const Result<bool> known = co_await log_in(other_, turn);
  if (!known || !*known) co_return known;
  const bool is_imap = options_.protocol == Protocol::imap;
  const Result<bool> left = co_await other_.command(is_imap ? "LOGOUT" : "QUIT");
  co_await other_.close();
  co_return left;
}

Task<Result<bool>> MailboxLoad::append(MailboxClient& client, std::uint64_t number) {
  std::string content;
  letters_.append_header(content, number);
  content += letters_.letter(number).plain;
  co_return co_await client.command("APPEND INBOX {" + std::to_string(content.size()) + "}",
                                    content);
}

// From the moment the other connection's APPEND is sent.
Task<Result<bool>> MailboxLoad::idle(std::uint64_t number) {
  if (!other_.is_open()) {
    const Result<bool> known = co_await log_in(other_, ordinal_);
    if (!known || !*known) co_return known;
  }
  const Result<bool> begun = co_await client_.begin_idle();
  if (!begun || !*begun) co_return begun;
  const Instant begin = io::now();
  const Result<bool> appended = co_await append(other_, number);
  if (!appended || !*appended) co_return appended;
  const Result<void> told = co_await client_.await_exists();
  if (!told) co_return std::unexpected(told.error());
  report_.stages[static_cast<std::size_t>(Stage::idle)].record(
      static_cast<std::uint64_t>((io::now() - begin).count()));
  co_return co_await client_.end_idle();
}

Task<Result<bool>> MailboxLoad::pop3(Operation operation, std::uint64_t number) {
  if (operation == Operation::select) co_return co_await client_.command("STAT");
  const std::string message = std::to_string(number % std::max(client_.messages(), 1U) + 1);
  co_return co_await client_.retrieve("RETR " + message);
}

}  // namespace kurir::blast

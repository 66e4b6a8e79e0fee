#include "mailbox_client.hh"

#include <algorithm>
#include <charconv>

#include "encrypt.hh"
#include "kurir/io/clock.hh"

namespace kurir::blast {
namespace {

constexpr std::string_view tag = "K ";

// "{123}" at the end of a line: so many octets follow.
std::uint64_t literal_octets(std::string_view line) {
  if (!line.ends_with('}')) return 0;
  const std::size_t brace = line.rfind('{');
  if (brace == std::string_view::npos) return 0;
  std::uint64_t octets = 0;
  std::from_chars(line.data() + brace + 1, line.data() + line.size(), octets);
  return octets;
}

}  // namespace

Task<Result<void>> MailboxClient::open(std::optional<io::SocketAddress> from) {
  Result<std::unique_ptr<io::Stream>> stream =
      co_await connector_.connect(options_.server, from, deadline_in(options_.timeout));
  if (!stream) co_return std::unexpected(stream.error());
  stream_ = std::move(*stream);
  holds_line_ = false;
  if (options_.encryption.begin == Encryption::Begin::at_once) {
    const Result<void> encrypted = co_await encrypt(stream_, options_);
    if (!encrypted) co_return encrypted;
  }
  lines_.emplace(*stream_, line_octets_max);
  const Result<std::string_view> greeting = co_await line();
  if (!greeting) co_return std::unexpected(greeting.error());
  const bool is_well = greeting->starts_with("* OK") || greeting->starts_with("+OK");
  if (!is_well) co_return fail(Errc::refused, Origin::socket);
  if (options_.encryption.begin != Encryption::Begin::by_command) co_return Result<void>();
  co_return co_await start_tls();
}

// RFC 9051 6.2.1, RFC 2595 4.
Task<Result<void>> MailboxClient::start_tls() {
  const bool is_imap = options_.protocol == Protocol::imap;
  const Result<bool> goes_on = co_await command(is_imap ? "STARTTLS" : "STLS");
  if (!goes_on) co_return std::unexpected(goes_on.error());
  if (!*goes_on) co_return fail(Errc::refused, Origin::tls);
  if (std::exchange(holds_line_, false)) lines_->done();
  lines_.reset();
  const Result<void> encrypted = co_await encrypt(stream_, options_);
  lines_.emplace(*stream_, line_octets_max);
  co_return encrypted;
}

Task<void> MailboxClient::close() {
  if (!stream_) co_return;
  co_await stream_->close();
  lines_.reset();
  stream_.reset();
}

void MailboxClient::abort() {
  aborted_ = true;
  connector_.abort();
  if (stream_) stream_->abort();
}

Task<Result<void>> MailboxClient::send(std::string_view octets) {
  stream_->output() += octets;
  co_return co_await stream_->flush(deadline_in(options_.timeout));
}

Task<Result<bool>> MailboxClient::command(std::string_view text, std::string_view literal) {
  const bool is_imap = options_.protocol == Protocol::imap;
  const Result<void> sent =
      co_await send(std::string(is_imap ? tag : "") + std::string(text) + "\r\n");
  if (!sent) co_return std::unexpected(sent.error());
  if (!literal.empty()) {
    const Result<std::string_view> asked = co_await line();
    if (!asked) co_return std::unexpected(asked.error());
    if (!asked->starts_with('+')) co_return false;
    const Result<void> given = co_await send(std::string(literal) + "\r\n");
    if (!given) co_return std::unexpected(given.error());
  }
  co_return co_await tagged();
}

// IMAP: to the tagged line, over literals. POP3: one line.
Task<Result<bool>> MailboxClient::tagged() {
  for (;;) {
    const Result<std::string_view> answer = co_await line();
    if (!answer) co_return std::unexpected(answer.error());
    look_at(*answer);
    if (options_.protocol == Protocol::pop3) co_return answer->starts_with("+OK");
    if (answer->starts_with(tag)) co_return answer->substr(tag.size()).starts_with("OK");
    const Result<void> skipped = co_await skip(literal_octets(*answer));
    if (!skipped) co_return std::unexpected(skipped.error());
  }
}

Task<Result<bool>> MailboxClient::retrieve(std::string_view text) {
  const Result<bool> begun = co_await command(text);
  if (!begun || !*begun) co_return begun;
  for (;;) {
    const Result<std::string_view> next = co_await line();
    if (!next) co_return std::unexpected(next.error());
    if (*next == ".") co_return true;
  }
}

Task<Result<bool>> MailboxClient::begin_idle() {
  exists_ = false;
  const Result<void> sent = co_await send(std::string(tag) + "IDLE\r\n");
  if (!sent) co_return std::unexpected(sent.error());
  const Result<std::string_view> answer = co_await line();
  if (!answer) co_return std::unexpected(answer.error());
  co_return answer->starts_with('+');
}

Task<Result<void>> MailboxClient::await_exists() {
  while (!exists_) {
    const Result<std::string_view> told = co_await line();
    if (!told) co_return std::unexpected(told.error());
    look_at(*told);
  }
  co_return Result<void>();
}

Task<Result<bool>> MailboxClient::end_idle() {
  const Result<void> sent = co_await send("DONE\r\n");
  if (!sent) co_return std::unexpected(sent.error());
  co_return co_await tagged();
}

// "* 17 EXISTS"; "+OK 17 12345" of STAT.
void MailboxClient::look_at(std::string_view text) {
  const bool is_exists = text.starts_with("* ") && text.ends_with(" EXISTS");
  const bool is_ok = options_.protocol == Protocol::pop3 && text.starts_with("+OK ");
  if (!is_exists && !is_ok) return;
  const std::string_view rest = text.substr(is_exists ? 2 : 4);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const std::string_view behind = rest.substr(static_cast<std::size_t>(end - rest.data()));
  // "+OK 1234 octets" is RETR's.
  const bool is_stat = behind.size() > 1 && behind[1] >= '0' && behind[1] <= '9';
  if (error != std::errc{} || (is_ok && !is_stat)) return;
  messages_ = number;
  exists_ = exists_ || is_exists;
}

Task<Result<void>> MailboxClient::skip(std::uint64_t octets) {
  if (octets == 0) co_return Result<void>();
  if (std::exchange(holds_line_, false)) lines_->done();
  while (octets > 0) {
    if (stream_->input().empty()) {
      const Result<void> filled = co_await stream_->fill(deadline_in(options_.timeout));
      if (!filled) co_return filled;
    }
    const std::size_t here = std::min<std::uint64_t>(octets, stream_->input().octets());
    stream_->input().consume(here);
    octets -= here;
  }
  co_return Result<void>();
}

Task<Result<std::string_view>> MailboxClient::line() {
  const Deadline deadline = deadline_in(options_.timeout);
  if (std::exchange(holds_line_, false)) lines_->done();
  for (;;) {
    std::string_view found;
    switch (lines_->next(line_octets_max, found)) {
      case io::LineReader::Found::line:
        holds_line_ = true;
        while (found.ends_with('\n') || found.ends_with('\r')) found.remove_suffix(1);
        co_return found;
      case io::LineReader::Found::incomplete: {
        const Result<void> filled = co_await stream_->fill(deadline);
        if (!filled) co_return std::unexpected(filled.error());
        break;
      }
      default:  // a long line of numbers, of SEARCH: read over
        co_return std::string_view();
    }
  }
}

}  // namespace kurir::blast

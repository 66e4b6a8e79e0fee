// The client's side of SMTP: replies, the greeting, the end. client_transaction.cc has what lies
// between.

#include "kurir/smtp/client_session.hh"

#include <charconv>

#include "kurir/base/limits.hh"
#include "kurir/coro/event.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::smtp {
namespace {

constexpr std::size_t reply_text_max = 1000;  // of what is kept of a reply

std::string text_of(const wire::PeerReply& reply) {
  std::string text = std::to_string(reply.code);
  std::string_view lines = reply.lines;
  while (!lines.empty() && text.size() < reply_text_max) {
    text += ' ';
    wire::append_printable(text, wire::PeerReply::take_line(lines), reply_text_max - text.size());
  }
  return text;
}

bool is_keyword(std::string_view line, std::string_view keyword) {
  if (line.size() < keyword.size()) return false;
  for (std::size_t at = 0; at < keyword.size(); ++at) {
    const char c = line[at] >= 'a' && line[at] <= 'z' ? static_cast<char>(line[at] - 32) : line[at];
    if (c != keyword[at]) return false;
  }
  return line.size() == keyword.size() || line[keyword.size()] == ' ';
}

// 0 where there is none.
std::uint64_t number_behind(std::string_view line, std::string_view keyword) {
  std::uint64_t number = 0;
  line.remove_prefix(std::min(line.size(), keyword.size()));
  std::from_chars(line.data(), line.data() + line.size(), number);
  return number;
}

}  // namespace

ClientSession::ClientSession(std::unique_ptr<io::Stream> stream, ClientOptions options)
    : stream_(std::move(stream)), options_(std::move(options)) {}

// --- replies

// A reply is parsed where it lies; only one that straddles two slices is stitched.
Task<ClientSession::Reply> ClientSession::read_reply(Nanoseconds timeout,
                                                     std::string_view command) {
  const Deadline deadline = deadline_in(timeout);
  while (true) {
    if (!stream_->input().empty()) {
      const std::string_view slice = stream_->input().front();
      const bool stitching = !pending_.empty();
      if (stitching) pending_ += slice;
      const auto parsed = wire::parse_smtp_reply(stitching ? std::string_view(pending_) : slice);
      if (parsed.is_fault()) co_return nonsense(command);
      if (parsed.is_match()) {
        const wire::PeerReply& peer = parsed.value();
        Reply reply{peer.code, text_of(peer)};
        if ((command == "EHLO" || command == "LHLO") && reply.is_positive())
          take_extensions(peer.lines);
        if (reply.code == 421) usable_ = false;
        const std::size_t before = stitching ? pending_.size() - slice.size() : 0;
        stream_->input().consume(parsed.consumed() - before);
        pending_.clear();
        co_return reply;
      }
      if (!stitching) pending_ = slice;
      stream_->input().consume(slice.size());
      continue;
    }
    const Result<void> filled = co_await stream_->fill(deadline);
    if (!filled && filled.error().code != Errc::interrupted)
      co_return lost(filled.error(), command);
  }
}

Task<ClientSession::Reply> ClientSession::exchange(std::string line, Nanoseconds timeout,
                                                   std::string_view command) {
  stream_->output() += line;
  const Result<void> sent = co_await stream_->flush(deadline_in(timeout));
  if (!sent) co_return lost(sent.error(), command);
  co_return co_await read_reply(timeout, command);
}

ClientSession::Reply ClientSession::lost(const Error& error, std::string_view command) {
  usable_ = false;
  const std::string what =
      error.code == Errc::timed_out ? "451 4.4.2 No answer in time" : "451 4.4.2 Connection lost";
  return {451, what + " after " + std::string(command)};
}

ClientSession::Reply ClientSession::nonsense(std::string_view command) {
  usable_ = false;
  return {451, "451 4.5.0 Not an SMTP reply after " + std::string(command)};
}

// What the connection's trouble means for mail: only a reply of 5yz is for good.
Answer ClientSession::answer_of(const Reply& reply, std::string_view command) const {
  using Verdict = Answer::Verdict;
  const Verdict verdict = reply.code / 100 == 2   ? Verdict::accepted
                          : reply.code / 100 == 5 ? Verdict::refused_for_good
                                                  : Verdict::refused_for_now;
  return {verdict, reply.text, command};
}

// --- the beginning

Task<std::optional<Answer>> ClientSession::open() {
  const Reply greeting = co_await read_reply(options_.timeouts.greeting, "connection");
  if (!greeting.is_positive()) co_return answer_of(greeting, "connection");
  const std::optional<Reply> refused = co_await say_hello();
  if (refused) co_return answer_of(*refused, "EHLO");
  co_return co_await secure();
}

// HELO for a peer that does not know EHLO (RFC 5321 3.2).
Task<std::optional<ClientSession::Reply>> ClientSession::say_hello() {
  const Nanoseconds timeout = options_.timeouts.hello;
  const std::string_view verb = options_.is_lmtp ? "LHLO" : "EHLO";
  Reply hello =
      co_await exchange(std::string(verb) + ' ' + options_.ehlo_domain + "\r\n", timeout, verb);
  const bool unknown = usable_ && !options_.is_lmtp &&
                       (hello.code == 500 || hello.code == 501 || hello.code == 502 ||
                        hello.code == 504 || hello.code == 550);
  if (unknown) hello = co_await exchange("HELO " + options_.ehlo_domain + "\r\n", timeout, "HELO");
  if (hello.is_positive()) co_return std::nullopt;
  co_return hello;
}

void ClientSession::take_extensions(std::string_view lines) {
  extensions_ = {};
  wire::PeerReply::take_line(lines);  // the domain and a greeting
  while (!lines.empty()) {
    const std::string_view line = wire::PeerReply::take_line(lines);
    if (is_keyword(line, "PIPELINING")) extensions_.pipelining = true;
    if (is_keyword(line, "8BITMIME")) extensions_.eight_bit_mime = true;
    if (is_keyword(line, "CHUNKING")) extensions_.chunking = true;
    if (is_keyword(line, "BINARYMIME")) extensions_.binary_mime = true;
    if (is_keyword(line, "SMTPUTF8")) extensions_.smtputf8 = true;
    if (is_keyword(line, "MT-PRIORITY")) extensions_.mt_priority = true;
    if (is_keyword(line, "LIMITS")) take_limits(line.substr(6));
    if (is_keyword(line, "DSN")) extensions_.dsn = true;
    if (is_keyword(line, "REQUIRETLS")) extensions_.require_tls = true;
    if (is_keyword(line, "DELIVERBY")) {
      extensions_.deliver_by = true;
      extensions_.deliver_by_min = number_behind(line, "DELIVERBY ");
    }
    if (is_keyword(line, "STARTTLS")) extensions_.starttls = true;
    if (!is_keyword(line, "SIZE")) continue;
    extensions_.size = true;
    extensions_.size_max = number_behind(line, "SIZE ");
  }
}

// RFC 9422 4: name=value; a limit of 0, or one that is no number, is none.
void ClientSession::take_limits(std::string_view words) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    std::uint64_t value = 0;
    const std::string_view number = word.substr(equals + 1);
    std::from_chars(number.data(), number.data() + number.size(), value);
    if (value == 0) continue;
    const std::string_view name = word.substr(0, equals);
    if (wire::equals_ignoring_case(name, "RCPTMAX"))
      extensions_.recipients_max = std::min<std::uint64_t>(value, client_recipients_max);
    if (wire::equals_ignoring_case(name, "MAILMAX")) extensions_.transactions_max = value;
  }
}

// --- between and after

Task<bool> ClientSession::idle(Deadline deadline) {
  if (stream_->input().empty()) {
    const Result<void> filled = co_await stream_->fill(deadline);
    if (!filled) {
      const Errc code = filled.error().code;
      if (code == Errc::interrupted || code == Errc::timed_out) co_return true;
      usable_ = false;
      co_return false;
    }
  }
  // Whatever it says when it was not asked, 421 most likely: it is no use to us any more.
  usable_ = false;
  co_return false;
}

Task<void> ClientSession::close() {
  if (usable_) {
    stream_->output() += "QUIT\r\n";
    const Result<void> sent = co_await stream_->flush(deadline_in(options_.timeouts.quit));
    if (sent) {
      const Reply goodbye = co_await read_reply(options_.timeouts.quit, "QUIT");
      static_cast<void>(goodbye);
    }
  }
  co_await stream_->close();
}

}  // namespace kurir::smtp

#include "smtp_load.hh"

#include <algorithm>

#include "encrypt.hh"
#include "kurir/io/clock.hh"
#include "kurir/wire/base64.hh"

namespace kurir::blast {
namespace {

constexpr std::size_t line_octets_max = 4096;
constexpr std::size_t copied_octets_max = 32 * 1024;  // a longer body leaves without a copy

}  // namespace

Loss loss_of(const Error& error) {
  if (error.origin == Origin::tls && error.code == Errc::refused) return Loss::tls;
  switch (error.code) {
    case Errc::refused:
      return Loss::refused;
    case Errc::unreachable:
    case Errc::unavailable:
      return Loss::unreachable;
    case Errc::closed:
      return Loss::closed;
    case Errc::timed_out:
      return Loss::timed_out;
    case Errc::exhausted:
    case Errc::busy:
      return Loss::exhausted;
    default:
      return Loss::other;
  }
}

Task<void> SmtpLoad::run() {
  while (const std::optional<Turn> turn = course_.take(io::now())) {
    co_await due(*turn);
    due_ = turn->due;
    const bool opened = co_await open();
    if (opened) {
      co_await send_messages(*turn);
    } else if (!aborted_) {
      report_.lost += course_.is_measured(due_) ? 1 : 0;
    }
    co_await close();
    if (aborted_) co_return;
  }
}

void SmtpLoad::abort() {
  aborted_ = true;
  connector_.abort();
  if (stream_) stream_->abort();
}

Task<void> SmtpLoad::due(const Turn& turn) {
  if (turn.due > io::now()) co_await sleep_until(turn.due);
}

// --- the connection

Task<bool> SmtpLoad::open() {
  std::optional<io::SocketAddress> from;
  if (!options_.sources.empty())
    from = options_.sources[(ordinal_ + report_.connections) % options_.sources.size()];
  const Instant begin = io::now();
  Result<std::unique_ptr<io::Stream>> stream =
      co_await connector_.connect(options_.server, from, deadline_in(options_.timeout));
  if (!stream) {
    lose(stream.error());
    co_return false;
  }
  ++report_.connections;
  note(Stage::connect, begin);
  stream_ = std::move(*stream);
  lines_.emplace(*stream_, line_octets_max);
  if (aborted_) co_return false;
  using Begin = Encryption::Begin;
  const Begin encryption = options_.encryption.begin;
  bool well = encryption == Begin::at_once ? co_await secure() : true;
  if (well) well = co_await greet();
  if (well) well = co_await say_hello();
  if (well && encryption == Begin::by_command) well = co_await start_tls();
  if (well && options_.logs_in()) well = co_await log_in();
  co_return well;
}

Task<bool> SmtpLoad::secure() {
  const Instant begin = io::now();
  lines_.reset();
  const Result<void> encrypted = co_await encrypt(stream_, options_);
  lines_.emplace(*stream_, line_octets_max);
  if (!encrypted) {
    lose(encrypted.error());
    co_return false;
  }
  note(Stage::tls, begin);
  co_return !aborted_;
}

// RFC 3207: what was said before is said again.
Task<bool> SmtpLoad::start_tls() {
  stream_->output() += "STARTTLS\r\n";
  const bool flushed = co_await flush();
  const Code code = flushed ? co_await reply() : 0;
  if (code != 220) {
    if (code != 0) ++report_.refusals[code];
    co_return false;
  }
  const bool encrypted = co_await secure();
  co_return encrypted&& co_await say_hello();
}

Task<bool> SmtpLoad::greet() {
  const Instant begin = io::now();
  const Code banner = co_await reply();
  note(Stage::banner, begin);
  if (banner != 220) {
    if (banner != 0) ++report_.refusals[banner];
    co_return false;
  }
  co_return true;
}

Task<bool> SmtpLoad::say_hello() {
  const char* verb = options_.protocol == Protocol::lmtp ? "LHLO " : "EHLO ";
  const Code hello = co_await exchange(Stage::hello, verb + options_.hello);
  if (hello != 250 && hello != 0) ++report_.refusals[hello];
  co_return hello == 250;
}

Task<bool> SmtpLoad::log_in() {
  const Options::Login login = options_.login(ordinal_ + logins_++ * options_.sessions);
  const std::string secret = '\0' + login.user + '\0' + login.password;
  std::string line = "AUTH PLAIN ";
  wire::append_base64(line, secret);
  const Code code = co_await exchange(Stage::auth, line);
  if (code != 235 && code != 0) ++report_.refusals[code];
  co_return code == 235;
}

Task<void> SmtpLoad::close() {
  if (!stream_) co_return;
  co_await stream_->close();
  lines_.reset();
  stream_.reset();
}

// --- messages

Task<void> SmtpLoad::send_messages(Turn turn) {
  envelope_is_sent_ = false;
  for (std::uint64_t sent = 1;; ++sent) {
    const bool is_last = options_.per_connection > 0 && sent >= options_.per_connection;
    // At a rate the next is taken when it is due, not before this one is through.
    std::optional<Turn> next;
    const bool takes_ahead = options_.pipelining && options_.rate <= 0;
    if (!is_last && takes_ahead) next = course_.take(io::now());
    const bool well = co_await send_message(turn, next);
    finish(turn);
    if (!well && next && course_.is_measured(next->due)) ++report_.lost;
    if (!well || aborted_) co_return;
    if (!is_last && !takes_ahead) next = course_.take(io::now());
    if (!next) break;
    turn = *next;
    co_await due(turn);
  }
  stream_->output() += "QUIT\r\n";
  const bool flushed = co_await flush();
  if (flushed) static_cast<void>(co_await reply());
}

// False: the connection is of no use any more.
Task<bool> SmtpLoad::send_message(const Turn& turn, const std::optional<Turn>& next) {
  due_ = turn.due;
  refusal_ = taken_ = lost_ = 0;
  data_code_ = 0;
  const bool sent = co_await envelope(turn);
  if (!sent) co_return false;
  // A server that says 354 though it took nobody is waiting for content.
  const bool may_go_on = options_.chunking ? taken_ > 0 : data_code_ == 354;
  if (!may_go_on) {
    const bool well = co_await reset();
    co_return well;
  }
  const bool well = co_await content(turn, next);
  co_return well;
}

// One command after the other, or all in one piece.
Task<bool> SmtpLoad::envelope(const Turn& turn) {
  if (options_.pipelining) {
    if (!std::exchange(envelope_is_sent_, false)) {
      write_envelope(turn);
      const bool flushed = co_await flush();
      if (!flushed) co_return false;
    }
    const bool well = co_await envelope_replies();
    co_return well;
  }
  Code code = co_await exchange(Stage::mail, "MAIL FROM:<" + options_.sender + ">");
  if (code != 250) refusal_ = code;
  if (code == 0) co_return false;
  for (unsigned ordinal = 0; ordinal < options_.recipients && refusal_ == 0; ++ordinal) {
    std::string line = "RCPT TO:<";
    letters_.append_recipient(line, turn.number, ordinal);
    code = co_await exchange(Stage::rcpt, line + '>');
    if (code == 0) co_return false;
    if (code / 100 == 2) {
      ++taken_;
    } else {
      ++report_.refusals[code];
    }
  }
  if (taken_ == 0 || options_.chunking) co_return true;
  data_code_ = co_await exchange(Stage::data, "DATA");
  if (data_code_ != 354) refusal_ = data_code_;
  co_return data_code_ != 0;
}

void SmtpLoad::write_envelope(const Turn& turn) {
  std::string& out = stream_->output();
  out += "MAIL FROM:<";
  out += options_.sender;
  out += ">\r\n";
  for (unsigned ordinal = 0; ordinal < options_.recipients; ++ordinal) {
    out += "RCPT TO:<";
    letters_.append_recipient(out, turn.number, ordinal);
    out += ">\r\n";
  }
  if (!options_.chunking) out += "DATA\r\n";
}

Task<bool> SmtpLoad::envelope_replies() {
  const Instant begin = io::now();
  const Code mail = co_await reply();
  if (mail == 0) co_return false;
  if (mail != 250) refusal_ = mail;
  note(Stage::mail, begin);
  for (unsigned ordinal = 0; ordinal < options_.recipients; ++ordinal) {
    const Code code = co_await reply();
    if (code == 0) co_return false;
    if (code / 100 == 2) {
      ++taken_;
    } else if (mail == 250) {
      ++report_.refusals[code];
    }
  }
  note(Stage::rcpt, begin);
  if (options_.chunking) co_return true;
  data_code_ = co_await reply();
  note(Stage::data, begin);
  if (data_code_ != 354 && taken_ > 0) refusal_ = data_code_;
  co_return data_code_ != 0;
}

Task<bool> SmtpLoad::content(const Turn& turn, const std::optional<Turn>& next) {
  const Letters::Letter letter = letters_.letter(turn.number);
  const std::string_view body = options_.chunking ? letter.plain : letter.stuffed;
  std::string& out = stream_->output();
  if (options_.chunking) {
    std::string header;
    letters_.append_header(header, turn.number);
    out += "BDAT " + std::to_string(header.size() + body.size()) + " LAST\r\n" + header;
  } else {
    letters_.append_header(out, turn.number);
  }
  const Instant begin = io::now();
  Result<void> written;
  if (body.size() <= copied_octets_max) {
    out += body;
  } else {
    written = co_await stream_->write(body, deadline_in(options_.timeout));
  }
  if (!written) {
    lose(written.error());
    co_return false;
  }
  if (next) {
    write_envelope(*next);
    envelope_is_sent_ = true;
  }
  const bool flushed = co_await flush();
  if (!flushed) co_return false;
  const bool well = co_await content_replies();
  if (well) note(Stage::content, begin);
  if (well && refusal_ == 0 && course_.is_measured(due_)) report_.octets += body.size();
  co_return well;
}

// LMTP: one for each recipient that was taken (RFC 2033 4.2).
Task<bool> SmtpLoad::content_replies() {
  const unsigned replies = options_.protocol == Protocol::lmtp ? taken_ : 1;
  for (unsigned index = 0; index < std::max(replies, 1U); ++index) {
    const Code code = co_await reply();
    if (code == 0) co_return false;
    if (code / 100 != 2) refusal_ = code;
  }
  co_return true;
}

// After a message that came to nothing before its content.
Task<bool> SmtpLoad::reset() {
  stream_->output() += "RSET\r\n";
  const bool flushed = co_await flush();
  if (!flushed) co_return false;
  const Code code = co_await reply();
  co_return code == 250;
}

// --- what is said and heard

Task<SmtpLoad::Code> SmtpLoad::exchange(Stage stage, std::string_view line) {
  stream_->output() += line;
  stream_->output() += "\r\n";
  const Instant begin = io::now();
  const bool flushed = co_await flush();
  if (!flushed) co_return 0;
  const Code code = co_await reply();
  if (code != 0) note(stage, begin);
  co_return code;
}

Task<bool> SmtpLoad::flush() {
  const Result<void> sent = co_await stream_->flush(deadline_in(options_.timeout));
  if (!sent) lose(sent.error());
  co_return sent.has_value();
}

Task<SmtpLoad::Code> SmtpLoad::reply() {
  const Deadline deadline = deadline_in(options_.timeout);
  for (;;) {
    std::string_view line;
    const io::LineReader::Found found = lines_->next(line_octets_max, line);
    if (found == io::LineReader::Found::line) {
      const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
      const bool has_code = line.size() >= 4 && std::ranges::all_of(line.substr(0, 3), is_digit);
      const Code code =
          has_code
              ? static_cast<Code>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'))
              : 999;
      const bool goes_on = has_code && line[3] == '-';
      lines_->done();
      if (!goes_on) co_return code;
    } else if (found == io::LineReader::Found::incomplete) {
      const Result<void> filled = co_await stream_->fill(deadline);
      if (filled) continue;
      lose(filled.error());
      co_return 0;
    } else {
      co_return 999;
    }
  }
}

// --- what came of it

void SmtpLoad::finish(const Turn& turn) {
  if (aborted_ || !course_.is_measured(turn.due)) return;
  const bool is_sent = data_code_ == 354 || options_.chunking;
  if (refusal_ != 0) ++report_.refusals[refusal_];
  if (is_sent && refusal_ == 0 && taken_ == options_.recipients && lost_ == 0) {
    ++report_.accepted;
    report_.recipients += taken_;
    note(Stage::message, turn.due);
  } else if (lost_ > 0) {
    ++report_.lost;
  } else {
    ++report_.refused;
  }
}

void SmtpLoad::lose(const Error& error) {
  ++lost_;
  if (!aborted_) ++report_.losses[static_cast<std::size_t>(loss_of(error))];
}

void SmtpLoad::note(Stage stage, Instant since) {
  if (!course_.is_measured(due_)) return;
  const std::int64_t took = (io::now() - since).count();
  report_.stages[static_cast<std::size_t>(stage)].record(
      static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0)));
}

}  // namespace kurir::blast

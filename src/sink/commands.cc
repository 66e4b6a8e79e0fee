// What comes in, but for content.

#include <algorithm>
#include <charconv>

#include "kurir/sink/session.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::sink {
namespace {

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

// Behind "MAIL FROM:" or "EHLO".
std::string_view arguments_of(std::string_view line, char separator) {
  line.remove_prefix(std::min(line.find(separator), line.size() - 1) + 1);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return line;
}

std::string_view local_part_of(std::string_view path) { return path.substr(0, path.rfind('@')); }

std::string_view domain_of(std::string_view path) {
  const std::size_t at = path.rfind('@');
  return at == std::string_view::npos ? std::string_view() : path.substr(at + 1);
}

}  // namespace

Session::Need Session::read_line() {
  std::string_view line;
  switch (lines_.next(line_octets_max, line)) {
    case io::LineReader::Found::incomplete:
      return Need::input;
    case io::LineReader::Found::too_long:
      say("500 5.5.2 Line too long");
      return Need::nothing;
    case io::LineReader::Found::endless:
      say("500 5.5.2 Line without end");
      return Need::end;
    case io::LineReader::Found::line:
      break;
  }
  const std::size_t octets = line.size();
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  spend(octets);
  if (!pending_) act(line);
  lines_.done();
  return Need::nothing;
}

void Session::act(std::string_view line) {
  if (house_.options.show_conversations) show("C: ", line);
  const auto is = [line](std::string_view verb) { return is_verb(line, verb); };
  const auto shows = [this](Stage stage) {
    return std::ranges::find(house_.options.shown_commands, stage) !=
           house_.options.shown_commands.end();
  };
  if (!house_.options.shown_commands.empty()) {
    const auto stage = parse_stage(line.substr(0, line.find_first_of(" :")));
    if (stage && shows(*stage)) show("command ", line);
  }
  if (is("RCPT")) return rcpt(line);
  if (is("MAIL")) return mail(line);
  if (is("DATA")) return data();
  if (is("BDAT")) return bdat(line);
  if (is("EHLO") || is("HELO") || is("LHLO")) return hello(line);
  if (is("NOOP")) return static_cast<void>(answer(Stage::noop, {}, "250 2.0.0 ok"));
  if (is("VRFY")) return static_cast<void>(answer(Stage::vrfy, {}, "252 2.0.0 Try it"));
  if (is("STARTTLS")) return starttls();
  if (is("RSET")) {
    end_transaction();
    answer(Stage::rset, {}, "250 2.0.0 ok");
  } else if (is("QUIT")) {
    answer(Stage::quit, {}, "221 2.0.0 bye");
    closing_ = true;
  } else {
    say("500 5.5.1 No such command here");
  }
}

void Session::hello(std::string_view line) {
  const bool extended = !is_verb(line, "HELO");
  if (extended && !house_.options.extended) return say("502 5.5.1 Only HELO here");
  end_transaction();
  const std::string& offer =
      stream_.is_encrypted() ? house_.extended_hello_in_tls : house_.extended_hello;
  const bool succeeds = answer(Stage::hello, {}, extended ? offer : house_.hello);
  if (!succeeds) return;
  extended_ = extended;
  helo_ = arguments_of(line, ' ');
}

void Session::starttls() {
  if (!house_.options.tls || stream_.is_encrypted())
    return say("502 5.5.1 STARTTLS is not offered here");
  wants_tls_ = answer(Stage::starttls, {}, "220 2.0.0 go on");
}

// What a rule has to say here is said in plaintext; who refuses, refuses TLS and ends.
void Session::begin_handshake() {
  wants_tls_ = false;
  handshake_follows_ = answer(Stage::handshake, {}, {});
  closing_ = true;
}

void Session::mail(std::string_view line) {
  if (has_sender_) return say("503 5.5.1 There is a sender already");
  const std::string_view path = path_of(line);
  if (house_.options.local_parts) {
    const Asked asked = asked_by(local_part_of(path), AddressRole::sender);
    if (asked.rule) {
      obey({.rule = &*asked.rule}, Stage::mail, {});
      return;
    }
  }
  has_sender_ = answer(Stage::mail, {}, "250 2.1.0 ok");
  sender_ = path;
  if (!house_.keepers.empty()) mail_arguments_ = arguments_of(line, ':');
}

void Session::rcpt(std::string_view line) {
  if (!has_sender_) return say("503 5.5.1 MAIL first");
  const std::string_view path = path_of(line);
  if (recipients_count_ >= house_.options.recipients_max)
    return say("452 4.5.3 Too many recipients");
  Asked asked;
  if (house_.options.local_parts) asked = asked_by(local_part_of(path), AddressRole::recipient);
  if (asked.rule && asked.rule->stage == Stage::rcpt) {
    obey({.rule = &*asked.rule}, Stage::rcpt, {});
    return;
  }
  const auto takes = [path](const Keeper* keeper) { return keeper->takes(path); };
  if (!std::ranges::all_of(house_.keepers, takes))
    return say("550 5.1.3 No mailbox can have that name");
  if (house_.street.greylist != nullptr && !asked.is_friend && is_greylisted(path)) {
    ++house_.report.greylisted;
    return say("451 4.7.1 Greylisted, try again");
  }
  constexpr std::string_view friendly = "250 2.1.5 ok";
  const bool succeeds = asked.is_friend || answer(Stage::rcpt, domain_of(path), friendly);
  if (asked.is_friend) say(friendly);
  if (!succeeds) return;
  Recipient& recipient = new_recipient(path);
  recipient.is_friend = asked.is_friend;
  recipient.asked = std::move(asked.rule);
  if (!house_.keepers.empty()) recipient.arguments = arguments_of(line, ':');
}

// Those of earlier transactions are used again: no memory is asked for.
Session::Recipient& Session::new_recipient(std::string_view address) {
  if (recipients_count_ == recipients_.size()) recipients_.emplace_back();
  Recipient& recipient = recipients_[recipients_count_++];
  recipient.address = address;
  return recipient;
}

bool Session::is_greylisted(std::string_view recipient) {
  std::string key = stream_.peer().host();
  key += '\0';
  key += sender_;
  key += '\0';
  key += recipient;
  return house_.street.greylist->is_new(key);
}

void Session::data() {
  if (recipients_count_ == 0)
    return say(has_sender_ ? "554 5.5.1 No valid recipients" : "503 5.5.1 MAIL first");
  constexpr std::string_view friendly = "354 go on";
  const Recipient& first = recipients_[0];
  bool begins = true;
  if (first.is_friend) {
    say(friendly);
  } else {
    begins = answer(Stage::data, domain_of(first.address), friendly);
  }
  if (!begins) return;
  content_kind_ = Content::data;
  scanner_ = wire::DataScanner();
  is_last_ = true;
}

// RFC 3030: BDAT octets [LAST].
void Session::bdat(std::string_view line) {
  const std::string_view size = line.substr(std::min<std::size_t>(5, line.size()));
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), octets_left_);
  if (error != std::errc{}) {
    say("501 5.5.4 BDAT needs a size");
    closing_ = true;  // what follows cannot be told from commands
    return;
  }
  content_kind_ = Content::counted;
  is_last_ =
      wire::equals_ignoring_case(arguments_of({end, size.data() + size.size()}, ' '), "LAST");
}

}  // namespace kurir::sink

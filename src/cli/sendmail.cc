#include "kurir/cli/sendmail.hh"

#include <fcntl.h>
#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "kurir/cli/submitted_text.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/wire/date.hh"
#include "local_submission.hh"
#include "request.hh"
#include "sendmail_options.hh"

namespace kurir::cli {
namespace {

int tell(int exit_code, const std::string& text) {
  io::print_error("sendmail: " + text);
  return exit_code;
}

struct LocalUser {
  std::string name, full_name;
};

// GECOS: the part before a comma, with the login name for '&'.
LocalUser local_user() {
  LocalUser user{"uid" + std::to_string(::getuid()), {}};
  const passwd* entry = ::getpwuid(::getuid());
  if (entry == nullptr) return user;
  user.name = entry->pw_name;
  for (const char c : std::string_view(entry->pw_gecos == nullptr ? "" : entry->pw_gecos)) {
    if (c == ',') break;
    if (c == '&') {
      user.full_name += user.name;
    } else {
      user.full_name += c;
    }
  }
  return user;
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::string date;
  wire::append_mail_date(date, {now, static_cast<std::int16_t>(local.tm_gmtoff / 60)});
  return date;
}

std::string unique_text() {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string unique = io::system_random(20);
  for (char& letter : unique) letter = letters[static_cast<unsigned char>(letter) % letters.size()];
  return unique;
}

struct Input {
  Spool spool;
  bool is_8bit = false;
};

// All of it before the server hears of it: a slow writer holds no session.
int read_input(bool dot_ends, Input& input) {
  LineEnds ends(dot_ends);
  char block[64 * 1024];
  std::string text;
  while (!ends.ended()) {
    const ssize_t count = ::read(STDIN_FILENO, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tell(EX_IOERR, "standard input cannot be read");
    text.clear();
    if (count == 0) ends.finish(text);
    ends.feed({block, static_cast<std::size_t>(count)}, text);
    if (!input.spool.append(text)) return tell(EX_IOERR, "there is no room for the message");
    if (count == 0) break;
  }
  input.is_8bit = ends.is_8bit();
  return EX_OK;
}

// What a refusal of the message, not of a recipient, is to the caller.
int exit_code_of(const SmtpAnswer& answer) {
  if (answer.code == 0 || answer.code < 500) return EX_TEMPFAIL;
  if (answer.code == 501 || answer.code == 553) return EX_USAGE;
  if (answer.code == 550) return EX_DATAERR;
  return EX_UNAVAILABLE;
}

int tell_refusal(const SmtpAnswer& answer) {
  const std::string said = answer.code == 0 ? "it went away" : answer.text;
  return tell(exit_code_of(answer), "the server does not take the message: " + said);
}

// A recipient that is unknown does not keep the message from the others; one that cannot be
// answered for now does, so that the caller may try again without sending twice.
struct Refusals {
  std::size_t taken = 0, unknown = 0;
  std::optional<SmtpAnswer> later;
};

Refusals name_recipients(LocalSubmission& session, const std::vector<std::string>& recipients,
                         const std::string& parameters) {
  Refusals refusals;
  for (const std::string& recipient : recipients) {
    const SmtpAnswer answer = session.ask("RCPT TO:<" + recipient + '>' + parameters);
    if (answer.code / 100 == 2) {
      ++refusals.taken;
    } else if (answer.code / 100 == 5) {
      ++refusals.unknown;
      tell(EX_NOUSER, recipient + ": " + answer.text);
    } else {
      refusals.later = answer;
      tell(EX_TEMPFAIL, recipient + ": " + answer.text);
      return refusals;
    }
  }
  return refusals;
}

struct Submission {
  std::string sender;  // empty: the null one
  std::vector<std::string> recipients;
  std::string header, notify;
  std::uint64_t body_offset = 0;
};

int submit(LocalSubmission& session, const Submission& one, const Input& input) {
  std::string parameters;
  if (input.is_8bit && session.offers("8BITMIME")) parameters = " BODY=8BITMIME";
  if (session.offers("SIZE"))
    parameters += " SIZE=" + std::to_string(one.header.size() + input.spool.size());
  const SmtpAnswer mail = session.ask("MAIL FROM:<" + one.sender + '>' + parameters);
  if (mail.code != 250) return tell_refusal(mail);
  const bool asks = !one.notify.empty() && session.offers("DSN");
  const Refusals refusals =
      name_recipients(session, one.recipients, asks ? " NOTIFY=" + one.notify : "");
  if (refusals.later) {
    const bool too_many = refusals.later->text.starts_with("452 4.5.3");
    return too_many ? tell(EX_UNAVAILABLE, "smtp.recipients_max is less than the recipients here")
                    : EX_TEMPFAIL;
  }
  if (refusals.taken == 0) return tell(EX_NOUSER, "nobody gets the message");
  const SmtpAnswer data = session.ask("DATA");
  if (data.code != 354) return tell_refusal(data);
  const SmtpAnswer end = session.send_content(one.header, input.spool, one.body_offset);
  if (end.code != 250) return tell_refusal(end);
  if (refusals.unknown == 0) return EX_OK;
  return tell(EX_NOUSER, "the others get it, " + end.text.substr(4));
}

std::string sender_of(const SendmailOptions& options, const LocalUser& user,
                      const std::string& hostname) {
  if (!options.sender) return qualified(user.name, hostname);
  std::string sender = *options.sender;
  if (sender.size() >= 2 && sender.starts_with('<') && sender.ends_with('>'))
    sender = sender.substr(1, sender.size() - 2);
  return sender.empty() ? sender : qualified(sender, hostname);
}

bool has_control(const std::string& text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Nothing that a caller passes on may begin a line of its own.
bool is_clean(const SendmailOptions& options) {
  return !has_control(options.full_name) && !has_control(options.sender.value_or("")) &&
         std::ranges::none_of(options.recipients, has_control);
}

int send_message(const SendmailOptions& options, const std::string& data) {
  if (!is_clean(options)) return tell(EX_USAGE, "an argument has control characters");
  if (!options.reads_recipients && options.recipients.empty())
    return tell(EX_USAGE, "name recipients, or use -t to take them from the header");
  Input input;
  const int read = read_input(!options.ignores_dots, input);
  if (read != EX_OK) return read;
  const LocalUser user = local_user();
  auto session = LocalSubmission::open(data, user.name);
  if (!session) return tell(session.error().exit_code, session.error().text);
  const std::string& hostname = session->hostname();
  Submission one;
  one.sender = sender_of(options, user, hostname);
  one.notify = options.notify;
  SubmittedHeader header = complete_header(
      input.spool.head(), {options.reads_recipients, one.sender,
                           options.full_name.empty() ? user.full_name : options.full_name, hostname,
                           date_now(), unique_text()});
  if (header.is_cut && input.spool.size() > input.spool.head().size())
    return tell(EX_DATAERR, "the header section is longer than 1 MiB");
  one.header = std::move(header.text);
  one.body_offset = header.octets_read;
  for (const std::string& recipient : options.recipients)
    one.recipients.push_back(qualified(recipient, hostname));
  one.recipients.insert(one.recipients.end(), header.recipients.begin(), header.recipients.end());
  if (one.recipients.empty()) return tell(EX_USAGE, "To, Cc and Bcc name no recipient");
  const int sent = submit(*session, one, input);
  session->ask("QUIT");
  return sent;
}

int flush(const Location& location) {
  const Answer answer = request(location, {"queue retry", {{"everything", true}}});
  return answer ? EX_OK : answer.error();
}

}  // namespace

std::string mail_name_of(const std::string& program) {
  const std::string name = program.substr(program.rfind('/') + 1);
  return name == "sendmail" || name == "mailq" ? name : std::string();
}

int run_sendmail(std::span<char* const> arguments) {
  const auto options = parse_sendmail(arguments);
  if (!options) return tell(EX_USAGE, options.error());
  if (options->mode == SendmailOptions::Mode::list) return print_mailq(options->location);
  if (options->mode == SendmailOptions::Mode::flush) return flush(options->location);
  const auto place = find_place(options->location);
  if (!place) return EX_CONFIG;
  if (options->mode == SendmailOptions::Mode::smtp)
    return LocalSubmission::relay_standard_streams(place->data, local_user().name);
  return send_message(*options, place->data);
}

}  // namespace kurir::cli

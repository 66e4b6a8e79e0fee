#include "local_submission.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "kurir/server/control_protocol.hh"

namespace kurir::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto busy_wait_max = 10s;
constexpr auto busy_pause = 50ms;
constexpr std::size_t reply_line_octets_max = 64 << 10;

Failure failure_of(const Error& error, const std::string& data) {
  if (error.code == Errc::not_found)
    return {EX_TEMPFAIL, "no server runs on " + data + "; the message was not taken"};
  if (error.code == Errc::refused)
    return {EX_NOPERM, "the server on " + data + " belongs to another user"};
  return {EX_TEMPFAIL, "the server on " + data + " does not answer"};
}

// A dot at a line's begin is doubled (RFC 5321 4.5.2).
void append_stuffed(std::string& out, std::string_view text, bool& at_line_start) {
  for (const char c : text) {
    if (at_line_start && c == '.') out += '.';
    out += c;
    at_line_start = c == '\n';
  }
}

// One way of a relayed session; false: its source has ended.
bool pass(int from, int to) {
  char block[16384];
  const ssize_t count = ::read(from, block, sizeof block);
  if (count < 0 && errno == EINTR) return true;
  for (ssize_t sent = 0; sent < count;) {
    const ssize_t some = ::write(to, block + sent, static_cast<std::size_t>(count - sent));
    if (some < 0 && errno != EINTR) return false;
    if (some > 0) sent += some;
  }
  return count > 0;
}

}  // namespace

std::expected<ControlConnection, Failure> LocalSubmission::begin(const std::string& data,
                                                                 const std::string& user) {
  const auto give_up = std::chrono::steady_clock::now() + busy_wait_max;
  for (;;) {
    Result<ControlConnection> connection = ControlConnection::open(data);
    if (!connection) return std::unexpected(failure_of(connection.error(), data));
    const Result<void> sent = connection->send(
        server::control_line(server::ControlRequest{"sendmail", {{"user", user}}}));
    Result<std::string> line =
        sent ? connection->receive_line(reply_line_octets_max) : std::unexpected(sent.error());
    const auto answer = line ? server::parse_control_answer(*line) : std::nullopt;
    if (answer && (*answer)["ok"] == true) return std::move(*connection);
    // Too many commands at once: it says so, or hangs up. Nothing was handed over yet.
    if (std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(busy_pause);
      continue;
    }
    const std::string why = answer ? (*answer)["error"].get<std::string>() : "it does not answer";
    return std::unexpected(Failure{EX_TEMPFAIL, "the server on " + data + ": " + why});
  }
}

std::expected<LocalSubmission, Failure> LocalSubmission::open(const std::string& data,
                                                              const std::string& user) {
  auto connection = begin(data, user);
  if (!connection) return std::unexpected(connection.error());
  LocalSubmission session(std::move(*connection));
  const SmtpAnswer greeting = session.receive();
  if (greeting.code == 220) session.offered_ = session.ask("EHLO localhost").offers;
  const std::size_t name_end = greeting.text.find(' ', 4);
  if (session.offered_.empty() || name_end == std::string::npos)
    return std::unexpected(Failure{EX_TEMPFAIL, "the server says: " + greeting.text});
  session.hostname_ = greeting.text.substr(4, name_end - 4);
  return session;
}

bool LocalSubmission::offers(std::string_view keyword) const {
  return offered_.find("250-" + std::string(keyword)) != std::string::npos ||
         offered_.find("250 " + std::string(keyword)) != std::string::npos;
}

SmtpAnswer LocalSubmission::ask(const std::string& command) {
  const Result<void> sent = connection_.send(command + "\r\n");
  return sent ? receive() : SmtpAnswer{};
}

SmtpAnswer LocalSubmission::receive() {
  SmtpAnswer answer;
  for (;;) {
    Result<std::string> line = connection_.receive_line(reply_line_octets_max);
    if (!line || !line->ends_with("\r\n") || line->size() < 5) return {};
    answer.offers += *line;
    if ((*line)[3] == '-') continue;
    answer.text = line->substr(0, line->size() - 2);
    for (const char digit : line->substr(0, 3))
      answer.code = answer.code * 10 + static_cast<unsigned>(digit - '0');
    return answer;
  }
}

SmtpAnswer LocalSubmission::send_content(const std::string& header, const Spool& spool,
                                         std::uint64_t offset) {
  bool at_line_start = true;
  std::string stuffed;
  append_stuffed(stuffed, header, at_line_start);
  for (;;) {
    const Result<void> sent = connection_.send(stuffed);
    const Result<std::string> piece = sent ? spool.read(offset) : std::unexpected(sent.error());
    // What was begun ends without its dot: the server takes nothing of it.
    if (!piece) return {};
    if (piece->empty()) break;
    offset += piece->size();
    stuffed.clear();
    append_stuffed(stuffed, *piece, at_line_start);
  }
  return ask(".");
}

int LocalSubmission::relay_standard_streams(const std::string& data, const std::string& user) {
  auto connection = begin(data, user);
  if (!connection) {
    const std::string text = "421 4.3.0 " + connection.error().text + "\r\n";
    return ::write(STDOUT_FILENO, text.data(), text.size()) < 0 ? EX_IOERR
                                                                : connection.error().exit_code;
  }
  const std::string_view early = connection->unread();
  if (::write(STDOUT_FILENO, early.data(), early.size()) < 0) return EX_IOERR;
  pollfd sources[] = {{STDIN_FILENO, POLLIN, 0}, {connection->descriptor(), POLLIN, 0}};
  for (;;) {
    if (::poll(sources, 2, -1) < 0 && errno != EINTR) return EX_OSERR;
    if (sources[1].revents != 0 && !pass(sources[1].fd, STDOUT_FILENO)) return EX_OK;
    if (sources[0].revents == 0 || pass(STDIN_FILENO, sources[1].fd)) continue;
    sources[0].fd = -1;  // the answers still come
    ::shutdown(sources[1].fd, SHUT_WR);
  }
}

}  // namespace kurir::cli

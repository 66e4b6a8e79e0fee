#include "dump.hh"

#include <fmt/chrono.h>

#include <algorithm>
#include <array>

#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/io/offload.hh"
#include "kurir/wire/date.hh"

namespace kurir::sink {
namespace {

// Without the CRs of line ends.
void append_lines(std::string& out, std::string_view content) {
  while (!content.empty()) {
    const std::size_t end = content.find("\r\n");
    out += content.substr(0, end);
    if (end == std::string_view::npos) {
      out += '\n';
      return;
    }
    out += '\n';
    content.remove_prefix(end + 2);
  }
}

std::string client_of(const io::SocketAddress& client) {
  return (client.family() == io::Family::ipv6 ? "ipv6:" : "") + client.host();
}

// The template as strftime(3) expands it, in UTC.
std::string expand(const std::string& name, std::int64_t seconds) {
  std::tm parts = fmt::gmtime(static_cast<std::time_t>(seconds));
  std::array<char, 4096> expanded;
  const std::size_t octets = std::strftime(expanded.data(), expanded.size(), name.c_str(), &parts);
  return {expanded.data(), octets};
}

Result<void> append_to(const std::string& path, std::string_view text) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    const Result<void> made = io::make_directories(path.substr(0, slash));
    if (!made) return made;
  }
  const Result<int> file = io::open_for_append(path);
  if (!file) return std::unexpected(file.error());
  const Result<void> written = io::append_blocking(*file, text);
  io::close_blocking(*file);
  return written;
}

}  // namespace

std::string dump_text(const Letter& letter, const DumpOptions& options, std::string_view hostname,
                      std::string_view id, std::int64_t seconds) {
  std::string text = options.begin;
  const std::string client = client_of(letter.client);
  text += "X-Client-Addr: " + client + "\nX-Client-Proto: ";
  text += letter.protocol;
  text += '\n';
  const auto add = [&text](std::string_view field, std::string_view value) {
    text += field;
    text += value;
    text += '\n';
  };
  if (!letter.helo.empty()) add("X-Helo-Args: ", letter.helo);
  add("X-Mail-Args: ", letter.mail_arguments);
  for (const Letter::Recipient& recipient : letter.recipients)
    add("X-Rcpt-Args: ", recipient.arguments);
  text += fmt::format("Received: from {} ([{}])\n\tby {} (kurir-sink) with {} id {};\n\t",
                      letter.helo.empty() ? std::string_view(client) : letter.helo, client,
                      hostname, letter.protocol, id);
  wire::append_mail_date(text, {.utc_seconds = seconds});
  text += '\n';
  append_lines(text, letter.content);
  text += '\n';
  return text;
}

Task<bool> DumpFiles::keep(const Letter& letter) {
  const std::int64_t seconds = io::wall_now().seconds();
  const std::string id = fmt::format("{:016x}", io::random_u64());
  const std::string text = dump_text(letter, options_, hostname_, id, seconds);
  const auto write = [&]() -> Result<void> {
    Result<void> written;
    if (!options_.one_each.empty())
      written = append_to(expand(options_.one_each, seconds) + id, text);
    if (written && !options_.together.empty())
      written = append_to(expand(options_.together, seconds), text);
    return written;
  };
  const Result<Result<void>> done = co_await io::offload(write);
  const bool is_written = done && *done;
  if (!is_written) io::print_error("kurir-sink: a message could not be written to its dump file");
  co_return is_written;
}

}  // namespace kurir::sink

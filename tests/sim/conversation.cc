#include "conversation.hh"

#include <charconv>
#include <utility>

namespace kurir::sim {
namespace {

constexpr std::size_t line_octets_max = 1 << 20;

// The count of a literal that the line ends with: "{123}".
std::optional<std::size_t> literal_of(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const std::size_t brace = line.rfind('{');
  if (brace == std::string_view::npos) return std::nullopt;
  std::size_t count = 0;
  const auto [end, error] =
      std::from_chars(line.data() + brace + 1, line.data() + line.size() - 1, count);
  if (error != std::errc() || end != line.data() + line.size() - 1) return std::nullopt;
  return count;
}

}  // namespace

Task<std::unique_ptr<Conversation>> Conversation::open(io::SocketAddress to,
                                                       io::SocketAddress from) {
  Result<std::unique_ptr<io::Stream>> stream =
      co_await io::connect(std::move(to), std::move(from), deadline_in(patience()));
  if (!stream) co_return nullptr;
  co_return std::make_unique<Conversation>(std::move(*stream));
}

Task<bool> Conversation::say(std::string octets) {
  const Result<void> sent = co_await stream_->write(octets, deadline_in(patience()));
  co_return sent.has_value();
}

Task<std::optional<std::string>> Conversation::line() {
  std::string line;
  while (line.size() < line_octets_max) {
    const std::string_view front = stream_->input().front();
    const std::size_t end = front.find('\n');
    const std::size_t taken = end == std::string_view::npos ? front.size() : end + 1;
    line += front.substr(0, taken);
    stream_->input().consume(taken);
    if (end != std::string_view::npos) {
      line.resize(line.size() - (line.ends_with("\r\n") ? 2 : 1));
      co_return line;
    }
    const Result<void> filled = co_await stream_->fill(deadline_in(patience()));
    if (filled) continue;
    was_late_ = filled.error().code == Errc::timed_out;
    co_return std::nullopt;
  }
  co_return std::nullopt;
}

Task<std::optional<std::string>> Conversation::octets(std::size_t count) {
  std::string octets;
  while (octets.size() < count) {
    const std::string_view front = stream_->input().front();
    const std::size_t taken = std::min(front.size(), count - octets.size());
    octets += front.substr(0, taken);
    stream_->input().consume(taken);
    if (octets.size() == count) break;
    const Result<void> filled = co_await stream_->fill(deadline_in(patience()));
    if (!filled) co_return std::nullopt;
  }
  co_return octets;
}

Task<unsigned> Conversation::reply() {
  for (;;) {
    const std::optional<std::string> text = co_await line();
    if (!text || text->size() < 3) co_return 0U;
    unsigned code = 0;
    std::from_chars(text->data(), text->data() + 3, code);
    if (text->size() == 3 || (*text)[3] == ' ') co_return code;
  }
}

Task<bool> Conversation::hears(unsigned code) {
  const unsigned heard = co_await reply();
  co_return heard == code;
}

Task<std::optional<Conversation::Tagged>> Conversation::command(std::string tag, std::string text) {
  const bool said = co_await say(tag + " " + text + "\r\n");
  if (!said) co_return std::nullopt;
  Tagged answer;
  for (;;) {
    std::optional<std::string> text_line = co_await line();
    if (!text_line) co_return std::nullopt;
    if (text_line->starts_with(tag + " ")) {
      answer.is_ok = text_line->starts_with(tag + " OK");
      co_return answer;
    }
    answer.lines.push_back(*text_line);
    const std::optional<std::size_t> literal = literal_of(*text_line);
    if (!literal) continue;
    std::optional<std::string> content = co_await octets(*literal);
    if (!content) co_return std::nullopt;
    answer.lines.push_back(std::move(*content));
  }
}

Task<void> Conversation::close() { co_await stream_->close(); }

}  // namespace kurir::sim

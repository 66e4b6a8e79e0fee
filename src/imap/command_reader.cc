#include "kurir/imap/command_reader.hh"

#include <algorithm>

#include "kurir/base/limits.hh"

namespace kurir::imap {
namespace {

constexpr std::size_t octets_kept = 1024;  // an idle connection holds no more
constexpr std::size_t tail_octets = 4;

}  // namespace

CommandReader::Found CommandReader::next(bool logged_in) {
  for (;;) {
    if (!take_literal()) return Found::incomplete;
    const Found found = read_line();
    if (found != Found::whole) return found;
    const auto announced = wire::line_literal(std::string_view(text_).substr(line_begin_));
    if (announced.is_fault()) {
      syntax_ = announced.fault().syntax;
      return announced.fault().must_close ? Found::fault_running : Found::fault;
    }
    if (!announced.value()) return Found::whole;
    line_begin_ = text_.size();
    const Found judged = judge(*announced.value(), logged_in);
    if (judged != Found::incomplete) return judged;
  }
}

// Incomplete: the literal is on its way, read on.
CommandReader::Found CommandReader::judge(const wire::ImapLiteral& literal, bool logged_in) {
  if (logged_in) {
    const auto head = wire::parse_append_head(text_);
    if (head.is_match() && head.value()) return Found::append;
    if (head.is_fault() && literal.synchronizing) {
      syntax_ = head.fault().syntax;
      return Found::fault;
    }
  }
  const wire::ImapLiteralBudget budget{
      .command_octets = text_.size(), .literals = literals_, .authenticated = logged_in};
  const wire::ImapLiteralVerdict verdict = wire::judge_literal(literal, budget);
  if (verdict == wire::ImapLiteralVerdict::refuse) return Found::refused;
  if (verdict == wire::ImapLiteralVerdict::refuse_and_close) return Found::refused_running;
  literal_left_ = literal.octets;
  ++literals_;
  return verdict == wire::ImapLiteralVerdict::take ? Found::incomplete : Found::continuation;
}

bool CommandReader::take_literal() {
  io::Inbox& input = stream_.input();
  while (literal_left_ > 0 && !input.empty()) {
    const std::string_view piece = input.front();
    const std::size_t here =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), literal_left_));
    text_.append(piece.substr(0, here));
    input.consume(here);
    literal_left_ -= here;
    line_begin_ = text_.size();
  }
  return literal_left_ == 0;
}

CommandReader::Found CommandReader::read_line() {
  io::Inbox& input = stream_.input();
  while (!input.empty()) {
    if (discarding_) return discard_line();
    const std::string_view piece = input.front();
    const std::size_t end = piece.find('\n');
    const std::size_t here = end == std::string_view::npos ? piece.size() : end + 1;
    if (text_.size() + here > limits::imap_command_octets_max) {
      // Its begin stays: the tag is in it.
      text_.append(piece.substr(0, limits::imap_command_octets_max - text_.size()));
      discarding_ = true;
      discarded_ = 0;
      tail_.clear();
      continue;
    }
    text_.append(piece.substr(0, here));
    input.consume(here);
    if (end != std::string_view::npos) return Found::whole;
  }
  return Found::incomplete;
}

CommandReader::Found CommandReader::discard_line() {
  io::Inbox& input = stream_.input();
  while (!input.empty()) {
    const std::string_view piece = input.front();
    const std::size_t end = piece.find('\n');
    const std::size_t here = end == std::string_view::npos ? piece.size() : end + 1;
    discarded_ += here;
    tail_.append(piece.substr(0, here).substr(here - std::min(here, tail_octets)));
    tail_.erase(0, tail_.size() - std::min(tail_.size(), tail_octets));
    input.consume(here);
    // What a literal of that line would hold must not be taken for commands.
    if (end != std::string_view::npos)
      return tail_ == "+}\r\n" ? Found::refused_running : Found::too_long;
    if (discarded_ > limits::imap_unterminated_octets_max) return Found::endless;
  }
  return Found::incomplete;
}

CommandReader::Found CommandReader::next_line() { return read_line(); }

void CommandReader::done() {
  // It may have held a password.
  std::ranges::fill(text_, '\0');
  text_.clear();
  if (text_.capacity() > octets_kept) text_ = std::string();
  line_begin_ = 0;
  literals_ = 0;
  literal_left_ = 0;
  discarding_ = false;
}

}  // namespace kurir::imap

#include "kurir/queue/queue_id.hh"

namespace kurir::queue {
namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t text_octets = 13;

}  // namespace

std::string text_of(QueueId id) {
  std::string text(text_octets, '0');
  std::uint64_t rest = id.value;
  for (std::size_t place = text_octets; place-- > 0; rest >>= 5) text[place] = digits[rest & 31];
  return text;
}

std::optional<QueueId> parse_queue_id(std::string_view text) {
  if (text.size() != text_octets) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t place = 0; place < text_octets; ++place) {
    char letter = text[place];
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    const std::size_t digit = digits.find(letter);
    if (digit == std::string_view::npos || (place == 0 && digit > 15)) return std::nullopt;
    value = (value << 5) | digit;
  }
  return QueueId(value);
}

}  // namespace kurir::queue

#include "kurir/server/block_list.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "kurir/directory/address.hh"

namespace kurir::server {
namespace {

constexpr int weight_max = 100;

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Cuts what lies before the mark off; all of it where there is no mark.
std::string_view cut(std::string_view& text, std::string_view mark) {
  const auto at = std::min(text.find(mark), text.size());
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(std::min(at + mark.size(), text.size()));
  return before;
}

}  // namespace

// list = zone ["=" pattern] ["*" weight]; pattern = four of octets; octets = number / range /
// "[" (number / range) *(";" (number / range)) "]"; range = number ".." number
std::optional<BlockList> BlockList::parse(std::string_view text) {
  BlockList list;
  const auto star = text.rfind('*');
  if (star != text.npos) {
    const auto weight = number<int>(text.substr(star + 1));
    if (!weight || *weight == 0 || std::abs(*weight) > weight_max) return std::nullopt;
    list.weight_ = *weight;
    text = text.substr(0, star);
  }
  const bool has_pattern = text.contains('=');
  list.zone_ = cut(text, "=");
  if (!directory::is_domain(list.zone_) || list.zone_.size() > 180) return std::nullopt;
  if (has_pattern) {
    if (!list.parse_pattern(text)) return std::nullopt;
    return list;
  }
  // 127.0.0.1 is no listing of any list (RFC 5782 5).
  list.pattern_[0].add(127, 127);
  for (const int place : {1, 2}) list.pattern_[place].add(0, 255);
  list.pattern_[3].add(2, 255);
  return list;
}

std::optional<BlockList::Octets> BlockList::parse_octets(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  Octets octets;
  do {
    std::string_view last = cut(text, ";");
    const std::string_view first = cut(last, "..");
    const auto from = number<unsigned>(first);
    const auto to = last.empty() ? from : number<unsigned>(last);
    if (!from || !to || *from > *to || *to > 255) return std::nullopt;
    octets.add(*from, *to);
  } while (!text.empty());
  return octets;
}

bool BlockList::parse_pattern(std::string_view text) {
  for (std::size_t place = 0; place < pattern_.size(); ++place) {
    // A dot ends a place where it is not one of a range's two, nor within brackets.
    std::size_t end = text.starts_with('[') ? text.find(']') : 0;
    if (end == text.npos) return false;
    const auto is_range = [&](std::size_t at) { return text.substr(at, 2) == ".."; };
    end = text.find('.', end);
    while (end != text.npos && is_range(end)) end = text.find('.', end + 2);
    const auto octets = parse_octets(text.substr(0, end));
    const bool is_last = place + 1 == pattern_.size();
    if (!octets || (end == text.npos) != is_last) return false;
    pattern_[place] = *octets;
    if (!is_last) text.remove_prefix(end + 1);
  }
  return true;
}

std::string BlockList::question(const io::SocketAddress& peer) const {
  const auto& o = peer.octets();
  if (peer.family() == io::Family::ipv4)
    return fmt::format("{}.{}.{}.{}.{}", o[3], o[2], o[1], o[0], zone_);
  std::string name;
  for (auto octet = o.rbegin(); octet != o.rend(); ++octet)
    name += fmt::format("{:x}.{:x}.", *octet & 15, *octet >> 4);
  return name + zone_;
}

bool BlockList::lists(const std::vector<io::SocketAddress>& answers) const {
  return std::ranges::any_of(answers, [&](const io::SocketAddress& answer) {
    const auto& o = answer.octets();
    const bool is_error = o[1] == 255 && o[2] == 255;
    if (answer.family() != io::Family::ipv4 || o[0] != 127 || is_error) return false;
    for (std::size_t place = 0; place < pattern_.size(); ++place)
      if (!pattern_[place].has(o[place])) return false;
    return true;
  });
}

}  // namespace kurir::server

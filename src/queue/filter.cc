#include "kurir/queue/filter.hh"

#include <algorithm>
#include <array>

#include "kurir/queue/deliverer.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/queue/tally.hh"

namespace kurir::queue {
namespace {

constexpr std::string_view null_sender = "<>";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// '-' and '_' stand for the space of "in flight": a shell needs no quotes then.
std::optional<MessageState> parse_state(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '-' || c == '_'; }, ' ');
  for (const MessageState state : message_states)
    if (same_letters(text, name_of(state))) return state;
  return std::nullopt;
}

std::string_view without_brackets(std::string_view address) {
  const bool has_them = address.size() > 2 && address.starts_with('<') && address.ends_with('>');
  return has_them ? address.substr(1, address.size() - 2) : address;
}

}  // namespace

// The last '*' takes one octet more each time that what follows it does not fit: linear in
// practice, the product of the lengths at worst, both of which are bounded by the request.
bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && lower(pattern[p]) == lower(text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::expected<Filter, std::string> Filter::parse(const FilterText& text) {
  Filter filter;
  filter.domain_ = text.domain;
  filter.site_ = text.site;
  filter.sender_ = text.sender == null_sender ? text.sender : without_brackets(text.sender);
  filter.recipient_ = without_brackets(text.recipient);
  filter.older_than_ = text.older_than;
  filter.everything_ = text.everything;
  if (!text.state.empty()) {
    filter.state_ = parse_state(text.state);
    if (!filter.state_)
      return std::unexpected("'" + text.state +
                             "' is no state: scheduled, ready, in-flight and held are");
  }
  for (const std::string& id : text.ids) {
    const std::optional<QueueId> parsed = parse_queue_id(id);
    if (!parsed) return std::unexpected("'" + id + "' is no queue id: kurir queue list shows them");
    filter.ids_.push_back(*parsed);
  }
  std::ranges::sort(filter.ids_);
  filter.ids_.erase(std::ranges::unique(filter.ids_).begin(), filter.ids_.end());
  if (filter.everything_ && !filter.is_empty())
    return std::unexpected("either everything is meant, or what the conditions say");
  return filter;
}

bool Filter::is_empty() const {
  return domain_.empty() && site_.empty() && sender_.empty() && recipient_.empty() && !state_ &&
         !older_than_ && ids_.empty();
}

bool Filter::matches_message(const Message& message, WallTime now) const {
  if (!ids_.empty() && !std::ranges::binary_search(ids_, message.id)) return false;
  if (older_than_) {
    const std::int64_t age = now.microseconds - message.envelope.received.microseconds;
    if (age <= std::chrono::duration_cast<std::chrono::microseconds>(*older_than_).count())
      return false;
  }
  if (sender_.empty()) return true;
  const std::string_view sender = message.envelope.reverse_path;
  return sender_ == null_sender ? sender.empty() : matches_pattern(sender_, sender);
}

bool Filter::matches_recipient(const Message& message, const Recipient& recipient) const {
  if (!recipient.is_open()) return false;
  if (state_ && state_of(message, recipient) != *state_) return false;
  if (!domain_.empty() && !matches_pattern(domain_, domain_of(recipient.address))) return false;
  if (!site_.empty() && !matches_pattern(site_, site_of(message, recipient))) return false;
  return recipient_.empty() || matches_pattern(recipient_, recipient.address) ||
         (!recipient.original.empty() && matches_pattern(recipient_, recipient.original));
}

bool Filter::matches(const Message& message, const Recipient& recipient, WallTime now) const {
  return matches_message(message, now) && matches_recipient(message, recipient);
}

bool Filter::matches(const Message& message, WallTime now) const {
  return matches_message(message, now) &&
         std::ranges::any_of(message.envelope.recipients, [&](const Recipient& recipient) {
           return matches_recipient(message, recipient);
         });
}

}  // namespace kurir::queue

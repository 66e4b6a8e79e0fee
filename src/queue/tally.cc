#include "kurir/queue/tally.hh"

#include <algorithm>
#include <numeric>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"

namespace kurir::queue {
namespace {
constexpr std::int64_t microseconds_a_minute = 60'000'000;
constexpr std::int64_t seconds_a_minute = 60;
}  // namespace

std::string_view domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

std::string_view site_of(const Recipient& recipient) {
  return recipient.counted_in == nullptr ? std::string_view() : recipient.counted_in->site;
}

// --- MinuteCounts

std::uint32_t MinuteCounts::number_of(WallTime when) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(when.microseconds, 0) /
                                    microseconds_a_minute);
}

std::vector<MinuteCounts::Minute>::iterator MinuteCounts::find(std::uint32_t number) {
  if (!minutes_.empty() && minutes_.back().number < number) return minutes_.end();
  return std::ranges::lower_bound(minutes_, number, {}, &Minute::number);
}

void MinuteCounts::add(WallTime when) {
  const std::uint32_t number = number_of(when);
  const auto place = find(number);
  if (place != minutes_.end() && place->number == number) {
    ++place->count;
  } else {
    minutes_.insert(place, {number, 1});
  }
}

void MinuteCounts::remove(WallTime when) {
  const auto place = find(number_of(when));
  KURIR_ASSERT(place != minutes_.end() && place->number == number_of(when));
  if (--place->count == 0) minutes_.erase(place);
}

std::optional<std::int64_t> MinuteCounts::oldest_seconds() const {
  if (minutes_.empty()) return std::nullopt;
  return minutes_.front().number * seconds_a_minute;
}

// --- Tally

std::uint32_t DomainCount::total() const {
  return std::accumulate(by_state.begin(), by_state.end(), std::uint32_t{0});
}

DomainCount& Tally::domain_for(const Recipient& recipient) {
  const std::string_view name = domain_of(recipient.address);
  if (newest_ != nullptr && newest_->name == name) return *newest_;
  auto place = domains_.find(name);
  if (place == domains_.end()) {
    place = domains_.try_emplace(std::string(name)).first;
    place->second.name = place->first;
    if (recipient.is_local) place->second.site = site_of_local;
  }
  newest_ = &place->second;
  return place->second;
}

// Few are kept: the next message for the domain finds them, and the site.
void Tally::forget_if_empty(DomainCount& domain) {
  if (domain.total() > 0 || domains_.size() <= limits::queue_domains_kept) return;
  if (newest_ == &domain) newest_ = nullptr;
  domains_.erase(domains_.find(domain.name));
}

void Tally::update(const Message& message, Recipient& recipient) {
  const bool counts = message.is_durable && recipient.is_open();
  DomainCount* const before = recipient.counted_in;
  if (counts && before == nullptr) {
    DomainCount& domain = domain_for(recipient);
    recipient.counted_in = &domain;
    recipient.counted_as = state_of(message, recipient);
    ++domain.by_state[static_cast<std::size_t>(recipient.counted_as)];
    domain.arrivals.add(message.envelope.received);
  } else if (counts) {
    const MessageState now = state_of(message, recipient);
    --before->by_state[static_cast<std::size_t>(recipient.counted_as)];
    ++before->by_state[static_cast<std::size_t>(now)];
    recipient.counted_as = now;
  } else if (before != nullptr) {
    recipient.counted_in = nullptr;
    --before->by_state[static_cast<std::size_t>(recipient.counted_as)];
    before->arrivals.remove(message.envelope.received);
    forget_if_empty(*before);
  }
}

void Tally::add(const Message& message) {
  ++messages_;
  octets_ += message.content_octets;
}

void Tally::remove(const Message& message) {
  KURIR_ASSERT(messages_ > 0 && octets_ >= message.content_octets);
  --messages_;
  octets_ -= message.content_octets;
}

void Tally::set_site(Recipient& recipient, std::string_view site) {
  if (recipient.counted_in != nullptr && !site.empty() && recipient.counted_in->site != site)
    recipient.counted_in->site = site;
}

}  // namespace kurir::queue

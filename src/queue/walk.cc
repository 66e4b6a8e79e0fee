#include "kurir/queue/walk.hh"

#include <algorithm>

#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"

namespace kurir::queue {
namespace {
constexpr unsigned looks_a_clock = 32;  // messages between two looks at the clock
}

Walk::Walk(const Queue& queue, const Filter& filter, QueueId from)
    : queue_(queue), filter_(filter), next_(from) {
  if (queue.messages_.empty()) done_ = true;
  if (!done_) last_ = queue.messages_.rbegin()->first;
  begin_slice();
}

void Walk::begin_slice() {
  now_ = io::wall_now();
  slice_end_ = io::now() + slice_max;
  looked_at_ = 0;
  has_place_ = false;
}

Message* Walk::next_message() {
  while (!done_) {
    if (++looked_at_ % looks_a_clock == 0 && io::now() >= slice_end_) return nullptr;
    Message* message = filter_.ids().empty() ? look_at_next() : look_at_next_id();
    if (message != nullptr && message->is_durable && filter_.matches(*message, now_))
      return message;
  }
  return nullptr;
}

void Walk::put_back(const Message& message) {
  next_ = message.id;
  has_place_ = false;
}

Message* Walk::look_at_next() {
  const Messages& messages = queue_.messages_;
  if (!has_place_ || changes_seen_ != queue_.changes_) place_ = messages.lower_bound(next_);
  has_place_ = true;
  changes_seen_ = queue_.changes_;
  if (place_ == messages.end() || place_->first > last_) {
    done_ = true;
    return nullptr;
  }
  Message* message = place_->second.get();
  next_ = QueueId(place_->first.value + 1);
  ++place_;
  return message;
}

Message* Walk::look_at_next_id() {
  const auto id = std::ranges::lower_bound(filter_.ids(), next_);
  if (id == filter_.ids().end()) {
    done_ = true;
    return nullptr;
  }
  next_ = QueueId(id->value + 1);
  const auto place = queue_.messages_.find(*id);
  return place == queue_.messages_.end() ? nullptr : place->second.get();
}

}  // namespace kurir::queue

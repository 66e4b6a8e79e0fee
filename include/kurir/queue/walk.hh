#pragma once
// Walk: over a queue's messages that a filter matches, in slices, so that a core never stands still
// for a million of them. Core-local during a slice; between slices the queue may change.
//
// Promised: a durable message that is in the queue from the walk's begin to its end, and matches
// whenever it may be looked at, is met exactly once; messages are met in the order of their ids,
// which is that of arrival at their shard. One that comes during the walk is not met when its id is
// newer than the newest at the begin; one that leaves, or changes, may or may not be met.

#include <cstddef>
#include <memory>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/queue/filter.hh"
#include "kurir/queue/message.hh"

namespace kurir::queue {

class Queue;

class Walk {
 public:
  static constexpr Nanoseconds slice_max = Milliseconds(1);

  // Begins at `from`, an id that need not exist. The filter outlives the walk.
  Walk(const Queue& queue, const Filter& filter, QueueId from = QueueId(0));

  void begin_slice();
  // The next that matches; null when the slice is over, or, as done() says, the walk.
  const Message* next() { return next_message(); }
  bool done() const { return done_; }
  QueueId position() const { return next_; }  // what has not been met lies here or behind

 private:
  friend class Queue;
  Message* next_message();
  void put_back(const Message& message);  // the last one met: it is met again
  Message* look_at_next();
  Message* look_at_next_id();

  const Queue& queue_;
  const Filter& filter_;
  QueueId next_, last_;
  WallTime now_;
  Instant slice_end_{};
  Messages::const_iterator place_{};  // of next_, as long as the queue has not changed
  std::size_t changes_seen_ = 0;
  bool has_place_ = false, done_ = false;
  unsigned looked_at_ = 0;
};

}  // namespace kurir::queue

#pragma once
// The queue of one shard: takes messages in durably, schedules their attempts, remembers each
// recipient's outcome, expires what is too old, and recovers all of it after a restart. Core-local.

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"
#include "kurir/observe/counters.hh"
#include "kurir/observe/event_log.hh"
#include "kurir/queue/administration.hh"
#include "kurir/queue/deliverer.hh"
#include "kurir/queue/journal_record.hh"
#include "kurir/queue/message.hh"
#include "kurir/queue/tally.hh"
#include "kurir/queue/walk.hh"
#include "kurir/store/checkpoint_writer.hh"
#include "kurir/store/log.hh"

namespace kurir::queue {

// How long a sender may have a message held before its first attempt (RFC 4865).
inline constexpr std::chrono::hours future_release_max{30 * 24};

struct QueueOptions {
  Nanoseconds max_age = std::chrono::hours(5 * 24);
  Nanoseconds retry_interval = std::chrono::minutes(20);
  Nanoseconds max_retry_interval = std::chrono::hours(24);
  Nanoseconds delay_warning{};            // a sender is told after so long, once; 0: never
  std::size_t messages_max = 10'000'000;  // a shard; more are refused with 452 4.3.1
  std::string hostname;                   // our name in what Kurir itself writes
};

// The streams of one shard, opened by the composition.
struct ShardLogs {
  store::Log* spool = nullptr;
  store::Log* mail = nullptr;
  store::Log* journal = nullptr;
};

// Where a checkpoint cuts a shard's streams of messages.
struct StreamPositions {
  store::LogPosition mail, spool;
};

// A message's content, CRLF line ends, no dot-stuffing: what went ahead as extents, then the rest
// in pieces.
struct Content {
  std::span<const store::RecordRef> extents;
  std::uint64_t extent_octets = 0;
  std::span<const std::string_view> pieces;
};

class Queue {
 public:
  // The logs are used from start() on: recovery reads them before.
  Queue(QueueOptions options, ShardIndex shard, std::uint32_t start, const ShardLogs& logs,
        observe::EventLog& events, observe::Counters& counters);
  ~Queue();

  // --- recovery, before start(): first every journal record of this shard, then every message
  // record.
  void recover_change(std::uint16_t type, std::string_view payload);
  void recover_message(const store::RecordRef& record, std::string_view payload);
  // The messages that the journal says were queued at its checkpoint, whose records lie before what
  // the streams show from these positions on: recover_message() wants them too. In the order of the
  // disk.
  struct QueuedRecord {
    QueueId id;
    store::RecordRef record;
  };
  std::vector<QueuedRecord> queued_before(const StreamPositions& positions) const;
  // The journal says that it ended, so that its content may be gone.
  bool has_ended(QueueId id) const;
  // --- where the number of shards changes (take_over.cc): after recovery, before start()
  // A mailbox's journal has it that the recipient's message was delivered: journals its end.
  void end_delivered(QueueId id, std::size_t ordinal);
  // Takes over a message of another shard, whose content was copied to these places; what came of
  // it so far is in the next checkpoint.
  void take_over(const Message& message, const store::RecordRef& record,
                 std::span<const store::RecordRef> extents);
  // Another shard has taken it over, or has it as well: the next checkpoint does without it.
  void give_away(QueueId id);
  bool has(QueueId id) const { return messages_.contains(id); }

  void add_deliverer(Deliverer& deliverer) { deliverers_.push_back(&deliverer); }
  void set_notifier(Notifier& notifier) { notifier_ = &notifier; }
  void start();
  // Waits until each message from before the restart was attempted once, where a recipient is
  // local: old deliveries need not be remembered then. False: the queue was stopped before.
  Task<bool> recovered_attempted();
  // Offers nothing any more, stops the deliverers, waits for what is being written.
  Task<void> stop();

  // --- intake
  // Whether a message of that many octets would be taken now: 452 4.3.1 otherwise, before 354.
  bool has_room(std::uint64_t octets) const;
  // Waits until it would. Errors: no_space (the disk, or messages_max), timed_out, cancelled,
  // too_large.
  Task<Result<void>> room(std::uint64_t octets, Deadline deadline);
  // Writes a piece of a large message's content ahead of its record; waits until it is durable, so
  // that what a sender has in flight is bounded.
  Task<Result<store::RecordRef>> write_extent(bool is_local, std::string_view content);
  // What write_extent() wrote for a message that came to nothing.
  void release_extents(bool is_local, std::span<const store::RecordRef> extents);
  QueueId make_id();
  // Appends the message; the pieces are copied before it returns. Not yet durable. On failure the
  // extents are the caller's to release.
  Result<Message*> append(QueueId id, Envelope envelope, Content content);
  // Waits until it is durable. After success it belongs to the schedule and 250 may be said
  // (style.md, Coroutines 7); after failure it is gone and 451 is due. Nothing but the id may be
  // used of the message afterwards.
  Task<Result<QueueId>> commit(Message* message);

  // --- from deliverers (deliverer.hh)
  // The job waits for that site now: for the tally, which says where mail is.
  void waits_for(const Job& job, std::string_view site);
  // The job is being attempted from now on: neither expiry nor an administrator touches it.
  void take_up(Job& job);
  // Records what came of a recipient of a job in flight. Journalled at once; on disk some
  // milliseconds later. A failure is journalled when the sender has been told.
  void settle(Message& message, std::size_t ordinal, const Outcome& outcome);
  // Ends the job, which is gone afterwards, and maybe its message. Recipients that were not settled
  // are offered again, at once.
  void finish(Job& job);

  // --- checkpoints (snapshot.cc)
  // Appends to the journal, which has begun a checkpoint, what is queued of the messages before
  // these positions; all of them are durable, or gone, when it returns.
  Task<Result<void>> write_snapshot(store::CheckpointWriter& writer,
                                    const StreamPositions& positions);
  // Waits until every outcome that was settled is on disk.
  Task<Result<void>> sync_outcomes();

  // Takes out of these segments of the mail stream those where content of a queued message lies;
  // none of them is written any more. Takes turns.
  Task<void> leave_unqueued(std::set<std::uint32_t>& segments) const;

  // --- looking and administrating
  std::size_t size() const { return messages_.size(); }
  const Message* find(QueueId id) const;
  // All at once: for tests and the start. Walk (walk.hh) stops for nobody.
  void for_each(const std::function<void(const Message&)>& visit) const;
  Instant expiry_of(const Message& message) const;
  // Kept with every change.
  const Tally& tally() const { return tally_; }
  // One slice of what an administrator wants done to what the walk meets; durable when it returns.
  // Errors: no_space, io_failed, timed_out: what is reported of earlier slices was done, of this
  // one some may be undone by a crash.
  Task<Result<Administered>> administrate(Walk& walk, const AdministratorCommand& command);
  const QueueOptions& options() const { return options_; }

 private:
  friend class Walk;
  struct Resolved {
    std::vector<RecipientEnded> ended;
    std::vector<std::pair<RecipientPutOff, std::string>> put_off;
    std::vector<std::pair<std::uint16_t, std::string>> to_bounce;  // with the reply
    std::vector<std::uint16_t> succeeded;
    bool sender_warned = false, is_held = false;
  };
  store::Log& log_for(bool is_local) { return is_local ? *logs_.mail : *logs_.spool; }
  Message& keep(std::unique_ptr<Message> message);
  void drop(Message& message);
  void forget(Message& message);
  void count(Message& message);
  void end_unreportable(Message& message);

  // schedule.cc
  void schedule(Message& message);
  void offer_due(Message& message);
  void offer_to(Deliverer& deliverer, Message& message);
  Job& add_job(Message& message, Deliverer& deliverer);
  Instant delay_warning_of(const Message& message) const;  // no_deadline: none, or none any more
  void arm(Message& message);
  void expire(Message& message);
  void withdraw_jobs(Message& message);
  void remove_job(Job& job);
  void no_longer_recovered(Message& message);
  Nanoseconds retry_delay(unsigned attempts) const;
  static void on_timer(Timer& timer);

  // outcome.cc
  void put_off(Message& message, std::size_t ordinal);
  void journal_ended(Message& message, std::size_t ordinal);
  void sync_soon(const store::RecordRef& last);
  Task<void> sync_journal();
  void journal_success(Message& message, std::size_t ordinal);
  void synced_with_next(const Recipient& recipient, const store::RecordRef& written);
  bool has_sender_to_tell(const Message& message) const;
  bool is_told_of_failure(const Message& message, const Recipient& recipient) const;
  bool is_told_of_success(const Message& message, const Recipient& recipient,
                          const Outcome& outcome) const;
  void report_to_sender(Message& message, Notifier::Kind kind);
  void report_awaited();
  Task<void> tell_sender(Message& message, Notifier::Kind kind);
  void told_of_ends(Message& message, const std::vector<std::uint16_t>& ordinals);
  void told_of_delay(Message& message);

  // administration.cc
  Administered administrate_one(Message& message, const Filter& filter,
                                const AdministratorCommand& command);
  void journal_order(const Message& message, AdministratorOrder order, std::uint16_t ordinal,
                     std::string_view reply);
  void retry(Message& message, const std::vector<std::uint16_t>& ordinals);
  void set_held(Message& message, bool held);
  void take_out(Message& message, const std::vector<std::uint16_t>& ordinals,
                const AdministratorCommand& command);
  void remove_recipient(Message& message, std::size_t ordinal, std::string_view reply);

  // snapshot.cc
  Task<Result<void>> write_queued(store::CheckpointWriter& writer, QueueId id);

  // intake.cc
  void share_texts(Envelope& envelope);
  Answer make_answer(std::string_view reply, const Hop* hop = nullptr);
  void recover_order(const AdministratorOrdered& record);
  void apply_recovered_changes(Message& message);
  void restore_times(Message& message);
  static void hold_until_release(Message& message);
  void retain_content(Message& message);
  std::uint32_t journal_failures() const {
    return static_cast<std::uint32_t>(logs_.journal->statistics().failures);
  }
  void release_when_ended(const Message& message);
  Task<void> release_ended();

  // report.cc
  void report_reception(const Message& message);
  void report(const Message& message, const Recipient& recipient, const Outcome& outcome);
  observe::Event event_of(const Message& message, const Recipient& recipient,
                          std::string_view id) const;
  void report_delay(const Message& message, const Recipient& recipient);

  QueueOptions options_;
  ShardIndex shard_;
  std::uint32_t start_, count_ = 0;
  const ShardLogs& logs_;
  observe::EventLog& events_;
  observe::Counters& counters_;
  std::vector<Deliverer*> deliverers_;
  Messages messages_;
  std::size_t changes_ = 0;  // to messages_, ever: its iterators hold until the next
  Tally tally_;
  TextCache texts_;
  std::unordered_map<QueueId, Resolved> recovered_changes_;
  std::unordered_map<QueueId, store::RecordRef> recovered_queued_;
  std::vector<RecipientEnded> unjournalled_;  // the journal had no room
  // Content in the spool whose message has ended, until the journal says so on the disk.
  struct EndedContent {
    store::RecordRef ended;  // the last record of the message's end
    std::uint32_t journal_failures = 0;
    std::vector<store::RecordRef> records;
  };
  std::deque<EndedContent> ended_contents_;
  bool is_releasing_ = false;
  Notifier* notifier_ = nullptr;
  std::size_t recovered_waiting_ = 0;
  Signal recovered_done_;
  std::size_t reports_running_ = 0;
  std::deque<QueueId> reports_awaited_;  // more would be written at once than may be
  store::RecordRef journal_end_;         // the newest outcome that is to be on disk soon
  store::RecordRef journal_last_;        // the newest end or order that was appended
  bool journal_syncing_ = false;
  bool stopping_ = false;
  Scope scope_;
};

}  // namespace kurir::queue

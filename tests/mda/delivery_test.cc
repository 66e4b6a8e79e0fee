#include "kurir/mda/delivery.hh"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "kurir/io/clock.hh"
#include "support/bobs_directory.hh"
#include "support/mail_house.hh"
#include "support/on_cores.hh"
#include "support/temporary_directory.hh"

namespace kurir::mda {
namespace {

using kurir::test::bob;

// A queue, mailboxes and what delivers from one to the other, of one run of a server.
class House {
 public:
  struct Options {
    std::uint64_t quota_octets = 0;
    bool without_bob = false, without_delivery = false;
    DeliveryOptions delivery;
  };
  House(std::string path, Options options_of) : mail(std::move(path)), options(options_of) {}

  Task<void> open() {
    std::vector<std::pair<std::uint16_t, std::string>> changes;
    std::vector<std::pair<store::RecordRef, std::string>> messages;
    co_await mail.open([&](const store::RecordView& record) {
      if (record.ref.stream == store::StreamKind::journal)
        changes.emplace_back(record.type, record.payload);
      else
        messages.emplace_back(record.ref, record.payload);
    });
    kurir::test::Shard& shard = mail.shard();
    logs = {&shard.spool(), &shard.mail(), &shard.journal()};
    queue.emplace(queue::QueueOptions(), ShardIndex(0), shard.start(), logs, events, counters);
    for (const auto& [type, payload] : changes) queue->recover_change(type, payload);
    for (const auto& [ref, payload] : messages) queue->recover_message(ref, payload);
    directory.emplace(kurir::test::bobs_directory({.quota_octets = options.quota_octets,
                                                   .without_bob = options.without_bob}),
                      directory::RecentLogins::Key{});
    delivery.emplace(options.delivery, *queue, *directory, mail.mailboxes(), counters);
    if (!options.without_delivery) queue->add_deliverer(*delivery);
    queue->start();
  }
  Task<void> stop() {
    co_await queue->stop();
    queue.reset();
    co_await mail.stop();
    co_await events.stop();
  }

  Task<QueueId> add(std::vector<std::string> recipients) {
    queue::Envelope envelope;
    envelope.reverse_path = "sender@example.org";
    envelope.received = io::wall_now();
    for (std::string& address : recipients) {
      queue::Recipient& recipient = envelope.recipients.emplace_back();
      recipient.address = std::move(address);
      recipient.is_local = true;
    }
    const std::string_view pieces[] = {"Subject: x\r\n\r\ntext\r\n"};
    const auto message = queue->append(queue->make_id(), std::move(envelope), {{}, 0, pieces});
    KURIR_ASSERT(message.has_value());
    const Result<QueueId> id = co_await queue->commit(*message);
    EXPECT_TRUE(id.has_value());
    co_return *id;
  }
  // Until nothing of it is in flight and something was tried.
  Task<void> attempted(QueueId id) {
    const Deadline deadline = deadline_in(Seconds(10));
    const auto is_tried = [&] {
      const queue::Message* message = queue->find(id);
      return message == nullptr ||
             (!message->is_in_flight() && message->envelope.recipients[0].attempts > 0);
    };
    while (!is_tried() && Executor::current().now() < deadline) co_await yield_turn();
    EXPECT_TRUE(is_tried());
  }
  std::string reply(QueueId id) const {
    const queue::Message* message = queue->find(id);
    return message == nullptr ? "" : std::string(message->envelope.recipients[0].last_reply);
  }
  Task<std::uint32_t> messages_in(std::string folder) {
    const Result<Shared<mailbox::Account>> account = co_await mail.mailboxes().open(bob);
    const mailbox::Folder* found = (*account)->tree().find(folder);
    co_return found == nullptr || !found->mailbox ? 0 : found->mailbox->snapshot().messages();
  }

  kurir::test::MailHouse mail;
  Options options;
  observe::EventSink sink{"none"};
  observe::Counters counters;
  observe::EventLog events{sink, &counters};
  queue::ShardLogs logs;
  std::optional<queue::Queue> queue;
  std::optional<directory::Directory> directory;
  std::optional<Delivery> delivery;
};

using Body = std::function<Task<void>(House&)>;

Task<void> live(std::string path, House::Options options, Body body) {
  House house(std::move(path), options);
  co_await house.open();
  co_await body(house);
  co_await house.stop();
}
void in_house(House::Options options, Body body) {
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  kurir::test::on_cores(1, [&](CoreIndex) { return live(path, options, body); });
}

Task<void> to_folders(House& house) {
  const QueueId inbox = co_await house.add({"bob@example.test"});
  const QueueId folder = co_await house.add({"bob+work@example.test"});
  const QueueId both = co_await house.add({"bob@example.test", "bob+work@example.test"});
  for (const QueueId id : {inbox, folder, both}) co_await house.attempted(id);
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 2U);
  EXPECT_EQ(co_await house.messages_in("work"), 2U);
  EXPECT_EQ(house.counters.get(observe::Counter::messages_delivered), 4);
}
TEST(Delivery, puts_mail_where_the_address_says) { in_house({}, to_folders); }

Task<void> to_no_folder(House& house) {
  co_await house.attempted(co_await house.add({"bob+work@example.test"}));
  EXPECT_EQ(co_await house.messages_in("work"), 0U);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 1U);
}
TEST(Delivery, uses_the_inbox_where_folders_are_not_made) {
  in_house({.delivery = {.make_folders = false}}, to_no_folder);
}

Task<void> over_quota(House& house) {
  const QueueId first = co_await house.add({"bob@example.test"});
  co_await house.attempted(first);
  const QueueId second = co_await house.add({"bob@example.test"});
  co_await house.attempted(second);
  EXPECT_EQ(house.queue->find(first), nullptr);
  EXPECT_EQ(house.reply(second), "452 4.2.2 Mailbox is full");
  EXPECT_EQ(co_await house.messages_in("INBOX"), 1U);
}
TEST(Delivery, puts_off_what_a_full_mailbox_cannot_take) {
  in_house({.quota_octets = 120}, over_quota);
}

Task<void> to_nobody(House& house) {
  const QueueId id = co_await house.add({"bob@example.test"});
  co_await house.attempted(id);
  EXPECT_EQ(house.queue->find(id), nullptr) << "there is no notifier: it has ended";
  EXPECT_EQ(house.counters.get(observe::Counter::messages_delivered), 0);
}
TEST(Delivery, refuses_for_a_user_who_is_gone) { in_house({.without_bob = true}, to_nobody); }

Task<void> many_at_once(House& house) {
  std::vector<QueueId> ids;
  for (int n = 0; n < 20; ++n) ids.push_back(co_await house.add({"bob@example.test"}));
  for (const QueueId id : ids) co_await house.attempted(id);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 20U);
}
TEST(Delivery, takes_turns_where_few_may_run) {
  in_house({.delivery = {.jobs_running_max = 1}}, many_at_once);
}

// --- a crash between the mailbox's commit and the queue's

Task<void> deliver_behind_the_queue(House& house) {
  const QueueId id = co_await house.add({"bob@example.test", "bob+work@example.test"});
  mailbox::Arrival arrival;
  arrival.content = house.queue->find(id)->record;
  arrival.origin = id;
  arrival.ordinal = 0;
  arrival.size = 100;
  const auto done = co_await house.mail.mailboxes().deliver(bob, "", true, 0, arrival);
  EXPECT_TRUE(done && !done->was_delivered);
  EXPECT_EQ(house.queue->size(), 1U) << "the queue never heard of it";
}
Task<void> find_it_delivered(House& house) {
  EXPECT_EQ(house.queue->size(), 1U);
  const bool attempted = co_await house.queue->recovered_attempted();
  EXPECT_TRUE(attempted);
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 1U) << "once, not twice";
  EXPECT_EQ(co_await house.messages_in("work"), 1U) << "the other recipient's, once too";
}
TEST(Delivery, does_not_repeat_what_the_mailbox_has) {
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  const House::Options without{.without_delivery = true};
  kurir::test::on_cores(1,
                        [&](CoreIndex) { return live(path, without, deliver_behind_the_queue); });
  kurir::test::on_cores(1, [&](CoreIndex) { return live(path, {}, find_it_delivered); });
}

Task<void> wait_for_all(House& house) {
  std::set<std::uint64_t> ids;
  for (int n = 0; n < 5; ++n) ids.insert((co_await house.add({"bob@example.test"})).value);
  co_await house.delivery->settled_so_far();
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 5U);
}
TEST(Delivery, settled_so_far_waits_for_what_runs) { in_house({}, wait_for_all); }

}  // namespace
}  // namespace kurir::mda

#pragma once
// A queue, mailboxes and what delivers from one to the other, of one run of a server. Core-local.

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kurir/io/clock.hh"
#include "kurir/mda/delivery.hh"
#include "support/bobs_directory.hh"
#include "support/mail_house.hh"
#include "support/on_cores.hh"
#include "support/temporary_directory.hh"

namespace kurir::mda::test {

using kurir::test::bob;

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
    return message == nullptr ? ""
                              : std::string(message->envelope.recipients[0].last_answer.reply());
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

inline Task<void> live(std::string path, House::Options options, Body body) {
  House house(std::move(path), options);
  co_await house.open();
  co_await body(house);
  co_await house.stop();
}
inline void in_house(House::Options options, Body body) {
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  kurir::test::on_cores(1, [&](CoreIndex) { return live(path, options, body); });
}

}  // namespace kurir::mda::test

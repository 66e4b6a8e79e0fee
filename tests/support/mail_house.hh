#pragma once
// The mailboxes of one shard, on top of its logs, as a core of the server has them. Core-local.

#include <memory>
#include <vector>

#include "kurir/io/core.hh"
#include "kurir/mailbox/account.hh"
#include "kurir/mailbox/content_writer.hh"
#include "kurir/mailbox/folder_name.hh"
#include "kurir/mailbox/mailboxes.hh"
#include "support/shard.hh"

namespace kurir::test {

class MailHouse {
 public:
  explicit MailHouse(std::string path) : shard_(std::move(path)) {}

  // `seen` is told the records that are not the mailboxes'.
  Task<void> open(Shard::Seen seen = {}) {
    install_turn_hooks();
    const Shard::Seen mine = [&](const store::RecordView& record) {
      if (record.type == mailbox::record_changes || record.type == mailbox::record_snapshot) {
        EXPECT_TRUE(owner_.recover(record.type, record.payload).has_value());
      } else if (seen) {
        seen(record);
      }
    };
    co_await shard_.open(mine);
    owner_.start(shard_.journal());
    mailboxes_ = std::make_unique<mailbox::Mailboxes>(std::vector<mailbox::Owner*>{&owner_},
                                                      shard_.mail(), shard_.reader());
    everywhere_.push_back(mailboxes_.get());
  }
  Task<void> stop() {
    co_await owner_.stop();
    co_await broadcast_.stop();
    co_await shard_.stop();
    mailboxes_.reset();
    quiescence_.offline(CoreIndex(0));
    io::Core::current().set_turn_hooks({});
  }

  Shard& shard() { return shard_; }
  mailbox::Owner& owner() { return owner_; }
  mailbox::Mailboxes& mailboxes() { return *mailboxes_; }

  // The account's INBOX as it is now.
  Task<Shared<mailbox::Mailbox>> inbox(AccountId account) {
    Result<Shared<mailbox::Account>> opened = co_await mailboxes_->open(account);
    KURIR_ASSERT(opened.has_value());
    co_return (*opened)->tree().find(mailbox::inbox_name)->mailbox;
  }
  // A message with this content, durable and in no mailbox yet.
  Task<mailbox::Arrival> store_message(std::string content) {
    mailbox::ContentPins pins(shard_.mail());
    mailbox::ContentWriter writer(pins);
    const Result<void> written = co_await writer.write(content);
    EXPECT_TRUE(written.has_value());
    Result<store::RecordRef> record = co_await writer.finish(WallTime{}, "");
    EXPECT_TRUE(record.has_value());
    mailbox::Arrival arrival;
    arrival.internal_date = 1'700'000'000;
    arrival.content = *record;
    arrival.size = static_cast<std::uint32_t>(content.size());
    co_return arrival;
  }

 private:
  void install_turn_hooks() {
    quiescence_.online(CoreIndex(0));
    io::Core::current().set_turn_hooks(
        {.quiescent =
             [this] {
               quiescence_.quiescent(CoreIndex(0));
               owner_.reclaim();
             },
         .before_sleep = [this] { quiescence_.offline(CoreIndex(0)); },
         .after_sleep = [this] { quiescence_.online(CoreIndex(0)); }});
  }

  Shard shard_;
  QuiescenceDomain quiescence_{1};
  std::vector<mailbox::Mailboxes*> everywhere_;
  mailbox::ChangeBroadcast broadcast_{everywhere_};
  mailbox::Owner owner_{quiescence_, [this](mailbox::MailboxKey key) { broadcast_.changed(key); }};
  std::unique_ptr<mailbox::Mailboxes> mailboxes_;
};

}  // namespace kurir::test

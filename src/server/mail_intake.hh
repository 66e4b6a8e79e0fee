#pragma once
// MailIntake: a guest's mail into mailboxes, past the queue: its record says who it is for, so that
// a start after a crash in between delivers it as the queue does. Core-local. Private to server/.

#include <string>
#include <vector>

#include "kurir/coro/event.hh"
#include "kurir/directory/directory.hh"
#include "kurir/mailbox/mailboxes.hh"
#include "kurir/queue/queue.hh"
#include "kurir/server/guest.hh"
#include "shared_state.hh"

namespace kurir::server {

class MailIntake final : public Intake {
 public:
  MailIntake(SharedState& shared, directory::Directory& directory, mailbox::Mailboxes& mailboxes,
             queue::Queue& queue);
  bool takes(std::string_view address) const override;
  Task<Result<void>> take(const GuestMail& mail) override;

 private:
  struct Stored {
    store::RecordRef record;
    QueueId id;
    std::int64_t seconds;
  };
  Task<bool> make_users(const GuestMail& mail);
  bool are_users(const GuestMail& mail) const;
  Task<bool> make_wanted();
  Task<void> deliver(const GuestMail& mail, std::size_t ordinal, const Stored& stored,
                     Result<void>& outcome);

  SharedState& shared_;
  directory::Directory& directory_;
  mailbox::Mailboxes& mailboxes_;
  queue::Queue& queue_;
  const std::string password_hash_;
  std::vector<std::string> wanted_;  // users, while others are being made
  bool making_ = false;
  Signal made_;
};

}  // namespace kurir::server

#pragma once
// Description: an account as changes that make it anew, for a checkpoint. Pieces are made one at a
// time, so that a large account needs little memory and its core gets its turns.
//
// Applied in order to Accounts without the account they give the same state; to Accounts that have
// this very state they change nothing. Owner core; while one lives the account must not change.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kurir/mailbox/account.hh"
#include "kurir/mailbox/change.hh"

namespace kurir::mailbox {

class Description {
 public:
  // A piece has about so many octets, and at least one change.
  Description(const Account& account, std::size_t piece_octets)
      : account_(Shared<const Account>::share(account)), piece_octets_(piece_octets) {}

  // The next journal record's payload; nullopt: that was all.
  std::optional<std::string> next();

 private:
  enum class Part : std::uint8_t { folders, subscriptions, mailboxes, done };
  // Each adds one change, or goes on to the next part.
  void add_folders();
  void add_subscription();
  void add_of_mailbox();
  void add_messages(const Mailbox& mailbox);
  void next_part(Part part);

  Shared<const Account> account_;
  std::size_t piece_octets_;
  std::string piece_;
  Part part_ = Part::folders;
  std::size_t position_ = 0;         // of the part's folder or subscription
  std::size_t keywords_told_ = 0;    // of the mailbox at position_
  std::uint32_t messages_told_ = 0;  // of the same
};

// All pieces at once.
std::vector<std::string> describe(const Account& account);

}  // namespace kurir::mailbox

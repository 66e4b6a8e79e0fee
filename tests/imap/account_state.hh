#pragma once
// What an account keeps that its user can see, as text.

#include <string>

#include "fixture.hh"

namespace kurir::imap::test {

inline Task<std::string> state_of(House& house) {
  const auto account = co_await house.mailboxes().open(house.bobs_account());
  KURIR_ASSERT(account.has_value());
  std::string state;
  for (const mailbox::Folder& folder : (*account)->tree().folders) {
    state += folder.name + ":";
    if (!folder.mailbox) continue;
    const mailbox::Mailbox& mailbox = *folder.mailbox;
    for (const std::uint64_t number :
         {std::uint64_t{mailbox.messages()}, std::uint64_t{mailbox.unseen()},
          std::uint64_t{mailbox.deleted()}, mailbox.octets(),
          std::uint64_t{mailbox.uid_next().value}, mailbox.highest_modseq().value})
      state += ' ' + std::to_string(number);
    state += '\n';
  }
  co_return state;
}

}  // namespace kurir::imap::test

#pragma once
// Which mailbox of which account: ids of mailboxes are unique within their account only. A plain
// value.

#include <cstddef>
#include <functional>

#include "kurir/base/ids.hh"

namespace kurir::mailbox {

struct MailboxKey {
  AccountId account;
  MailboxId mailbox;
  friend bool operator==(const MailboxKey&, const MailboxKey&) = default;
};

}  // namespace kurir::mailbox

template <>
struct std::hash<kurir::mailbox::MailboxKey> {
  std::size_t operator()(const kurir::mailbox::MailboxKey& key) const noexcept {
    return std::hash<std::uint64_t>{}(key.account.value * 0x9E3779B97F4A7C15ULL ^
                                      key.mailbox.value);
  }
};

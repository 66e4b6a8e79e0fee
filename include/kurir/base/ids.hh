#pragma once
// Strong types for numbers that must never be mixed up. Any core: plain values.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace kurir {

template <class Tag, class T>
struct Id {
  T value{};

  constexpr Id() = default;
  constexpr explicit Id(T number) : value(number) {}
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

using CoreIndex = Id<struct CoreIndexTag, std::uint16_t>;    // a pinned thread, 0-based
using ShardIndex = Id<struct ShardIndexTag, std::uint16_t>;  // a folder of segments, 0-based
using QueueId = Id<struct QueueIdTag, std::uint64_t>;        // one accepted message; never reused
using AccountId = Id<struct AccountIdTag, std::uint64_t>;    // the owner of mailboxes; never reused
using MailboxId = Id<struct MailboxIdTag, std::uint64_t>;    // one mailbox, unchanged by a rename
using Uid = Id<struct UidTag, std::uint32_t>;                // RFC 9051 2.3.1.1
using UidValidity = Id<struct UidValidityTag, std::uint32_t>;
using ModSeq = Id<struct ModSeqTag, std::uint64_t>;  // RFC 7162 3.1: 63 bits

}  // namespace kurir

template <class Tag, class T>
struct std::hash<kurir::Id<Tag, T>> {
  std::size_t operator()(const kurir::Id<Tag, T>& id) const noexcept {
    return std::hash<T>{}(id.value);
  }
};

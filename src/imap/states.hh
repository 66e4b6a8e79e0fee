#pragma once
// Which state each command needs (RFC 9051 3): a row per command. Private to imap/.

#include <cstdint>

#include "kurir/wire/imap_command.hh"

namespace kurir::imap {

enum class State : std::uint8_t { any, not_authenticated, authenticated, selected };

constexpr State state_of(const wire::ImapCapability&) { return State::any; }
constexpr State state_of(const wire::ImapNoop&) { return State::any; }
constexpr State state_of(const wire::ImapLogout&) { return State::any; }
constexpr State state_of(const wire::ImapId&) { return State::any; }
constexpr State state_of(const wire::ImapDone&) { return State::any; }
constexpr State state_of(const wire::ImapStartTls&) { return State::not_authenticated; }
constexpr State state_of(const wire::ImapLogin&) { return State::not_authenticated; }
constexpr State state_of(const wire::ImapAuthenticate&) { return State::not_authenticated; }
constexpr State state_of(const wire::ImapCheck&) { return State::selected; }
constexpr State state_of(const wire::ImapClose&) { return State::selected; }
constexpr State state_of(const wire::ImapUnselect&) { return State::selected; }
constexpr State state_of(const wire::ImapExpunge&) { return State::selected; }
constexpr State state_of(const wire::ImapSearch&) { return State::selected; }
constexpr State state_of(const wire::ImapFetch&) { return State::selected; }
constexpr State state_of(const wire::ImapStore&) { return State::selected; }
constexpr State state_of(const wire::ImapCopy&) { return State::selected; }
constexpr State state_of(const wire::ImapMove&) { return State::selected; }
// ENABLE SELECT CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE STATUS LIST LSUB NAMESPACE APPEND IDLE
// and what is not offered.
template <class Command>
constexpr State state_of(const Command&) {
  return State::authenticated;
}

}  // namespace kurir::imap

#pragma once
// The octets of changes in the journal. A record's payload is one or more changes that hold
// together or not at all (a MOVE is an append and an expunge); the store's record has the checksum.
// Little-endian, no padding.
//
//   change  = kind u8 · version u8 · reserved u16 (0) · body octets u32 · body
//   text    = octets u16 · UTF-8              list = count u32 · items           ranges = list of
//   (first u32, last u32) content = segment u32 · offset u32 · octets u32 · shard u16 · stream u8 ·
//   reserved u8 (0) folder  = mailbox u64 (0: name only) · uidvalidity u32 · special use u8 · name
//   text message = uid u32 · flags u64 · modseq u64 · internal date i64 (seconds since 1970) ·
//   content ·
//             origin u64 · size u32 · ordinal u16 · prefix octets u16
//
//   kind  body (each begins: account u64)
//    1    account created: last mailbox id u64 · last uidvalidity u32 · list of folder
//    2    account deleted
//    3    folders created: list of folder
//    4    folder deleted: mailbox u64
//    5    folder renamed: from text · to text · created list of folder
//    6    subscription: 1 subscribed or 0 not u8 · name text
//    7    appended: mailbox u64 · list of message, uids rising
//    8    flags changed: mailbox u64 · modseq u64 · unchanged since u64 · add u64 · remove u64 ·
//    ranges of uids 9    keyword added: mailbox u64 · index u8 (its bit is 8 + index) · name text
//   10    expunged: mailbox u64 · modseq u64 · ranges of uids
//   11    content moved: mailbox u64 · list of (uid u32, content), uids rising
//   12    mailbox restored: mailbox u64 · next uid u32 · highest modseq u64
//
// Version rule: a change of a kind's body takes the next version of that kind, and readers keep
// reading the ones before. All are at version 1. An unknown kind or version is Errc::unsupported,
// never skipped: the state would be wrong.

#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/result.hh"
#include "kurir/mailbox/change.hh"

namespace kurir::mailbox {

// Appends one change to out.
void encode(const Change& change, std::string& out);

// All changes of a payload. Octets that encode() would not write are Errc::corrupt; no octets are
// no changes.
[[nodiscard]] Result<std::vector<Change>> decode(std::string_view payload);

}  // namespace kurir::mailbox

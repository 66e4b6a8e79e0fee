#pragma once
// What the room's tests share: a domain with one core that stays offline, so that a RetireQueue
// frees when it ends, and short ways to make messages.

#include <cstdint>
#include <vector>

#include "kurir/base/quiescence.hh"
#include "kurir/mailbox/mailbox.hh"

namespace kurir::mailbox {

struct OneCore {
  QuiescenceDomain domain{1};
  RetireQueue retired{domain};
};

// count messages with fresh uids and one fresh modseq; each of 100 + uid octets.
inline std::vector<NewMessage> fresh_messages(Mailbox& mailbox, std::uint32_t count,
                                              FlagWord flags = 0) {
  std::vector<NewMessage> messages(count);
  std::uint32_t uid = mailbox.reserve_uids(count)->value;
  const ModSeq modseq = mailbox.reserve_modseq();
  for (NewMessage& message : messages) {
    message.uid = Uid(uid);
    message.flags = flags;
    message.modseq = modseq;
    message.internal_date = 1'700'000'000 + uid;
    message.content.segment = 1;
    message.content.offset = uid * 64;
    message.content.octets = 100 + uid;
    message.content.stream = store::StreamKind::mail;
    message.size = 100 + uid;
    ++uid;
  }
  return messages;
}

inline void append(Mailbox& mailbox, std::uint32_t count, RetireQueue& retired,
                   FlagWord flags = 0) {
  mailbox.append(fresh_messages(mailbox, count, flags), retired);
}

inline FlagsOutcome edit_flags(Mailbox& mailbox, std::vector<NumberRange> uids, FlagsEdit edit,
                               ModSeq unchanged_since = any_modseq) {
  return mailbox.change_flags(uids, edit, mailbox.reserve_modseq(), unchanged_since);
}

inline Removed expunge(Mailbox& mailbox, std::vector<NumberRange> uids, RetireQueue& retired) {
  return mailbox.expunge(uids, mailbox.reserve_modseq(), retired);
}

}  // namespace kurir::mailbox

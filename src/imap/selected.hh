#pragma once
// Selected: the mailbox that a session is in, and what the client was told of it. Core-local,
// private to imap/.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/shared.hh"
#include "kurir/mailbox/mailbox.hh"
#include "kurir/mailbox/mailbox_key.hh"
#include "kurir/mailbox/view.hh"
#include "kurir/wire/imap_command.hh"
#include "kurir/wire/imap_set.hh"

namespace kurir::imap {

struct Selected {
  Selected(AccountId account, Shared<mailbox::Mailbox> opened, std::string name_of, bool examine,
           store::Reader& reader);

  // The messages of view that a client's set means, as sequence numbers. nullopt: a number beyond
  // the mailbox, which is BAD (RFC 9051 9 seq-number).
  std::optional<wire::NumberSet> sequences(wire::ImapNumbering numbering,
                                           const wire::ImapSet& set) const;
  // Those that exist of the uids.
  wire::NumberSet sequences_of_uids(const wire::NumberSet& uids) const;
  // The uids of messages, by sequence number.
  wire::NumberSet uids_of(const wire::NumberSet& sequences) const;
  Uid greatest_uid() const;  // of the messages in view; 0: none

  // Makes what arrived \Recent here, unless another session had it (RFC 3501 2.3.2).
  void claim_recent();
  std::uint32_t recent_count() const;

  // Takes over keywords that the mailbox has got; true: there were some.
  bool learn_keywords();
  // Whether a flag word has a keyword without a known name.
  bool knows(wire::FlagWord flags) const;
  wire::FlagWord all_flags() const;

  Shared<mailbox::Mailbox> mailbox;
  mailbox::MailboxKey key;
  std::string name;
  bool read_only;
  Uid uid_next;  // at least; all in view lie below it
  Uid recent_from;
  mailbox::View view;
  wire::NumberSet recent;                  // uids
  wire::NumberSet saved;                   // uids: "$" (RFC 5182)
  std::vector<std::string_view> keywords;  // views of keyword_names

 private:
  std::vector<std::string> keyword_names_;
};

// Goes through messages of a view, with waits in between: the view holds what they lie in until its
// next refresh.
class MessageWalk {
 public:
  MessageWalk(const mailbox::View& view, wire::NumberSet sequences)
      : view_(view), sequences_(std::move(sequences)) {}
  mailbox::Located next();

 private:
  const mailbox::View& view_;
  wire::NumberSet sequences_;
  std::size_t range_ = 0;
  mailbox::Located at_;
};

}  // namespace kurir::imap

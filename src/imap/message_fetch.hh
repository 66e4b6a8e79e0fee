#pragma once
// MessageFetch: one message's FETCH response. What has to be read or parsed is read before the line
// begins; octets leave in pieces, so memory does not grow with the message, but for the moment in
// which its MIME structure is made. Core-local, private to imap/.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kurir/imap/server_session.hh"
#include "kurir/mailbox/stored_message.hh"
#include "kurir/wire/mime.hh"

namespace kurir::imap {

class MessageFetch {
 public:
  enum class Outcome : std::uint8_t {
    sent,
    unreadable,        // nothing was sent: the content is gone or damaged
    unknown_encoding,  // nothing was sent: BINARY of an encoding that nobody knows (RFC 3516 4.3)
    broken,            // in the middle of the line: the connection cannot go on
  };

  // with_flags: FLAGS are told though not asked for, because fetching changed them.
  MessageFetch(ServerSession& session, const wire::FetchItems& items, mailbox::Located at,
               bool with_flags)
      : session_(session), items_(items), at_(at), with_flags_(with_flags) {}

  Task<Outcome> run();
  // The same where the items are index_only(): nothing is waited for.
  void run_from_index();

 private:
  using Next = ServerSession::Next;

  Task<bool> prepare();
  Task<bool> open();
  Task<bool> load_header();
  Task<bool> load_structure();
  bool has_unknown_encoding() const;
  void write_index_items(wire::ImapFetchWriter& fetch, const mailbox::FlagState& state);
  void write_structures(wire::ImapFetchWriter& fetch, const mailbox::CachedStructure& structure);
  Task<bool> send_old_items(wire::ImapFetchWriter& fetch);
  Task<bool> send_section(wire::ImapFetchWriter& fetch, const wire::FetchSection& section);
  Task<bool> send_fields(wire::ImapFetchWriter& fetch, const wire::FetchSection& section,
                         wire::OctetRange header);
  Task<bool> send_binary(wire::ImapFetchWriter& fetch, const wire::FetchSection& section);
  std::optional<wire::OctetRange> range_of(const wire::FetchSection& section) const;
  Task<bool> send_text(std::string_view octets);
  Task<bool> send_range(wire::OctetRange range);

  ServerSession& session_;
  const wire::FetchItems& items_;
  const mailbox::Located at_;
  const bool with_flags_;
  std::optional<mailbox::StoredMessage> message_;
  std::optional<std::size_t> header_octets_;
  std::optional<wire::MimeStructure> structure_;
  std::unique_ptr<mailbox::CachedStructure> made_;
  const mailbox::CachedStructure* cached_ = nullptr;  // for the turn in which prepare() ends
};

}  // namespace kurir::imap

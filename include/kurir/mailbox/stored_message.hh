#pragma once
// A message as POP3 and IMAP give it out: the prefix that is this recipient's own (Return-Path,
// Delivered-To), then the content, which is stored once for all. Core-local.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/mailbox/entry.hh"
#include "kurir/store/message_record.hh"

namespace kurir::mailbox {

// "Return-Path: <reverse-path>" and "Delivered-To: address" (RFC 5321 4.4), each with CRLF. What
// deliver() counts as prefix_octets and open() makes again from the message record's envelope.
std::string delivery_prefix(std::string_view reverse_path, std::string_view address);

class StoredMessage {
 public:
  // Errors: as store::Reader::read()'s; corrupt where the sizes do not agree with the entry.
  static Task<Result<StoredMessage>> open(store::Reader& reader, NewMessage entry);

  std::uint64_t size() const { return prefix_.size() + content_.size(); }
  // The piece that holds `offset`, to its end: the prefix, then pieces of the content. Valid until
  // the next view() and while this lives. Empty at the end.
  Task<Result<std::string_view>> view(std::uint64_t offset);
  // Octets [begin, end) copied into one string; end is clipped to size().
  Task<Result<std::string>> read(std::uint64_t begin, std::uint64_t end);

 private:
  StoredMessage(std::string prefix, store::MessageContent content)
      : prefix_(std::move(prefix)), content_(std::move(content)) {}
  std::string prefix_;
  store::MessageContent content_;
};

}  // namespace kurir::mailbox

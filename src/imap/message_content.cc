#include "message_content.hh"

#include <algorithm>

#include "kurir/base/limits.hh"
#include "kurir/io/file.hh"
#include "kurir/wire/header.hh"

namespace kurir::imap {
namespace {

constexpr std::uint64_t header_octets_usual = 16 * 1024;

// For the administrator: which record, and why.
void report_unreadable(const mailbox::Entry& entry, const Error& error) {
  const store::RecordRef at = entry.content();
  io::print_error(
      "kurir: a message cannot be read: shard " + std::to_string(at.shard) + ", stream " +
      std::to_string(static_cast<int>(at.stream)) + ", segment " + std::to_string(at.segment) +
      ", offset " + std::to_string(at.offset) + ", octets " + std::to_string(at.octets) +
      ", size " + std::to_string(entry.size()) + ": error " +
      std::to_string(static_cast<int>(error.code)) + ", origin " +
      std::to_string(static_cast<int>(error.origin)) + ", errno " + std::to_string(error.os_errno));
}

}  // namespace

Task<Result<mailbox::StoredMessage>> open_message(store::Reader& reader, mailbox::Located at) {
  Result<mailbox::StoredMessage> opened =
      co_await mailbox::StoredMessage::open(reader, at.entry().describe());
  if (opened || opened.error().code != Errc::not_found) {
    if (!opened) report_unreadable(at.entry(), opened.error());
    co_return opened;
  }
  Result<mailbox::StoredMessage> again =
      co_await mailbox::StoredMessage::open(reader, at.entry().describe());
  if (!again) report_unreadable(at.entry(), again.error());
  co_return again;
}

Task<Result<std::string>> read_header(mailbox::StoredMessage& message) {
  std::uint64_t octets = header_octets_usual;
  for (;;) {
    Result<std::string> begin = co_await message.read(0, octets);
    if (!begin) co_return begin;
    const std::size_t header = wire::header_octets(*begin);
    const bool is_whole = header < begin->size() || begin->size() == message.size();
    if (is_whole || octets >= limits::header_octets_max) {
      begin->resize(header);
      co_return begin;
    }
    octets = std::min<std::uint64_t>(octets * 8, limits::header_octets_max);
  }
}

}  // namespace kurir::imap

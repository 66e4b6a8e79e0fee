#pragma once
// Verifying a data directory that no server uses: every message that is in a mailbox, or queued, is
// read whole, and its checksums with it. Writes nothing. On a core.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/store/data_directory.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::server {

struct DamagedPlace {
  // A message of a mailbox; or one of the queue; or neither: a record that nobody can be named for.
  std::string account, mailbox;
  std::uint32_t uid = 0;
  std::string queue_id, sender;
  store::RecordRef record;
  std::string why;
};

struct Verification {
  std::uint64_t messages = 0, octets = 0;  // that were read
  std::vector<DamagedPlace> damaged;
};

using AccountNames = std::unordered_map<AccountId, std::string>;

// Every message of every mailbox, and the journals that tell of them. Errors: a journal that cannot
// be read at all, or is of a newer version.
Task<Result<Verification>> verify_mailboxes(const store::DataDirectory& data,
                                            const AccountNames& names);
// Every message that a start would queue.
Task<Result<Verification>> verify_queue(const store::DataDirectory& data);

}  // namespace kurir::server

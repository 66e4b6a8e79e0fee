#pragma once
// What a checkpoint of a shard ends with in its journal: where the streams of messages were cut.
// The journal's records from the checkpoint's begin on, and the messages from these positions on,
// are the whole shard. Pure. Any core.
//
//   0  u32 version: 1                    16  u32 segment, 20 u32 offset in the spool stream
//   4  u32 zero                          24  u64 octets of the checkpoint's own records
//   8  u32 segment, 12 u32 offset in the mail stream
//
// Little-endian. Version rule: a reader refuses a version above its own, since it could not tell
// which messages are queued.

#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/base/result.hh"
#include "kurir/queue/queue.hh"

namespace kurir::server {

struct CheckpointEnd {
  queue::StreamPositions positions;
  std::uint64_t octets = 0;
};

std::string encode(const CheckpointEnd& end);
// Errors: corrupt, unsupported.
Result<CheckpointEnd> decode_checkpoint_end(std::string_view payload);

}  // namespace kurir::server

#pragma once
// Queue ids: 64 bits that never come twice: start counter of the data directory, shard, and a
// count, so neither a clock that jumps nor a restart can repeat one. Written in 13 characters of
// Crockford's base 32. Any core.

#include <optional>
#include <string>
#include <string_view>

#include "kurir/base/ids.hh"

namespace kurir::queue {

inline constexpr unsigned queue_id_count_bits = 32, queue_id_shard_bits = 10,
                          queue_id_start_bits = 22;
static_assert(queue_id_count_bits + queue_id_shard_bits + queue_id_start_bits == 64);

constexpr QueueId make_queue_id(std::uint32_t start, ShardIndex shard, std::uint32_t count) {
  return QueueId((std::uint64_t{start} << (queue_id_count_bits + queue_id_shard_bits)) |
                 (std::uint64_t{shard.value} << queue_id_count_bits) | count);
}
constexpr ShardIndex shard_of(QueueId id) {
  return ShardIndex(static_cast<std::uint16_t>((id.value >> queue_id_count_bits) &
                                               ((1U << queue_id_shard_bits) - 1)));
}

std::string text_of(QueueId id);
std::optional<QueueId> parse_queue_id(std::string_view text);  // case-insensitive

}  // namespace kurir::queue

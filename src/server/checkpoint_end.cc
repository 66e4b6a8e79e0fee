#include "kurir/server/checkpoint_end.hh"

#include <bit>
#include <cstring>

namespace kurir::server {
namespace {

constexpr std::uint32_t version_now = 1;

struct Stored {
  std::uint32_t version, reserved;
  std::uint32_t mail_segment, mail_offset;
  std::uint32_t spool_segment, spool_offset;
  std::uint64_t octets;
};
static_assert(sizeof(Stored) == 32);
static_assert(std::endian::native == std::endian::little, "stored numbers are little-endian");

}  // namespace

std::string encode(const CheckpointEnd& end) {
  const Stored stored{.version = version_now,
                      .reserved = 0,
                      .mail_segment = end.positions.mail.segment,
                      .mail_offset = end.positions.mail.offset,
                      .spool_segment = end.positions.spool.segment,
                      .spool_offset = end.positions.spool.offset,
                      .octets = end.octets};
  return {reinterpret_cast<const char*>(&stored), sizeof stored};
}

Result<CheckpointEnd> decode_checkpoint_end(std::string_view payload) {
  Stored stored;
  if (payload.size() < sizeof stored.version) return fail(Errc::corrupt, Origin::log);
  std::memcpy(&stored.version, payload.data(), sizeof stored.version);
  if (stored.version != version_now) return fail(Errc::unsupported, Origin::log);
  if (payload.size() != sizeof stored) return fail(Errc::corrupt, Origin::log);
  std::memcpy(&stored, payload.data(), sizeof stored);
  if (stored.reserved != 0) return fail(Errc::corrupt, Origin::log);
  return CheckpointEnd{.positions = {.mail = {stored.mail_segment, stored.mail_offset},
                                     .spool = {stored.spool_segment, stored.spool_offset}},
                       .octets = stored.octets};
}

}  // namespace kurir::server

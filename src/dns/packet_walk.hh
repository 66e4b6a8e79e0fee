#pragma once
// Where things lie in a packet, after a check of each of them. Private to dns/.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kurir/base/limits.hh"
#include "kurir/dns/answer.hh"

namespace kurir::dns {

inline constexpr std::size_t header_octets = 12;
inline constexpr std::uint16_t type_soa = 6;
inline constexpr std::uint16_t type_opt = 41;

struct RecordPlace {
  std::size_t owner, data;  // offsets
  std::size_t data_octets;
  std::uint16_t type, klass;
  std::uint32_t ttl;
};

struct Layout {
  std::vector<RecordPlace> answers;  // of the wanted type and CNAMEs, class IN
  std::optional<RecordPlace> soa;    // of the authority section
  bool has_authority_ns = false;
  unsigned extended_code = 0;  // the upper bits of the response code (RFC 6891 6.1.3)
};

// Steps are labels and pointers; when dns_walk_steps_max of them were taken, every further call
// fails: no packet costs more.
class PacketWalk {
 public:
  explicit PacketWalk(std::string_view packet) : packet_(packet) {}

  std::uint16_t u16(std::size_t at) const;
  std::uint32_t u32(std::size_t at) const;

  // The offset behind the name that begins at `at`; nullopt where it is broken.
  std::optional<std::size_t> skip_name(std::size_t at);
  // Whether the name, which was skipped before, is this one.
  bool is_name(std::size_t at, const Name& name);
  // The records of all sections from the end of the question; nullopt: broken.
  std::optional<Layout> records(std::size_t at, RecordType wanted);

 private:
  std::uint8_t octet(std::size_t at) const { return static_cast<std::uint8_t>(packet_[at]); }
  std::optional<RecordPlace> record(std::size_t at);
  bool data_is_sound(const RecordPlace& place);
  bool name_ends_at(std::size_t at, std::size_t end);
  bool strings_end_at(std::size_t at, std::size_t end) const;
  bool take_step() { return steps_left_ > 0 && steps_left_-- > 0; }

  std::string_view packet_;
  std::size_t steps_left_ = limits::dns_walk_steps_max;
};

}  // namespace kurir::dns

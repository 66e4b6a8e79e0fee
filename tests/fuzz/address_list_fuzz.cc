// Feeds octets to the reader of address lists.
#include "input.hh"
#include "kurir/wire/address_list.hh"

namespace kurir::wire {
namespace {

void check_list(const AddressList& list, std::size_t addresses_max) {
  KURIR_ASSERT(list.addresses.size() <= addresses_max);
  std::size_t begun = 0, ended = 0;
  for (const ListedAddress& address : list.addresses) {
    begun += address.kind == AddressKind::group_begin;
    ended += address.kind == AddressKind::group_end;
    KURIR_ASSERT(ended <= begun);
    if (address.kind == AddressKind::mailbox) continue;
    KURIR_ASSERT(address.local_part.empty() && address.domain.empty() && address.route.empty());
  }
  KURIR_ASSERT(list.cut || begun == ended);
}

std::size_t octets_of(const AddressList& list) {
  std::size_t octets = 0;
  for (const ListedAddress& address : list.addresses)
    octets += address.display_name.size() + address.route.size() + address.local_part.size() +
              address.domain.size();
  return octets;
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const std::size_t few = fuzz::take_octet(input);
  const wire::AddressList all = wire::parse_address_list(input);
  wire::check_list(all, limits::addresses_parsed_max);
  KURIR_ASSERT(wire::octets_of(all) <= input.size() * 2);
  const wire::AddressList cut = wire::parse_address_list(input, few);
  wire::check_list(cut, few);
  if (!cut.cut) KURIR_ASSERT(cut.addresses == all.addresses);
  wire::AddressList twice = wire::parse_address_list(input);
  wire::append_address_list(twice, input);
  wire::check_list(twice, limits::addresses_parsed_max);
  if (!twice.cut) KURIR_ASSERT(twice.addresses.size() == 2 * all.addresses.size());
  return 0;
}

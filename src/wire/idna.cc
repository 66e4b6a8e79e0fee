#include "kurir/wire/idna.hh"

#include <idn2.h>

#include <memory>

#include "kurir/wire/ascii.hh"

namespace kurir::wire {

std::optional<std::string> domain_in_ascii(std::string_view domain) {
  if (!has_eight_bit(domain)) return std::string(domain);
  const std::string terminated(domain);
  char* found = nullptr;
  const int status =
      ::idn2_to_ascii_8z(terminated.c_str(), &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, void (*)(void*)> owned(found, ::idn2_free);
  if (status != IDN2_OK || found == nullptr || has_eight_bit(found)) return std::nullopt;
  return std::string(found);
}

std::optional<std::string> with_ascii_domain(std::string_view address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos || !has_eight_bit(address.substr(at + 1)))
    return std::string(address);
  const std::optional<std::string> domain = domain_in_ascii(address.substr(at + 1));
  if (!domain) return std::nullopt;
  return std::string(address.substr(0, at + 1)) + *domain;
}

}  // namespace kurir::wire

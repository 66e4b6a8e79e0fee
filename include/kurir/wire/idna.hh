#pragma once
// Domains beyond ASCII as DNS and hosts without SMTPUTF8 know them: A-labels (RFC 5890), by UTS 46
// without its transitional forms. Pure; any core.

#include <optional>
#include <string>
#include <string_view>

namespace kurir::wire {

// nullopt: no domain may be called that.
[[nodiscard]] std::optional<std::string> domain_in_ascii(std::string_view domain);
// local-part@domain with its domain in ASCII; as it is where it has none.
[[nodiscard]] std::optional<std::string> with_ascii_domain(std::string_view address);

}  // namespace kurir::wire

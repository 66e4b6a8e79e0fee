#pragma once
// Names of folders: UTF-8, levels parted by '/'. They are keys, never paths. INBOX, as a whole name
// or as the first level, is one name in any case (RFC 9051 5.1). Bringing names into one Unicode
// form (NFC) is the front end's. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace kurir::mailbox {

inline constexpr char level_delimiter = '/';
inline constexpr std::string_view inbox_name = "INBOX";

// The name as it is stored; none if it cannot name a folder: bad UTF-8, a control character, '%' or
// '*' (which a LIST could not ask for), an empty level, more octets or levels than limits allow.
[[nodiscard]] std::optional<std::string> folder_name(std::string_view name);

// Order in which a folder comes right before those below it.
[[nodiscard]] bool folder_less(std::string_view a, std::string_view b);
// "a/b" and "a/b/c" are below "a".
[[nodiscard]] bool is_below(std::string_view name, std::string_view ancestor);
// "a/b" of "a/b/c"; empty at the top.
[[nodiscard]] std::string_view parent_of(std::string_view name);

}  // namespace kurir::mailbox

// A crypt(5) that costs nothing and protects nothing, in place of the library's: sessions that log
// in a million times are about sessions.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" char* crypt_ra(const char* phrase, const char* setting, void** memory, int* octets) {
  // "$y$j9T$salt", and in a hash "$digest" behind it.
  std::string_view salt = setting;
  std::size_t dollars = 0, end = salt.size();
  for (std::size_t at = 0; at < salt.size(); ++at)
    if (salt[at] == '$' && ++dollars == 4) end = at;
  salt = salt.substr(0, end);
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const std::string_view part : {salt, std::string_view(phrase)})
    for (const char c : part) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  constexpr int room = 512;
  if (*memory == nullptr || *octets < room) {
    *memory = std::realloc(*memory, room);
    *octets = room;
  }
  char* const out = static_cast<char*>(*memory);
  std::snprintf(out, room, "%.*s$%043llx", static_cast<int>(salt.size()), salt.data(),
                static_cast<unsigned long long>(digest));
  return out;
}

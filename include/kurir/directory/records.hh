#pragma once
// What a directory holds, as plain values. Any core.

#include <cstdint>
#include <string>
#include <vector>

#include "kurir/base/ids.hh"

namespace kurir::directory {

struct User {
  AccountId id;                    // given by the database, never reused
  std::string address;             // lower-case local-part@domain, without '+'
  std::string password_hash;       // crypt(5); empty: nobody can log in
  std::uint64_t quota_octets = 0;  // 0: none
  bool disabled = false;           // refuses logins and mail
  std::string scram;               // keys for SCRAM as text (scram_keys.hh); empty: none
  bool any_sender = false;         // may send in anybody's name
};

struct Alias {
  std::string address;               // "local-part@domain", or "@domain": what no user has
  std::vector<std::string> targets;  // local or remote addresses, in the order they were added
};

// Who may send with an address that is not the user's own.
struct Sender {
  std::string address;  // "local-part@domain", or "@domain": every address of it
  std::string user;     // the address of a user
};

struct DomainAlias {
  std::string name;    // mail for x@name
  std::string domain;  // is mail for x@domain
};

}  // namespace kurir::directory

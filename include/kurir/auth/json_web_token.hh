#pragma once
// JSON Web Tokens (RFC 7519) signed by a key of a set (RFC 7517): RS256, RS384, RS512, PS256,
// ES256, ES384 and EdDSA. "none" and shared secrets are no signatures here. What is read is bounded
// and trusted only after the signature. Any thread; a check costs a public key's operation.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"

struct evp_pkey_st;

namespace kurir::auth {

class KeySet {
 public:
  // The text of a JWKS file; nullopt where it is none or has no key that can be used.
  static std::optional<KeySet> parse(std::string_view json);

  struct Key {
    std::string id, algorithm;  // either may be empty: any
    std::shared_ptr<evp_pkey_st> key;
  };
  const std::vector<Key>& keys() const { return keys_; }

 private:
  std::vector<Key> keys_;
};

struct TokenRules {
  std::string issuer;                // empty: any
  std::string audience;              // empty: any
  std::string user_claim = "email";  // whose value is the user's name
  Seconds leeway{60};                // between clocks
};

// The user whom the token is for; nullopt: a signature, a time or a rule says no.
std::optional<std::string> check_token(std::string_view token, const KeySet& keys,
                                       const TokenRules& rules, WallTime now);

}  // namespace kurir::auth

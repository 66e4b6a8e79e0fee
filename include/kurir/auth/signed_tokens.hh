#pragma once
// SignedTokens: bearer tokens are JSON Web Tokens, and a set of public keys says whose word counts.
// Nobody is asked over the network. Core-local; the keys are shared.

#include <memory>

#include "kurir/auth/authenticator.hh"
#include "kurir/auth/json_web_token.hh"

namespace kurir::auth {

class SignedTokens final : public TokenChecker {
 public:
  SignedTokens(std::shared_ptr<const KeySet> keys, TokenRules rules)
      : keys_(std::move(keys)), rules_(std::move(rules)) {}

  // For tokens that come from now on.
  void replace(std::shared_ptr<const KeySet> keys) { keys_ = std::move(keys); }
  // The public key's operation is done on the offload pool.
  Task<Checked> check(std::string token) override;

 private:
  std::shared_ptr<const KeySet> keys_;
  const TokenRules rules_;
};

}  // namespace kurir::auth

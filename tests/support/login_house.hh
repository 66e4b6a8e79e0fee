#pragma once
// Logins against a directory of a test's own.

#include "kurir/auth/authenticator.hh"

namespace kurir::test {

struct LoginHouse {
  explicit LoginHouse(directory::Directory& directory, bool allow_plaintext = true)
      : authenticator(options_of(allow_plaintext), directory, limits, nullptr, 1) {}

  static auth::AuthenticatorOptions options_of(bool allow_plaintext) {
    auth::AuthenticatorOptions options;
    options.allow_plaintext = allow_plaintext;
    return options;
  }

  // Guessing is what tests do all the time.
  auth::LoginLimits limits{{.network_failures = 1'000'000, .account_failures = 1'000'000}, 1};
  auth::Authenticator authenticator;
};

}  // namespace kurir::test

#pragma once
// The server's side of SCRAM (RFC 5802, RFC 7677), with channel binding (RFC 5929, RFC 9266). Pure
// but for what it is given; a proof costs some HMACs. Who has no keys gets a salt that stays the
// same and is refused at the end, like one who has the wrong password.

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/directory/scram_keys.hh"

namespace kurir::auth {

// What binds the exchange to the encrypted channel below it; empty: not to be had.
struct ChannelBindings {
  std::string exporter;   // tls-exporter (RFC 9266)
  std::string end_point;  // tls-server-end-point (RFC 5929 4)
};

enum class ScramFault : std::uint8_t {
  bad_message,  // not what RFC 5802 7 says
  refused,      // well-formed, and not to be had: a binding that is not the channel's, a downgrade
};

class ScramExchange {
 public:
  // `is_bound`: a -PLUS mechanism. `offers_bound`: the client was told of one, so that it may not
  // say that there is none (RFC 5802 6).
  ScramExchange(directory::ScramHash hash, bool is_bound, bool offers_bound,
                ChannelBindings bindings);

  struct First {
    std::string user, authorization;  // decoded; the latter mostly empty
  };
  std::expected<First, ScramFault> read_first(std::string_view message);
  // `keys` are copied; `nonce` is ours, of printable letters without a comma.
  std::string challenge(const directory::ScramKeys& keys, std::string_view nonce);
  // Whether the proof is that of the password; then final_message() is for the client.
  std::expected<bool, ScramFault> read_final(std::string_view message);
  const std::string& final_message() const { return final_; }

 private:
  std::expected<void, ScramFault> read_header(std::string_view& message);

  const directory::ScramHash hash_;
  const bool is_bound_, offers_bound_;
  const ChannelBindings bindings_;
  std::string header_;   // "n,,"
  std::string binding_;  // octets of the channel that the client says it sees
  std::string authorization_;
  std::string client_nonce_, nonce_;
  std::string transcript_;  // AuthMessage of RFC 5802 3, as far as it is known
  std::string stored_key_, server_key_;
  std::string final_;
};

}  // namespace kurir::auth

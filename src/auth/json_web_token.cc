#include "kurir/auth/json_web_token.hh"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kurir/wire/base64.hh"

namespace kurir::auth {
namespace {

using nlohmann::json;

constexpr std::size_t token_octets_max = 8192;
constexpr std::size_t keys_max = 64;
constexpr int rsa_bits_min = 2048, rsa_bits_max = 8192;

struct Algorithm {
  std::string_view name;
  int kind;  // of the key
  const EVP_MD* (*function)();
  bool is_pss;
  std::size_t signature_octets;  // of ECDSA: r and s; 0: the key says
};
constexpr Algorithm algorithms[] = {
    {"RS256", EVP_PKEY_RSA, EVP_sha256, false, 0}, {"RS384", EVP_PKEY_RSA, EVP_sha384, false, 0},
    {"RS512", EVP_PKEY_RSA, EVP_sha512, false, 0}, {"PS256", EVP_PKEY_RSA, EVP_sha256, true, 0},
    {"ES256", EVP_PKEY_EC, EVP_sha256, false, 64}, {"ES384", EVP_PKEY_EC, EVP_sha384, false, 96},
    {"EdDSA", EVP_PKEY_ED25519, nullptr, false, 0}};

// Base64url without padding (RFC 7515 2).
std::optional<std::string> decode_url(std::string_view text) {
  std::string plain(text);
  if (plain.find_first_of("+/=") != std::string::npos) return std::nullopt;
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  plain.append((4 - plain.size() % 4) % 4, '=');
  return wire::decode_base64(plain);
}

std::optional<json> parse_object(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::shared_ptr<EVP_PKEY> key_from(const char* kind, OSSL_PARAM_BLD* builder) {
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr);
  EVP_PKEY* key = nullptr;
  const bool made = context != nullptr && EVP_PKEY_fromdata_init(context) == 1 &&
                    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  return made ? std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free) : nullptr;
}

std::shared_ptr<EVP_PKEY> rsa_key(const json& one) {
  const auto modulus = decode_url(text_of(one, "n")), exponent = decode_url(text_of(one, "e"));
  if (!modulus || !exponent || modulus->size() > rsa_bits_max / 8) return nullptr;
  const auto number = [](const std::string& octets) {
    return BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()),
                     static_cast<int>(octets.size()), nullptr);
  };
  BIGNUM* n = number(*modulus);
  BIGNUM* e = number(*exponent);
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
  std::shared_ptr<EVP_PKEY> key = key_from("RSA", builder);
  OSSL_PARAM_BLD_free(builder);
  BN_free(n);
  BN_free(e);
  if (key && EVP_PKEY_get_bits(key.get()) < rsa_bits_min) return nullptr;
  return key;
}

std::shared_ptr<EVP_PKEY> curve_key(const json& one) {
  const std::string curve = text_of(one, "crv");
  const auto x = decode_url(text_of(one, "x")), y = decode_url(text_of(one, "y"));
  const std::size_t octets = curve == "P-256" ? 32 : curve == "P-384" ? 48 : 0;
  if (octets == 0 || !x || !y || x->size() != octets || y->size() != octets) return nullptr;
  const std::string point = "\x04" + *x + *y;
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  std::shared_ptr<EVP_PKEY> key = key_from("EC", builder);
  OSSL_PARAM_BLD_free(builder);
  return key;
}

std::shared_ptr<EVP_PKEY> edwards_key(const json& one) {
  const auto x = decode_url(text_of(one, "x"));
  if (text_of(one, "crv") != "Ed25519" || !x || x->size() != 32) return nullptr;
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(x->data()), x->size());
  return {key, EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> key_of(const json& one) {
  const std::string kind = text_of(one, "kty"), use = text_of(one, "use");
  if (!use.empty() && use != "sig") return nullptr;
  if (kind == "RSA") return rsa_key(one);
  if (kind == "EC") return curve_key(one);
  return kind == "OKP" ? edwards_key(one) : nullptr;
}

// ECDSA's signature of JOSE is r and s side by side; libcrypto's is of ASN.1.
std::string asn1_signature(std::string_view pair) {
  const auto half = [&](std::size_t at) {
    return BN_bin2bn(reinterpret_cast<const unsigned char*>(pair.data()) + at,
                     static_cast<int>(pair.size() / 2), nullptr);
  };
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, half(0), half(pair.size() / 2));
  unsigned char* octets = nullptr;
  const int count = i2d_ECDSA_SIG(signature, &octets);
  std::string encoded(reinterpret_cast<char*>(octets),
                      count > 0 ? static_cast<std::size_t>(count) : 0);
  OPENSSL_free(octets);
  ECDSA_SIG_free(signature);
  return encoded;
}

bool is_signed(EVP_PKEY* key, const Algorithm& algorithm, std::string_view text,
               std::string signature) {
  if (EVP_PKEY_get_base_id(key) != algorithm.kind) return false;
  const bool is_pair = algorithm.signature_octets > 0;
  if (is_pair && signature.size() != algorithm.signature_octets) return false;
  if (is_pair && EVP_PKEY_get_bits(key) != static_cast<int>(algorithm.signature_octets) * 4)
    return false;
  if (is_pair) signature = asn1_signature(signature);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* of_key = nullptr;
  const EVP_MD* function = algorithm.function == nullptr ? nullptr : algorithm.function();
  bool good = EVP_DigestVerifyInit(context, &of_key, function, nullptr, key) == 1;
  if (good && algorithm.is_pss)
    good = EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST) == 1;
  good = good &&
         EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                          text.size()) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

bool is_signed_by_one(const KeySet& keys, const json& header, std::string_view text,
                      const std::string& signature) {
  const std::string name = text_of(header, "alg"), id = text_of(header, "kid");
  const auto* algorithm = std::ranges::find(algorithms, name, &Algorithm::name);
  // "crit" names what must be understood, and nothing is.
  if (algorithm == std::end(algorithms) || header.contains("crit")) return false;
  return std::ranges::any_of(keys.keys(), [&](const KeySet::Key& key) {
    const bool may_be = (id.empty() || key.id.empty() || id == key.id) &&
                        (key.algorithm.empty() || key.algorithm == name);
    return may_be && is_signed(key.key.get(), *algorithm, text, signature);
  });
}

std::optional<double> time_of(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

bool is_for(const json& claims, const std::string& audience) {
  if (audience.empty()) return true;
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_string()) return found->get<std::string>() == audience;
  return found->is_array() && std::ranges::find(*found, json(audience)) != found->end();
}

}  // namespace

std::optional<KeySet> KeySet::parse(std::string_view text) {
  const auto set = parse_object(text);
  if (!set || !set->contains("keys") || !set->at("keys").is_array()) return std::nullopt;
  KeySet read;
  for (const json& one : set->at("keys")) {
    if (!one.is_object() || read.keys_.size() >= keys_max) continue;
    std::shared_ptr<EVP_PKEY> key = key_of(one);
    if (key) read.keys_.push_back({text_of(one, "kid"), text_of(one, "alg"), std::move(key)});
  }
  if (read.keys_.empty()) return std::nullopt;
  return read;
}

std::optional<std::string> check_token(std::string_view token, const KeySet& keys,
                                       const TokenRules& rules, WallTime now) {
  const std::size_t first = token.find('.'), last = token.rfind('.');
  if (token.size() > token_octets_max || first == last) return std::nullopt;
  const auto header_text = decode_url(token.substr(0, first));
  const auto claims_text = decode_url(token.substr(first + 1, last - first - 1));
  const auto signature = decode_url(token.substr(last + 1));
  if (!header_text || !claims_text || !signature) return std::nullopt;
  const auto header = parse_object(*header_text);
  if (!header || !is_signed_by_one(keys, *header, token.substr(0, last), *signature))
    return std::nullopt;
  const auto claims = parse_object(*claims_text);
  if (!claims) return std::nullopt;
  const auto expires = time_of(*claims, "exp"), begins = time_of(*claims, "nbf");
  const auto leeway = static_cast<double>(rules.leeway.count());
  const auto present = static_cast<double>(now.seconds());
  if (!expires || *expires + leeway <= present) return std::nullopt;
  if (begins && *begins - leeway > present) return std::nullopt;
  if (!rules.issuer.empty() && text_of(*claims, "iss") != rules.issuer) return std::nullopt;
  if (!is_for(*claims, rules.audience)) return std::nullopt;
  std::string user = text_of(*claims, rules.user_claim.c_str());
  if (user.empty()) return std::nullopt;
  return user;
}

}  // namespace kurir::auth

#include "token_keys.hh"

#include "kurir/io/file.hh"

namespace kurir::server {
namespace {

constexpr std::size_t file_octets_max = 1 << 20;

}  // namespace

std::expected<std::shared_ptr<const auth::KeySet>, std::string> load_token_keys(
    const Configuration& configuration) {
  const std::string& path = configuration.auth.token_keys_file;
  if (path.empty()) return nullptr;
  const Result<std::string> text = io::read_file(path, file_octets_max);
  if (!text) return std::unexpected("cannot read auth.token_keys_file " + path);
  std::optional<auth::KeySet> keys = auth::KeySet::parse(*text);
  if (!keys) return std::unexpected(path + " is no JWKS with a key that can be used");
  return std::make_shared<const auth::KeySet>(std::move(*keys));
}

}  // namespace kurir::server

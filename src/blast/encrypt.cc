#include "encrypt.hh"

namespace kurir::blast {

Task<Result<void>> encrypt(std::unique_ptr<io::Stream>& stream, const Options& options) {
  auto encrypted = std::make_unique<tls::TlsStream>(std::move(stream));
  tls::TlsStream& tls = *encrypted;
  stream = std::move(encrypted);
  Result<void> connected =
      co_await tls.connect(options.encryption.side, deadline_in(options.timeout));
  if (!connected) connected.error().origin = Origin::tls;
  co_return connected;
}

}  // namespace kurir::blast

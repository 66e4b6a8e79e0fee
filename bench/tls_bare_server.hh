#pragma once
// A server of wolfSSL's over memory with nothing of ours around it: what tls/ is compared with.
// Apart, for wolfSSL's headers do not go together with OpenSSL's.

#include <string>
#include <string_view>
#include <utility>

struct WOLFSSL;
struct WOLFSSL_CTX;

namespace kurir::tls {

class BareLibrary {
 public:
  // `by_callback`: AES is what wolf.hh makes of it.
  BareLibrary(const std::string& chain_pem, const std::string& key_pem, bool by_callback);
  BareLibrary(const BareLibrary&) = delete;
  ~BareLibrary();
  WOLFSSL_CTX* context() const { return context_; }

 private:
  WOLFSSL_CTX* context_;
};

class BareServer {
 public:
  explicit BareServer(const BareLibrary& library);
  BareServer(const BareServer&) = delete;
  ~BareServer();
  bool is_done() const { return is_done_; }
  void put(std::string_view octets) { in_ += octets; }
  void step();
  std::string take() { return std::exchange(out_, {}); }

 private:
  static int receive(WOLFSSL*, char* into, int octets_max, void* server);
  static int send(WOLFSSL*, char* octets, int count, void* server);

  WOLFSSL* ssl_;
  std::string in_, out_;
  bool is_done_ = false;
};

}  // namespace kurir::tls

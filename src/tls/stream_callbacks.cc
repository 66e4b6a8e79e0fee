#include "stream_callbacks.hh"

#include <algorithm>
#include <array>
#include <cstring>

#include "aead.hh"
#include "kurir/io/clock.hh"
#include "kurir/tls/tls_stream.hh"
#include "wolf.hh"

namespace kurir::tls {
namespace {

constexpr std::size_t nonce_octets = 12, tag_octets = 16;

TlsStream& stream_of(void* context) { return *static_cast<TlsStream*>(context); }

}  // namespace

struct Callbacks {
  // First what was looked at before wolfSSL was there.
  static std::string_view next(TlsStream& stream) {
    const std::string_view hello =
        std::string_view(stream.hello_).substr(std::min(stream.hello_taken_, stream.hello_.size()));
    return hello.empty() ? stream.transport_.input().front() : hello;
  }
  static void consume(TlsStream& stream, std::size_t octets) {
    if (stream.hello_taken_ < stream.hello_.size())
      stream.hello_taken_ += octets;
    else
      stream.transport_.input().consume(octets);
    stream.quiet_octets_ += octets;
  }
  static std::string& output(TlsStream& stream) { return stream.transport_.output(); }
  static TicketKeys* tickets(TlsStream& stream) { return stream.tickets_; }
  static void distrust_peer(TlsStream& stream) { stream.is_peer_unverified_ = true; }
};

int receive_for_wolf(WOLFSSL*, char* into, int octets_max, void* context) {
  TlsStream& stream = stream_of(context);
  const std::string_view next = Callbacks::next(stream);
  if (next.empty()) return WOLFSSL_CBIO_ERR_WANT_READ;
  const std::size_t taken = std::min(next.size(), static_cast<std::size_t>(octets_max));
  std::memcpy(into, next.data(), taken);
  Callbacks::consume(stream, taken);
  return static_cast<int>(taken);
}

int send_for_wolf(WOLFSSL*, char* octets, int count, void* context) {
  Callbacks::output(stream_of(context)).append(octets, static_cast<std::size_t>(count));
  return count;
}

int seal_ticket_for_wolf(WOLFSSL* ssl, unsigned char* key_name, unsigned char* nonce,
                         unsigned char* tag, int sealing, unsigned char* ticket, int octets,
                         int* octets_out, void*) {
  TicketKeys* keys = Callbacks::tickets(stream_of(wolfSSL_GetIOReadCtx(ssl)));
  if (keys == nullptr || octets < 0) return WOLFSSL_TICKET_RET_REJECT;
  const std::span<const unsigned char> name(key_name, WOLFSSL_TICKET_NAME_SZ);
  AeadInput input{.associated = name, .octets = {ticket, static_cast<std::size_t>(octets)}};
  *octets_out = octets;
  if (sealing != 0) {
    const TicketKeys::Key& key = keys->current(io::now());
    std::ranges::copy(key.name, key_name);
    std::memset(tag, 0, WOLFSSL_TICKET_MAC_SZ);
    std::memset(nonce, 0, WOLFSSL_TICKET_IV_SZ);
    io::random_octets({reinterpret_cast<char*>(nonce), nonce_octets});
    input.key = key.octets;
    input.nonce = {nonce, nonce_octets};
    return encrypt(input, ticket, {tag, tag_octets}) ? WOLFSSL_TICKET_RET_OK
                                                     : WOLFSSL_TICKET_RET_REJECT;
  }
  const TicketKeys::Key* key = keys->find(name, io::now());
  if (key == nullptr) return WOLFSSL_TICKET_RET_REJECT;
  input.key = key->octets;
  input.nonce = {nonce, nonce_octets};
  return decrypt(input, ticket, {tag, tag_octets}) ? WOLFSSL_TICKET_RET_OK
                                                   : WOLFSSL_TICKET_RET_REJECT;
}

int let_pass_for_wolf(int is_verified, WOLFSSL_X509_STORE_CTX* chain) {
  if (is_verified == 0) Callbacks::distrust_peer(stream_of(chain->userCtx));
  return 1;
}

}  // namespace kurir::tls

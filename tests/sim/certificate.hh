#pragma once
// The simulated server's certificate and its key: the same in each run, as everything is that a
// seed does not choose. One that the server made itself would not be.

namespace kurir::sim {

inline constexpr const char* certificate_path = "/tls/mx.kurir.test.pem";
extern const char* const certificate_pem;

}  // namespace kurir::sim

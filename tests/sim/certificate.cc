#include "certificate.hh"

namespace kurir::sim {

// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500
//   -subj /CN=mx.kurir.test -addext subjectAltName=DNS:mx.kurir.test
const char* const certificate_pem = R"(
-----BEGIN CERTIFICATE-----
MIIBoDCCAUegAwIBAgIUSYQedYWpNsaEalTllfy8KL4h9HMwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNbXgua3VyaXIudGVzdDAgFw0yNjExMjMxNjI5NTZaGA8yMTI2
MTAzMDE2Mjk1NlowGDEWMBQGA1UEAwwNbXgua3VyaXIudGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABEwbbrclJtLwp1DnW0cOveqx5GW9XPColfwBjS9VAzrg
SxrAuHRquH+TqKE3KJOTJji01xSmMvvsnd3rzIbgk4GjbTBrMB0GA1UdDgQWBBQx
lE+yd1z0k9inrkDwS06joWAIzTAfBgNVHSMEGDAWgBQxlE+yd1z0k9inrkDwS06j
oWAIzTAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDW14Lmt1cmlyLnRlc3Qw
CgYIKoZIzj0EAwIDRwAwRAIgZl8pde8WxRckPDxnxajZeOx70CR9t//RdXetn4H0
+9ACIE4ZIyLgrC7xHszwPNGn7JRxu6x3MDYINcG6twsU0Eal
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgokEs6s/mdoBPGF44
Bx1ALX0AUu5U5ndVQk8RkdRm20ihRANCAARMG263JSbS8KdQ51tHDr3qseRlvVzw
qJX8AY0vVQM64EsawLh0arh/k6ihNyiTkyY4tNcUpjL77J3d68yG4JOB
-----END PRIVATE KEY-----
)";

}  // namespace kurir::sim

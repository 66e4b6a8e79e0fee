#include "limit_keys.hh"

#include <algorithm>

#include "shaping_names.hh"

namespace kurir::server {
namespace {

using relay::PathLimits;
using relay::PathOverride;
using std::chrono::hours;

template <auto limit>
std::string& origin_of(PathLimits& limits) {
  return (limits.*limit).origin;
}

template <auto limit, auto override_>
void keep(const PathLimits& from, PathOverride& into) {
  into.*override_ = from.*limit;
}

template <auto limit>
Field duration_of(PathLimits& limits) {
  return Duration{&(limits.*limit).value, Milliseconds(1), hours(1)};
}

bool is_tls_use(std::string_view text) {
  return std::ranges::find(relay::tls_uses, text) != std::end(relay::tls_uses);
}

bool is_pool_or_none(std::string_view text) { return text.empty() || is_shaping_name(text); }

constexpr LimitKey table[] = {
    {"connection_limit", "Connections at a time to one site, of the whole server.",
     [](PathLimits& l) -> Field { return Number{&l.connection_limit.value, 1, 100'000}; },
     origin_of<&PathLimits::connection_limit>,
     keep<&PathLimits::connection_limit, &PathOverride::connection_limit>},
    {"max_connection_rate", "New connections to one site, like \"100/min\"; \"0/s\" is no limit.",
     [](PathLimits& l) -> Field { return RateField{&l.max_connection_rate.value}; },
     origin_of<&PathLimits::max_connection_rate>,
     keep<&PathLimits::max_connection_rate, &PathOverride::max_connection_rate>},
    {"max_message_rate", "Messages to one site, like \"100/s\"; \"0/s\" is no limit.",
     [](PathLimits& l) -> Field { return RateField{&l.max_message_rate.value}; },
     origin_of<&PathLimits::max_message_rate>,
     keep<&PathLimits::max_message_rate, &PathOverride::max_message_rate>},
    {"max_deliveries_per_connection", "After so many messages a connection is closed.",
     [](PathLimits& l) -> Field {
       return Number{&l.max_deliveries_per_connection.value, 1, 1'000'000};
     },
     origin_of<&PathLimits::max_deliveries_per_connection>,
     keep<&PathLimits::max_deliveries_per_connection,
          &PathOverride::max_deliveries_per_connection>},
    {"connect_timeout", "How long one address of a host may take to answer a connection.",
     [](PathLimits& l) -> Field {
       return Duration{&l.connect_timeout.value, Milliseconds(1), hours(1)};
     },
     origin_of<&PathLimits::connect_timeout>,
     keep<&PathLimits::connect_timeout, &PathOverride::connect_timeout>},
    {"banner_timeout", "How long the greeting of a host may take.",
     duration_of<&PathLimits::banner_timeout>, origin_of<&PathLimits::banner_timeout>,
     keep<&PathLimits::banner_timeout, &PathOverride::banner_timeout>},
    {"ehlo_timeout", "How long the answer to EHLO may take.",
     duration_of<&PathLimits::ehlo_timeout>, origin_of<&PathLimits::ehlo_timeout>,
     keep<&PathLimits::ehlo_timeout, &PathOverride::ehlo_timeout>},
    {"mail_from_timeout", "How long the answer to MAIL may take.",
     duration_of<&PathLimits::mail_from_timeout>, origin_of<&PathLimits::mail_from_timeout>,
     keep<&PathLimits::mail_from_timeout, &PathOverride::mail_from_timeout>},
    {"rcpt_to_timeout", "How long the answer to RCPT may take.",
     duration_of<&PathLimits::rcpt_to_timeout>, origin_of<&PathLimits::rcpt_to_timeout>,
     keep<&PathLimits::rcpt_to_timeout, &PathOverride::rcpt_to_timeout>},
    {"data_timeout", "How long the answer to DATA may take.",
     duration_of<&PathLimits::data_timeout>, origin_of<&PathLimits::data_timeout>,
     keep<&PathLimits::data_timeout, &PathOverride::data_timeout>},
    {"data_dot_timeout", "How long the answer to the end of the content may take.",
     duration_of<&PathLimits::data_dot_timeout>, origin_of<&PathLimits::data_dot_timeout>,
     keep<&PathLimits::data_dot_timeout, &PathOverride::data_dot_timeout>},
    {"idle_timeout", "How long a connection is kept for the next message.",
     [](PathLimits& l) -> Field {
       return Duration{&l.idle_timeout.value, Nanoseconds(0), hours(1)};
     },
     origin_of<&PathLimits::idle_timeout>,
     keep<&PathLimits::idle_timeout, &PathOverride::idle_timeout>},
    {"starttls_timeout", "How long the answer to STARTTLS and the handshake may take.",
     duration_of<&PathLimits::starttls_timeout>, origin_of<&PathLimits::starttls_timeout>,
     keep<&PathLimits::starttls_timeout, &PathOverride::starttls_timeout>},
    {"enable_tls",
     "Whether mail is encrypted on its way (RFC 3207). \"Opportunistic\" and\n"
     "\"OpportunisticInsecure\": where the host offers it, without it where that fails;\n"
     "\"Required\": with a certificate that tls.ca_file's authorities vouch for, or it waits;\n"
     "\"RequiredInsecure\": with any certificate, or it waits; \"Disabled\".",
     [](PathLimits& l) -> Field {
       return Text{&l.enable_tls.value, is_tls_use,
                   "\"Opportunistic\", \"OpportunisticInsecure\", \"Required\", "
                   "\"RequiredInsecure\" or \"Disabled\""};
     },
     origin_of<&PathLimits::enable_tls>, keep<&PathLimits::enable_tls, &PathOverride::enable_tls>},
    {"egress_pool", "The pool of source addresses; \"\": the system chooses the address.",
     [](PathLimits& l) -> Field {
       return Text{&l.egress_pool.value, is_pool_or_none, "the name of a pool, or \"\""};
     },
     origin_of<&PathLimits::egress_pool>,
     keep<&PathLimits::egress_pool, &PathOverride::egress_pool>},
};

// Of KumoMTA's egress path and shaping helper. mx_rollup and replace_base are of sections other
// than [default].
constexpr std::string_view foreign[] = {
    "additional_connection_limits",
    "additional_message_rate_throttles",
    "additional_source_selection_rates",
    "aggressive_connection_opening",
    "allow_smtp_auth_plain_without_tls",
    "automation",
    "consecutive_connection_failures_before_delay",
    "dispatcher_wakeup_strategy",
    "ehlo_domain",
    "enable_dane",
    "enable_mta_sts",
    "enable_pipelining",
    "enable_rset",
    "ip_lookup_strategy",
    "low_memory_reduction_policy",
    "maintainer_wakeup_strategy",
    "max_ready",
    "max_recipients_per_batch",
    "mx_rollup",
    "no_memory_reduction_policy",
    "openssl_cipher_list",
    "openssl_cipher_suites",
    "openssl_options",
    "opportunistic_tls_reconnect_on_failed_handshake",
    "prohibited_hosts",
    "provider_connection_limit",
    "provider_max_message_rate",
    "provider_name",
    "provider_source_selection_rate",
    "readyq_pool_name",
    "reconnect_strategy",
    "refresh_interval",
    "refresh_strategy",
    "remember_broken_tls",
    "replace_base",
    "rset_timeout",
    "rustls_cipher_suites",
    "skip_hosts",
    "smtp_auth_plain_password",
    "smtp_auth_plain_username",
    "smtp_port",
    "source_selection_rate",
    "sources",
    "system_shutdown_timeout",
    "tls_certificate",
    "tls_prefer_openssl",
    "tls_private_key",
    "try_next_host_on_transport_error",
    "use_lmtp",
};

static_assert(std::ranges::is_sorted(foreign));

}  // namespace

bool is_foreign_limit(std::string_view name) { return std::ranges::binary_search(foreign, name); }

std::span<const LimitKey> limit_keys() { return table; }

const LimitKey* find_limit_key(std::string_view name) {
  const LimitKey* found = std::ranges::find(table, name, &LimitKey::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace kurir::server

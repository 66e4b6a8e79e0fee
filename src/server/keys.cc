#include "keys.hh"

#include <algorithm>
#include <limits>

#include "kurir/auth/authenticator.hh"
#include "kurir/directory/address.hh"
#include "kurir/server/block_list.hh"
#include "kurir/server/network.hh"
#include "kurir/wire/address.hh"
#include "nearest_name.hh"

namespace kurir::server {
namespace {

using C = Configuration;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::uint64_t no_bound = std::numeric_limits<std::int64_t>::max();
constexpr Nanoseconds year = hours(365 * 24);

constexpr std::string_view durability_names[] = {"commit", "interval", "none"};
static_assert(static_cast<int>(store::Durability::none) == 2);
constexpr std::string_view version_names[] = {"1.2", "1.3"};
static_assert(static_cast<int>(tls::Version::tls_1_3) == 1);
constexpr std::string_view client_certificates_names[] = {"none", "requested", "required"};
static_assert(static_cast<int>(tls::ClientCertificates::Use::required) == 2);
constexpr std::string_view sync_names[] = {"buffered", "direct"};
static_assert(static_cast<int>(store::SyncMode::direct) == 1);

bool is_path(std::string_view text) {
  return !text.empty() && text.find('\0') == std::string_view::npos;
}

bool is_path_or_none(std::string_view text) { return text.empty() || is_path(text); }

bool is_account(std::string_view text) {
  return text.size() <= 256 && text.find_first_of(std::string_view("\0:/\n ", 5)) == text.npos;
}

bool is_anything(std::string_view text) { return text.find('\0') == std::string_view::npos; }

bool is_address_or_empty(std::string_view text) {
  return text.empty() || wire::parse_address(text).has_value();
}

Field durability(C& c) {
  return Choice{
      durability_names, static_cast<std::size_t>(c.store.durability),
      [](C& into, std::size_t at) { into.store.durability = static_cast<store::Durability>(at); }};
}

Field sync_mode(C& c) {
  return Choice{sync_names, static_cast<std::size_t>(c.store.sync), [](C& into, std::size_t at) {
                  into.store.sync = static_cast<store::SyncMode>(at);
                }};
}

constexpr std::string_view reverse_dns_names[] = {"off", "name", "require"};
static_assert(static_cast<int>(C::ReverseDns::require) == 2);
constexpr std::string_view hello_check_names[] = {"off", "syntax", "full_name", "resolves"};
static_assert(static_cast<int>(C::HelloCheck::resolves) == 3);

Field reverse_dns(C& c) {
  return Choice{
      reverse_dns_names, static_cast<std::size_t>(c.strangers.reverse_dns),
      [](C& into, std::size_t at) { into.strangers.reverse_dns = static_cast<C::ReverseDns>(at); }};
}

Field hello_check(C& c) {
  return Choice{
      hello_check_names, static_cast<std::size_t>(c.strangers.hello_check),
      [](C& into, std::size_t at) { into.strangers.hello_check = static_cast<C::HelloCheck>(at); }};
}

bool is_mechanism(std::string_view text) { return auth::find_mechanism(text).has_value(); }
bool is_block_list(std::string_view text) { return BlockList::parse(text).has_value(); }
bool is_network(std::string_view text) { return Network::parse(text).has_value(); }

constexpr std::string_view networks_expected =
    "networks, like [\"192.0.2.0/24\", \"2001:db8::/32\"]";
bool is_listener(std::string_view text) {
  return std::ranges::find(listen_names, text, &ListenName::name) != std::end(listen_names);
}

constexpr std::string_view vrfy_names[] = {"nobody", "users", "everybody"};
static_assert(static_cast<int>(smtp::Vrfy::everybody) == 2);
Field vrfy(C& c) {
  return Choice{vrfy_names, static_cast<std::size_t>(c.smtp.vrfy),
                [](C& into, std::size_t at) { into.smtp.vrfy = static_cast<smtp::Vrfy>(at); }};
}

Field minimum_version(C& c) {
  return Choice{
      version_names, static_cast<std::size_t>(c.tls.minimum_version),
      [](C& into, std::size_t at) { into.tls.minimum_version = static_cast<tls::Version>(at); }};
}

Field client_certificates(C& c) {
  return Choice{client_certificates_names, static_cast<std::size_t>(c.tls.client_certificates),
                [](C& into, std::size_t at) {
                  into.tls.client_certificates = static_cast<tls::ClientCertificates::Use>(at);
                }};
}

constexpr Key table[] = {
    {"data",
     "Folder of everything durable: mail, queue, users. Only one server may use it. A relative\n"
     "path is seen from this file's folder.",
     [](C& c) -> Field { return Text{&c.data, is_path, "a folder's path"}; }},
    {"hostname", "This host's full name in the DNS: in greetings, Received fields and bounces.",
     [](C& c) -> Field {
       return Text{&c.hostname, directory::is_domain, "a host name, like mail.example.org"};
     }},
    {"cores", "How many cores to use; 0 is as many as the process may run on.",
     [](C& c) -> Field { return Number{&c.cores, 0, 1024}; }},

    {"listen.smtp", "Mail from other hosts (RFC 5321). It is taken for local addresses only.",
     [](C& c) -> Field { return AddressList{&c.listen.smtp}; }},
    {"listen.submission", "Mail from users, who must log in (RFC 6409).",
     [](C& c) -> Field { return AddressList{&c.listen.submission}; }},
    {"listen.submissions", "The same over TLS from the first octet on (RFC 8314).",
     [](C& c) -> Field { return AddressList{&c.listen.submissions}; }},
    {"listen.imap", "IMAP (RFC 9051).", [](C& c) -> Field { return AddressList{&c.listen.imap}; }},
    {"listen.imaps", "The same over TLS from the first octet on.",
     [](C& c) -> Field { return AddressList{&c.listen.imaps}; }},
    {"listen.pop3", "POP3 (RFC 1939).", [](C& c) -> Field { return AddressList{&c.listen.pop3}; }},
    {"listen.pop3s", "The same over TLS from the first octet on.",
     [](C& c) -> Field { return AddressList{&c.listen.pop3s}; }},
    {"listen.lmtp",
     "LMTP (RFC 2033) for programs of this site that bring mail for local addresses: a port, or "
     "the\n"
     "path of a socket, which only the server's own user can use.",
     [](C& c) -> Field { return AddressList{&c.listen.lmtp}; }},

    {"process.user",
     "The system's user that the server becomes when it has bound its ports as root; \"\": it "
     "stays\n"
     "who it is. What of the data folder is root's is given to that user.",
     [](C& c) -> Field { return Text{&c.process.user, is_account, "a user's name, or \"\""}; }},
    {"process.group", "The only group it keeps then; \"\": all of that user's.",
     [](C& c) -> Field { return Text{&c.process.group, is_account, "a group's name, or \"\""}; }},
    {"process.confine_files",
     "Whether it keeps itself from files that it has no business with (Landlock), where the "
     "kernel\n"
     "can. Certificates of a reload must lie in the same folders then, or in /etc.",
     [](C& c) -> Field { return Flag{&c.process.confine_files}; }},
    {"process.deny_system_calls",
     "Whether it gives up what no mail server does: executing, tracing, mounting (seccomp).",
     [](C& c) -> Field { return Flag{&c.process.deny_system_calls}; }},

    {"smtp.message_size_max", "A larger message is refused (RFC 1870).",
     [](C& c) -> Field { return Size{&c.smtp.message_size_max, 65536, (1ULL << 32) - 1}; }},
    {"smtp.recipients_max",
     "Recipients of one message; the sender is asked to send the rest again (RFC 5321 4.5.3.1.10).",
     [](C& c) -> Field { return Number{&c.smtp.recipients_max, 100, 100'000}; }},
    {"smtp.errors_max", "After so many refused commands the connection is closed.",
     [](C& c) -> Field { return Number{&c.smtp.errors_max, 1, 10'000}; }},
    {"smtp.command_timeout", "How long to wait for a command (RFC 5321 4.5.3.2.7: at least 5m).",
     [](C& c) -> Field { return Duration{&c.smtp.command_timeout, Seconds(1), hours(24)}; }},
    {"smtp.data_timeout",
     "How long a message may take to arrive, beside what its size needs on a slow line.",
     [](C& c) -> Field { return Duration{&c.smtp.data_timeout, Seconds(1), hours(24)}; }},

    {"smtp.data_rate_min",
     "Octets a second that a message must bring, all in all, once data_timeout is over.",
     [](C& c) -> Field { return Size{&c.smtp.data_rate_min, 1, 1 << 30}; }},
    {"smtp.errors_soft",
     "After so many refused commands each further one is answered after error_delay, but for "
     "hosts\n"
     "of limits.trusted and users.",
     [](C& c) -> Field { return Number{&c.smtp.errors_soft, 0, 10'000}; }},
    {"smtp.error_delay", "See errors_soft; 0s: none.",
     [](C& c) -> Field { return Duration{&c.smtp.error_delay, Nanoseconds(0), minutes(1)}; }},
    {"smtp.idle_commands_max",
     "NOOP, RSET, VRFY and HELP between two messages; each further one counts as an error.",
     [](C& c) -> Field { return Number{&c.smtp.idle_commands_max, 1, 1'000'000}; }},
    {"smtp.vrfy",
     "Who is told by VRFY whether an address exists: \"nobody\", \"users\" who have logged in, or\n"
     "\"everybody\".",
     vrfy},
    {"smtp.pipelining_connect",
     "Whether commands may come with the connection, before the greeting (PIPECONNECT, as Exim "
     "has\n"
     "it): a round trip less. Who talks too early is no longer known by it.",
     [](C& c) -> Field { return Flag{&c.smtp.pipelining_connect}; }},
    {"smtp.etrn_networks",
     "Networks whose hosts may start the queue for a domain (ETRN, RFC 1985), like "
     "\"192.0.2.0/24\".",
     [](C& c) -> Field { return WordList{&c.smtp.etrn_networks, is_network, networks_expected}; }},
    {"smtp.xclient_networks",
     "Networks whose hosts are believed whom they speak for (XCLIENT, as Postfix has it): filters\n"
     "and proxies. They can claim any address and any login.",
     [](C& c) -> Field {
       return WordList{&c.smtp.xclient_networks, is_network, networks_expected};
     }},

    {"strangers.greet_pause",
     "How long a host waits for the greeting; who talks before it is no mail server and is hung "
     "up\n"
     "on. Strangers are all hosts that are not in limits.trusted and whose user does not log in.",
     [](C& c) -> Field { return Duration{&c.strangers.greet_pause, Nanoseconds(0), minutes(1)}; }},
    {"strangers.reverse_dns",
     "The name that the reverse DNS gives a host, where the name has the host's address: \"off\";\n"
     "\"name\": it goes into Received; \"require\": who has none is refused.",
     reverse_dns},
    {"strangers.hello_check",
     "What EHLO must say: \"off\": anything; \"syntax\": a host name or the host's own address, "
     "and "
     "not\n"
     "our name; \"full_name\": one with a dot; \"resolves\": one that the DNS has an address of.",
     hello_check},
    {"strangers.block_lists",
     "DNS block lists whose hosts are refused, in Postfix's words: \"zen.example.org\",\n"
     "\"list.example.org=127.0.0.[2;4..11]*2\" (the answers that count, and for how much),\n"
     "\"good.example.org*-2\". A list that does not answer says nothing.",
     [](C& c) -> Field {
       return WordList{&c.strangers.block_lists, is_block_list,
                       "block lists, like [\"zen.example.org=127.0.0.[2..11]*2\"]"};
     }},
    {"strangers.block_threshold", "Refused is whose lists weigh that much together.",
     [](C& c) -> Field { return Number{&c.strangers.block_threshold, 1, 1000}; }},
    {"strangers.timeout", "How long the greeting waits for block lists and the reverse DNS.",
     [](C& c) -> Field { return Duration{&c.strangers.timeout, Milliseconds(100), minutes(1)}; }},
    {"strangers.greylist",
     "Whether a host that is new with a sender and a recipient is asked to come again (RFC 6647).\n"
     "Mail of new correspondents is late then.",
     [](C& c) -> Field { return Flag{&c.strangers.greylist}; }},
    {"strangers.greylist_delay", "When it may come again.",
     [](C& c) -> Field { return Duration{&c.strangers.greylist_delay, Seconds(1), hours(24)}; }},
    {"strangers.greylist_window", "By when it must come again.",
     [](C& c) -> Field { return Duration{&c.strangers.greylist_window, Seconds(1), year}; }},
    {"strangers.greylist_lifetime",
     "How long one that came again is let through, since its last mail.",
     [](C& c) -> Field { return Duration{&c.strangers.greylist_lifetime, Seconds(1), year}; }},

    {"proxy.listeners",
     "Listeners, like \"smtp\", where a connection from proxy.networks begins with a header of "
     "the\n"
     "PROXY protocol (version 1 or 2). The address in it is the client's, for everything.",
     [](C& c) -> Field {
       return WordList{&c.proxy.listeners, is_listener,
                       "names of listeners, like [\"smtp\", \"imaps\"]"};
     }},
    {"proxy.networks", "The proxies. Others speak on these listeners as on any.",
     [](C& c) -> Field { return WordList{&c.proxy.networks, is_network, networks_expected}; }},
    {"proxy.timeout", "How long the header may take to come.",
     [](C& c) -> Field { return Duration{&c.proxy.timeout, Milliseconds(100), minutes(1)}; }},

    {"auth.allow_plaintext",
     "Whether passwords may cross the network unencrypted. Anybody on the way can read them.",
     [](C& c) -> Field { return Flag{&c.auth.allow_plaintext}; }},
    {"auth.failures_max", "After so many wrong passwords the connection is closed.",
     [](C& c) -> Field { return Number{&c.auth.failures_max, 1, 100}; }},

    {"auth.failures_per_network",
     "So many wrong passwords from one address (IPv6: one /64) cost nothing; each further try "
     "from\n"
     "there waits.",
     [](C& c) -> Field { return Number{&c.auth.failures_per_network, 1, 1'000'000}; }},
    {"auth.failures_per_account",
     "The same for one account, wherever the tries come from. Who has logged in from a network "
     "before\n"
     "does not wait there for what others guess.",
     [](C& c) -> Field { return Number{&c.auth.failures_per_account, 1, 1'000'000}; }},
    {"auth.failure_delay",
     "How long such a try waits at most, and how long a wrong password counts for.",
     [](C& c) -> Field { return Duration{&c.auth.failure_delay, Milliseconds(1), minutes(1)}; }},
    {"auth.mechanisms",
     "The SASL mechanisms that are offered where they can be, like [\"SCRAM-SHA-256\", "
     "\"PLAIN\"];\n"
     "[]: all. mutt 2.2 cannot do those with -PLUS, and asks for them where they are offered.",
     [](C& c) -> Field {
       return WordList{&c.auth.mechanisms, is_mechanism,
                       "mechanisms, like [\"SCRAM-SHA-256\", \"PLAIN\"]"};
     }},
    {"auth.token_keys_file",
     "Public keys (JWKS, RFC 7517) of who issues access tokens: with them users log in by\n"
     "OAUTHBEARER and XOAUTH2. Read anew on SIGHUP and `kurir reload`. \"\": no tokens.",
     [](C& c) -> Field { return Text{&c.auth.token_keys_file, is_path_or_none, "a file's path"}; }},
    {"auth.token_issuer", "The issuer (iss) that a token must name; \"\": any.",
     [](C& c) -> Field { return Text{&c.auth.token_issuer, is_anything, "a text"}; }},
    {"auth.token_audience", "The audience (aud) that a token must name; \"\": any.",
     [](C& c) -> Field { return Text{&c.auth.token_audience, is_anything, "a text"}; }},
    {"auth.token_user_claim", "The claim of a token that is the user's address.",
     [](C& c) -> Field { return Text{&c.auth.token_user_claim, is_path, "a claim's name"}; }},

    {"submission.messages_per_hour",
     "Messages that one user may hand in within an hour, all at once or not; 0: any number.",
     [](C& c) -> Field { return Number{&c.submission.messages_per_hour, 0, 1'000'000}; }},
    {"submission.recipients_per_hour", "The same of recipients, all messages together.",
     [](C& c) -> Field { return Number{&c.submission.recipients_per_hour, 0, 1'000'000}; }},

    {"tls.certificates",
     "Chains of certificates in PEM, the host's own first. Several: a client is given that for "
     "the\n"
     "name it asks for, of two for one name that whose key (ECDSA or RSA) it takes; who asks for\n"
     "none of them is given the first. None: one that the server makes and signs itself, which no\n"
     "client believes. Read anew on SIGHUP and `kurir reload`.",
     [](C& c) -> Field { return PathList{&c.tls.certificates}; }},
    {"tls.private_keys",
     "Their keys in PEM, in the same order; none: each is in the file of its certificate.",
     [](C& c) -> Field { return PathList{&c.tls.private_keys}; }},
    {"tls.minimum_version", "The oldest version of TLS that is spoken with clients.",
     minimum_version},
    {"tls.ca_file",
     "Authorities in PEM whose word counts where enable_tls is \"Required\", and for mail with\n"
     "REQUIRETLS (RFC 8689).",
     [](C& c) -> Field { return Text{&c.tls.ca_file, is_path, "a file's path"}; }},
    {"tls.handshake_timeout", "How long a client's handshake may take.",
     [](C& c) -> Field { return Duration{&c.tls.handshake_timeout, Seconds(1), minutes(5)}; }},
    {"tls.client_certificates",
     "Whether users' programs are asked for a certificate, by every listener but listen.smtp:\n"
     "\"requested\": who has none is served as well; \"required\": is not.",
     client_certificates},
    {"tls.client_ca_file",
     "Authorities in PEM whose word on clients' certificates counts. Read anew like\n"
     "tls.certificates.",
     [](C& c) -> Field { return Text{&c.tls.client_ca_file, is_path_or_none, "a file's path"}; }},

    {"dns.servers",
     "Name servers that look further for us, like [\"127.0.0.1:53\"]; none: those of\n"
     "/etc/resolv.conf.",
     [](C& c) -> Field { return AddressList{&c.dns.servers}; }},
    {"dns.timeout", "How long a question to them may take, all tries together.",
     [](C& c) -> Field { return Duration{&c.dns.timeout, Milliseconds(100), minutes(5)}; }},

    {"limits.connections_max", "Connections at a time, of all protocols.",
     [](C& c) -> Field { return Number{&c.limits.connections_max, 1, 10'000'000}; }},
    {"limits.connections_per_address_max", "Connections at a time from one IP address.",
     [](C& c) -> Field { return Number{&c.limits.connections_per_address_max, 1, 10'000'000}; }},

    {"limits.connections_per_network_max",
     "Connections at a time from one network: an IPv4 /24, an IPv6 /64.",
     [](C& c) -> Field { return Number{&c.limits.connections_per_network_max, 1, 10'000'000}; }},
    {"limits.address_connection_rate",
     "New connections from one IP address, like \"60/min\"; \"0/s\" is no limit.",
     [](C& c) -> Field { return RateField{&c.limits.address_connection_rate}; }},
    {"limits.network_connection_rate", "The same, from one network.",
     [](C& c) -> Field { return RateField{&c.limits.network_connection_rate}; }},
    {"limits.pressed_timeout",
     "smtp.command_timeout of strangers while four of five connections_max are there, or memory\n"
     "runs short.",
     [](C& c) -> Field { return Duration{&c.limits.pressed_timeout, Seconds(1), hours(1)}; }},
    {"limits.memory_max",
     "Memory of the server beyond which connections that have not logged in make room for new "
     "ones\n"
     "(421), those that have been there longest first; 0 is three quarters of what the machine, "
     "or\n"
     "the server's cgroup, has.",
     [](C& c) -> Field { return Size{&c.limits.memory_max, 0, no_bound}; }},
    {"limits.trusted",
     "Networks that of these limits only connections_max counts for, whose hosts are no strangers.",
     [](C& c) -> Field { return WordList{&c.limits.trusted, is_network, networks_expected}; }},

    {"store.durability",
     "When a message is acknowledged: \"commit\", when it is on the disk. To measure, not to "
     "serve:\n"
     "\"interval\" (on the disk within durability_interval) and \"none\" (when the kernel likes)\n"
     "lose acknowledged mail in a power cut.",
     durability},
    {"store.durability_interval", "For durability = \"interval\".",
     [](C& c) -> Field {
       return Duration{&c.store.durability_interval, Milliseconds(1), minutes(1)};
     }},
    {"store.sync",
     "How commits reach the disk: \"buffered\" (page cache and fdatasync) or \"direct\" "
     "(O_DIRECT).\n"
     "Measure which is faster on your disk.",
     sync_mode},
    {"store.segment_size", "Size of the files that messages are written to.",
     [](C& c) -> Field {
       return Size{&c.store.segment_size, 8 << 20, limits::log_segment_octets_max};
     }},
    {"store.free_space_min",
     "Mail is refused for a time (452) where less would stay free on the disk.",
     [](C& c) -> Field { return Size{&c.store.free_space_min, 0, no_bound}; }},

    {"store.checkpoint_size",
     "A start reads what is queued, the mailboxes' index, and at most about so much beside them:\n"
     "a checkpoint is written when more has come, for each core.",
     [](C& c) -> Field { return Size{&c.store.checkpoint_size, 65536, no_bound}; }},
    {"store.compact_dead_percent",
     "A file of stored mail of which more than so much was deleted is written anew without that,\n"
     "while mail goes on; 100: only files that nothing is left in are given back.",
     [](C& c) -> Field { return Number{&c.store.compact_dead_percent, 1, 100}; }},
    {"store.compact_rate", "So much a second, for each core, is copied for that at most.",
     [](C& c) -> Field { return Size{&c.store.compact_rate, 65536, no_bound}; }},
    {"store.compact_interval", "Wait between two looks at what was deleted.",
     [](C& c) -> Field { return Duration{&c.store.compact_interval, Milliseconds(100), year}; }},

    {"queue.max_age", "A message that could not be delivered for so long is returned.",
     [](C& c) -> Field { return Duration{&c.queue.max_age, Seconds(1), year}; }},
    {"queue.retry_interval", "Wait before the first retry; it doubles with each further one.",
     [](C& c) -> Field { return Duration{&c.queue.retry_interval, Milliseconds(100), year}; }},
    {"queue.max_retry_interval", "The longest wait between two tries.",
     [](C& c) -> Field { return Duration{&c.queue.max_retry_interval, Milliseconds(100), year}; }},

    {"queue.delay_warning",
     "A sender is told once that a message is not delivered yet after so long; 0s: never.",
     [](C& c) -> Field { return Duration{&c.queue.delay_warning, Nanoseconds(0), year}; }},
    {"queue.double_bounce_to",
     "Who gets a bounce that cannot be delivered itself: an address, or empty for nobody.",
     [](C& c) -> Field {
       return Text{&c.queue.double_bounce_to, is_address_or_empty,
                   "an address, like postmaster@example.org, or \"\""};
     }},

    {"relay.port", "The port of the hosts that mail is relayed to.",
     [](C& c) -> Field { return Number{&c.relay.port, 1, 65535}; }},
    {"relay.certificate",
     "A chain of certificates in PEM for hosts that ask the relay for one; \"\": it shows none.",
     [](C& c) -> Field { return Text{&c.relay.certificate, is_path_or_none, "a file's path"}; }},
    {"relay.private_key", "Its key in PEM; \"\": it is in the same file.",
     [](C& c) -> Field { return Text{&c.relay.private_key, is_path_or_none, "a file's path"}; }},

    {"mailbox.quota_default", "Quota of users that are added without one; 0 is none.",
     [](C& c) -> Field { return Size{&c.mailbox.quota_default, 0, 1ULL << 62}; }},
    {"mailbox.subaddress_create",
     "Mail for user+folder@domain makes the folder where it is missing; else it goes to INBOX.",
     [](C& c) -> Field { return Flag{&c.mailbox.subaddress_create}; }},

    {"log.events",
     "Where the events go, one JSON object a line: \"stdout\", \"none\", or a file's path, which "
     "is\n"
     "opened anew on SIGHUP.",
     [](C& c) -> Field {
       return Text{&c.log.events, is_path, "\"stdout\", \"none\" or a file's path"};
     }},
    {"log.summary", "One line a second about what the server does, where stdout is a terminal.",
     [](C& c) -> Field { return Flag{&c.log.summary}; }},

    {"shutdown.grace", "How long running transactions may take to end when the server is stopped.",
     [](C& c) -> Field { return Duration{&c.shutdown.grace, Nanoseconds(0), hours(1)}; }},
};

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::span<const Key> keys() { return table; }

const Key* find_key(std::string_view name) {
  const Key* found = std::ranges::find(table, name, &Key::name);
  return found == std::end(table) ? nullptr : found;
}

std::string_view nearest_key(std::string_view name) {
  // A right name in the wrong table is one mistake.
  NearestName nearest(name);
  for (const Key& key : table)
    nearest.offer(key.name,
                  last_part(name) == last_part(key.name) ? 1 : nearest.distance(key.name));
  return nearest.found();
}

Configuration::Listen Configuration::everywhere() {
  const auto both = [](std::uint16_t port) {
    return Addresses{io::SocketAddress::ipv4({}, port), io::SocketAddress::ipv6({}, port)};
  };
  return {both(25), both(587), both(465), both(143), both(993), both(110), both(995), {}};
}

}  // namespace kurir::server

#pragma once
// Every bound that is not configured, in one place, with the relations between them. Octets unless
// named otherwise.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kurir::limits {

// SMTP (RFC 5321 4.5.3.1, RFC 4954 4, threats.md A6 and A7).
inline constexpr std::size_t smtp_command_octets_max = 4096;  // line end included
inline constexpr std::size_t smtp_auth_octets_max = 12288;    // AUTH and its continuation lines
inline constexpr std::size_t smtp_unterminated_octets_max = 1 << 20;
inline constexpr std::size_t path_octets_max = 256;
inline constexpr std::size_t local_part_octets_max = 64;
inline constexpr std::size_t domain_octets_max = 255;
inline constexpr std::size_t text_line_octets_max = 998;         // of content, CRLF not counted
inline constexpr std::size_t dsn_envid_octets_max = 100;         // RFC 3461 4.4
inline constexpr std::size_t dsn_orcpt_octets_max = 500;         // RFC 3461 4.2
inline constexpr std::size_t dsn_orcpts_octets_max = 96 * 1024;  // ours: of all recipients
// Content that is, or may have to be, converted for who does not take it: in memory, of a core.
inline constexpr std::size_t converted_octets_max = 128 << 20;
inline constexpr std::size_t smtp_reply_line_octets_max = 512;  // ours, CRLF included
inline constexpr std::size_t smtp_peer_reply_line_octets_max = 4096;
inline constexpr std::size_t smtp_peer_reply_octets_max = 64 * 1024;
inline constexpr std::size_t sasl_name_octets_max = 255;  // RFC 4616 2: each field, at least this
inline constexpr std::size_t sasl_password_octets_max = 1024;
inline constexpr std::size_t received_headers_max = 100;  // RFC 5321 6.3: loop detection

inline constexpr std::size_t report_reply_octets_max = 1024;       // a server's words, a recipient
inline constexpr std::size_t report_original_octets_max = 50'000;  // returned; threats.md D8

// IMAP and POP3 (RFC 9051, RFC 7888, RFC 2449; threats.md I1, I2, J2).
inline constexpr std::size_t imap_command_octets_max =
    64 * 1024;  // all literals but APPEND's included
inline constexpr std::size_t imap_unterminated_octets_max = 1 << 20;
inline constexpr std::size_t imap_literal_before_login_max = 4096;
inline constexpr std::size_t imap_literals_max = 100;  // in one command
inline constexpr std::size_t imap_tag_octets_max = 128;
inline constexpr std::size_t imap_keyword_octets_max = 128;
inline constexpr std::size_t imap_fetch_items_max = 128;
inline constexpr std::size_t imap_header_fields_max = 128;  // in one HEADER.FIELDS list
inline constexpr std::size_t imap_list_patterns_max = 32;
inline constexpr std::size_t imap_parameters_max = 32;  // ID pairs, ENABLE names
inline constexpr std::size_t imap_search_nodes_max = 1000;
inline constexpr std::size_t imap_search_depth_max = 50;
inline constexpr std::size_t imap_keywords_max = 56;  // bits beside the system flags in 64
inline constexpr std::size_t mailbox_name_octets_max = 1000;
inline constexpr std::size_t mailbox_levels_max = 32;
inline constexpr std::size_t pop3_command_octets_max = 255;
inline constexpr std::size_t mailbox_folders_max = 10000;        // of one account
inline constexpr std::size_t mailbox_subscriptions_max = 10000;  // of one account
inline constexpr std::size_t mailbox_chunk_entries_min = 4;  // 256 octets: most mailboxes hold few
inline constexpr std::size_t mailbox_chunk_entries_max = 1024;    // 64 KiB; both powers of two
inline constexpr std::size_t mailbox_record_messages_max = 4096;  // of one journal record: 240 KiB
inline constexpr std::size_t mailbox_record_ranges_max = 65536;   // of uids: 512 KiB

// Message structure (threats.md E1, E2).
inline constexpr std::size_t mime_depth_max = 100;
inline constexpr std::size_t mime_parts_max = 10000;
inline constexpr std::size_t header_octets_max = 10 << 20;  // one header section
inline constexpr std::size_t addresses_parsed_max = 10000;
inline constexpr std::size_t mime_parameters_max = 1000;      // of one field, continuations counted
inline constexpr std::size_t mime_boundary_octets_max = 512;  // RFC 2046 5.1.1 says 70
inline constexpr std::size_t charset_name_octets_max = 64;

// The store (log.hh). A record fits a batch with the header block, a mark and a partial block
// before it.
inline constexpr std::uint32_t log_segment_octets = 64U << 20;
inline constexpr std::uint32_t log_segment_octets_max = 1U << 30;
inline constexpr std::uint32_t log_batch_octets = 2U << 20;
inline constexpr std::uint32_t log_record_payload_max = 1U << 20;
inline constexpr unsigned log_batches_max = 4;
inline constexpr unsigned log_free_segments_max = 4;
inline constexpr std::size_t content_extent_octets =
    128 << 10;                                            // a message above it is stored in extents
inline constexpr std::size_t reader_files_max = 64;       // open at once, a core
inline constexpr std::size_t damaged_records_max = 1024;  // remembered by a reader

// Checkpoints (store/checkpoint_writer.hh). One is taken where a start would read so much more than
// the last one; its own records are of this size, and leave this room to ordinary ones.
inline constexpr std::uint64_t checkpoint_octets = 4ULL * log_segment_octets;
inline constexpr std::size_t checkpoint_record_octets = 64 << 10;
inline constexpr std::size_t checkpoint_room_octets = 512 << 10;
inline constexpr std::size_t recovery_reads_max = 256;  // of queued messages, at once

// Queue.
inline constexpr std::size_t queue_reports_running_max = 256;  // to senders, at once, of a shard
inline constexpr std::size_t queue_domains_kept = 4096;  // counted, though nothing waits for them
// Directory (threats.md C2, D7).
inline constexpr std::size_t password_octets_max = 511;  // what libxcrypt takes
inline constexpr std::size_t alias_depth_max = 10;
inline constexpr std::size_t alias_targets_max = 1000;         // expanded, for one alias
inline constexpr std::size_t alias_visits_max = 4000;          // steps to expand one alias
inline constexpr std::size_t directory_targets_max = 1 << 26;  // expanded, for all aliases
inline constexpr std::size_t recent_logins_max = 4096;         // for each core

// What is observed, and the control socket (threats.md D6, L).
inline constexpr std::size_t event_field_octets_max = 1024;
inline constexpr std::size_t event_log_octets_max = 16 << 20;  // unwritten, for each core
inline constexpr std::size_t control_request_octets_max = 1 << 20;
inline constexpr std::size_t control_depth_max = 32;        // of a request's JSON
inline constexpr std::size_t control_connections_max = 32;  // commands at once
inline constexpr std::size_t control_refusals_max = 64;     // told so; beyond, closed at once

// DNS (threats.md H). Of one core.
inline constexpr std::size_t dns_udp_octets = 1232;  // what fits a way of 1280 octets without parts
inline constexpr std::size_t dns_name_octets_max = 255;     // on the wire (RFC 1035 2.3.4)
inline constexpr unsigned dns_pointers_max = 127;           // within one name
inline constexpr std::size_t dns_walk_steps_max = 1 << 17;  // labels and pointers in one packet
inline constexpr unsigned dns_aliases_max = 10;
inline constexpr std::size_t dns_exchanges_of_domain_max = 100;
inline constexpr std::size_t dns_addresses_max = 20;  // of a name, both families
inline constexpr std::size_t dns_records_max = 100;   // of any other type
inline constexpr std::size_t dns_servers_max = 8;
inline constexpr unsigned dns_exchanges_max = 256;        // sockets at once
inline constexpr std::size_t dns_questions_max = 20'000;  // under way or waiting for a socket
inline constexpr unsigned dns_disbelieved_max = 32;  // replies to one socket; then TCP is asked
inline constexpr std::size_t dns_cache_entries_max = 10'000;
inline constexpr std::size_t dns_cache_octets_max = 16 << 20;

static_assert(smtp_command_octets_max > path_octets_max + 512,
              "a path with parameters fits a command");

static_assert(content_extent_octets + 64 * 1024 + 1000 * 700 + dsn_orcpts_octets_max <
                  log_record_payload_max,
              "the rest of a large message and its envelope fit one record");
static_assert(mailbox_record_messages_max * 68 + mailbox_record_ranges_max * 8 <
                  log_record_payload_max,
              "messages that move, or uids whose flags change, fit one record");
static_assert(checkpoint_record_octets + checkpoint_room_octets < log_record_payload_max,
              "a checkpoint's record and the room it leaves can be asked for at once");
static_assert(log_batch_octets > log_record_payload_max + 3 * 4096, "any record fits a batch");

}  // namespace kurir::limits

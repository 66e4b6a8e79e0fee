#include "kurir/wire/idna.hh"

#include <gtest/gtest.h>

namespace kurir::wire {
namespace {

struct Row {
  std::string_view name, address, ascii;  // ascii empty: there is none
};
constexpr Row rows[] = {
    {"ascii_stays", "a@Example.TEST", "a@Example.TEST"},
    {"an_umlaut", "a@b\xC3\xBC\x63her.example", "a@xn--bcher-kva.example"},
    {"upper_case", "a@B\xC3\x9C\x43HER.example", "a@xn--bcher-kva.example"},
    {"sharp_s_is_itself", "a@stra\xC3\x9F\x65.example", "a@xn--strae-oqa.example"},
    {"the_local_part_stays", "\xC3\xBC@b\xC3\xBC\x63her.example", "\xC3\xBC@xn--bcher-kva.example"},
    {"an_ideographic_dot", "a@a\xE3\x80\x82\xC3\xBC.example", "a@a.xn--tda.example"},
    {"a_literal_stays", "a@[192.0.2.1]", "a@[192.0.2.1]"},
    {"no_domain_stays", "postmaster", "postmaster"},
    {"a_symbol_is_none", "a@x\xE2\x80\xAEy.example", ""},
    {"a_combining_begin_is_none", "a@\xCC\x88x.example", ""},
};
class Idna : public testing::TestWithParam<Row> {};
TEST_P(Idna, as_written) {
  EXPECT_EQ(with_ascii_domain(GetParam().address).value_or(""), GetParam().ascii);
}
INSTANTIATE_TEST_SUITE_P(Rows, Idna, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace kurir::wire

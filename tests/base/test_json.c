/* SPDX-License-Identifier: MIT */
/* test_json.c -- what JSON is read as, what is refused and where, and what is written. */
#include "base/json.h"

#include "base/random.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>

static base_json *parse(const char *text, base_error *error)
{
    return base_json_parse(text, strlen(text), "text", error);
}

static void a_sample_is_read(void)
{
    const char *text = " {\"name\" : \"t5\\n\\u00e9\\ud83d\\udd25\", \"sizes\":[1, -2.5 ,3e2],\n"
                       "\"yes\":true,\"no\":false,\"none\":null,\"inner\":{\"a\":{}, \"b\":[]}} ";
    base_error error = {""};
    base_json *root = parse(text, &error);
    CHECK(root, "%s", error.text);
    if (!root)
        return;
    CHECK(root->kind == BASE_JSON_OBJECT && root->length == 6 && !root->name && !root->next,
          "kind %d, length %zu", root->kind, root->length);
    const char *name = "";
    CHECK(base_json_get_string(root, "name", &name, "x", &error), "%s", error.text);
    CHECK(strcmp(name, "t5\n\xC3\xA9\xF0\x9F\x94\xA5") == 0, "got \"%s\"", name);

    static const double want[] = {1, -2.5, 300};
    const base_json *sizes = base_json_get(root, "sizes"), *size = sizes->child;
    CHECK(sizes->kind == BASE_JSON_ARRAY && sizes->length == 3, "length %zu", sizes->length);
    for (int i = 0; i < 3 && size; i++, size = size->next) {
        CHECK(size->number == want[i] && !size->name, "item %d: %g", i, size->number);
        CHECK(size->is_integer == (i == 0), "item %d is an integer: %d", i, size->is_integer);
    }
    CHECK(!size, "more items than the length says");
    CHECK(base_json_get(root, "yes")->kind == BASE_JSON_TRUE, "yes");
    CHECK(base_json_get(root, "no")->kind == BASE_JSON_FALSE, "no");
    CHECK(base_json_get(root, "none")->kind == BASE_JSON_NULL, "none");
    const base_json *inner = base_json_get(root, "inner");
    CHECK(base_json_get(inner, "a")->kind == BASE_JSON_OBJECT, "inner.a");
    CHECK(base_json_get(inner, "b")->length == 0, "inner.b");
    CHECK(!base_json_get(root, "nam") && !base_json_get(sizes, "name") && !base_json_get(NULL, "x"),
          "members that are not there");
    base_json_free(root);
    base_json_free(NULL);
}

static void numbers_are_exact(void)
{
    static const struct {
        const char *text;
        double number;
        bool is_integer;
        int64_t integer;
    } cases[] = {
        {"0", 0, true, 0},
        {"-0", -0.0, true, 0},
        {"7", 7, true, 7},
        {"-12", -12, true, -12},
        {"9223372036854775807", 0x1p63, true, INT64_MAX},
        {"-9223372036854775808", -0x1p63, true, INT64_MIN},
        {"9223372036854775808", 0x1p63, false, 0},
        {"-9223372036854775809", -0x1p63, false, 0},
        {"99999999999999999999999", 99999999999999999999999.0, false, 0},
        {"9007199254740993", 9007199254740992, true, 9007199254740993},
        {"1.0", 1, false, 0},
        {"1e0", 1, false, 0},
        {"1E+2", 100, false, 0},
        {"0.1", 0.1, false, 0},
        {"-0.0", -0.0, false, 0},
        {"1.7976931348623157e308", DBL_MAX, false, 0},
        {"4.9e-324", 0x1p-1074, false, 0},
        {"1e-999", 0, false, 0},
        {"0e99999999999999999999", 0, false, 0},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_error error = {""};
        base_json *root = parse(cases[i].text, &error);
        CHECK(root, "%s", error.text);
        if (!root)
            continue;
        double want = cases[i].number;
        CHECK(root->number == want && signbit(root->number) == signbit(want), "%s: %a, want %a",
              cases[i].text, root->number, want);
        CHECK(root->is_integer == cases[i].is_integer, "%s: integer %d", cases[i].text,
              root->is_integer);
        CHECK(!root->is_integer || root->integer == cases[i].integer, "%s: %lld", cases[i].text,
              (long long)root->integer);
        base_json_free(root);
    }
}

/* A whole number is an integer however it is written, as long as a double holds it exactly. */
static void integers_are_read_as_they_are_meant(void)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {
        {"{\"x\": 32}", true, 32},    {"{\"x\": 32.0}", true, 32},   {"{\"x\": 3.2e1}", true, 32},
        {"{\"x\": -0.0}", true, 0},   {"{\"x\": 32.5}", false, 0},   {"{\"x\": 1e17}", false, 0},
        {"{\"x\": 101.0}", false, 0}, {"{\"x\": \"32\"}", false, 0}, {"{\"x\": 1e-320}", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_error error = {""};
        base_json *root = parse(cases[i].text, &error);
        int64_t value = 7;
        bool good = base_json_get_int(root, "x", -100, 100, &value, "f", &error);
        CHECK(good == cases[i].good && value == (good ? cases[i].value : 7), "%s: %lld, %s",
              cases[i].text, (long long)value, error.text);
        base_json_free(root);
    }
}

/* Each with the place and a piece of the message. */
static void what_is_no_json_is_refused(void)
{
    static const struct {
        const char *text, *place, *message;
    } cases[] = {
        {"", "1:1:", "a value, found the end"},
        {" \n ", "2:2:", "a value"},
        {"nul", "1:4:", "null"},
        {"nulL", "1:4:", "null"},
        {"True", "1:1:", "a value"},
        {"truefalse", "1:5:", "the end of the text, found 'f'"},
        {"1 2", "1:3:", "the end"},
        {"{} x", "1:4:", "the end"},
        {"[1,]", "1:4:", "a value"},
        {"[,1]", "1:2:", "a value"},
        {"[1 2]", "1:4:", "',' or ']'"},
        {"[1}", "1:3:", "',' or ']'"},
        {"[", "1:2:", "a value, found the end"},
        {"]", "1:1:", "a value"},
        {"{", "1:2:", "a name"},
        {"{1:2}", "1:2:", "a name"},
        {"{\"a\"}", "1:5:", "':'"},
        {"{\"a\":}", "1:6:", "a value"},
        {"{\"a\":1,}", "1:8:", "a name"},
        {"{\"a\":1]", "1:7:", "',' or '}'"},
        {"{\"a\":1 \"b\":2}", "1:8:", "',' or '}'"},
        {"{'a':1}", "1:2:", "a name"},
        {"[\n\"\xC3\xA9\", \"\xC3\xA9\", ?]", "2:11:", "a value, found '?'"},
        {"// no comments\n1", "1:1:", "a value"},
        {"\xEF\xBB\xBF{}", "1:1:", "found byte 0xef"},
        {"01", "1:2:", "the end"},
        {"-", "1:2:", "a digit"},
        {"-a", "1:2:", "a digit"},
        {"+1", "1:1:", "a value"},
        {".5", "1:1:", "a value"},
        {"1.", "1:3:", "a digit"},
        {"1.e5", "1:3:", "a digit"},
        {"1e", "1:3:", "a digit"},
        {"1e+", "1:4:", "a digit"},
        {"0x10", "1:2:", "the end"},
        {"1,5", "1:2:", "the end"},
        {"NaN", "1:1:", "a value"},
        {"Infinity", "1:1:", "a value"},
        {"-Infinity", "1:2:", "a digit"},
        {"1e999", "1:1:", "a double"},
        {"-1e309", "1:1:", "a double"},
        {"\"", "1:2:", "a closing quote"},
        {"\"abc", "1:5:", "a closing quote"},
        {"\"a\nb\"", "1:3:", "control"},
        {"\"\t\"", "1:2:", "control"},
        {"\"\\", "1:3:", "after a backslash"},
        {"\"\\x41\"", "1:3:", "after a backslash"},
        {"\"\\'\"", "1:3:", "after a backslash"},
        {"\"\\u12\"", "1:6:", "hexadecimal"},
        {"\"\\u12g4\"", "1:6:", "hexadecimal"},
        {"\"\\u", "1:4:", "hexadecimal"},
        {"\"\\udc00\"", "1:4:", "second half"},
        {"\"\\ud800\"", "1:8:", "second half"},
        {"\"\\ud800x\"", "1:8:", "second half"},
        {"\"\\ud800\\n\"", "1:8:", "second half"},
        {"\"\\ud800\\ud800\"", "1:10:", "second half"},
        {"\"\\ud800\\u0041\"", "1:10:", "second half"},
        {"{\"a\\u0000\":1}", "1:2:", "NUL"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "1:19:", "\"a\" twice"},
        {"{\"a\":1,\"\\u0061\":3}", "1:18:", "\"a\" twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_error error = {""};
        char place[32];
        base_json *root = parse(cases[i].text, &error);
        snprintf(place, sizeof place, "text:%s", cases[i].place);
        CHECK(!root, "%s was read", cases[i].text);
        CHECK(strncmp(error.text, place, strlen(place)) == 0, "%s: \"%s\", expected at %s",
              cases[i].text, error.text, place);
        CHECK(strstr(error.text, cases[i].message), "%s: \"%s\", expected \"%s\"", cases[i].text,
              error.text, cases[i].message);
        CHECK(!parse(cases[i].text, NULL), "without an error to set");
    }
}

static void a_nul_is_no_end(void)
{
    base_error error;
    static const char after[] = "1\0002", string[] = "\"a\0b\"", escaped[] = "\"a\\u0000b\\\"\"";
    CHECK(!base_json_parse(after, sizeof after - 1, "x", &error), "a NUL after the value");
    CHECK(!base_json_parse(string, sizeof string - 1, "x", &error), "a NUL in a string");
    CHECK(!base_json_parse("\"\\\0\"", 4, "x", &error), "an escaped NUL byte");
    CHECK(!base_json_parse(NULL, 0, "x", &error), "no text at all");
    base_json *root = base_json_parse(escaped, sizeof escaped - 1, "x", &error);
    CHECK(root && root->length == 4 && memcmp(root->string, "a\0b\"", 5) == 0, "%s", error.text);
    base_json_free(root);
}

static const char *const well_formed[] = {"\x7F",         "\xC2\x80",         "\xDF\xBF",
                                          "\xE0\xA0\x80", "\xED\x9F\xBF",     "\xEE\x80\x80",
                                          "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
static const char *const ill_formed[] = {"\x80",
                                         "\xBF",
                                         "\xC0\x80",
                                         "\xC1\xBF",
                                         "\xC2",
                                         "\xC2\x7F",
                                         "\xC2\xC0",
                                         "\xE0\x9F\xBF",
                                         "\xE0\xA0",
                                         "\xED\xA0\x80",
                                         "\xED\xBF\xBF",
                                         "\xF0\x8F\xBF\xBF",
                                         "\xF4\x90\x80\x80",
                                         "\xF5\x80\x80",
                                         "\xF0\x90\x80",
                                         "\xFE",
                                         "\xFF"};

static void strings_are_utf8(void)
{
    char text[16];
    base_error error = {""};
    for (size_t i = 0; i < sizeof well_formed / sizeof *well_formed; i++) {
        snprintf(text, sizeof text, "\"%s\"", well_formed[i]);
        base_json *root = parse(text, &error);
        CHECK(root && strcmp(root->string, well_formed[i]) == 0, "case %zu: %s", i, error.text);
        base_json_free(root);
    }
    for (size_t i = 0; i < sizeof ill_formed / sizeof *ill_formed; i++) {
        snprintf(text, sizeof text, "\"%s\"", ill_formed[i]);
        CHECK(!parse(text, &error), "case %zu was read", i);
        CHECK(strstr(error.text, "UTF-8"), "case %zu: %s", i, error.text);
        text[strlen(text) - 1] = '\0'; /* the text ends within the sequence */
        CHECK(!parse(text, &error), "case %zu without its end was read", i);
    }
}

/* Every \u escape means what the same character means unescaped. */
static void every_escape_is_its_character(void)
{
    size_t wrong = 0;
    for (uint32_t code = 1; code <= 0x10FFFF; code += code < 0x1000 ? 1 : 61) {
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        char text[32];
        uint32_t high = 0xD800 + ((code - 0x10000) >> 10), low = 0xDC00 + (code & 0x3FF);
        if (code < 0x10000)
            snprintf(text, sizeof text, "\"\\u%04X\"", (unsigned)code);
        else
            snprintf(text, sizeof text, "\"\\u%04x\\u%04x\"", (unsigned)high, (unsigned)low);
        base_json *root = parse(text, NULL);
        base_text again = {0};
        if (root)
            base_json_put_string(&again, root->string, root->length);
        base_json *second = base_json_parse(again.data, again.length, "x", NULL);
        const unsigned char *s = root ? (const unsigned char *)root->string : NULL;
        uint32_t got = !s            ? 0
                       : s[0] < 0x80 ? s[0]
                       : s[0] < 0xE0 ? (s[0] & 31u) << 6 | (s[1] & 63u)
                       : s[0] < 0xF0 ? (s[0] & 15u) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u)
                                     : (s[0] & 7u) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 |
                                           (s[3] & 63u);
        wrong += got != code || !second || strcmp(second->string, root->string) != 0;
        base_json_free(root);
        base_json_free(second);
        base_text_free(&again);
    }
    CHECK(wrong == 0, "%zu characters", wrong);
}

/* No prefix of a text in brackets is JSON, and reading one touches nothing behind its end. */
static void no_part_is_taken_for_the_whole(void)
{
    const char *text =
        "{\"a\\n\\u00e9\\ud83d\\udd25\": [1, -2.5e+3, true, false, null, \"\xC3\xA9\"],"
        " \"b\": {\"c\": {}, \"d\": [[], [{}]]}, \"e\": \"\\\\\\\"\", \"f\": 0.125}";
    size_t length = strlen(text);
    for (size_t cut = 0; cut <= length; cut++) {
        base_error error = {""};
        char *copy = malloc(cut + 1); /* exactly so long: the sanitizers watch its end */
        memcpy(copy, text, cut);
        base_json *root = base_json_parse(cut ? copy : NULL, cut, "cut", &error);
        CHECK((root != NULL) == (cut == length), "%zu bytes: %s", cut, error.text);
        CHECK(root || strncmp(error.text, "cut:1:", 6) == 0, "%s", error.text);
        base_json_free(root);
        free(copy);
    }
}

/* Every byte changed to each of a few bad ones, and random bytes: read or refused, never worse. */
static void damage_is_survived(void)
{
    static const char bad[] = "\"\\[]{},:0-eu\x00\x80\xED\xFF\n";
    char text[] = "{\"ab\\u00e9\":[1,-2.5e3,true,null,\"\xC3\xA9\"],\"c\":{\"d\":[[]]}}";
    size_t length = sizeof text - 1, refused = 0, total = 0;
    for (size_t i = 0; i < length; i++)
        for (size_t b = 0; b < sizeof bad - 1; b++) {
            char before = text[i];
            text[i] = bad[b];
            base_json *root = base_json_parse(text, length, "x", NULL);
            refused += root == NULL;
            total++;
            base_json_free(root);
            text[i] = before;
        }
    CHECK(refused > total / 2, "only %zu of %zu were refused", refused, total);
    base_random r = {1, base_random_stream("test json", 0, 0, 0), 0};
    for (int i = 0; i < 20000; i++) {
        char noise[24];
        for (size_t j = 0; j < sizeof noise; j++)
            noise[j] = bad[base_random_below(&r, sizeof bad - 1)];
        base_json_free(base_json_parse(noise, sizeof noise, "x", NULL));
    }
}

static void depth_is_bounded(void)
{
    base_error error = {""};
    base_text text = {0};
    for (int kind = 0; kind < 2; kind++)
        for (int depth = BASE_JSON_MAX_DEPTH - 1; depth <= BASE_JSON_MAX_DEPTH + 1; depth++) {
            base_text_clear(&text);
            for (int i = 0; i < depth; i++)
                base_text_print(&text, kind ? "{\"a\":" : "[");
            base_text_print(&text, "1");
            for (int i = 0; i < depth; i++)
                base_text_print(&text, kind ? "}" : "]");
            base_json *root = base_json_parse(text.data, text.length, "x", &error);
            CHECK((root != NULL) == (depth <= BASE_JSON_MAX_DEPTH), "depth %d: %s", depth,
                  error.text);
            base_json_free(root);
        }
    base_text_clear(&text);
    for (int i = 0; i < 1000000; i++)
        base_text_add(&text, "[", 1);
    CHECK(!base_json_parse(text.data, text.length, "x", &error), "a million brackets");
    CHECK(strstr(error.text, "64 deep"), "%s", error.text);
    base_text_free(&text);
}

static void long_numbers_are_bounded(void)
{
    base_error error = {""};
    for (size_t length = 1020; length <= 1030; length++) {
        base_text text = {0};
        base_text_print(&text, "0.");
        while (text.length < length)
            base_text_add(&text, "1", 1);
        base_json *root = base_json_parse(text.data, text.length, "x", &error);
        CHECK((root != NULL) == (length < 1024), "%zu characters: %s", length, error.text);
        CHECK(!root || root->number == 1.0 / 9, "%zu characters: %a", length, root->number);
        base_json_free(root);
        base_text_free(&text);
    }
}

/* Objects around the size where the search for duplicates changes, and one where pairs would take
 * five thousand million comparisons; each without a duplicate and with one. */
static void duplicates_are_found(void)
{
    static const int sizes[] = {2, 3, 7, 8, 9, 10, 100, 100000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int twice = 0; twice < 2; twice++) {
            base_error error = {""};
            base_text text = {0};
            for (int i = 0; i < sizes[s]; i++) {
                int name = twice && i == sizes[s] - 1 ? 0 : i;
                base_text_print(&text, "%s\"%d\":%d", i ? "," : "{", name, i);
            }
            base_text_print(&text, "}");
            base_json *root = base_json_parse(text.data, text.length, "x", &error);
            CHECK((root == NULL) == twice, "%d members: %s", sizes[s], error.text);
            CHECK(!twice || strstr(error.text, "\"0\" twice"), "%s", error.text);
            if (root) { /* in the order of the text */
                int64_t i = 0;
                for (const base_json *child = root->child; child; child = child->next, i++)
                    if (child->integer != i)
                        break;
                CHECK(i == sizes[s] && root->length == (size_t)sizes[s], "member %d", (int)i);
            }
            base_json_free(root);
            base_text_free(&text);
        }
    base_json *root = parse("[{\"a\":1},{\"a\":1},{\"a\":{\"a\":1}}]", NULL);
    CHECK(root, "one name in several objects is no duplicate");
    base_json_free(root);
}

static void members_are_typed(void)
{
    base_error error;
    base_json *root = parse("{\"int\":5,\"real\":2.5,\"string\":\"s\",\"nul\":\"a\\u0000\","
                            "\"big\":99999999999999999999}",
                            &error);
    int64_t integer = -1;
    double number = -1;
    const char *string = NULL;
    CHECK(base_json_get_int(root, "int", 5, 5, &integer, "o", &error) && integer == 5, "%s",
          error.text);
    CHECK(base_json_get_number(root, "int", &number, "o", &error) && number == 5, "%g", number);
    CHECK(base_json_get_number(root, "real", &number, "o", &error) && number == 2.5, "%g", number);
    CHECK(base_json_get_string(root, "string", &string, "o", &error) && strcmp(string, "s") == 0,
          "%s", error.text);

    static const struct {
        char type;
        const char *name, *message;
    } cases[] = {
        {'i', "none", "o: \"none\": expected an integer, found no such member"},
        {'i', "string", "o: \"string\": expected an integer, found a string"},
        {'i', "real", "o: \"real\": expected an integer from 6 to 7, found 2.5"},
        {'i', "int", "o: \"int\": expected an integer from 6 to 7, found 5"},
        {'i', "big", "o: \"big\": expected an integer from 6 to 7, found 1e+20"},
        {'n', "none", "o: \"none\": expected a number, found no such member"},
        {'n', "nul", "o: \"nul\": expected a number, found a string"},
        {'s', "none", "o: \"none\": expected a string, found no such member"},
        {'s', "int", "o: \"int\": expected a string, found a number"},
        {'s', "nul", "o: \"nul\": expected a string without NUL characters"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name = cases[i].name;
        bool good = cases[i].type == 'i'
                        ? base_json_get_int(root, name, 6, 7, &integer, "o", &error)
                    : cases[i].type == 'n' ? base_json_get_number(root, name, &number, "o", &error)
                                           : base_json_get_string(root, name, &string, "o", &error);
        CHECK(!good && strcmp(error.text, cases[i].message) == 0, "\"%s\", want \"%s\"", error.text,
              cases[i].message);
    }
    CHECK(integer == 5 && number == 2.5 && strcmp(string, "s") == 0, "a failure changed a value");
    CHECK(!base_json_get_int(NULL, "a", 0, 1, &integer, "o", &error), "no object at all");
    base_json_free(root);
}

static void strings_are_written(void)
{
    base_text text = {0};
    base_json_put_string(&text, "", 0);
    base_json_put_string(&text, "plain", 5);
    base_json_put_string(&text, "\"\\/\b\f\n\r\t\x01\x1f\x7f", 11);
    base_json_put_string(&text, "a\0b", 3);
    base_json_put_string(&text, "\xC3\xA9\xF0\x9F\x94\xA5", 6);
    base_json_put_string(&text, "\xFFx\xC3", 3);
    const char *want = "\"\"\"plain\"\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"\"a\\u0000b\""
                       "\"\xC3\xA9\xF0\x9F\x94\xA5\"\"\xEF\xBF\xBDx\xEF\xBF\xBD\"";
    CHECK(strcmp(text.data, want) == 0, "%s\nwant %s", text.data, want);
    base_text_free(&text);

    for (size_t i = 0; i < sizeof ill_formed / sizeof *ill_formed; i++) {
        base_json_put_string(&text, ill_formed[i], strlen(ill_formed[i]));
        base_json *root = base_json_parse(text.data, text.length, "x", NULL);
        CHECK(root, "ill-formed case %zu was written as %s", i, text.data);
        base_json_free(root);
        base_text_free(&text);
    }
}

static void check_number(double number, const char *want)
{
    base_text text = {0};
    base_json_put_number(&text, number);
    CHECK(strcmp(text.data, want) == 0, "got %s, want %s", text.data, want);
    base_text_free(&text);
}

static void numbers_are_written(void)
{
    check_number(0, "0");
    check_number(-0.0, "-0");
    check_number(0.1, "0.1");
    check_number(1.0 / 3, "0.3333333333333333");
    check_number(0.1 + 0.2, "0.30000000000000004");
    check_number(-512, "-512");
    check_number(1e15, "1e+15");
    check_number(DBL_MAX, "1.7976931348623157e+308");
    check_number(0x1p-1074, "4.94065645841247e-324");
    check_number(INFINITY, "null");
    check_number(-INFINITY, "null");
    check_number(NAN, "null");

    base_random r = {1, base_random_stream("test json numbers", 0, 0, 0), 0};
    size_t wrong = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)base_random_next(&r) << 32;
        bits |= base_random_next(&r);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        base_text text = {0};
        base_json_put_number(&text, number);
        base_json *root = base_json_parse(text.data, text.length, "x", NULL);
        wrong += !root || memcmp(&root->number, &number, sizeof number) != 0;
        base_json_free(root);
        base_text_free(&text);
    }
    CHECK(wrong == 0, "%zu numbers did not come back", wrong);
}

int main(void)
{
    a_sample_is_read();
    numbers_are_exact();
    integers_are_read_as_they_are_meant();
    what_is_no_json_is_refused();
    a_nul_is_no_end();
    strings_are_utf8();
    every_escape_is_its_character();
    no_part_is_taken_for_the_whole();
    damage_is_survived();
    depth_is_bounded();
    long_numbers_are_bounded();
    duplicates_are_found();
    members_are_typed();
    strings_are_written();
    numbers_are_written();
    return test_end();
}

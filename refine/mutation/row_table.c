/* row_table.c -- the rules of networks for rows of a table: hidden layers alone, as those of networks for
 * images have them (grammar_table.c). */
#include "refine/mutation/grammar.h"

#include <assert.h>

#define HIDDEN(n)                                                   \
    {"hidden_" n,                                                   \
     NULL,                                                          \
     0,                                                             \
     0,                                                             \
     MUTATION_UNORDERED,                                            \
     {"    n = linear(net, n, $size_" n ");\n    relu(net);\n"}},   \
    {                                                               \
        "size_" n, NULL, MUTATION_ARCHITECTURE, 0, MUTATION_LADDER, \
        {                                                           \
            "16", "32", "64", "128", "256", "512", "1024"           \
        }                                                           \
    }

static const mutation_rule rules[] = {
    {"rows",
     NULL,
     0,
     0,
     MUTATION_UNORDERED,
     {"#include \"phoenix.h\"\n"
      "\n"
      "network *model(void)\n"
      "{\n"
      "    network *net = network_new();\n"
      "    int n = inputs();\n"
      "$hidden_layers"
      "    linear(net, n, outputs());\n"
      "    return net;\n"
      "}\n"}},
    {"hidden_layers",
     NULL,
     MUTATION_ARCHITECTURE,
     0,
     MUTATION_LADDER,
     {"$hidden_1", "$hidden_1$hidden_2", "$hidden_1$hidden_2$hidden_3",
      "$hidden_1$hidden_2$hidden_3$hidden_4"}},
    HIDDEN("1"),
    HIDDEN("2"),
    HIDDEN("3"),
    HIDDEN("4"),
};

_Static_assert(sizeof rules / sizeof *rules <= MUTATION_MAX_RULES, "a choice for each rule");

mutation_grammar mutation_row_grammar(void)
{
    return (mutation_grammar){rules, sizeof rules / sizeof *rules, 0, MUTATION_ARCHITECTURE, {0}};
}

/* grammar_networks.c -- the rules of a network for images, in C.
 *
 * The papers vary four things (C2): the number of convolutions and of hidden layers, and the sizes
 * of both, each layer's its own (AMB-14). Adding a convolution also adds a pool and changes the
 * inputs of the first dense layer (C10): the listing carries channels, height and width along and
 * works them out in code. Convolutions are padded and the first three are pooled, so that a network
 * of eight fits an image of 14 x 14 as well as one of 32 x 32 (AMB-13). */
#include "refine/mutation/grammar.h"

/* What a layer adds to the listing. */
#define CONVOLUTION(n)                                    \
    "    c = conv2d(net, c, $channels_" n ", 3, 1, 1);\n" \
    "    relu(net);\n"
#define POOL                       \
    "    max_pool2d(net, 2, 2);\n" \
    "    h /= 2;\n"                \
    "    w /= 2;\n"
#define HIDDEN(n)                            \
    "    n = linear(net, n, $size_" n ");\n" \
    "    relu(net);\n"

/* clang-format off */
#define FIXED(name, text) {name, NULL, 0, 0, MUTATION_UNORDERED, {text}}
#define LADDER(name, first, ...) {name, NULL, MUTATION_ARCHITECTURE, first, MUTATION_LADDER, {__VA_ARGS__}}
#define CHANNELS(n) LADDER("channels_" n, 1, "16", "32", "64", "128", "256", "512")
#define SIZE(n) LADDER("size_" n, 0, "16", "32", "64", "128", "256", "512", "1024")
/* clang-format on */

static const mutation_rule rules[] = {
    FIXED("network", "#include \"phoenix.h\"\n"
                     "\n"
                     "network *model(void)\n"
                     "{\n"
                     "    network *net = network_new();\n"
                     "    int c = image_channels();\n"
                     "    int h = image_height();\n"
                     "    int w = image_width();\n"
                     "$convolutions"
                     "    flatten(net);\n"
                     "    int n = c * h * w;\n"
                     "$hidden_layers"
                     "    linear(net, n, image_classes());\n"
                     "    return net;\n"
                     "}\n"),
    LADDER("convolutions", 0, "", "$conv_1", "$conv_1$conv_2", "$conv_1$conv_2$conv_3",
           "$conv_1$conv_2$conv_3$conv_4", "$conv_1$conv_2$conv_3$conv_4$conv_5",
           "$conv_1$conv_2$conv_3$conv_4$conv_5$conv_6",
           "$conv_1$conv_2$conv_3$conv_4$conv_5$conv_6$conv_7",
           "$conv_1$conv_2$conv_3$conv_4$conv_5$conv_6$conv_7$conv_8"),
    FIXED("conv_1", CONVOLUTION("1") POOL),
    FIXED("conv_2", CONVOLUTION("2") POOL),
    FIXED("conv_3", CONVOLUTION("3") POOL),
    FIXED("conv_4", CONVOLUTION("4")),
    FIXED("conv_5", CONVOLUTION("5")),
    FIXED("conv_6", CONVOLUTION("6")),
    FIXED("conv_7", CONVOLUTION("7")),
    FIXED("conv_8", CONVOLUTION("8")),
    CHANNELS("1"),
    CHANNELS("2"),
    CHANNELS("3"),
    CHANNELS("4"),
    CHANNELS("5"),
    CHANNELS("6"),
    CHANNELS("7"),
    CHANNELS("8"),
    LADDER("hidden_layers", 0, "$hidden_1", "$hidden_1$hidden_2", "$hidden_1$hidden_2$hidden_3",
           "$hidden_1$hidden_2$hidden_3$hidden_4", "$hidden_1$hidden_2$hidden_3$hidden_4$hidden_5",
           "$hidden_1$hidden_2$hidden_3$hidden_4$hidden_5$hidden_6",
           "$hidden_1$hidden_2$hidden_3$hidden_4$hidden_5$hidden_6$hidden_7",
           "$hidden_1$hidden_2$hidden_3$hidden_4$hidden_5$hidden_6$hidden_7$hidden_8"),
    FIXED("hidden_1", HIDDEN("1")),
    FIXED("hidden_2", HIDDEN("2")),
    FIXED("hidden_3", HIDDEN("3")),
    FIXED("hidden_4", HIDDEN("4")),
    FIXED("hidden_5", HIDDEN("5")),
    FIXED("hidden_6", HIDDEN("6")),
    FIXED("hidden_7", HIDDEN("7")),
    FIXED("hidden_8", HIDDEN("8")),
    SIZE("1"),
    SIZE("2"),
    SIZE("3"),
    SIZE("4"),
    SIZE("5"),
    SIZE("6"),
    SIZE("7"),
    SIZE("8"),
};

_Static_assert(sizeof rules / sizeof *rules <= MUTATION_MAX_RULES, "a choice for each rule");

mutation_grammar mutation_network_grammar(void)
{
    return (mutation_grammar){rules, sizeof rules / sizeof *rules, 0, MUTATION_ARCHITECTURE};
}

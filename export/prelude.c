/* SPDX-License-Identifier: MIT */
/* prelude.c -- the arithmetic of exported files, as text: what must not be left to a compiler.
 *
 * A sum of products is a chain of fma, rounded once a step. Where the target has the instruction it
 * is used; elsewhere fma is had exactly out of double arithmetic (tensor/kernel_scalar.c says why
 * that is exact). What follows are the forms of tensor/vec_math_body.h and image_body.h with a vec
 * of one float. */
#include "export/parts.h"

static const char bits_text[] =
    "/* These loops give the same bits wherever a float is rounded as IEEE 754 says, at once. */\n"
    "#if defined __FAST_MATH__ || (defined FLT_EVAL_METHOD && FLT_EVAL_METHOD && "
    "FLT_EVAL_METHOD != 16)\n"
    "#error \"build without -ffast-math; for x87: -msse2 -mfpmath=sse; s390x: "
    "-std=gnu99\"\n"
    "#endif\n"
    "#if DBL_MANT_DIG < 53\n"
    "#error \"a double of 64 bits is expected\"\n"
    "#endif\n"
    "#if defined __clang__\n"
    "#pragma STDC FP_CONTRACT OFF\n"
    "#elif defined __GNUC__ && !defined __TINYC__\n"
    "#pragma GCC optimize(\"fp-contract=off\")\n"
    "#endif\n";

static const char loops_text[] =
    "#if defined __GNUC__ && !defined __clang__ && !defined __TINYC__ && defined __OPTIMIZE__ && "
    "\\\n"
    "    !defined __OPTIMIZE_SIZE__\n"
    "#pragma GCC optimize(\"tree-vectorize\", \"vect-cost-model=dynamic\")\n"
    "#endif\n"
    "#if defined __clang__ && defined __OPTIMIZE__ && (defined __SSE2__ || defined __ARM_NEON)\n"
    "/* clang keeps what a turn of a loop has read for the next, and then cannot take turns at "
    "once; "
    "it\n"
    " * does not if it does not know that this is 1. */\n"
    "#define LOOSE(one) __asm__(\"\" : \"+r\"(one))\n"
    "#else\n"
    "#define LOOSE(one) (void)(one)\n"
    "#endif\n"
    "#if defined __GNUC__\n"
    "#define ONCE __attribute__((noinline)) static /* its code is there once */\n"
    "#else\n"
    "#define ONCE static\n"
    "#endif\n"
    "#if defined __cplusplus\n"
    "#define RESTRICT\n"
    "#else\n"
    "#define RESTRICT restrict\n"
    "#endif\n";

static const char fma_text[] =
    "\n"
    "/* ^_FMA(x, y, z): x y + z, rounded once. The instruction where the target has it, and "
    "otherwise\n"
    " * exactly emulated (several times slower). */\n"
    "#ifndef ^_FMA\n"
    "#if defined __OPTIMIZE__ && (defined __FMA__ || defined __ARM_FEATURE_FMA || \\\n"
    "                             defined __aarch64__ || defined __s390x__ || \\\n"
    "                             defined __powerpc64__ || defined __riscv_f)\n"
    "#define ^_FMA(x, y, z) __builtin_fmaf(x, y, z)\n"
    "#else\n"
    "/* The product of two floats is exact in double. Its sum with z is rounded to odd there (what "
    "is\n"
    " * cut off sets the last bit), so that rounding to float sees on which side of a tie it "
    "lies:\n"
    " * Boldo & Melquiond 2008. */\n"
    "static float fused(float x, float y, float z)\n"
    "{\n"
    "    double product = (double)x * (double)y, addend = (double)z;\n"
    "    double sum = product + addend, part = sum - product;\n"
    "    double lost = (product - (sum - part)) + (addend - part);\n"
    "    double side = lost * sum;\n"
    "    uint64_t bits;\n"
    "    memcpy(&bits, &sum, sizeof bits);\n"
    "    if (side < 0.0)\n"
    "        bits = (bits - 1) | 1;\n"
    "    else if (side > 0.0)\n"
    "        bits |= 1;\n"
    "    memcpy(&sum, &bits, sizeof bits);\n"
    "    return (float)sum;\n"
    "}\n";

/* What ends it: emulated where the compiler may not use the instruction. */
static const char emulated_text[] = "#define ^_FMA(x, y, z) fused(x, y, z)\n"
                                    "#endif\n"
                                    "#endif\n";

/* Of a network: all that sums products is inlined twice, with a constant that says which way. */
static const char twice_text[] =
    "#if defined __x86_64__ && defined __GNUC__ && defined __OPTIMIZE__ && !defined "
    "__OPTIMIZE_SIZE__\n"
    "/* This processor may have the instruction or not: what needs it is compiled for both, and\n"
    " * run_layers() asks. */\n"
    "#define ASKED\n"
    "#define TWICE static inline __attribute__((always_inline))\n"
    "#define HOW , const int fast\n"
    "#define SO , fast\n"
    "#define ^_FMA(x, y, z) (fast ? __builtin_fmaf(x, y, z) : fused(x, y, z))\n"
    "#else\n"
    "#define ^_FMA(x, y, z) fused(x, y, z)\n"
    "#endif\n"
    "#endif\n"
    "#endif\n"
    "#ifndef TWICE\n"
    "#define TWICE static\n"
    "#define HOW\n"
    "#define SO\n"
    "#endif\n";

static const char gelu_text[] =
    "\n"
    "static float of_bits(uint32_t bits)\n"
    "{\n"
    "    float x;\n"
    "    memcpy(&x, &bits, sizeof x);\n"
    "    return x;\n"
    "}\n"
    "\n"
    "static uint32_t bits_of(float x)\n"
    "{\n"
    "    uint32_t bits;\n"
    "    memcpy(&bits, &x, sizeof bits);\n"
    "    return bits;\n"
    "}\n"
    "\n"
    "/* A polynomial by Horner's rule, the highest power's factor first. */\n"
    "TWICE float polynomial(const float *factor, int count, float x HOW)\n"
    "{\n"
    "    float p = factor[0];\n"
    "    int i;\n"
    "    for (i = 1; i < count; i++)\n"
    "        p = ^_FMA(p, x, factor[i]);\n"
    "    return p;\n"
    "}\n"
    "\n"
    "/* e^x for -87 <= x <= 88: x = n ln 2 + r, e^x = 2^n e^r. */\n"
    "TWICE float exponential(float x HOW)\n"
    "{\n";

static const char gelu_text_2[] =
    "    float t = ^_FMA(x, INVERSE_LN2, ROUND);\n"
    "    float n = t - ROUND;\n"
    "    float r = ^_FMA(n, LN2_HIGH, x);\n"
    "    r = ^_FMA(n, LN2_LOW, r);\n"
    "    return polynomial(e, 7, r SO) * of_bits(bits_of(t) << 23);\n"
    "}\n"
    "\n"
    "/* Near 0 a polynomial; else 1 - erfc(|x|), and log erfc(a) = -a + a Q(a). */\n"
    "TWICE float error_function(float x HOW)\n"
    "{\n";

static const char gelu_text_3[] =
    "    float a = of_bits(bits_of(x) & 0x7fffffffU), s = a * a;\n"
    "    float b = 3.95F < a ? 3.95F : a, y;\n"
    "    if (a < 0.875F)\n"
    "        y = ^_FMA(polynomial(small, 6, s SO), a, a);\n"
    "    else\n"
    "        y = 1.0F - exponential(^_FMA(polynomial(large, 7, b SO), b, 0.0F - b) SO);\n"
    "    return of_bits((bits_of(y) & 0x7fffffffU) | (bits_of(x) & 0x80000000U));\n"
    "}\n";

/* The factors of tensor/vec_math_body.h. */
static const float exponential_factors[] = {
    0x1.6ac746p-10F, 0x1.123de0p-7F, 0x1.555858p-5F, 0x1.55548cp-3F, 0x1.fffffcp-2F, 1.0F, 1.0F};
static const float small_factors[] = {-0x1.3ba5aap-11F, 0x1.479c18p-8F,  -0x1.b69b8ep-6F,
                                      0x1.ce1b86p-4F,   -0x1.8126ecp-2F, 0x1.06eba6p-3F};
static const float large_factors[] = {-0x1.3a4280p-17F, 0x1.3f1fa4p-12F, -0x1.d3b416p-9F,
                                      0x1.82c7f8p-6F,   -0x1.b26b9ap-4F, -0x1.454064p-1F,
                                      -0x1.076b72p-3F};

static const char shift_text[] = "#if (-1 >> 1) != -1\n"
                                 "#error \"a shift to the right that keeps the sign is expected\"\n"
                                 "#endif\n";

static void constant(export_writer *w, const char *name, float value)
{
    export_print(w, "    const float %s = ", name);
    export_float(w, value);
    export_put(w, ";\n");
}

static void factors(export_writer *w, const char *name, const float *values, size_t count)
{
    export_put(w, "    ");
    export_floats(w, name, values, count);
}

static void print_gelu(export_writer *w)
{
    export_put(w, gelu_text);
    factors(w, "e", exponential_factors, 7);
    constant(w, "ROUND", 0x1.8p23F + 127.0F);
    constant(w, "INVERSE_LN2", 0x1.715476p+0F);
    constant(w, "LN2_HIGH", -0x1.62e430p-1F);
    constant(w, "LN2_LOW", 0x1.05c610p-29F);
    export_put(w, gelu_text_2);
    factors(w, "small", small_factors, 6);
    factors(w, "large", large_factors, 7);
    export_put(w, gelu_text_3);
}

/* The transforms, each from `from` (elements `step` apart) to `to`. */
static const char winograd_text[] =
    "\n"
    "/* Winograd's method for kernels of 3x3 (Lavin & Gray 2016) at the points 0, 5/8, -5/8, 3/2, "
    "-3/2\n"
    " * and infinity: a tile of 4x4 results from 6x6 inputs by 36 products in place of 144. "
    "Weights go\n"
    " * through G, inputs through B^T, and sums over channels of their products through A^T, down "
    "the\n"
    " * columns and along the lines. Elements of `from` are `step` apart, those of `to` `stride`. "
    "*/\n"
    "TWICE void weight_points(float *to, int stride, const float *from, int step HOW)\n"
    "{\n"
    "    float x = from[0], y = from[step], z = from[2 * step];\n"
    "    float even = ^_FMA(GA2, z, GA0 * x);\n"
    "    to[0] = G0 * x;\n"
    "    to[stride] = ^_FMA(GA1, y, even);\n"
    "    to[2 * stride] = ^_FMA(-GA1, y, even);\n"
    "    even = ^_FMA(GB2, z, GB0 * x);\n"
    "    to[3 * stride] = ^_FMA(GB1, y, even);\n"
    "    to[4 * stride] = ^_FMA(-GB1, y, even);\n"
    "    to[5 * stride] = z;\n"
    "}\n"
    "\n"
    "TWICE void input_points(float *to, int stride, const float *from, int step HOW)\n"
    "{\n"
    "    float a = from[0], b = from[step], c = from[2 * step];\n"
    "    float d = from[3 * step], e = from[4 * step], f = from[5 * step];\n"
    "    float even = ^_FMA(-2.25F, c, e), odd = ^_FMA(-2.25F, b, d);\n"
    "    to[0] = ^_FMA(0.87890625F, a, ^_FMA(-2.640625F, c, e));\n"
    "    to[stride] = ^_FMA(0.625F, odd, even);\n"
    "    to[2 * stride] = ^_FMA(-0.625F, odd, even);\n"
    "    even = ^_FMA(-0.390625F, c, e);\n"
    "    odd = ^_FMA(-0.390625F, b, d);\n"
    "    to[3 * stride] = ^_FMA(1.5F, odd, even);\n"
    "    to[4 * stride] = ^_FMA(-1.5F, odd, even);\n"
    "    to[5 * stride] = ^_FMA(0.87890625F, b, ^_FMA(-2.640625F, d, f));\n"
    "}\n"
    "\n"
    "TWICE void result_of_points(float *to, int stride, const float *from, int step HOW)\n"
    "{\n"
    "    float sum_a = from[step] + from[2 * step], odd_a = from[step] - from[2 * step];\n"
    "    float sum_b = from[3 * step] + from[4 * step], odd_b = from[3 * step] - from[4 * step];\n"
    "    to[0] = from[0] + (sum_a + sum_b);\n"
    "    to[stride] = ^_FMA(0.625F, odd_a, 1.5F * odd_b);\n"
    "    to[2 * stride] = ^_FMA(0.390625F, sum_a, 2.25F * sum_b);\n"
    "    to[3 * stride] = ^_FMA(0.244140625F, odd_a, ^_FMA(3.375F, odd_b, from[5 * step]));\n"
    "}\n";

static void define(export_writer *w, const char *name, float value)
{
    export_print(w, "#define %s ", name);
    export_put(w, "(");
    export_float(w, value);
    export_put(w, ")\n");
}

/* Where image_body.h has W_G0, W_GA and W_GB. */
static void print_winograd(export_writer *w)
{
    export_put(w, "\n");
    define(w, "G0", (float)(1 / 0.87890625));
    define(w, "GA0", (float)(-1 / 1.4526367187500));
    define(w, "GA1", (float)(-0.625 / 1.4526367187500));
    define(w, "GA2", (float)(-0.390625 / 1.4526367187500));
    define(w, "GB0", (float)(1 / 8.3671875));
    define(w, "GB1", (float)(1.5 / 8.3671875));
    define(w, "GB2", (float)(2.25 / 8.3671875));
    export_put(w, winograd_text);
}

void export_prelude_fma(export_writer *w, bool twice)
{
    export_put(w, bits_text);
    export_put(w, loops_text);
    export_put(w, fma_text);
    export_put(w, twice ? twice_text : emulated_text);
}

void export_prelude(export_writer *w, const export_plan *plan)
{
    if (plan->int8) {
        export_put(w, loops_text);
        export_put(w, shift_text);
        return;
    }
    export_prelude_fma(w, true);
    if (plan->gelu)
        print_gelu(w);
    if (plan->winograd)
        print_winograd(w);
}

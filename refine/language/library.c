/* SPDX-License-Identifier: MIT */
/* library.c -- the names of the C library's functions (C11 annex B), which no source may define.
 *
 * C reserves them even where no header is included (7.1.3), compilers know many of them by heart
 * and warn about a definition of another type, and a linker would let it replace the library's. */
#include "refine/language/ast.h"

#include <stdio.h>
#include <string.h>

/* Three functions each: sin, sinf, sinl. */
static const char *const of_three_types[] = {
    /* math.h */
    " acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ",
    " ilogb ldexp log log10 log1p log2 logb modf scalbn scalbln cbrt fabs hypot pow sqrt erf erfc ",
    " lgamma tgamma ceil floor nearbyint rint lrint llrint round lround llround trunc fmod ",
    " remainder remquo copysign nan nextafter nexttoward fdim fmax fmin fma ",
    /* complex.h */
    " cacos casin catan ccos csin ctan cacosh casinh catanh ccosh csinh ctanh cexp clog cabs cpow ",
    " csqrt carg cimag conj cproj creal ",
};

static const char *const of_one_type[] = {
    /* math.h: macros that compilers know */
    " fpclassify isfinite isinf isnan isnormal signbit isgreater isgreaterequal isless ",
    " islessequal islessgreater isunordered ",
    /* ctype.h, wctype.h */
    " isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper ",
    " isxdigit tolower toupper iswalnum iswalpha iswblank iswcntrl iswdigit iswgraph iswlower ",
    " iswprint iswpunct iswspace iswupper iswxdigit iswctype wctype towlower towupper towctrans ",
    " wctrans ",
    /* fenv.h, inttypes.h, locale.h, setjmp.h, signal.h, stdarg.h, stdnoreturn.h */
    " feclearexcept fegetexceptflag feraiseexcept fesetexceptflag fetestexcept fegetround ",
    " fesetround fegetenv feholdexcept fesetenv feupdateenv imaxabs imaxdiv strtoimax strtoumax ",
    " wcstoimax wcstoumax setlocale localeconv setjmp longjmp signal raise va_arg va_copy va_end ",
    " va_start noreturn ",
    /* stdio.h */
    " remove rename tmpfile tmpnam fclose fflush fopen freopen setbuf setvbuf fprintf fscanf ",
    " printf scanf snprintf sprintf sscanf vfprintf vfscanf vprintf vscanf vsnprintf vsprintf ",
    " vsscanf fgetc fgets fputc fputs getc getchar gets putc putchar puts ungetc fread fwrite ",
    " fgetpos fseek fsetpos ftell rewind clearerr feof ferror perror ",
    /* stdlib.h */
    " atof atoi atol atoll strtod strtof strtold strtol strtoll strtoul strtoull rand srand ",
    " aligned_alloc calloc free malloc realloc abort atexit at_quick_exit exit getenv quick_exit ",
    " system bsearch qsort abs labs llabs div ldiv lldiv mblen mbtowc wctomb mbstowcs wcstombs ",
    /* string.h */
    " memcpy memmove strcpy strncpy strcat strncat memcmp strcmp strcoll strncmp strxfrm memchr ",
    " strchr strcspn strpbrk strrchr strspn strstr strtok memset strerror strlen ",
    /* threads.h */
    " call_once cnd_broadcast cnd_destroy cnd_init cnd_signal cnd_timedwait cnd_wait mtx_destroy ",
    " mtx_init mtx_lock mtx_timedlock mtx_trylock mtx_unlock thrd_create thrd_current thrd_detach ",
    " thrd_equal thrd_exit thrd_join thrd_sleep thrd_yield tss_create tss_delete tss_get tss_set ",
    /* time.h, uchar.h */
    " clock difftime mktime time timespec_get asctime ctime gmtime localtime strftime mbrtoc16 ",
    " c16rtomb mbrtoc32 c32rtomb ",
    /* wchar.h */
    " fwprintf fwscanf swprintf swscanf vfwprintf vfwscanf vswprintf vswscanf vwprintf vwscanf ",
    " wprintf wscanf fgetwc fgetws fputwc fputws fwide getwc getwchar putwc putwchar ungetwc ",
    " wcstod wcstof wcstold wcstol wcstoll wcstoul wcstoull wcscpy wcsncpy wmemcpy wmemmove ",
    " wcscat wcsncat wcscmp wcscoll wcsncmp wcsxfrm wmemcmp wcschr wcscspn wcspbrk wcsrchr wcsspn ",
    " wcsstr wcstok wmemchr wcslen wmemset wcsftime btowc wctob mbsinit mbrlen mbrtowc wcrtomb ",
    " mbsrtowcs wcsrtombs ",
    /* not C's, and known to compilers all the same */
    " alloca bcmp bcopy bzero ffs fork index rindex stpcpy strcasecmp strdup strndup vfork ",
};

static bool listed(const char *const *lines, size_t count, const char *name, size_t length)
{
    char word[80]; /* a name has at most 63 characters (lex.c) */
    snprintf(word, sizeof word, " %.*s ", (int)length, name);
    for (size_t i = 0; i < count; i++)
        if (strstr(lines[i], word))
            return true;
    return false;
}

bool language_in_c_library(const language_name *name)
{
    const size_t threes = sizeof of_three_types / sizeof *of_three_types;
    const size_t ones = sizeof of_one_type / sizeof *of_one_type;
    size_t length = name->length;
    char last = name->text[length - 1];
    return listed(of_one_type, ones, name->text, length) ||
           listed(of_three_types, threes, name->text, length) ||
           (length > 1 && (last == 'f' || last == 'l') &&
            listed(of_three_types, threes, name->text, length - 1));
}

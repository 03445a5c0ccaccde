/* SPDX-License-Identifier: MIT */
/* test_layout.c -- programs in the layout of the edit rules. */
#include "refine/mutation/mutator.h"
#include "tests/refine/test_refine.h"
#include "tests/refine/test_refine_programs.h"

#define HEAD "#include \"phoenix.h\"\n\n"

static language_interface *phoenix;

/* Its tokens in other words: one line for as many statements as a semicolon and braces let stand on one. */
static void check_laid_out(const char *text, const char *wanted)
{
    language_diagnostic diagnostic;
    base_text laid_out = {0};
    language_program *program = language_parse("a.c", text, strlen(text), phoenix, &diagnostic);
    CHECK(program, "%s", diagnostic.text);
    if (program) {
        language_lay_out(program, &laid_out);
        CHECK(strcmp(laid_out.data, wanted) == 0, "%s\nwanted %s", laid_out.data, wanted);
    }
    language_program_free(program);
    base_text_free(&laid_out);
}

/* Whatever the rules draw, in every scope, comes out as they write it from the normal form, which has no layout. */
static void rules_own_programs_are_as_they_write_them(void)
{
    enum { ALL = MUTATION_ARCHITECTURE | MUTATION_LEARNING | MUTATION_OBJECTIVE | MUTATION_DATA };
    for (int which = 0; which < 3; which++) {
        mutation_grammar grammar =
            which == 0   ? mutation_grammar_of(ALL)
            : which == 1 ? mutation_network_grammar()
                         : mutation_deploy_grammar(MUTATION_ARCHITECTURE | MUTATION_LEARNING);
        mutation_mutator m = mutation_mutator_of_grammar(&grammar, which ? "network *model(void)"
                                                                         : "t5 *model(void)");
        for (int i = 0; i < 200; i++) {
            mutation_drawn drawn = m.kind->pair(&m, 1, (uint64_t)i);
            language_diagnostic diagnostic;
            base_text text = {0}, normal = {0};
            m.kind->print(&m, &drawn.source, &text);
            language_program *program =
                language_parse("a.c", text.data, text.length, phoenix, &diagnostic);
            CHECK(program, "%s", diagnostic.text);
            if (program) {
                language_normalise(program, &normal);
                check_laid_out(normal.data, text.data);
            }
            language_program_free(program);
            base_text_free(&text);
            base_text_free(&normal);
        }
    }
}

static void other_programs_keep_their_tokens(void)
{
    for (int i = 0; i < LANGUAGE_TEST_PROGRAMS; i++) {
        char text[4096];
        base_text laid_out = {0}, before = {0}, after = {0};
        snprintf(text, sizeof text, HEAD "%s", language_test_programs[i].text);
        language_program *program = language_test_accepted(phoenix, text), *again = NULL;
        if (program) {
            language_normalise(program, &before);
            language_lay_out(program, &laid_out);
            again = language_test_accepted(phoenix, laid_out.data);
        }
        if (again) {
            language_normalise(again, &after);
            CHECK(strcmp(before.data, after.data) == 0, "%s\nis not\n%s", after.data, before.data);
            check_laid_out(after.data, laid_out.data);
        }
        language_program_free(program);
        language_program_free(again);
        base_text_free(&laid_out);
        base_text_free(&before);
        base_text_free(&after);
    }
}

static void layout_is_that_of_the_tree(void)
{
    check_laid_out("#include \"phoenix.h\"\n"
                   "/* one */ int f(int a,int b){// two\n"
                   "do{a+= - -b;}while(a<b);\ndo a++;\nwhile(a<2*b);\n\n"
                   "for(int i=0;i<a;i++)if(i>1)\nb--;else if(!b){b=(int)-1.5;}else\nb= - -a;\n"
                   "while(b>0)b=b>a?b-1:-(b+2);\nreturn a*b;}\n"
                   "struct pair{int a;double b;};static optimizer*make(t5*model){\n"
                   "return sgd(model,0.9,-0.0,1);}\n"
                   "int g(struct pair p,t5*m){optimizer*o=make(m);struct pair "
                   "q=p;q.a=p.a*2;update(o,q.b);return q.a;}\n",
                   HEAD "int f(int a, int b)\n"
                        "{\n"
                        "    do {\n"
                        "        a += - -b;\n"
                        "    } while (a < b);\n"
                        "    do\n"
                        "        a++;\n"
                        "    while (a < 2 * b);\n"
                        "    for (int i = 0; i < a; i++)\n"
                        "        if (i > 1)\n"
                        "            b--;\n"
                        "        else if (!b) {\n"
                        "            b = (int)-1.5;\n"
                        "        } else\n"
                        "            b = - -a;\n"
                        "    while (b > 0)\n"
                        "        b = b > a ? b - 1 : -(b + 2);\n"
                        "    return a * b;\n"
                        "}\n\n"
                        "struct pair {\n"
                        "    int a;\n"
                        "    double b;\n"
                        "};\n\n"
                        "static optimizer *make(t5 *model)\n"
                        "{\n"
                        "    return sgd(model, 0.9, -0.0, 1);\n"
                        "}\n\n"
                        "int g(struct pair p, t5 *m)\n"
                        "{\n"
                        "    optimizer *o = make(m);\n"
                        "    struct pair q = p;\n"
                        "    q.a = p.a * 2;\n"
                        "    update(o, q.b);\n"
                        "    return q.a;\n"
                        "}\n");
}

int main(void)
{
    size_t length;
    language_diagnostic diagnostic;
    char *header = language_test_file("evolve/source/phoenix.h", &length);
    phoenix = language_interface_new("phoenix.h", header, length, &diagnostic);
    CHECK(phoenix, "%s", diagnostic.text);
    if (phoenix) {
        rules_own_programs_are_as_they_write_them();
        other_programs_keep_their_tokens();
        layout_is_that_of_the_tree();
    }
    language_interface_free(phoenix);
    free(header);
    return test_end();
}

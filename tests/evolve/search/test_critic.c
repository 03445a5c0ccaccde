/* SPDX-License-Identifier: MIT */
/* test_critic.c -- a critic that was shown what pays prefers it, and knows nothing that it was not shown. */
#include "evolve/search/critic.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static mutation_mutator paper(void)
{
    mutation_rules rules = mutation_paper_rules();
    return mutation_mutator_of_rules(&rules);
}

static mutation_form middle(void) { return (mutation_form){.design = {{4, 4, 8, 1024}}}; }

enum { LAYERS = MUTATION_EDIT_NUM_LAYERS, HEADS = MUTATION_EDIT_NUM_HEADS };

/* Lessons of 16 parents with eight children each: fewer layers are better by 1 each. */
static void teach(search_critic *critic, double sign)
{
    mutation_mutator m = paper();
    base_random random = {1, base_random_stream("test", 0, 0, 0), 0};
    for (int64_t family = 0; family < 16; family++) {
        mutation_form source = m.kind->draw(&m, &random), child;
        for (int i = 0; i < 8; i++) {
            search_counts_refine(NULL, &m, 0, &source, NULL, NULL, &random, &child);
            double fewer = source.design.value[LAYERS] - child.design.value[LAYERS];
            CHECK(search_critic_note(critic, &m, &source, &child, family, sign * fewer), "memory");
        }
    }
}

/* Of n proposed children, how many layers they have more than their source, on the mean. */
static double drift(search_critic *critic, int n)
{
    mutation_mutator m = paper();
    mutation_form source = middle(), child;
    base_random random = {2, base_random_stream("test", 0, 0, 0), 0};
    double sum = 0;
    for (int i = 0; i < n; i++) {
        CHECK(search_critic_refine(critic, i % SEARCH_CRITICS, &m, &source, NULL, NULL, &random,
                                   &child),
              "no child");
        sum += child.design.value[LAYERS] - source.design.value[LAYERS];
    }
    return sum / n;
}

static void what_pays_is_preferred(void)
{
    mutation_mutator m = paper();
    for (int sign = -1; sign <= 1; sign += 2) {
        search_critic critic = {0};
        teach(&critic, sign);
        CHECK(critic.flops == 0 && search_critic_train(&critic, &m, 1) && critic.flops > 0,
              "training takes operations");
        int64_t before = critic.flops;
        double more = drift(&critic, 40);
        CHECK(sign * more < -0.9, "fewer layers pay: %g; %g more", sign * 1.0, more);
        CHECK(critic.flops > before, "so do judgements");
        search_critic_free(&critic);
    }
}

/* Without a lesson a child is what the rules draw: by 2000 draws as many up as down. */
static void nothing_known_is_the_rules(void)
{
    mutation_mutator m = paper();
    search_critic critic = {0};
    CHECK(search_critic_train(&critic, &m, 1) && critic.flops == 0, "nothing to learn");
    double more = drift(&critic, 2000);
    CHECK(fabs(more) < 0.08, "%g", more);
    search_critic_free(&critic);
}

/* The models are a function of lessons and seed, and differ from one another. */
static void equal_lessons_make_equal_models(void)
{
    mutation_mutator m = paper();
    const size_t size = sizeof(double) * 4 * MUTATION_EDITS;
    search_critic one = {0}, two = {0};
    teach(&one, 1);
    teach(&two, 1);
    CHECK(search_critic_train(&one, &m, 7) && search_critic_train(&two, &m, 8) &&
              search_critic_train(&two, &m, 7),
          "memory");
    CHECK(memcmp(one.models, two.models, SEARCH_CRITICS * size) == 0, "others");
    CHECK(memcmp(one.models, one.models + 4 * MUTATION_EDITS, size) != 0, "all the same");
    search_critic_free(&one);
    search_critic_free(&two);
}

/* A file says which way heads paid, and of one child that it failed: the rows of layers; the other names are not this
 * task's. */
static void experience_is_learnt_by_the_names_of_edits(void)
{
    static const char file[] = "task,scope,score,d_model,examples,channels,height,width,classes,"
                               "parent,child,edits,outcome,before,after,noise,flops\n"
                               "self,all,mean,64,1,0,0,0,0,p,a,num_heads+,better,2,1,0,1\n"
                               "self,all,mean,64,1,0,0,0,0,p,b,num_heads- rate+,worse,2,3,0,1\n"
                               "self,all,mean,64,1,0,0,0,0,q,c,num_layers+,fails,2,,0,1\n"
                               "self,all,mean,64,1,0,0,0,0,q,d,rate+,better,2,1,0,1\n";
    mutation_mutator m = paper();
    search_critic critic = {0};
    base_error error;
    search_experience *e = search_experience_read(file, sizeof file - 1, "e.csv", &error);
    CHECK(e != NULL, "%s", error.text);
    if (!e)
        return;
    CHECK(search_critic_learn(&critic, &m, e) && critic.count == 3, "%d lessons", critic.count);
    CHECK(critic.lesson[0].family == critic.lesson[1].family &&
              critic.lesson[1].family != critic.lesson[2].family,
          "families are those of parents");
    CHECK(critic.lesson[2].gain == -(double)INFINITY, "it failed: %g", critic.lesson[2].gain);
    CHECK(search_critic_train(&critic, &m, 1), "memory");
    for (int k = 0; k < SEARCH_CRITICS; k++) {
        const double *model = critic.models + 4 * MUTATION_EDITS * k;
        CHECK(model[4 * HEADS + 1] > model[4 * HEADS] && model[4 * LAYERS + 1] < 0,
              "model %d: heads %g up, %g down, layers %g up", k, model[4 * HEADS + 1],
              model[4 * HEADS], model[4 * LAYERS + 1]);
    }
    search_critic_free(&critic);
    search_experience_free(e);
}

int main(void)
{
    what_pays_is_preferred();
    nothing_known_is_the_rules();
    equal_lessons_make_equal_models();
    experience_is_learnt_by_the_names_of_edits();
    return test_end();
}

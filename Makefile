# phoenix: a self-programming AI in plain C. Runs in any POSIX make (`bmake` and GNU make are tested).
#
#   make          build/phoenix and build/libphoenix.a
#   make run      the main job on its defaults: a few minutes on two cores
#   make test     builds and runs the tests
#   make check    holds the tree against its own rules (needs cppcheck and clang-format)
#   make data     downloads the public sets of images (0.8 GB) to DATA
#   make fuzz     libFuzzer, ten minutes on each of its targets (needs clang)
#   make install  to PREFIX
#
# CFLAGS is yours (sanitizers, another -O); nothing in it may change a result. THREADS is found out by
# trying; `make THREADS=` builds without threads, `make THREADS= OMP=-fopenmp` with OpenMP's.

CC = cc
CFLAGS = -O2
PREFIX = /usr/local
DATA = data
OMP =
# POSIX threads and C11 atomics; a system without them has no threads.
THREADS != echo 'int main(void){return 0;}' >build-try.c; printf '%s\n' '\#include <pthread.h>' '\#include <stdatomic.h>' >>build-try.c; $(CC) -std=c11 -pthread build-try.c -o build-try.tmp 2>/dev/null && echo -pthread -DTENSOR_POSIX_THREADS; rm -f build-try.c build-try.tmp

# Results are the same bits everywhere: no contraction that is not written as fma, no excess precision.
# gcc knows both flags; a compiler that refuses one is not given it.
BITS != echo 'int main(void){return 0;}' >build-try.c; for f in -ffp-contract=off -fexcess-precision=fast; do $(CC) -Werror $$f build-try.c -o build-try.tmp 2>/dev/null && echo $$f; done; rm -f build-try.c build-try.tmp

ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -I. $(BITS) $(THREADS) $(OMP) $(CFLAGS)
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion

BASE = base/error.o base/number.o base/text.o base/list.o base/math.o base/random.o base/hash.o base/file.o base/process.o base/json.o

TENSOR = tensor/context.o tensor/tape.o tensor/parallel.o tensor/team.o \
	tensor/kernel.o tensor/kernel_scalar.o tensor/kernel_sse2.o tensor/kernel_avx2.o \
	tensor/kernel_avx512.o tensor/kernel_neon.o tensor/gemm.o \
	tensor/elementwise.o tensor/matmul.o tensor/embedding.o tensor/softmax.o tensor/cross_entropy.o tensor/norm.o \
	tensor/attention.o tensor/kv_cache.o tensor/conv.o tensor/conv_gemm.o tensor/conv_winograd.o \
	tensor/pool.o tensor/batchnorm.o

NN = nn/params.o nn/init.o nn/optimizer.o nn/adafactor.o nn/schedule.o nn/safetensors.o \
	nn/safetensors_write.o

T5 = t5/config.o t5/tokenizer.o t5/bpe.o t5/tokenizer_json.o t5/model.o t5/batch.o t5/forward.o \
	t5/cache.o t5/choose.o t5/generate.o t5/beam.o t5/folder.o

VISION = vision/inflate.o vision/images.o vision/folder.o vision/digits.o vision/digits/data.o vision/shape.o \
	vision/network.o vision/batch.o vision/train.o

REFINE = refine/unit.o refine/lex.o refine/parse.o refine/expression.o refine/declare.o refine/library.o refine/check.o \
	refine/constant.o refine/arithmetic.o refine/order.o refine/flow.o refine/warn.o refine/compile.o refine/interpret.o \
	refine/program.o refine/candidate_h.o refine/translate.o refine/remote.o refine/sample.o refine/entropy.o refine/grammar.o refine/grammar_table.o refine/grammar_networks.o \
	refine/tree.o refine/tree_edit.o refine/tree_entropy.o refine/mutator.o refine/prefix.o refine/dataset.o refine/fidelity.o

EVOLVE = evolve/settings.o evolve/phoenix_h.o evolve/host.o evolve/host_data.o evolve/host_train.o evolve/host_networks.o \
	evolve/default.o evolve/tally.o evolve/train.o evolve/measure.o evolve/figures.o \
	evolve/archive.o evolve/generator.o evolve/constraint.o evolve/propose.o evolve/spent.o \
	evolve/evaluate.o evolve/evaluate_network.o evolve/task.o evolve/native.o evolve/journal.o evolve/pool.o evolve/sandbox.o \
	evolve/sandbox_linux.o evolve/sandbox_seccomp.o evolve/referee.o evolve/manifest.o \
	evolve/stage.o evolve/diff.o evolve/summary.o evolve/run.o evolve/verify.o evolve/lineage.o evolve/svg.o \
	evolve/report.o evolve/report_figures.o evolve/report_curves.o evolve/report_design.o evolve/report_runs.o evolve/report_page.o evolve/report_chart.o evolve/report_networks.o \
	evolve/search.o evolve/table.o evolve/benchmark.o evolve/statistics.o evolve/contrast.o

LIBRARY = $(BASE) $(TENSOR) $(NN) $(T5) $(VISION) $(REFINE) $(EVOLVE)

BIN = bin/main.o bin/options.o bin/progress.o bin/evolve.o bin/refine.o bin/train.o bin/generate.o \
	bin/evaluate.o bin/table.o bin/compare.o bin/compare_table.o bin/compare_runs.o bin/sandbox.o bin/report.o bin/why.o bin/verify_command.o bin/verify_run.o bin/verify_ops.o bin/verify_ops_run.o \
	bin/verify_t5.o bin/verify_t5_runs.o bin/verify_optimizer.o \
	bin/bench.o bin/bench_run.o bin/bench_peak.o bin/bench_gemm.o bin/bench_walk.o bin/bench_ops.o \
	bin/bench_t5.o bin/bench_nets.o bin/bench_loop.o

HEADERS = base/*.h tensor/*.h nn/*.h t5/*.h vision/*.h refine/*.h evolve/*.h bin/*.h

.SUFFIXES:
.SUFFIXES: .c .o

all: build/phoenix

.c.o:
	$(CC) $(ALL_CFLAGS) $(WARNINGS) -c $< -o $@

$(LIBRARY) $(BIN): $(HEADERS)

# phoenix.h as lines of text, for the checker.
evolve/phoenix_h.c: evolve/phoenix.h
	{ echo '/* Made from phoenix.h by the Makefile. */'; \
	echo 'extern const char *const evolve_phoenix_h[];'; \
	echo 'const char *const evolve_phoenix_h[] = {'; \
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n",/' evolve/phoenix.h; \
	echo '    0};'; } >$@

# What every translated program begins with.
refine/candidate_h.c: refine/wire.h refine/candidate.h
	{ echo '/* Made from wire.h and candidate.h by the Makefile. */'; \
	echo 'extern const char *const refine_candidate_h[];'; \
	echo 'const char *const refine_candidate_h[] = {'; \
	sed -e '/^#include "/d' -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n",/' \
	    refine/wire.h refine/candidate.h; \
	echo '    0};'; } >$@

# The digits that are part of the program, as bytes.
DIGITS = vision/digits/train-images-idx3-ubyte.gz vision/digits/train-labels-idx1-ubyte.gz \
	vision/digits/test-images-idx3-ubyte.gz vision/digits/test-labels-idx1-ubyte.gz

vision/digits/data.c: $(DIGITS)
	{ echo '/* Made from the files of this folder by the Makefile. */'; \
	echo '#include "vision/images_internal.h"'; \
	rows=; n=0; \
	for file in $(DIGITS); do \
	    n=$$((n + 1)); \
	    echo "static const unsigned char file_$$n[] = {"; \
	    od -An -v -tu1 $$file | sed 's/[0-9][0-9]*/&,/g'; \
	    echo '};'; \
	    rows="$$rows {\"$$file\", file_$$n, sizeof file_$$n},"; \
	done; \
	echo 'const vision_digits_file vision_digits_files[VISION_DIGITS_FILES] = {'; \
	echo "$$rows"; \
	echo '};'; } >$@

build/libphoenix.a: $(LIBRARY)
	mkdir -p build
	rm -f $@
	ar rcs $@ $(LIBRARY)

build/phoenix: $(BIN) build/libphoenix.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(BIN) build/libphoenix.a -lm

run: build/phoenix
	build/phoenix evolve

test: build/phoenix
	CC="$(CC)" CFLAGS="$(ALL_CFLAGS)" LDFLAGS="$(LDFLAGS)" sh tests/run.sh

check: build/phoenix
	sh tests/check.sh

data:
	sh vision/fetch.sh $(DATA)

fuzz:
	FUZZ_SECONDS=600 sh tests/suite_fuzz.sh

install: build/phoenix
	mkdir -p $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include
	cp build/phoenix $(DESTDIR)$(PREFIX)/bin/
	cp build/libphoenix.a $(DESTDIR)$(PREFIX)/lib/
	cp evolve/phoenix.h $(DESTDIR)$(PREFIX)/include/

clean:
	rm -rf build evolve/phoenix_h.c refine/candidate_h.c vision/digits/data.c
	rm -f $(LIBRARY) $(BIN)

.PHONY: all run test check data fuzz install clean

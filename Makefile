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

BASE = base/error.o base/number.o base/text.o base/list.o base/math.o base/random.o base/hash.o base/file.o base/process.o base/clock.o base/json.o base/seal.o base/diff.o

TENSOR = tensor/context.o tensor/tape.o tensor/parallel.o tensor/team.o \
	tensor/kernel.o tensor/kernel_scalar.o tensor/kernel_sse2.o tensor/kernel_avx2.o \
	tensor/kernel_avx512.o tensor/kernel_neon.o tensor/gemm.o \
	tensor/elementwise.o tensor/matmul.o tensor/embedding.o tensor/softmax.o tensor/cross_entropy.o tensor/norm.o \
	tensor/attention.o tensor/kv_cache.o tensor/conv.o tensor/conv_gemm.o tensor/conv_winograd.o \
	tensor/pool.o tensor/batchnorm.o

NN = nn/params.o nn/init.o nn/optimizer.o nn/adafactor.o nn/schedule.o nn/safetensors.o \
	nn/safetensors_write.o

T5 = t5/config.o t5/tokenizer.o t5/bpe.o t5/tokenizer_json.o t5/model.o t5/batch.o t5/forward.o \
	t5/cache.o t5/sample.o t5/choose.o t5/beam.o t5/generate.o t5/folder.o

VISION = vision/inflate.o vision/images.o vision/folder.o vision/digits.o vision/digits/data.o vision/shape.o \
	vision/network.o vision/batch.o vision/train.o

REFINE = refine/language/unit.o refine/language/lex.o refine/language/parse.o refine/language/expression.o refine/language/declare.o refine/language/library.o refine/language/check.o \
	refine/language/constant.o refine/language/arithmetic.o refine/language/order.o refine/language/flow.o refine/language/warn.o refine/language/compile.o refine/language/interpret.o \
	refine/language/program.o refine/native/candidate_h.o refine/native/translate.o refine/native/remote.o refine/mutation/sample.o refine/mutation/entropy.o refine/mutation/grammar.o refine/mutation/grammar_table.o refine/mutation/grammar_networks.o \
	refine/mutation/tree.o refine/mutation/tree_edit.o refine/mutation/tree_entropy.o refine/mutation/mutator.o refine/mutation/prefix.o refine/mutation/dataset.o refine/mutation/fidelity.o

EVOLVE = evolve/field.o evolve/settings.o evolve/source/phoenix_h.o evolve/source/host.o evolve/source/host_data.o evolve/source/host_train.o evolve/source/host_networks.o \
	evolve/source/default.o evolve/source/prequential.o evolve/source/pairs.o evolve/score/measure.o evolve/score/cost.o \
	evolve/loop/archive.o evolve/loop/generator.o evolve/loop/constraint.o evolve/loop/propose.o evolve/loop/compute.o \
	evolve/score/evaluate.o evolve/score/network.o evolve/task.o evolve/score/native.o evolve/loop/journal.o evolve/sandbox/pool.o evolve/sandbox/sandbox.o \
	evolve/sandbox/linux.o evolve/sandbox/seccomp.o evolve/loop/scorer.o evolve/loop/manifest.o \
	evolve/loop/stage.o evolve/loop/summary.o evolve/loop/run.o evolve/report/verify.o evolve/report/lineage.o evolve/report/svg.o \
	evolve/report/report.o evolve/report/figures.o evolve/report/curves.o evolve/report/design.o evolve/report/runs.o evolve/report/page.o evolve/report/chart.o evolve/report/networks.o \
	evolve/search/search.o evolve/search/table.o evolve/search/benchmark.o evolve/search/statistics.o evolve/report/comparison.o

LIBRARY = $(BASE) $(TENSOR) $(NN) $(T5) $(VISION) $(REFINE) $(EVOLVE)

BIN = bin/main.o bin/options.o bin/progress.o bin/evolve.o bin/refine.o bin/train.o bin/generate.o \
	bin/evaluate.o bin/table.o bin/compare.o bin/compare_table.o bin/compare_runs.o bin/sandbox.o bin/report.o bin/why.o bin/verify_command.o bin/verify_run.o bin/vectors/verify_ops.o bin/vectors/verify_ops_run.o \
	bin/vectors/verify_t5.o bin/vectors/verify_t5_runs.o bin/vectors/verify_optimizer.o \
	bin/bench.o bench/bench_run.o bench/bench_peak.o bench/bench_gemm.o bench/bench_walk.o bench/bench_ops.o \
	bench/bench_t5.o bench/bench_nets.o bench/bench_loop.o

HEADERS = base/*.h tensor/*.h nn/*.h t5/*.h vision/*.h refine/*/*.h evolve/*.h evolve/*/*.h bin/*.h bin/vectors/*.h bench/*.h

.SUFFIXES:
.SUFFIXES: .c .o

all: build/phoenix

.c.o:
	$(CC) $(ALL_CFLAGS) $(WARNINGS) -c $< -o $@

$(LIBRARY) $(BIN): $(HEADERS)

# phoenix.h as lines of text, for the checker.
evolve/source/phoenix_h.c: evolve/source/phoenix.h
	{ echo '/* Made from phoenix.h by the Makefile. */'; \
	echo 'extern const char *const source_phoenix_h[];'; \
	echo 'const char *const source_phoenix_h[] = {'; \
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n",/' evolve/source/phoenix.h; \
	echo '    0};'; } >$@

# What every translated program begins with.
refine/native/candidate_h.c: refine/native/wire.h refine/native/candidate.h
	{ echo '/* Made from wire.h and candidate.h by the Makefile. */'; \
	echo 'extern const char *const native_candidate_h[];'; \
	echo 'const char *const native_candidate_h[] = {'; \
	sed -e '/^#include "/d' -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n",/' \
	    refine/native/wire.h refine/native/candidate.h; \
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
	cp evolve/source/phoenix.h $(DESTDIR)$(PREFIX)/include/

clean:
	rm -rf build evolve/source/phoenix_h.c refine/native/candidate_h.c vision/digits/data.c
	rm -f $(LIBRARY) $(BIN)

.PHONY: all run test check data fuzz install clean

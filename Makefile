# SPDX-License-Identifier: MIT
# phoenix: a self-programming AI in plain C. For any make of POSIX (GNU make from 3.81 on and bmake are tested).
#
#   make          build/phoenix and build/libphoenix.a
#   make run      the main job on its defaults: a few minutes on two cores
#   make test     builds and runs the tests
#   make check    holds the tree against its own rules (needs cppcheck and clang-format)
#   make book     BUILD/book.html, the book of docs/book as one page (needs pandoc)
#   make data     downloads the public sets of images (0.8 GB) to DATA
#   make fuzz     libFuzzer, ten minutes on each of its targets (needs clang)
#   make torture  failing calls, kills, losses of power, damaged files, changed commands, for hours (docs/trust.md)
#   make install  the program, its man pages and completion, the library with its headers, to PREFIX;
#                 `make uninstall` with the same variables takes them away
#   make dist     BUILD/phoenix-VERSION.tar.gz
#   make amalgamation    BUILD/amalgamation/phoenix.c and phoenix.h: base to vision as one file
#
# All that is made goes to BUILD; `make -f ../phoenix/Makefile SRC=../phoenix` builds from a tree that
# is only read. V=1 shows the commands. CFLAGS is yours (sanitizers, another -O); nothing in it may
# change a result. `make THREADS=` builds without threads, `make THREADS= OMP=-fopenmp` with OpenMP's.
#
# make/rules.sh finds out what the compiler takes and writes a rule for each file, whatever files there are.

CC = cc
CFLAGS = -O2
AR = ar
NM = nm
LDLIBS = -lm
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
DATADIR = $(PREFIX)/share
DATA = data
BUILD = build
SRC = .
THREADS = auto
OMP =
V =

HAVE = CC="$(CC)" CFLAGS="$(CFLAGS)" LDFLAGS="$(LDFLAGS)" LDLIBS="$(LDLIBS)" AR="$(AR)" NM="$(NM)" THREADS="$(THREADS)" \
	OMP="$(OMP)" SRC="$(SRC)" BUILD="$(BUILD)" V="$(V)"
WHERE = DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" BINDIR="$(BINDIR)" LIBDIR="$(LIBDIR)" INCLUDEDIR="$(INCLUDEDIR)" \
	DATADIR="$(DATADIR)"
WITH_FLAGS = CC="$(CC)" CFLAGS="`sed -n 's/^ALL_CFLAGS = //p' $(BUILD)/rules.mk`" LDFLAGS="$(LDFLAGS)" BUILD="$(BUILD)"

all: rules
	@MAKELEVEL= $(MAKE) -f $(BUILD)/rules.mk all

rules:
	@$(HAVE) sh $(SRC)/make/rules.sh

run: all
	$(BUILD)/phoenix evolve

test: all
	@$(WITH_FLAGS) sh $(SRC)/tests/run.sh

check: all
	@sh $(SRC)/tests/check.sh

book: rules
	@b=`cd $(BUILD) && pwd`; sh $(SRC)/make/book.sh $(SRC) $$b/book.html

data:
	sh $(SRC)/vision/fetch.sh $(DATA)

fuzz:
	FUZZ_SECONDS=600 LOG=`pwd`/docs/trust.csv sh $(SRC)/tests/suite_fuzz.sh

torture: all
	FAULTS=all KILLS=2000 POWER=all DAMAGES=5000 SEED=`date +%s` LOG=docs/trust.csv sh $(SRC)/tests/suite_torture.sh
	TESTS=no COMMANDS=10000 LOG=`pwd`/docs/trust.csv sh $(SRC)/tests/suite_sanitizers.sh

shared: all
	@MAKELEVEL= $(MAKE) -f $(BUILD)/rules.mk shared

install: shared
	@$(HAVE) $(WHERE) sh $(SRC)/make/install.sh install

uninstall: shared
	@$(HAVE) $(WHERE) sh $(SRC)/make/install.sh uninstall

dist:
	@mkdir -p $(BUILD)
	@$(HAVE) sh $(SRC)/make/install.sh dist

amalgamation:
	sh $(SRC)/make/amalgamate.sh $(SRC) $(BUILD)/amalgamation

clean:
	rm -rf $(BUILD)

.PHONY: all rules run test check book data fuzz torture shared install uninstall dist amalgamation clean

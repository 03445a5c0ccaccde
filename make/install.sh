#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts what was built where the Makefile's folders say, below DESTDIR, or takes the same files away.
#
#   sh make/install.sh install|uninstall      the Makefile's variables are in the environment
#   sh make/install.sh dist                   BUILD/phoenix-VERSION.tar.gz, a tree that builds
set -eu
: "${SRC:=.}" "${BUILD:=build}" "${DESTDIR:=}" "${PREFIX:=/usr/local}"
: "${BINDIR:=$PREFIX/bin}" "${LIBDIR:=$PREFIX/lib}" "${INCLUDEDIR:=$PREFIX/include}" "${DATADIR:=$PREFIX/share}"
version=$(sed -n 's/^#define EVOLVE_VERSION "\([0-9.]*\)".*/\1/p' "$SRC/evolve/settings.h")

if [ "$1" = dist ]; then
    name=phoenix-$version
    made=$BUILD/dist.$$
    trap 'rm -rf "$made"' EXIT
    mkdir -p "$made/$name"
    (cd "$SRC" && tar cf - .clang-format .editorconfig .gitignore LICENSE Makefile README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md \
        CITATION.cff libphoenix.h \
        make base tensor nn t5 vision export refine evolve bin bench docs tests) | (cd "$made/$name" && tar xf -)
    (cd "$made" && tar cf - "$name") | gzip -9 >"$made/tar"
    mv "$made/tar" "$BUILD/$name.tar.gz"
    exit
fi

# put MODE FILE TARGET
if [ "$1" = install ]; then
    put() {
        mkdir -p "$DESTDIR$(dirname "$3")"
        rm -f "$DESTDIR$3" # a program that runs keeps the file that it was started from
        cp "$2" "$DESTDIR$3"
        chmod "$1" "$DESTDIR$3"
    }
    link() { ln -sf "$1" "$DESTDIR$2"; }
else
    put() { rm -f "$DESTDIR$3"; }
    link() { rm -f "$DESTDIR$2"; }
fi

made=$BUILD/installed
rm -rf "$made"
mkdir -p "$made"
put 755 "$BUILD/phoenix" "$BINDIR/phoenix"

put 644 "$BUILD/libphoenix.a" "$LIBDIR/libphoenix.a"
if [ -f "$BUILD/libphoenix.so" ]; then
    put 755 "$BUILD/libphoenix.so" "$LIBDIR/libphoenix.so.$version"
    link "libphoenix.so.$version" "$LIBDIR/libphoenix.so.${version%.*}"
    link "libphoenix.so.${version%.*}" "$LIBDIR/libphoenix.so"
fi
cat >"$made/phoenix.pc" <<END
prefix=$PREFIX
libdir=$LIBDIR
includedir=$INCLUDEDIR

Name: phoenix
Description: Tensors, T5s and image networks, a C interpreter, and the loop that rewrites programs with them
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lphoenix
Libs.private: ${LDLIBS:--lm}$(sed -n 's/.*\( -pthread\).*/\1/p' "$BUILD/flags" | head -n 1)
END
put 644 "$made/phoenix.pc" "$LIBDIR/pkgconfig/phoenix.pc"

sh "$SRC/make/headers.sh" write "$SRC" "$made/phoenix"
for header in $(sh "$SRC/make/headers.sh" list "$SRC"); do
    put 644 "$made/phoenix/$header" "$INCLUDEDIR/phoenix/$header"
done

# A program for another machine cannot say what its options are.
if "$BUILD/phoenix" --version >"$made/version" 2>&1; then
    sh "$SRC/make/manual.sh" "$BUILD/phoenix" "$made/manual"
    for page in "$made"/manual/*.1; do
        put 644 "$page" "$DATADIR/man/man1/${page##*/}"
    done
    put 644 "$made/manual/phoenix.bash" "$DATADIR/bash-completion/completions/phoenix"
    put 644 "$made/manual/phoenix.zsh" "$DATADIR/zsh/site-functions/_phoenix"
    put 644 "$made/manual/phoenix.fish" "$DATADIR/fish/vendor_completions.d/phoenix.fish"
else
    echo "make: $BUILD/phoenix does not run here: no man pages, no completion" >&2
fi
[ "$1" = install ] || find "$DESTDIR$INCLUDEDIR/phoenix" -depth -type d -exec rmdir {} \; 2>/dev/null || :

#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs phoenix bench and its peers (OpenBLAS, BLIS, oneDNN, PyTorch from Debian's packages, others where they can be had)
# in alternation, one sample a process, and prints the medians and the medians of the paired ratios.
#
#   sh bench/peers.sh [gemm|small|train|generate|nets|fewshot]...        nothing: all of them
#
# From the environment, with their defaults:
#   PHOENIX=build/phoenix   THREADS=1   PAIRS=9   OUT=build/peers (raw lines and CSV)
#   SECONDS_A_SAMPLE=1.5 (of products: a tenth of it)   CASES= (of the groups, only these)
#   RUN= (put before each measurement, such as "flock FILE")   PYTHON=/usr/bin/python3
#   TORCH_BLAS= openblas or blis, for PyTorch's T5
#   OPENBLAS_KERNELS= BLIS_KERNELS= what OPENBLAS_CORETYPE and BLIS_ARCH_TYPE are set to ("": neither)
#
# Peers that Debian has no package of, each in a folder of its own; a line says so where one is left out:
#   ONNXRUNTIME=    generation: where `npm install onnxruntime-node` was run. python3-torch writes its graphs
#   CTRANSLATE2=    generation: the sources of CTranslate2 (OpenNMT on GitHub) and of its submodules cpu_features, cxxopts
#       and spdlog, with ct2-translator in build/cli: cmake -B build -DCMAKE_BUILD_TYPE=Release -DWITH_MKL=OFF -DWITH_DNNL=ON
#       -DOPENMP_RUNTIME=COMP -DBUILD_SHARED_LIBS=OFF, with libdnnl-dev. oneDNN before version 3 has other convolutions, which
#       a T5 has no use for: #undef CT2_WITH_DNNL at the head of src/ops/conv1d_cpu.cc. python3-yaml writes its models
#   KANN=           the MLP: the sources of kann (attractivechaos on GitHub), built here with libopenblas-dev
#   LIBXSMM=        small products: the sources of libxsmm (on GitHub), with libxsmm.so in build: cmake -B build
#       -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON
#
# Peers are set up at the best that was found for them: PyTorch with an allocator that keeps its
# memory in huge pages, and linked to the BLAS that is fastest there. As installed, it is up to half
# as fast: Debian's default OpenBLAS is the pthread build, which fights PyTorch's own threads. For a
# processor that they do not know BLIS takes its kernels in plain C and OpenBLAS those for SSE3; where
# there is AVX-512, they are told to take those for Skylake-X (BLIS's number 0). ONNX Runtime and CTranslate2 gain by the
# allocator as well, CTranslate2 by AVX-512, which it takes only when told to.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${PHOENIX:=build/phoenix}" "${THREADS:=1}" "${PAIRS:=9}" "${OUT:=build/peers}" "${RUN:=}"
: "${SECONDS_A_SAMPLE:=1.5}" "${PYTHON:=/usr/bin/python3}" "${CC:=cc}" "${CASES:=}"
: "${ONNXRUNTIME:=}" "${CTRANSLATE2:=}" "${KANN:=}" "${LIBXSMM:=}"
LC_ALL=C
export LC_ALL

[ $# -gt 0 ] || set -- gemm small train generate nets fewshot
for group in "$@"; do
    case $group in
    gemm | small | train | generate | nets | fewshot) ;;
    *)
        echo "peers.sh: $group: expected gemm, small, train, generate, nets or fewshot" >&2
        exit 2
        ;;
    esac
done

# ---- what has to be there ----

libraries=/usr/lib/$($CC -print-multiarch 2>/dev/null)
openblas=$libraries/openblas-openmp/libopenblas.so.0
blis=$libraries/blis-openmp/libblis.so.4
onednn=$libraries/libdnnl.so.2
missing=
[ -f "$openblas" ] || missing="$missing libopenblas0-openmp"
[ -f "$blis" ] || missing="$missing libblis4-openmp"
[ -f "$onednn" ] || missing="$missing libdnnl2"
"$PYTHON" -c 'import torch' 2>/dev/null || missing="$missing python3-torch"
if [ -n "$missing" ]; then
    echo "peers.sh: these Debian packages are missing:$missing" >&2
    exit 1
fi
if [ ! -x "$PHOENIX" ]; then
    echo "peers.sh: there is no $PHOENIX; run make first" >&2
    exit 1
fi
mkdir -p "$OUT" || exit 1
$CC -std=c11 -O2 -fopenmp -o "$OUT/blas_gemm" bench/peers/blas_gemm.c -ldl || exit 1

# can_have NAME VARIABLE FILE: whether a peer's file is there.
can_have() {
    [ -f "$3" ] && return
    echo "peers.sh: $1 is left out: there is no $3; $2 names its folder" >&2
    return 1
}
has_onnxruntime=false has_ctranslate2=false has_kann=false has_libxsmm=false
case " $* " in
*" generate "*)
    can_have "ONNX Runtime" ONNXRUNTIME "$ONNXRUNTIME/node_modules/onnxruntime-node/package.json" && has_onnxruntime=true
    can_have CTranslate2 CTRANSLATE2 "$CTRANSLATE2/build/cli/ct2-translator" && has_ctranslate2=true
    ;;
esac
case " $* " in
*" nets "*)
    can_have KANN KANN "$KANN/kautodiff.c" && has_kann=true
    ! $has_kann || $CC -O3 -march=native -DHAVE_CBLAS -I"$KANN" -o "$OUT/kann_mlp" bench/peers/kann_mlp.c "$KANN/kann.c" \
        "$KANN/kautodiff.c" "$openblas" -lm || exit 1
    ;;
esac
case " $* " in
*" small "*)
    can_have libxsmm LIBXSMM "$LIBXSMM/build/libxsmm.so" && has_libxsmm=true
    ! $has_libxsmm || $CC -std=c11 -O2 -fopenmp -DLIBXSMM -I"$LIBXSMM/include" -I"$LIBXSMM/build/include" \
        -o "$OUT/xsmm_gemm" bench/peers/blas_gemm.c -L"$LIBXSMM/build" -Wl,-rpath,"$LIBXSMM/build" -lxsmm -ldl || exit 1
    ;;
esac

# ---- how each is run ----

unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE BLIS_ARCH_TYPE MKL_NUM_THREADS GOMP_CPU_AFFINITY
if grep -q avx512f /proc/cpuinfo; then
    export CT2_FORCE_CPU_ISA=AVX512
    : "${TORCH_BLAS:=openblas}"
    : "${BLIS_KERNELS=0}" "${OPENBLAS_KERNELS=SkylakeX}"
fi
: "${TORCH_BLAS:=blis}" "${BLIS_KERNELS=}" "${OPENBLAS_KERNELS=}"
OPENBLAS_CORETYPE=$OPENBLAS_KERNELS BLIS_ARCH_TYPE=$BLIS_KERNELS
[ -z "$OPENBLAS_CORETYPE" ] || export OPENBLAS_CORETYPE
[ -z "$BLIS_ARCH_TYPE" ] || export BLIS_ARCH_TYPE
cores=$(getconf _NPROCESSORS_ONLN)
tuned=glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0
tuned=$tuned:glibc.malloc.trim_threshold=68719476736:glibc.malloc.top_pad=268435456

# on N COMMAND...: on N processors, the last ones.
on() {
    threads=$1
    shift
    pin=
    if command -v taskset >/dev/null; then
        pin="taskset -c $((threads < cores ? cores - threads : 0))-$((cores - 1))"
    fi
    # shellcheck disable=SC2086
    env OMP_NUM_THREADS="$threads" OPENBLAS_NUM_THREADS="$threads" BLIS_NUM_THREADS="$threads" \
        $RUN $pin "$@"
}

# tag NAME: each JSON line with who made it and in which round.
tag() {
    sed -n "s/^{/{\"by\":\"$1\",\"round\":$round,/p" >>"$raw"
}

phoenix() { # THREADS SECONDS CASE...
    workers=$1 seconds=$2
    shift 2
    on "$workers" "$PHOENIX" bench "$@" --threads "$workers" --samples 1 --seconds "$seconds" \
        --json | tag phoenix
}

blas() { # NAME LIBRARY CASE...
    name=$1 library=$2
    shift 2
    on "$THREADS" "$OUT/blas_gemm" "$library" "$THREADS" "$short" "$@" | tag "$name"
}

torch() { # NAME BLAS THREADS ALLOCATOR SCRIPT CASE [MORE]
    name=$1 folder=$libraries/$2-openmp threads_of_torch=$3 allocator=$4 script=$5 what=$6
    shift 6
    on "$threads_of_torch" env LD_LIBRARY_PATH="$folder" GLIBC_TUNABLES="$allocator" \
        "$PYTHON" -B "bench/peers/$script" "$what" "$threads_of_torch" "$SECONDS_A_SAMPLE" "$@" |
        tag "$name"
}

# ---- the groups: one round of each side ----

short=$(awk "BEGIN {print $SECONDS_A_SAMPLE / 10}")

cases_of() { # PREFIX...
    if [ -n "$CASES" ]; then
        # shellcheck disable=SC2086
        "$PHOENIX" bench --list $CASES
    else
        "$PHOENIX" bench --list "$@"
    fi
}

products_ours() {
    # shellcheck disable=SC2086
    phoenix "$THREADS" "$short" $names
}
products_peers() {
    # shellcheck disable=SC2086
    {
        blas openblas "$openblas" $names
        blas blis "$blis" $names
        blas onednn "$onednn" $names
    }
}
small_peers() {
    # shellcheck disable=SC2086
    products_peers
    for case in $names; do
        case $case in
        decode/*) ;;
        *) ! $has_libxsmm || on 1 "$OUT/xsmm_gemm" "$LIBXSMM/build/libxsmm.so" 1 "$short" "$case" | tag libxsmm ;;
        esac
    done
}
steps_ours() {
    # shellcheck disable=SC2086
    phoenix "$THREADS" "$SECONDS_A_SAMPLE" $names
}
steps_peers() {
    for case in $names; do
        torch "torch" "$TORCH_BLAS" "$THREADS" "$tuned" torch_t5.py "$case"
    done
}
generate_peers() {
    steps_peers
    for case in $names; do
        ! $has_onnxruntime || on 1 env GLIBC_TUNABLES="$tuned" NODE_PATH="$ONNXRUNTIME/node_modules" \
            node bench/peers/onnx_t5.js "$case" "$OUT/onnx/$case" "$SECONDS_A_SAMPLE" | tag onnxruntime
        ! $has_ctranslate2 || on 1 env GLIBC_TUNABLES="$tuned" "$PYTHON" -B bench/peers/ct2_t5.py run "$case" \
            "$OUT/ctranslate2/$case" "$CTRANSLATE2" "$SECONDS_A_SAMPLE" | tag ctranslate2
    done
}
# The models of those that take them from files, once; what exporting warns of is kept beside them.
write_models() {
    for case in $names; do
        there=$OUT/onnx/$case
        ! $has_onnxruntime || [ -f "$there/about.json" ] || "$PYTHON" -B bench/peers/onnx_t5.py "$case" "$there" 2>"$OUT/onnx.log" || exit 1
        there=$OUT/ctranslate2/$case
        ! $has_ctranslate2 || [ -f "$there/about.json" ] || "$PYTHON" -B bench/peers/ct2_t5.py write "$case" "$there" "$CTRANSLATE2" || exit 1
    done
}
nets_peers() {
    for case in $names; do
        torch torch openblas "$THREADS" "$tuned" torch_nets.py "$case" 1 0
        case $case in
        train/mlp)
            torch torch-stock openblas "$THREADS" "" torch_nets.py "$case" 1 0
            ! $has_kann || on 1 env LD_LIBRARY_PATH="$libraries/openblas-openmp" "$OUT/kann_mlp" "$SECONDS_A_SAMPLE" | tag kann
            ;;
        train/table2) torch torch-im2col openblas "$THREADS" "$tuned" torch_nets.py "$case" 0 0 ;;
        train/cifar | train/residual* | train/separable*) torch torch-nhwc openblas "$THREADS" "$tuned" torch_nets.py "$case" 1 1 ;;
        esac
    done
}
# One evaluation of ours on one core; a step of PyTorch's as the papers did it on all cores, then on one,
# then with one thing after another as phoenix has it.
fewshot_ours() {
    phoenix 1 0 evaluate/default-512
}
fewshot_peers() {
    torch threads "$TORCH_BLAS" "$cores" "$tuned" torch_t5.py fewshot/papers
    for case in papers tokens vocabulary padding; do
        torch $case "$TORCH_BLAS" 1 "$tuned" torch_t5.py fewshot/$case
    done
}

alternate() { # OURS PEERS
    round=1
    while [ "$round" -le "$PAIRS" ]; do
        if [ $((round % 2)) -eq 1 ]; then
            "$1" && "$2"
        else
            "$2" && "$1"
        fi
        round=$((round + 1))
    done
}

for group in "$@"; do
    raw=$OUT/$group-$THREADS.jsonl
    : >"$raw"
    case $group in
    gemm)
        names=$(cases_of gemm vocabulary) || exit 1
        alternate products_ours products_peers
        ;;
    small)
        names=$(cases_of small attention/strided attention/contiguous decode) || exit 1
        alternate products_ours small_peers
        ;;
    train)
        names=$(cases_of train/t5 train/loop) || exit 1
        alternate steps_ours steps_peers
        ;;
    generate)
        names=$(cases_of generate) || exit 1
        write_models
        alternate steps_ours generate_peers
        ;;
    nets)
        names=$(cases_of train/mlp train/table2 train/cifar train/residual train/separable) || exit 1
        alternate steps_ours nets_peers
        ;;
    fewshot)
        alternate fewshot_ours fewshot_peers
        ;;
    esac
    "$PYTHON" -B bench/ratios.py "$group" "$raw" "$OUT/$group-$THREADS.csv" || exit 1
done

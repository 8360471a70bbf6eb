# What a person or a continuous integration machine runs. `make` alone lists the targets.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=

# Sanitizers slow the code 2 to 10 times: only the suites which read outside bytes or run C are worth it; of those of
# the sparse kernels the two whose functions the kernels' tests in C do not call.
SANITIZED = EspalierTensorsTests|EspalierKernelsTests|EspalierArchivesTests|EspalierONNXTests|SparseStripsTests|CeilingTests|IDXTests|CSVTests
# Of them, measuring the machine and choosing among files of megabytes take most of the time, and read no memory in a way of
# their own.
UNSANITIZED = machineIsMeasured|theSmallerMessageIsWritten|whatWouldBeRefusedIsNotWritten
SANITIZED_TARGETS = EspalierTensorsTests EspalierKernelsTests EspalierArchivesTests EspalierONNXTests CSparseKernelsTests EspalierTrainingTests
# Address checks on Swift and C, undefined behaviour in C (it traps: there is no runtime library to report it).
SANITIZE = --sanitize=address -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined --scratch-path .build/sanitize
# The kernels' tests in C. Unoptimised under sanitizers, which take minutes to optimise unrolled loops.
KERNEL_TESTS = $(MAKE) --no-print-directory -s -j "$$(getconf _NPROCESSORS_ONLN)" -C Tests/CSparseKernelsHarness
SANITIZED_KERNEL_TESTS = BUILD=../../.build/kernels-sanitized LINK=-fuse-ld=lld \
    FLAGS='-O0 -fsanitize=address,undefined -fsanitize-trap=undefined'

.DEFAULT_GOAL := help
.PHONY: help setup build test demo lint format client conformance exports kernels neon sanitize shim-v3 soundness bench install dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## check the toolchain, install missing system packages (NO_INSTALL=1: only say which)
	@Tools/setup.sh

build: setup ## build everything, optimised
	$(SWIFT) build -c release

# Tests run side by side, many on threads of no lane: idle threads of theirs would spin in the way of others.
test conformance exports sanitize: export OMP_NUM_THREADS = 1
test conformance exports sanitize: export OMP_WAIT_POLICY = passive

test: setup ## run the whole test suite
	$(SWIFT) test -c release

demo: setup ## train, prune twice, verify: dense.onnx, sparse.onnx, slim.onnx and report.html in demo/
	$(SWIFT) build -c release --product espalier
	@Tools/demo.sh "$$($(SWIFT) build -c release --show-bin-path)/espalier" demo

lint: ## check formatting and the house rules
	@Tools/lint.sh

format: ## rewrite the sources in the house format
	find Sources Tests Package.swift -name '*.swift' ! -name '*.pb.swift' -print0 | xargs -0 $(SWIFT) format -i --parallel

client: ## compile a program that sees only what is public of the library, after test or build
	@Tools/client.sh

conformance: ## check every operator, also against the official ONNX node tests
	@Tools/setup.sh libonnx-testdata
	@Tools/conformance_cases.sh
	ESPALIER_CONFORMANCE=1 $(SWIFT) test -c release --filter OperatorConformance

exports: export ESPALIER_EXPORT_FOLDER = $(CURDIR)/.build/exports
exports: ## show models that were written to ONNX's checker and ONNX Runtime, which Python must have
	@Tools/setup.sh libonnx-testdata
	@rm -rf "$(ESPALIER_EXPORT_FOLDER)"
	$(SWIFT) test -c release --filter ExportForPeersTests
	python3 Tools/goldens/check_export.py "$(ESPALIER_EXPORT_FOLDER)"

kernels: setup ## test the C kernels alone, in seconds, on every instruction set of this machine
	@$(KERNEL_TESTS) BUILD=../../.build/kernels

neon: ## test the C kernels for ARM processors in an emulator
	@Tools/setup.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
	@$(KERNEL_TESTS) BUILD=../../.build/neon FLAGS='--target=aarch64-linux-gnu -static' RUN=qemu-aarch64-static

sanitize: export ESPALIER_TEST_TARGETS = $(SANITIZED_TARGETS)
sanitize: setup ## run the suites that touch raw memory under the address and undefined-behaviour sanitizers
	@$(KERNEL_TESTS) $(SANITIZED_KERNEL_TESTS)
	$(SWIFT) build $(SANITIZE) --product espalierPackageTests
	ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test $(SANITIZE) --skip-build --filter '$(SANITIZED)' --skip '$(UNSANITIZED)'

shim-v3: ## compile the oneDNN shim against the headers of oneDNN 3
	@Tools/shim-v3.sh

soundness: setup ## attack trained networks within what is certified of them, on whole test sets
	@Tools/setup.sh dataset-fashion-mnist
	ESPALIER_SOUNDNESS=all $(SWIFT) test -c release --filter SoundnessTests

bench: setup ## measure kernels, training and networks, beside peers when installed
	$(SWIFT) run -c release EspalierBenchmarks

install: setup ## install the tool into PREFIX/bin (default /usr/local)
	$(SWIFT) build -c release --product espalier
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 "$$($(SWIFT) build -c release --show-bin-path)/espalier" "$(DESTDIR)$(PREFIX)/bin/espalier"

dist: setup ## pack the tool, with the Swift runtime inside, as dist/espalier-VERSION-SYSTEM.tar.gz
	@Tools/dist.sh

clean: ## remove everything that was built
	rm -rf .build dist demo

# Every target sets up what it needs in .venv: a fresh clone, python3 (>= 3.11) and a C compiler are enough.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TOOLS  := $(VENV)/.tools
BUILT  := $(VENV)/.built
CYTHON := $(wildcard csrc/*/*.pyx csrc/*/*.pxd csrc/*/*.pxi)
C      := $(wildcard csrc/*/*.c csrc/*/*.h)
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
TESTS  ?= tests
SIDE_BY_SIDE := -n auto --dist worksteal

# An environment beside it, in build/NAME.
define ENVIRONMENT
test -x build/$(1)/bin/pip || $(PYTHON) -m venv build/$(1)
build/$(1)/bin/python -m pip --quiet --disable-pip-version-check install --upgrade "pip>=25.1"
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build demo report-demo test test-all fuzz interruptions test-serial test-oldest test-clang test-aarch64 test-wheels check-races check-fuzz check-guided check-memory platforms test-sanitize test-torch test-browser bench report count mutate coverage trust lint format docs dist judge clean

help:            ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

$(TOOLS): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("fastdiv needs Python 3.11 or newer: make PYTHON=...") if sys.version_info < (3, 11) else 0'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "pip>=25.1"
	$(PIP) install --group dev
	@touch $@

# One editable install; afterwards only what changed is compiled, in place.
$(BUILT): $(TOOLS) setup.py fastdiv/_version.py $(C) $(CYTHON)
	@if [ $@ -nt $(TOOLS) ] && [ $@ -nt fastdiv/_version.py ]; then \
	    set -x; $(BIN)/python setup.py --quiet build_ext --inplace; \
	else \
	    set -x; PYTHONWARNINGS=ignore $(PIP) install --no-build-isolation --no-deps --editable .; \
	fi
	@touch $@

build: $(BUILT)  ## compile the extensions in place

demo: $(BUILT)   ## New York flights of 2013: winter against summer
	$(BIN)/fastdiv compare examples/data/flights_winter.parquet examples/data/flights_summer.parquet

report-demo: $(BUILT) ## the same as a page, build/flights.html
	@mkdir -p build
	$(BIN)/fastdiv compare examples/data/flights_winter.parquet examples/data/flights_summer.parquet -o build/flights.html

test: $(BUILT)   ## the tests, under 5 minutes on 2 cores
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow" $(TESTS)

test-all: $(BUILT) ## the tests and the long battery
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(TESTS)

# Every run has its own seed, which pytest prints. What failed is kept in .hypothesis, and comes first in the next.
FUZZ_MINUTES ?= 10
fuzz: $(BUILT)   ## every function against its twin and its laws, by chance, for FUZZ_MINUTES
	end=$$(( $$(date +%s) + 60 * $(FUZZ_MINUTES) )); while [ $$(date +%s) -lt $$end ]; do \
	    FASTDIV_EXAMPLES=100 $(BIN)/python -m pytest $(SIDE_BY_SIDE) --hypothesis-seed=$$(date +%s) \
	        tests/truth/test_by_chance.py tests/rows/test_laws.py tests/rows/test_option_laws.py || exit 1; \
	done

MOMENTS ?= 50
interruptions: $(BUILT) ## Ctrl-C at 50 moments of every long call: the latencies, into docs/trust.md
	$(BIN)/python -m bench.trust --interruptions $(MOMENTS)

# Other builds live in build/<name>, beside the editable one. PYTHONSAFEPATH keeps the source tree out of the way.
ELSEWHERE = PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/$(1)
RAN = FASTDIV_RAN=$(CURDIR)/build/ran/$(1).json
build/%/.built: $(TOOLS) setup.py $(wildcard fastdiv/*.py fastdiv/*/*.py fastdiv/*.pyi) $(C) $(CYTHON)
	$(BUILD_ENV) $(BIN)/python setup.py --quiet build --build-base build/$*-objects --build-lib build/$*
	@touch $@

build/serial/.built: BUILD_ENV = FASTDIV_OPENMP=0
test-serial: build/serial/.built $(BUILT) ## the same tests on a build without OpenMP
	$(call ELSEWHERE,serial) $(BIN)/python -c "from fastdiv import _core; assert not _core.openmp(), _core.__file__"
	$(call ELSEWHERE,serial) $(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow" $(TESTS)

# A wheel built as every wheel is, against NumPy 2, in an environment that has the oldest NumPy. It needs Python 3.11
# or 3.12. build/wheel/lib* goes first: what the tree no longer has must not be packed.
OLDEST := build/oldest/bin/python
test-oldest: $(TOOLS) ## the same tests on a wheel with NumPy 1.26
	rm -rf build/wheel/lib* build/wheel/dist
	$(BIN)/python setup.py --quiet build --build-base build/wheel bdist_wheel --dist-dir build/wheel/dist
	$(call ENVIRONMENT,oldest)
	$(OLDEST) -m pip --quiet --disable-pip-version-check install --only-binary numpy,pyarrow,scipy --group oldest
	$(OLDEST) -m pip --quiet --disable-pip-version-check install --no-deps --force-reinstall build/wheel/dist/*.whl
	PYTHONSAFEPATH=1 $(OLDEST) -m pytest $(SIDE_BY_SIDE) -m "not slow" -p no:cacheprovider $(TESTS)

# Clang vectorizes other loops than gcc does. Its OpenMP runtime is LLVM's, which ends a process whose OMP_NUM_THREADS is
# no number, or whose files may not grow: these tests are libgomp's.
build/clang/.built: BUILD_ENV = CC=clang LDSHARED="clang -shared -fno-openmp-implicit-rpath"
build/clang/.built: | build/.has-clang
build/.has-clang:
	@mkdir -p build
	echo '#include <omp.h>' | clang -fopenmp -E -x c - > /dev/null || \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends clang libomp-dev libclang-rt-dev
	@touch $@
test-clang: build/clang/.built $(BUILT) ## the same tests on a build by clang
	$(call ELSEWHERE,clang) $(call RAN,$@) $(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow" -p no:cacheprovider \
	    -k "not odd_numbers_of_threads and not limited_size" $(TESTS)

# 64-bit Arm without one: a cross compiler, Debian's CPython 3.11 for arm64 unpacked, wheels of what it needs, and qemu.
# .venv must be of 3.11 too. Its loops are those of the base level, in Advanced SIMD. What starts Python again cannot run
# so. ONLY="tests/..." for other tests.
ARM       := build/aarch64-root
TRUE      := tests/truth/test_tables.py tests/rows/test_accuracy.py tests/transport/test_exact.py tests/matrix/test_accuracy.py
ARM_WHEELS = --only-binary :all: --python-version 3.11 $(foreach v,17 27 28,--platform manylinux_2_$(v)_aarch64)
$(ARM)/.ready: pyproject.toml
	test -x /usr/sbin/debootstrap -a -x /usr/bin/qemu-aarch64 -a -e /usr/aarch64-linux-gnu/include || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    debootstrap qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	rm -rf $(ARM)
	debootstrap --foreign --variant=minbase --arch=arm64 --include=python3.11,libgomp1 bookworm $(ARM)
	for deb in $(ARM)/var/cache/apt/archives/*.deb; do dpkg-deb --fsys-tarfile $$deb | tar -x -C $(ARM) --skip-old-files || exit 1; done
	$(PIP) install --target $(ARM)/wheels $(ARM_WHEELS) --group musl "numpy>=2.0"
	@touch $@

build/aarch64/.built: BUILD_ENV = _PYTHON_HOST_PLATFORM=linux-aarch64 SETUPTOOLS_EXT_SUFFIX=.cpython-311-aarch64-linux-gnu.so \
    CC=aarch64-linux-gnu-gcc LDSHARED="aarch64-linux-gnu-gcc -shared"
test-aarch64: $(ARM)/.ready build/aarch64/.built ## true values on 64-bit Arm: cross-compiled, under qemu
	PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/aarch64:$(CURDIR)/$(ARM)/wheels $(call RAN,$@) \
	qemu-aarch64 -L $(ARM) $(ARM)/usr/bin/python3.11 -m pytest -q -m "not slow" -p no:cacheprovider $(or $(ONLY),$(TRUE))

# Python itself is not instrumented: its leaks are not looked for, and the runtime is loaded ahead of it.
build/sanitize/.built: BUILD_ENV = FASTDIV_SANITIZE=1
test-sanitize: build/sanitize/.built $(BUILT) ## the same tests under Address- and UndefinedBehaviorSanitizer
	$(call ELSEWHERE,sanitize) $(call RAN,$@) PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" \
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow" -p no:cacheprovider $(TESTS)

# Wheels as they are released, made of the sdist by every CPython that is found, each in an environment where nothing
# else of this tree is. PYTHONS="/opt/python3.14/bin/python3" for others; WHEEL_GROUP=test for all tests.
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
WHEEL_GROUP ?= musl
WHEEL_TESTS ?= $(if $(filter musl,$(WHEEL_GROUP)),$(TRUE) tests/truth/test_by_chance.py tests/machine/test_bad_input.py,$(TESTS))
test-wheels: dist ## the wheel of every CPython here, in an environment of its own
	@status=0; for python in $(PYTHONS); do \
	    tag=$$($$python -c 'import sys; print(sys.implementation.cache_tag)' 2>/dev/null) || { echo "--- NOT TESTED: $$python"; continue; }; \
	    echo "--- $$tag"; rm -rf build/wheels/$$tag; \
	    $$python -m venv build/wheels/$$tag && own="build/wheels/$$tag/bin/python -m" && \
	    $$own pip install --quiet --upgrade "pip>=25.1" && \
	    $$own pip wheel --quiet --no-deps --wheel-dir build/wheels/$$tag/dist dist/*.tar.gz && \
	    $$own pip install --quiet --only-binary numpy build/wheels/$$tag/dist/*.whl --group $(WHEEL_GROUP) && \
	    env PYTHONSAFEPATH=1 FASTDIV_RAN=$(CURDIR)/build/ran/$@/$$tag.json $$own pytest -q -m "not slow" \
	        -p no:cacheprovider $(WHEEL_TESTS) || status=1; \
	done; exit $$status

# The doors of the C kernels without Python (tests/native), by clang: threads under ThreadSanitizer, and libFuzzer with
# Address- and UndefinedBehaviorSanitizer. OpenMP is left out: its runtime is not instrumented.
NATIVE := $(filter-out csrc/core/client.c,$(wildcard csrc/*/*.c)) $(addprefix tests/native/,doors.c rows.c transport.c)
NATIVE_FLAGS := -std=gnu11 -g -O1 -fno-math-errno -fno-trapping-math -ffp-contract=off -fno-omit-frame-pointer -Wall -Wextra \
    -Wno-unused-parameter -Wno-unknown-pragmas -Wno-pass-failed -Wno-bitwise-conditional-parentheses -D_DEFAULT_SOURCE \
    -Icsrc -Itests/native
build/native/race: SANITIZERS := -fsanitize=thread
build/native/fuzz: SANITIZERS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
build/native/race build/native/fuzz: build/native/%: $(C) $(wildcard tests/native/*)
	@mkdir -p build/native
	clang $(NATIVE_FLAGS) $(SANITIZERS) $(NATIVE) tests/native/$*.c -o $@ -lm -lpthread

CALLS ?= 3000
check-races: build/native/race $(TOOLS) ## ThreadSanitizer: threads at the doors of the kernels, the same bits in all
	build/native/race 3 $(CALLS) 8
	$(BIN)/python -m bench.platforms $@ "calls by each of 8 threads=$(CALLS)" "races, other bits=none"

GUIDED_MINUTES ?= 10
check-fuzz: build/native/fuzz $(TOOLS) ## libFuzzer at the doors of the kernels, for GUIDED_MINUTES
	@mkdir -p build/seeds/native
	build/native/fuzz build/seeds/native tests/native/found -max_total_time=$$((60 * $(GUIDED_MINUTES))) -max_len=4096 -timeout=60 \
	    -print_final_stats=1 -artifact_prefix=build/seeds/ 2> build/fuzz-native.log || { tail -n 40 build/fuzz-native.log; exit 1; }
	$(BIN)/python -m bench.platforms $@ "minutes=$(GUIDED_MINUTES)" "failures=none" \
	    "calls=$$(sed -n 's/stat::number_of_executed_units: *//p' build/fuzz-native.log)"

# An environment of its own: atheris has wheels for CPython 3.11 to 3.13.
check-guided: $(BUILT) ## atheris: the Python door, files of CSV and profiles, GUIDED_MINUTES each
	$(call ENVIRONMENT,atheris)
	build/atheris/bin/python -m pip --quiet --disable-pip-version-check install --group musl "numpy>=2.0" atheris
	for what in door csv profile; do \
	    build/atheris/bin/python tests/machine/guided.py $$what build/seeds/$$what -max_total_time=$$((60 * $(GUIDED_MINUTES))) \
	        -print_final_stats=1 -artifact_prefix=build/seeds/ > build/guided-$$what.log 2>&1 || { tail -n 40 build/guided-$$what.log; exit 1; }; \
	done
	$(BIN)/python -m bench.platforms $@ "minutes each=$(GUIDED_MINUTES)" "failures=none" \
	    $$(for what in door csv profile; do sed -n "s/stat::number_of_executed_units: */$$what=/p" build/guided-$$what.log; done)

check-memory: $(BUILT) ## valgrind: every call that reaches memory of its own (tests/machine/test_allocations.py)
	cd tests/machine && PYTHONPATH=$(CURDIR) PYTHONMALLOC=malloc OMP_NUM_THREADS=1 valgrind --quiet --error-exitcode=9 --suppressions=valgrind.supp \
	    ../../$(BIN)/python -c "import test_allocations as t; [call() for call in t.calls().values()]; print(len(t.calls()))" \
	    > ../../build/memory-calls.txt
	$(BIN)/python -m bench.platforms $@ "calls=$$(cat build/memory-calls.txt)" "errors=none"

# PyTorch is large: an environment of its own has it, and little else. Nothing is skipped there: pytest ends with 5
# where it finds no tests.
TORCH := build/torch/bin/python
build/torch/.ready: pyproject.toml
	$(call ENVIRONMENT,torch)
	$(TORCH) -m pip --quiet --disable-pip-version-check install --group torch
	@touch $@

test-torch: $(BUILT) build/torch/.ready ## the tests of fastdiv.torch, with PyTorch
	PYTHONPATH=$(CURDIR) $(TORCH) -m pytest -p no:cacheprovider tests/torch

# The same for Playwright, which drives the Chromium of the system: Debian's, or a Chrome that is there.
BROWSER := build/browser/bin/python
build/browser/.ready: pyproject.toml
	$(call ENVIRONMENT,browser)
	$(BROWSER) -m pip --quiet --disable-pip-version-check install --group browser
	@touch $@

test-browser: $(BUILT) docs build/browser/.ready ## the page of a comparison, and the web pages, in Chromium
	@test -n "$$FASTDIV_CHROMIUM" || command -v chromium || command -v chromium-browser || command -v google-chrome || \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium || \
	    { echo "make test-browser needs Chromium: apt-get install chromium, or FASTDIV_CHROMIUM=its path"; exit 1; }
	PYTHONPATH=$(CURDIR) $(BROWSER) -m pytest -p no:cacheprovider tests/browser

bench: $(BUILT)  ## ratios against NumPy, SciPy and others; make bench BENCH="--group rows --quick" for a part
	$(PIP) install "fastdiv[bench]"
	$(BIN)/fastdiv bench $(BENCH)

# Everything at full size; bench/report.json is kept, pages are written from it.
report: $(BUILT) ## measure, and write the tables of README.md and docs/benchmarks.md
	$(PIP) install "fastdiv[bench]"
	$(BIN)/fastdiv bench --group everyday rows matrix transport drift sweeps limits startup -o build/report
	cp build/report/report.json bench/report.json
	$(BIN)/python -m bench.pages

count: $(BUILT)  ## instructions of the kernels (valgrind), against bench/counts.json
	$(BIN)/python -m bench.count

lint: $(TOOLS)   ## ruff, mypy, cython-lint, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cython-lint csrc
	$(BIN)/clang-format --dry-run --Werror csrc/*/*.c csrc/*/*.h

format: $(TOOLS) ## let the formatters have their way
	$(BIN)/ruff check --fix . || true
	$(BIN)/ruff format .
	$(BIN)/clang-format -i csrc/*/*.c csrc/*/*.h

# As long as it is left alone, several at once of areas apart: every mutant is written down at once.
mutate: $(BUILT) ## wrong tokens in a copy of the tree, one at a time: do the tests notice? MUTATE="--most 50"
	$(BIN)/python -m bench.mutate $(MUTATE)

# Lines and branches that the tests run, of Python and of C, into bench/coverage.json: in one process, since workers of
# xdist may be ended before they write their counts. Left out is what cannot be right of such a build: hardening, and
# limits of file sizes, which its own counts meet. A test that fails here does so in `make test`; what was run counts.
NOT_COUNTED := --deselect tests/machine/test_security.py::test_extensions_are_hardened \
               --deselect tests/machine/test_file_faults.py::test_files_of_limited_size
build/coverage/.built: BUILD_ENV = FASTDIV_COVERAGE=1
coverage: build/coverage/.built $(BUILT) ## lines and branches that the tests run, in Python and C
	$(PIP) install --group coverage
	find build/coverage-objects -name "*.gcda" -delete
	-$(call ELSEWHERE,coverage) $(BIN)/python -m pytest -q -p no:xdist -m "not slow" -p no:cacheprovider $(NOT_COUNTED) \
	    --cov=build/coverage/fastdiv --cov-branch --cov-report=json:build/coverage.json --cov-report= $(TESTS)
	$(BIN)/python -m gcovr --root . --filter 'csrc/' --exclude '.*\.pyx' --json-summary build/gcovr.json \
	    --gcov-ignore-parse-errors suspicious_hits.warn_once_per_file --merge-mode-functions separate build/coverage-objects
	$(BIN)/python -m bench.trust --coverage "make coverage TESTS=$(TESTS)"

# bench/mutants.json and bench/coverage.json are of `make mutate` and `make coverage`, which take longer.
platforms:       ## what the test- and check- targets found on this machine, into docs/trust.md
	$(BIN)/python -m bench.platforms
	$(BIN)/python -m bench.trust

trust: $(BUILT)  ## measure every function's errors, and write docs/trust.md
	$(BIN)/python -m bench.trust --measure

docs: $(BUILT)   ## the web pages, in docs/_build/html
	$(PIP) install --group docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs docs/_build/html

dist: $(TOOLS)   ## sdist and wheel, in dist/
	rm -rf dist
	$(PIP) install build
	$(BIN)/python -m build

# An environment of its own: none of these is needed to build, test or document.
JUDGE := build/judge/bin
judge: dist      ## what other people's checkers say of the repository, the workflows, the sdist and the wheel
	$(call ENVIRONMENT,judge)
	$(JUDGE)/python -m pip --quiet --disable-pip-version-check install --group judge
	$(JUDGE)/sp-repo-review .
	$(JUDGE)/validate-pyproject pyproject.toml
	$(JUDGE)/zizmor --offline .github action.yml
	$(JUDGE)/codespell
	$(JUDGE)/twine check --strict dist/*
	$(JUDGE)/check-wheel-contents dist/*.whl
	$(JUDGE)/pydistcheck dist/*
	$(JUDGE)/auditwheel show dist/*.whl

clean:           ## everything that make made
	rm -rf $(VENV) build dist *.egg-info fastdiv/*.so docs/_build docs/generated docs/gallery
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

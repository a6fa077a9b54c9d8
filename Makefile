# Pyro for C is one header; nothing has to be built to use it. This builds
# its examples and tests, all of it under build/. `make help` says what there
# is; V=1 shows the commands.

CC     = cc
CFLAGS = -O2 -g
PREFIX = /usr/local

export CC
MAKEFLAGS += --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell getconf _NPROCESSORS_ONLN)
endif
Q := $(if $(V),,@)

HEADERS := $(wildcard pyro*.h)
WARN    := $(shell . tests/common.sh && echo $$WARN_C)

# The one example that needs a library is built for its test, or by name.
MQTT     := build/examples/mqtt-bridge/bridge
EXAMPLES := $(filter-out $(MQTT) build/examples/packaging/%,$(patsubst %.c,build/%,\
                $(wildcard examples/*/*.c)))
DEMO     := $(filter build/examples/quickstart/%,$(EXAMPLES))
TOOLS    := $(filter build/examples/tools/%,$(EXAMPLES))
LIB      := $(wildcard examples/lib/*.h examples/tools/*.h)

# Each tests/*.c is a program of its own; those named test_* and the
# simulation are run, others are partners of scripts.
TEST_DEPS := $(HEADERS) $(LIB) $(wildcard tests/*.h)
PROGRAMS  := $(patsubst tests/%.c,%,$(wildcard tests/*.c))
UNIT      := $(filter test_%,$(PROGRAMS))
THREADS   := $(filter test_thread%,$(PROGRAMS))
SCRIPTS   := $(wildcard tests/test_*.sh tests/demo.sh tests/client.py)
SIMS      := $(filter sim_%,$(PROGRAMS))

# What `make check` leaves to check-all. What reads the bytes of strangers it
# runs under ASan only; tools it builds without optimisation.
ifdef QUICK
LONG      := test_ns_kill test_faults
LONG_SH   := netns xnsc examples mqtt packaging
PARTNERS  := netns_node xnsc_server interop_server interop_client
MQTT      :=
LEFT      := $(SIMS) $(LONG) $(LONG_SH:%=test_%.sh)
HOSTILE   := reader uri wire pyro5 links daemon proxy es ns_server ns_client json
ASAN_UNIT := $(HOSTILE:%=test_%)
ASAN_LEFT := $(words $(filter-out $(ASAN_UNIT),$(UNIT))) of $(words $(UNIT))
SIMS      :=
PROGRAMS  := $(filter-out $(LEFT) $(PARTNERS) $(ASAN_UNIT),$(PROGRAMS))
EXAMPLES  := $(TOOLS) $(DEMO)
UNIT      := $(filter-out $(LONG) $(ASAN_UNIT),$(UNIT))
CFLAGS    := -O0 -g
LEFT      += -O2 in tools
SCRIPTS   := $(filter-out $(LONG_SH:%=tests/test_%.sh),$(SCRIPTS))
export QUICK
endif
ASAN_UNIT ?= $(UNIT)

QUICKLY := symbols matrix size tidy format readme
WHOLE   := $(QUICKLY) costs misra prove interop coverage tsan fuzz bench firmware

# Without optimisation: most of the time goes into compiling. Code that is
# optimised is tested by matrix.
ASAN := -O0 -fsanitize=address,undefined -fno-sanitize-recover=all \
        -fno-omit-frame-pointer
TSAN := -O1 -fsanitize=thread

.PHONY: all demo test check check-all bench size costs fuzz asan tsan coverage
.PHONY: misra prove interop firmware tidy format symbols matrix readme install
.PHONY: clean help always
.PHONY: deps-test deps-mqtt

all: $(EXAMPLES) ## the examples and tools

demo: $(DEMO) ## server and client of the quickstart, on this machine
	$(Q)sh tests/demo.sh

test: $(PROGRAMS:%=build/tests/%) all $(MQTT) ## the tests; installs cmocka if missing
	$(if $(LEFT),@echo "left to check-all: $(LEFT)")
	$(if $(HOSTILE),@echo "left to asan: $(HOSTILE)")
	$(Q)sh tests/run.sh -t 240 $(SIMS:%=build/tests/%) $(SCRIPTS) \
	    $(UNIT:%=build/tests/%)

check: ## what a reviewer runs, under five minutes
	+$(Q)QUICK=1 LIMIT=300 MAKE="$(MAKE)" sh tests/check.sh test asan $(QUICKLY)
	@echo "left to check-all: $(filter-out $(QUICKLY),$(WHOLE))"

check-all: ## check, and what takes longer, under an hour
	+$(Q)LIMIT=3600 MAKE="$(MAKE)" sh tests/check.sh $(if $(TESTED),,test) asan $(WHOLE)

asan: $(ASAN_UNIT:%=build/asan/%) ## the unit tests under ASan and UBSan
	$(if $(ASAN_LEFT),@echo "left to check-all: $(ASAN_LEFT) programs")
	$(Q)ASAN_OPTIONS=detect_stack_use_after_return=1 \
	    UBSAN_OPTIONS=print_stacktrace=1 sh tests/run.sh -t 480 $^

tsan: $(THREADS:%=build/tsan/%) build/tsan/tasks ## what has threads under TSan
	$(Q)sh tests/tsan.sh $^

coverage: ## lines and branches the unit tests reach: build/coverage.json
	$(Q)sh tests/coverage.sh

bench: ## against a bare poll loop and msgpack-c: build/bench.json
	$(Q)sh tests/bench/run.sh
	$(Q)sh tests/bench/python.sh

firmware: ## boards under QEMU; STEPS="unit serial" runs only these
	$(Q)sh tests/firmware.sh $(STEPS)

size: ## flash on Cortex-M4, M0+ and RISC-V, RAM: build/size.json
	$(Q)sh tests/size.sh

costs: ## flash of each section and switch, stack of each function
	$(Q)sh tests/size.sh -f

fuzz: ## hostile bytes, a short time
	$(Q)sh tests/fuzz/run.sh

interop: ## daemons and clients in Python, with Pyro5 and Pyro4
	$(Q)sh tests/interop.sh

symbols: ## what the library needs and exports, and that it has no globals
	$(Q)sh tests/symbols.sh

matrix: ## compilers, standards, C++ and every switch, without a warning
	$(Q)sh tests/matrix.sh

misra: ## rules of MISRA C, and why some are deviated from: tests/misra.txt
	$(Q)sh tests/misra.sh

prove: ## parsing bytes from outside has no error at run time (Frama-C's Eva)
	$(Q)sh tests/prove.sh

tidy: ## clang-tidy, cppcheck and the rules of style
	$(Q)sh tests/tidy.sh

format: ## checks the layout; FIX=1 corrects it
	$(Q)sh tests/format.sh $(if $(FIX),-i)

readme: ## the README's samples, commands and names are true
	$(Q)sh tests/readme.sh

PACKAGE := sed -e 's,@PREFIX@,$(PREFIX),' -e "s/@VERSION@/$$(sed -n \
    's/^\#define PYRO_VERSION "\(.*\)"/\1/p' pyro.h)/" examples/packaging
INTO    := $(DESTDIR)$(PREFIX)

install: $(TOOLS) ## headers, tools, pkg-config's and CMake's file
	install -d $(INTO)/include $(INTO)/bin $(INTO)/share/pkgconfig
	install -d $(INTO)/share/cmake/pyro
	install -m 644 $(HEADERS) $(INTO)/include
	install -m 755 $(TOOLS) $(INTO)/bin
	$(PACKAGE)/pyro.pc.in >$(INTO)/share/pkgconfig/pyro.pc
	$(PACKAGE)/pyro-config.cmake.in >$(INTO)/share/cmake/pyro/pyro-config.cmake
	$(PACKAGE)/pyro-config-version.cmake.in \
	    >$(INTO)/share/cmake/pyro/pyro-config-version.cmake

clean: ## removes build/
	rm -rf build

help: ## this
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1|\2/p' Makefile | \
	    awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

deps-test:
	$(Q)sh tests/deps.sh cmocka python3

deps-mqtt:
	$(Q)sh tests/deps.sh mqtt

$(MQTT): LDLIBS = -lmosquitto
$(MQTT): | deps-mqtt

# How the examples were compiled: others are not left lying.
build/examples/how: always
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS)' >$@

build/examples/%: examples/%.c $(HEADERS) $(LIB) build/examples/how
	@echo "cc $@"
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c99 $(CFLAGS) $(WARN) -o $@ $< $(LDFLAGS) $(LDLIBS)

# $(1): folder, $(2): flags
define test_rule
build/$(1)/%: tests/%.c $(TEST_DEPS) | deps-test
	@echo "cc $$@"
	@mkdir -p $$(@D)
	$(Q)$(CC) -std=gnu11 -g $(2) $(WARN) -o $$@ $$< $(LDFLAGS) -pthread -lcmocka
endef

build/tsan/tasks: examples/rtos/tasks.c $(HEADERS)
	@echo "cc $@"
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c99 -g $(TSAN) $(WARN) -o $@ $< $(LDFLAGS) -pthread

$(eval $(call test_rule,tests,$$(if $$(filter sim_%,$$*),-O2,-O0)))
$(eval $(call test_rule,asan,$(ASAN)))
$(eval $(call test_rule,tsan,$(TSAN)))

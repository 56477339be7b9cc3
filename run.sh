#!/usr/bin/env bash
# What a developer does every day. `./run.sh help` teaches.
set -euo pipefail
cd "$(dirname "$0")"

main() {
    local task=${1:-help}
    shift || true
    case $task in
        help | -h | --help) teach ;;
        check) environment && .venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy ;;
        fix) environment && .venv/bin/ruff format . && .venv/bin/ruff check --fix . ;;
        test) environment && .venv/bin/pytest "$@" ;;
        coverage) environment && coverage "$@" ;;
        bench) bench "$@" ;;
        demo) environment && .venv/bin/broadsheet demo "$@" ;;
        *) echo "run.sh: no task is called $task; ./run.sh help lists them" >&2 && exit 2 ;;
    esac
}

teach() {
    cat << 'END'
./run.sh check            format, lint and types: what CI asks besides the tests
./run.sh fix              format all files, and mend what lint can mend
./run.sh test [ARGS]      the tests, or some of them: ./run.sh test tests/test_urls.py -n0 -k tracker
./run.sh coverage [ARGS]  the same with the share of lines and branches they run
./run.sh bench            the benchmarks, by name
./run.sh bench NAME [..]  one of them; those that are slow say so, and --help names their options
./run.sh demo [ARGS]      crawl the small web that comes along and show it
./run.sh help             this

The first task that needs it makes the environment, in .venv.
END
}

environment() {
    [ -x .venv/bin/coverage ] && return
    python3 -m venv .venv && .venv/bin/pip install -qc constraints.txt -e '.[dev]'
}

coverage() {
    .venv/bin/coverage erase
    local failed=0
    # What is measured is written to files: no file may grow where a full disk is tested.
    .venv/bin/coverage run -m pytest -k "not full_disk" "$@" || failed=$?
    .venv/bin/coverage combine -q
    .venv/bin/coverage report
    return "$failed"
}

bench() {
    if [ $# = 0 ]; then
        for file in tests/benchmarks/*.py; do
            grep -q __main__ "$file" && printf '%-12s %s\n' "$(basename "$file" .py)" "$(sed -n '1s/^"""//p' "$file")"
        done
        return
    fi
    if ! [ -e "tests/benchmarks/$1.py" ]; then
        echo "run.sh: no benchmark is called $1; ./run.sh bench lists them" >&2
        exit 2
    fi
    environment
    # Users' modules are compiled; without this a benchmark would measure Python's compiler.
    unset PYTHONDONTWRITEBYTECODE
    .venv/bin/python -m "tests.benchmarks.$1" "${@:2}"
}

main "$@"

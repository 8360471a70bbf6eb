#!/usr/bin/env bash
# Writes the node test cases that are newer than Debian's libonnx-testdata to .build/conformance/cases, unless they
# are there. Uses the installed Python's `onnx` if it has the version wanted, else a virtual environment in .build.
set -euo pipefail
cd "$(dirname "$0")/.."

script=Tools/goldens/make_new_operator_cases.py
requirements=Tools/goldens/requirements.txt
cases=.build/conformance/cases
if [ -d "$cases" ] && [ "$cases" -nt "$script" ] && [ "$cases" -nt "$requirements" ]; then exit 0; fi

wanted=$(sed -n 's/^onnx==//p' "$requirements")
python=python3
if [ "$("$python" -c 'import onnx; print(onnx.__version__)' 2>/dev/null)" != "$wanted" ]; then
    environment=.build/conformance/python
    if ! python3 -m venv "$environment" >/dev/null 2>&1; then
        Tools/setup.sh python3-venv
        python3 -m venv "$environment"
    fi
    python=$environment/bin/python
    grep -E '^(numpy|onnx)==' "$requirements" | "$python" -m pip install --quiet --requirement /dev/stdin
fi
"$python" "$script" "$cases"
touch "$cases"

#!/usr/bin/env bash
# Trains a small network on the bundled digits, prunes it twice, and reports: the main job from end to end.
#
#   Tools/demo.sh ESPALIER FOLDER
set -euo pipefail

espalier=$1
folder=$2
threads=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
[ "$threads" -le 2 ] || threads=2
mkdir -p "$folder"

run() { # run RECORD ARGUMENTS...: shows the command, runs it, and keeps its record
    local record=$1
    shift
    printf '\n$ espalier %s\n' "$*"
    "$espalier" "$@" --threads "$threads" --quiet --json > "$folder/$record.json"
}

run train train --arch tiny-cnn --data digits --epochs 20 -o "$folder/dense.onnx"
run sparse prune "$folder/dense.onnx" --data digits --sparsity 0.9 --schedule cubic --finetune-epochs 16 \
    -o "$folder/sparse.onnx"
run slim prune "$folder/dense.onnx" --data digits --granularity channel --max-macs 0.5 --finetune-epochs 16 \
    -o "$folder/slim.onnx"
printf '\n$ espalier report train.json sparse.json slim.json -o report.html\n\n'
"$espalier" report "$folder"/{train,sparse,slim}.json -o "$folder/report.html"

# The three models as anybody would find them: measured anew from their files.
printf '\n%-12s %10s %12s %10s %10s\n' model accuracy parameters nonzero MACs
for model in dense sparse slim; do
    accuracy=$("$espalier" eval "$folder/$model.onnx" --data digits --json --quiet |
        sed -n 's/^ *"accuracy" : \([0-9.]*\).*/\1/p')
    figure() { # figure KEY: the first number under that key, which is the whole model's
        printf '%s\n' "$inspection" | sed -n "s/^  \"$1\" : \([0-9]*\).*/\1/p" | head -n 1
    }
    inspection=$("$espalier" inspect "$folder/$model.onnx" --json --quiet)
    printf '%-12s %9.2f%% %12s %10s %10s\n' "$model.onnx" "$(awk "BEGIN { print 100 * $accuracy }")" \
        "$(figure parameters)" "$(figure nonzero)" "$(figure effectiveMacs)"
done
printf '\nmodels and report are in %s\n' "$folder"

#!/usr/bin/env bash
# Draws a picture of a seed in one request with curl: picture.sh HOST:PORT MODEL CLASS GUIDANCE SEED OUT
# PORT is HTTP's, MODEL one that takes seeds, such as shapes-dit.taylor-2.seed; OUT becomes a PPM picture.
set -euo pipefail

request=$(
  cat <<JSON
{"inputs": [
  {"name": "seed", "datatype": "INT64", "shape": [1,1], "data": [$5]},
  {"name": "class_label", "datatype": "INT64", "shape": [1,1], "data": [$3]},
  {"name": "guidance", "datatype": "FP32", "shape": [1,1], "data": [$4]}],
 "outputs": [{"name": "image"}]}
JSON
)
answer=$(curl -sS "http://$1/v2/models/$2/infer" --data-binary @- <<<"$request")
[[ $answer != *'"error"'* ]] || { echo "$answer" >&2; exit 1; }
IFS=, read -r height width < <(sed 's/.*"name":"image".*"shape":\[1,\([0-9]*\),\([0-9]*\),3\].*/\1,\2/' <<<"$answer")
echo "P3 $width $height 255 $(sed 's/.*"data":\[\([0-9,]*\)\].*/\1/; s/,/ /g' <<<"$answer")" >"$6"

#!/usr/bin/env bash
# Draws a picture in one request with curl: picture.sh HOST:PORT MODEL CLASS GUIDANCE NOISE OUT
# NOISE is a file of fp32 numbers of the shape that the model states, OUT becomes a PPM picture; PORT is HTTP's.
set -euo pipefail

dims=$(curl -sSf "http://$1/v2/models/$2" | grep -o '"name":"noise"[^]]*\[[^]]*' | sed 's/.*\[-1,//')
request=$(
  cat <<JSON
{"inputs": [
  {"name": "noise", "datatype": "FP32", "shape": [1,$dims], "data": [$(od -An -v -w4 -tf4 "$5" | paste -sd,)]},
  {"name": "class_label", "datatype": "INT64", "shape": [1,1], "data": [$3]},
  {"name": "guidance", "datatype": "FP32", "shape": [1,1], "data": [$4]}],
 "outputs": [{"name": "image"}]}
JSON
)
answer=$(curl -sS "http://$1/v2/models/$2/infer" --data-binary @- <<<"$request")
[[ $answer != *'"error"'* ]] || { echo "$answer" >&2; exit 1; }
IFS=, read -r height width < <(sed 's/.*"name":"image".*"shape":\[1,\([0-9]*\),\([0-9]*\),3\].*/\1,\2/' <<<"$answer")
echo "P3 $width $height 255 $(sed 's/.*"data":\[\([0-9,]*\)\].*/\1/; s/,/ /g' <<<"$answer")" >"$6"

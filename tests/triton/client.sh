#!/usr/bin/env bash
# Runs a script of this folder with Triton's own Python client, which it first installs beside the server.
#
#   client.sh SCRIPT ARGUMENT...    plain_client.py, for example, and its arguments
set -euo pipefail

packages=(
  tritonclient==2.51.0 # of the release that install.sh installs
  grpcio==1.85.1
  typing_extensions==4.16.0
  packaging==26.3
  protobuf==4.25.9 # the client's messages were generated for 4
  python-rapidjson==1.25
  urllib3==2.8.0
  geventhttpclient==2.6.1 # HTTP's, with what it needs
  gevent==26.9.0
  greenlet==3.5.6
  zope.event==6.2
  zope.interface==8.7
  brotli==1.2.1
  certifi==2026.10.19.post1
  'numpy==1.26.4; python_version < "3.13"'
  'numpy==2.2.6; python_version >= "3.13"' # the client asks for numpy 1, which 3.13 has not; it works with 2
)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$("$here/../venv.sh" triton-clients "${packages[@]}")
exec "$python" "$here/$1" "${@:2}"

#!/bin/sh
# Prepare The Littlest JupyterHub for the course: run this in a checkout of it on the hub's machine, as root.
#   sudo sh class/tljh.sh [MEMORY [CPU]]     limits for one reader; default: 1G and 2
set -eu
cd "$(dirname "$0")/.."
/opt/tljh/user/bin/python -m pip install '.[course]' # all readers import this copy; run it again to update
tljh-config set limits.memory "${1:-1G}"
tljh-config set limits.cpu "${2:-2}"
tljh-config set services.cull.timeout 3600 # seconds without a reader, then the server is ended; files stay
tljh-config reload

#!/bin/sh
# `commontime` with the settings of commontime.service, and as its user. For root: it goes to
# /usr/local/bin/commontime.

export HOME=/var/lib/commontime COMMONTIME_DATA_DIR=/var/lib/commontime
while IFS= read -r line || [ "$line" ]; do
    value=${line#*=}
    case $value in \"*\" | \'*\') value=${value#?} value=${value%?} ;; esac
    case $line in [A-Z]*=*) export "${line%%=*}=$value" ;; esac
done </etc/commontime.env
cd "$HOME" || exit
exec setpriv --reuid=commontime --regid=commontime --init-groups \
    /opt/commontime/bin/commontime "$@"

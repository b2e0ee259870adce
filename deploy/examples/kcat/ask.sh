#!/bin/sh
# Asks the worker with kcat and prints the answer's text: ask.sh TEXT
# Needs kcat, jq and KAFKA_BOOTSTRAP_SERVERS. PATIENCE: seconds to wait (60).
set -eu
: "${KAFKA_BOOTSTRAP_SERVERS:?names no brokers}"
id="kcat-$$-$(date +%s)"
deadline=$(($(date +%s) + ${PATIENCE:-60}))

jq -nc --arg id "$id" --arg text "$1" '{id: $id, messages: [["human", $text]]}' |
    kcat -P -b "$KAFKA_BOOTSTRAP_SERVERS" -t bedrock.requests -k "$id"

# The record that repeats this id, among the last 1,000 of each partition; read_committed hides aborted ones.
while [ "$(date +%s)" -lt "$deadline" ]; do
    answer=$(kcat -C -b "$KAFKA_BOOTSTRAP_SERVERS" -t bedrock.responses -X isolation.level=read_committed -o -1000 -e -q |
        jq -c --arg id "$id" 'select(.id == $id)')
    if [ -n "$answer" ]; then
        printf '%s\n' "$answer" | jq -r 'if .status != "ok" then .error.message | halt_error(1)
            elif (.message.content | type) == "string" then .message.content
            else [.message.content[].text // empty] | add end'
        exit
    fi
    sleep 0.5
done
echo "no answer within ${PATIENCE:-60} s: is the worker running?" >&2
exit 1

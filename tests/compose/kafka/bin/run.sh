#!/bin/bash
# As the official image does it: KAFKA_NODE_ID becomes node.id; ___ becomes -, __ becomes _, _ becomes a point.
set -euo pipefail
file=/opt/kafka/config/server.properties
: >"$file"
while IFS='=' read -r -d '' name value; do
    case $name in
    KAFKA_HEAP_OPTS | KAFKA_OPTS | KAFKA_VERSION | KAFKA_JVM_PERFORMANCE_OPTS) ;;
    KAFKA_*)
        name=${name#KAFKA_}
        name=${name//___/-}
        name=${name//__/$'\1'}
        name=${name//_/.}
        name=${name//$'\1'/_}
        printf '%s=%s\n' "${name,,}" "$value" >>"$file"
        ;;
    esac
done < <(env -0)
java -Xmx128m -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted \
    -t "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" -c "$file"
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:--Xmx512m} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' kafka.Kafka "$file"

# Usage records as meter events for Stripe (POST /v1/billing/meter_events): two for each call, tokens in and out. Values are
# texts; an identifier counts once within 24 hours, and events may be 35 days old. The tenant is Stripe's customer id.
#   kcat -C -b $KAFKA_BOOTSTRAP_SERVERS -t bedrock.usage -X isolation.level=read_committed -o beginning -e -q |
#     jq -c -f deploy/examples/usage/stripe.jq
select(.type == "bedrock.chat.usage.v1")
| . as $record
| ("input", "output") as $side
| {
    event_name: "bedrock_\($side)_tokens",
    identifier: "\($record.id)-\($side)",
    timestamp: ($record.data.started_at // $record.time | sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601),
    payload: {
      stripe_customer_id: $record.subject,
      value: ($record.data.usage["\($side)_tokens"] | tostring)
    }
  }

# Usage records as events for Lago (POST /api/v1/events/batch, 100 at most): one for each call, with its id, so that one
# that comes twice counts once.
#   kcat -C -b $KAFKA_BOOTSTRAP_SERVERS -t bedrock.usage -X isolation.level=read_committed -o beginning -e -q |
#     jq -c -f deploy/examples/usage/lago.jq
# The billable metric `bedrock_tokens` sums `tokens`, `input_tokens`, `output_tokens` or `cost`. The tenant is the
# subscription's external id.
select(.type == "bedrock.chat.usage.v1")
| {
    transaction_id: .id,
    external_subscription_id: .subject,
    code: "bedrock_tokens",
    timestamp: (.data.started_at // .time | sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601),
    properties: {
      model: .data.model,
      region: .data.region,
      input_tokens: .data.usage.input_tokens,
      output_tokens: .data.usage.output_tokens,
      tokens: .data.usage.total_tokens,
      estimated: .data.estimated,
      cost: .data.cost.amount,
      currency: .data.cost.currency
    }
  }

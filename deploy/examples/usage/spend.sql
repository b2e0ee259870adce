-- What each tenant spent each day, from the lines of
--   bedrock-worker usage --by tenant,model,day --format json >usage.jsonl
-- with DuckDB:  duckdb :memory: -f deploy/examples/usage/spend.sql
-- Money is a decimal with 12 places: exact.

CREATE OR REPLACE TABLE usage AS
SELECT tenant, model, CAST(day AS DATE) AS day, calls, unpriced_calls, input_tokens, output_tokens,
       CAST(cost->>'amount' AS DECIMAL(38, 12)) AS amount, cost->>'currency' AS currency
FROM read_json('usage.jsonl', format = 'newline_delimited', columns = {
    tenant: 'VARCHAR', model: 'VARCHAR', day: 'VARCHAR', calls: 'BIGINT', unpriced_calls: 'BIGINT',
    input_tokens: 'BIGINT', output_tokens: 'BIGINT', cost: 'JSON'});

CREATE OR REPLACE VIEW spend AS
SELECT tenant, day, currency, SUM(calls) AS calls, SUM(unpriced_calls) AS unpriced_calls, SUM(amount) AS amount
FROM usage GROUP BY ALL;

SELECT * FROM spend ORDER BY tenant, day;

-- What is on the rise: each tenant's day beside the mean of the seven before it.
SELECT tenant, day, amount,
       AVG(amount) OVER (PARTITION BY tenant ORDER BY day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING) AS mean_before
FROM spend ORDER BY tenant, day;

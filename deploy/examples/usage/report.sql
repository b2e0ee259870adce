-- AWS's Cost and Usage Report in Parquet as the CSV that `bedrock-worker usage --reconcile report.csv` reads: only the rows
-- of Bedrock, only the columns that are compared. Downloaded files lie in the folder `cur`.
--   duckdb :memory: -f deploy/examples/usage/report.sql

COPY (
    SELECT line_item_usage_start_date, line_item_line_item_type, line_item_usage_type, line_item_usage_amount,
           pricing_unit, line_item_unblended_cost, product_region_code
    FROM read_parquet('cur/**/*.parquet', union_by_name = true)
    WHERE line_item_product_code LIKE 'AmazonBedrock%' OR line_item_usage_type ILIKE '%token%'
) TO 'report.csv' (FORMAT csv, HEADER);

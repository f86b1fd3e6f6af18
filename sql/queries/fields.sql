-- name: custom_fields
select * from custom_field where account_id = :account_id order by field_no;

-- name: custom_field_numbers
select name, field_no from custom_field where account_id = :account_id;

-- name: custom_fields
-- The custom fields that everybody has, deleted ones left out.
select * from custom_field
where account_id = :account_id and set_no is null and deleted_at is null
order by field_no;

-- name: page_of_fields
-- Everybody's fields in the order they were made, after :after_field_no.
select * from custom_field
where account_id = :account_id and field_no > :after_field_no and set_no is null and deleted_at is null
order by field_no
limit :limit;

-- name: fields_of_list
-- The fields of a list's members, by position.
select * from custom_field
where account_id = :account_id and set_no = :set_no and deleted_at is null
order by position, field_no;

-- name: fields_of_all_scopes
select * from custom_field where account_id = :account_id and deleted_at is null order by field_no;

-- name: page_of_all_scopes
-- Fields of everybody and of lists, or of one list, in the order they were made, after :after_field_no.
select * from custom_field
where account_id = :account_id and field_no > :after_field_no and deleted_at is null
    and (:set_no::integer is null or set_no = :set_no)
order by field_no
limit :limit;

-- name: custom_field^
-- A field of everybody.
select * from custom_field
where account_id = :account_id and field_id = :field_id and set_no is null and deleted_at is null;

-- name: count_fields$
-- The fields of a list, or with null of everybody.
select count(*) from custom_field
where account_id = :account_id and set_no is not distinct from :set_no::integer and deleted_at is null;

-- name: create_field^
-- A new field with the account's next field number. Null when the name is taken. Locks the account row.
with place as (
    update account set last_field_no = last_field_no + 1 where account_id = :account_id returning last_field_no
)
insert into custom_field (
    account_id, field_no, label, name, name_key, type, set_no, choices, editability, default_value, position, required,
    property, created_at, updated_at
)
select
    :account_id, last_field_no, :label, :name, :name_key, :type, :set_no, :choices::jsonb, :editability, :default_value,
    :position, :required, :property, now(), now()
from place
on conflict (account_id, coalesce(set_no, 0), name_key) where deleted_at is null do nothing
returning *;

-- name: change_field^
-- Fails when the name is taken.
update custom_field set
    label = :label, name = :name, name_key = :name_key, type = :type, set_no = :set_no, choices = :choices::jsonb,
    editability = :editability, default_value = :default_value, position = :position, required = :required,
    property = :property, updated_at = now()
where account_id = :account_id and field_no = :field_no and deleted_at is null
returning *;

-- name: delete_fields_of_lists
-- Of lists that are deleted. Locks the fields' rows, by number; their values are nobody's from now on.
update custom_field set deleted_at = now(), updated_at = now()
where account_id = :account_id and field_no in (
    select field_no from custom_field
    where account_id = :account_id and set_no = any(:set_nos) and deleted_at is null
    order by field_no
    for update
)
returning field_no;

-- name: delete_fields
-- Locks the fields' rows, by number.
update custom_field set deleted_at = now(), updated_at = now()
where account_id = :account_id and field_no in (
    select field_no from custom_field
    where account_id = :account_id and field_no = any(:field_nos) and deleted_at is null
    order by field_no
    for update
)
returning field_no;

-- name: fields_by_number
-- Fields by number, deleted ones too.
select * from custom_field where account_id = :account_id and field_no = any(:field_nos) order by field_no;

-- name: keep_values_before!
-- Before-images, for undo, of the custom values of contacts that have one of these fields. Locks those contacts, by
-- number.
insert into contact_before (account_id, sequence, contact_no, image)
select :account_id, :sequence, c.contact_no, jsonb_build_object('custom_values', c.custom_values)
from (
    select contact_no, custom_values from contact
    where account_id = :account_id and contact_no > :after and contact_no <= :through
        and custom_values ?| :field_nos::text[]
    order by contact_no
    for update
) c
on conflict (account_id, sequence, contact_no) do nothing;

-- name: erase_values!
-- Takes these fields' values from the contacts of whom there are before-images; who has none left, has nothing.
update contact c set custom_values = nullif(c.custom_values - :field_nos::text[], '{}')
from contact_before b
where b.account_id = :account_id and b.sequence = :sequence and b.contact_no > :after and b.contact_no <= :through
    and c.account_id = :account_id and c.contact_no = b.contact_no;

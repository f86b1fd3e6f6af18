-- name: contacts_by_number
-- Contacts with these numbers, ascending, deleted ones too.
select * from contact where account_id = :account_id and contact_no = any(:contact_nos) order by contact_no;

-- name: contact_by_id^
-- A contact, also a deleted one.
select * from contact where account_id = :account_id and contact_id = :contact_id;

-- name: contact_ids
-- The public ids of contacts by number.
select contact_no, contact_id from contact where account_id = :account_id and contact_no = any(:contact_nos);

-- name: contact_ids_of_living
-- The public ids of those of the numbers whose contacts are not deleted.
select contact_no, contact_id from contact
where account_id = :account_id and contact_no = any(:contact_nos) and deleted_at is null
order by contact_no;

-- name: count_by_permission
-- Contacts that are not deleted, by their permission.
select permission, count(*) as contacts from contact
where account_id = :account_id and deleted_at is null
group by permission;

-- name: time_of_transaction$
-- When this transaction began, by the database's clock.
select now();

-- name: contacts_by_number
-- Contacts with these numbers, ascending, deleted ones too.
select * from contact where account_id = :account_id and contact_no = any(:contact_nos) order by contact_no;

-- name: contact_ids
-- The public ids of contacts by number.
select contact_no, contact_id from contact where account_id = :account_id and contact_no = any(:contact_nos);

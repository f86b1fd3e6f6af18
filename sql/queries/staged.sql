-- Imports that are put together piece by piece before they are activities.

-- name: create_staged_import^
-- A new one with the account's next number. Locks the account row.
with place as (
    update account set last_import_no = last_import_no + 1 where account_id = :account_id returning last_import_no
)
insert into staged_import (account_id, import_no, set_no, field_nos, created_at)
select :account_id, last_import_no, :set_no, :field_nos, now() from place
returning *;

-- name: staged_import^
select * from staged_import where account_id = :account_id and import_no = :import_no;

-- name: count_staged_part$
-- Counts one more piece of an import that has not begun; the number of the piece, or null when it has, or would have
-- more than :most contacts. Locks the import.
update staged_import set
    parts = parts + 1, contacts = contacts + :contacts,
    invalid_emails = invalid_emails + :invalid_emails, invalid_mobiles = invalid_mobiles + :invalid_mobiles
where account_id = :account_id and import_no = :import_no and activity_id is null and contacts + :contacts <= :most
returning parts;

-- name: add_staged_part!
insert into staged_contacts (account_id, import_no, part, contacts)
values (:account_id, :import_no, :part, :staged);

-- name: begin_staged_import!
-- The import is an activity from now on; touches nothing when it is one already. Locks it; the account's row is locked.
update staged_import set activity_id = :activity_id
where account_id = :account_id and import_no = :import_no and activity_id is null;

-- name: staged_part$
select contacts from staged_contacts where account_id = :account_id and import_no = :import_no and part = :part;

-- name: old_staged_imports
-- Those that were made more than :retention_days ago and are no activity, or one that is pruned.
select s.import_no from staged_import s
left join activity a on a.account_id = :account_id and a.activity_id = s.activity_id
where s.account_id = :account_id and s.created_at < now() - make_interval(days => :retention_days)
    and (s.activity_id is null
        or a.sequence <= (select pruned_sequence from account where account_id = :account_id))
order by s.import_no
limit :limit;

-- name: prune_staged_contacts!
delete from staged_contacts where account_id = :account_id and import_no = any(:import_nos);

-- name: prune_staged_imports!
delete from staged_import where account_id = :account_id and import_no = any(:import_nos);

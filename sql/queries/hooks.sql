-- Hooks, and the calls of them and of other URLs.

-- name: create_hook^
-- A new hook with the account's next hook number. Null when the name is taken. Locks the account row.
with place as (
    update account set last_hook_no = last_hook_no + 1 where account_id = :account_id returning last_hook_no
)
insert into hook (account_id, hook_no, name, name_key, url, secret, created_at)
select :account_id, last_hook_no, :name, :name_key, :url, :secret, now() from place
on conflict (account_id, name_key) where deleted_at is null do nothing
returning *;

-- name: count_hooks$
select count(*) from hook where account_id = :account_id and deleted_at is null;

-- name: change_hook^
-- Fails when the name is taken.
update hook set name = :name, name_key = :name_key, url = :url
where account_id = :account_id and hook_no = :hook_no and deleted_at is null
returning *;

-- name: delete_hook!
update hook set deleted_at = now()
where account_id = :account_id and hook_no = :hook_no and deleted_at is null;

-- name: hooks_by_number
select * from hook where account_id = :account_id and hook_no = any(:hook_nos) and deleted_at is null;

-- name: hooks_by_name
select * from hook where account_id = :account_id and name_key = any(:name_keys) and deleted_at is null;

-- name: page_of_hooks
select * from hook
where account_id = :account_id and hook_no > :after and deleted_at is null
order by hook_no
limit :limit;

-- name: enter_hook_call!
-- A call that is to be made. Its id is the same at every attempt.
insert into hook_call (account_id, call_id, hook_no, contact_nos)
values (:account_id, :call_id, :hook_no, :contact_nos);

-- name: enter_callback!
insert into hook_call (account_id, call_id, url, activity_id) values (:account_id, :call_id, :url, :activity_id);

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
-- A call that is to be made, after those that the transaction has entered. Its id is the same at every attempt.
insert into hook_call (account_id, call_id, hook_no, contact_nos, due_at)
values (:account_id, :call_id, :hook_no, :contact_nos, clock_timestamp());

-- name: enter_callback!
insert into hook_call (account_id, call_id, url, activity_id) values (:account_id, :call_id, :url, :activity_id);

-- name: due_calls
-- Calls of all accounts that are due, at most :of_receiver of each receiver, so that one with many holds up no others: a
-- look over all accounts. Locks nothing.
select account_id, call_id, hook_no, url from (
    select account_id, call_id, hook_no, url, due_at,
        row_number() over (partition by account_id, hook_no, url order by due_at) as place
    from hook_call
    where ended_at is null and due_at <= now()
) due
where place <= :of_receiver
order by place, due_at
limit :limit;

-- name: count_due_calls$
-- How many calls of all accounts are due, :most at most. Locks nothing.
select count(*) from (select from hook_call where ended_at is null and due_at <= now() limit :most) due;

-- name: claim_calls
-- Takes those of the calls that are still due, and puts them off while they are being made: should their worker die, they
-- are due again. Locks them; passes over those that another worker is taking.
with mine as materialized (
    select c.call_id, h.name, h.secret, coalesce(h.url, c.url) as receiver, h.deleted_at is not null as gone
    from hook_call c
    left join hook h on h.account_id = :account_id and h.hook_no = c.hook_no
    where c.account_id = :account_id and c.call_id = any(:call_ids) and c.ended_at is null and c.due_at <= now()
    order by c.call_id
    for update of c skip locked
)
update hook_call c set attempts = c.attempts + 1, due_at = now() + make_interval(secs => :seconds)
from mine
where c.account_id = :account_id and c.call_id = mine.call_id
returning c.*, mine.name, mine.secret, mine.receiver, mine.gone;

-- name: end_call!
-- The call was made, or is given up. Who made it late, when another did it again, finds it ended.
update hook_call set ended_at = now(), outcome = :outcome
where account_id = :account_id and call_id = :call_id and ended_at is null;

-- name: put_call_off!
-- Another attempt after :seconds, unless another worker has taken the call meanwhile.
update hook_call set due_at = now() + make_interval(secs => :seconds), outcome = :outcome
where account_id = :account_id and call_id = :call_id and ended_at is null and attempts = :attempts;

-- name: put_receiver_off!
-- No calls for a while of a receiver that cannot be reached. Passes over calls that are being taken.
update hook_call set due_at = now() + make_interval(secs => :seconds)
where account_id = :account_id and call_id in (
    select call_id from hook_call
    where account_id = :account_id and hook_no is not distinct from :hook_no and url is not distinct from :url
        and ended_at is null and due_at <= now()
    order by call_id
    limit :limit
    for update skip locked
);

-- name: page_of_calls
-- The calls of a hook, the last first.
select * from hook_call
where account_id = :account_id and hook_no = :hook_no
order by created_at desc, call_id
limit :limit;

-- name: has_old_calls$
select exists (
    select from hook_call where account_id = :account_id and ended_at < now() - make_interval(days => :days)
);

-- name: prune_calls!
-- Deletes at most :limit calls that ended more than :days ago; locks them in order, since two may be under way.
with old as materialized (
    select call_id from hook_call
    where account_id = :account_id and ended_at < now() - make_interval(days => :days)
    order by call_id
    limit :limit
    for update
)
delete from hook_call c using old where c.account_id = :account_id and c.call_id = old.call_id;
